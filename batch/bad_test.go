package batch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/batch"
	"github.com/flyballhq/flyball/limit"
)

// many reports whether req is a call for many.
func many(req *http.Request) bool { return strings.HasSuffix(req.URL.Path, "show_many") }

func manySends(paths []string) int {
	n := 0
	for _, path := range paths {
		if strings.Contains(path, "show_many") {
			n++
		}
	}
	return n
}

// broken is a body that breaks off after some bytes.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func packed(text string) io.Reader {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return &b
}

func TestAnAnswerForManyThatIsNoneLeavesEachItsOwn(t *testing.T) {
	body := func(status int, r io.Reader, header ...string) func(*http.Request) (*http.Response, error) {
		return func(req *http.Request) (*http.Response, error) {
			if !many(req) {
				return nil, nil
			}
			resp := reply(status, "")
			resp.Body, resp.ContentLength = io.NopCloser(r), -1
			for i := 0; i+1 < len(header); i += 2 {
				resp.Header.Set(header[i], header[i+1])
			}
			return resp, nil
		}
	}
	text := func(status int, s string) func(*http.Request) (*http.Response, error) {
		return body(status, strings.NewReader(s))
	}
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){
		"500":           text(500, `{"error":"oops"}`),
		"503":           text(503, `<html>`),
		"403":           text(403, `{"error":"Forbidden"}`),
		"404":           text(404, `{}`),
		"401":           text(401, `{"error":"Couldn't authenticate you"}`),
		"422":           text(422, ``),
		"304":           text(304, ``),
		"204":           text(204, ``),
		"empty":         text(200, ``),
		"html":          text(200, `<html>down for maintenance</html>`),
		"null":          text(200, `null`),
		"list":          text(200, `[]`),
		"no list":       text(200, `{"tickets":{"id":11}}`),
		"other list":    text(200, `{"users":[{"id":11}]}`),
		"no ids":        text(200, `{"tickets":[1,"x",null,[],{},{"id":"11"},{"id":-11},{"id":1e2},{"id":null}]}`),
		"other ids":     text(200, `{"tickets":[{"id":99},{"id":98}]}`),
		"half":          text(200, `{"tickets":[{"id":11},{"id":12`),
		"two values":    text(200, `{"tickets":[{"id":11}]} {"tickets":[]}`),
		"deep":          text(200, strings.Repeat(`{"tickets":[`, 20000)),
		"cut":           body(200, broken{strings.NewReader(`{"tickets":[{"id":11}]`)}),
		"endless":       body(200, endless{}),
		"no gzip":       body(200, strings.NewReader(`{"tickets":[]}`), "Content-Encoding", "gzip"),
		"brotli":        body(200, strings.NewReader(`{"tickets":[]}`), "Content-Encoding", "br"),
		"a broken wire": func(req *http.Request) (*http.Response, error) { return nil, brokenWire(req) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, batch.Options{})
				b.answer = answer
				for i, e := range b.all(t, reads(9, 13)...) {
					want := 200
					if i == 0 {
						want = 404
					}
					if e.status != want || e.err != nil || want == 200 && e.text != `{"ticket":`+ticket(uint64(9+i))+`}` {
						t.Errorf("ticket %d: %d %q, %v", 9+i, e.status, e.text, e.err)
					}
				}
				if sent := b.sent(); len(sent) != 6 || manySends(sent) != 1 || b.saved != 0 {
					t.Errorf("sent %v, saved %d", sent, b.saved)
				}
			})
		})
	}
}

func brokenWire(req *http.Request) error {
	if many(req) {
		return errors.New("connection reset by peer")
	}
	return nil
}

func TestAPackedAnswerIsUnpacked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		b.answer = func(req *http.Request) (*http.Response, error) {
			if !many(req) {
				return nil, nil
			}
			resp := account(req)
			text, _ := io.ReadAll(resp.Body)
			resp.Body = io.NopCloser(packed(string(text)))
			resp.Header.Set("Content-Encoding", "gzip")
			return resp, nil
		}
		for i, e := range b.all(t, reads(10, 12)...)[1:] {
			if e.text != `{"ticket":`+ticket(uint64(11+i))+`}` || e.header.Get("Content-Encoding") != "" {
				t.Errorf("ticket %d: %q %v", 11+i, e.text, e.header)
			}
		}
	})
}

// Calls that differ in what changes an answer never become one.
func TestWhatChangesTheAnswerKeepsCallsApart(t *testing.T) {
	for name, pair := range map[string]struct {
		other ask
		one   bool // they may become one all the same
	}{
		"nothing":          {ask{}, true},
		"tracing":          {ask{header: []string{"Traceparent", "00-1", "User-Agent", "x", "X-Request-Id", "7", "Accept-Encoding", "br"}}, true},
		"credential":       {ask{header: []string{"Authorization", "Bearer other"}}, false},
		"on behalf of":     {ask{header: []string{"X-On-Behalf-Of", "jane@example.com"}}, false},
		"cookie":           {ask{header: []string{"Cookie", "_zendesk_session=1"}}, false},
		"accept":           {ask{header: []string{"Accept", "text/html"}}, false},
		"language":         {ask{header: []string{"Accept-Language", "de"}}, false},
		"unknown header":   {ask{header: []string{"X-Zendesk-Odd", "1"}}, false},
		"host":             {ask{header: []string{"Host", "1"}}, false},
		"client":           {ask{call: limit.Call{Client: "sync"}}, false},
		"class":            {ask{call: limit.Call{Class: limit.Interactive, Labelled: true}}, false},
		"label":            {ask{call: limit.Call{Labelled: true}}, false},
		"weight":           {ask{call: limit.Call{Weight: 2}}, false},
		"kind":             {ask{path: "/api/v2/users/12"}, false},
		"query":            {ask{path: "/api/v2/tickets/12?include=users"}, false},
		"empty query":      {ask{path: "/api/v2/tickets/12?"}, true},
		"odd id":           {ask{path: "/api/v2/tickets/0012"}, false},
		"escaped path":     {ask{path: "/api/v2/tickets/1%32"}, false},
		"no id":            {ask{path: "/api/v2/tickets/recent"}, false},
		"HEAD":             {ask{method: http.MethodHead}, false},
		"If-None-Match":    {ask{header: []string{"If-None-Match", `W/"1"`}}, false},
		"If-Modified":      {ask{header: []string{"If-Modified-Since", "Mon, 23 Nov 2026 13:29:52 GMT"}}, false},
		"Range":            {ask{header: []string{"Range", "bytes=0-1"}}, false},
		"never waits":      {ask{call: limit.Call{NoWait: true}}, false},
		"not allowed":      {ask{without: true}, false},
		"less patience":    {ask{call: limit.Call{Deadline: time.Now().Add(time.Hour)}}, false},
		"without the json": {ask{path: "/api/v2/tickets/12"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, batch.Options{})
				other := pair.other
				other.id = 12
				if !other.call.Deadline.IsZero() {
					other.call.Deadline = time.Now().Add(time.Second)
				}
				ends := b.all(t, ask{id: 10}, ask{id: 11}, other)
				together := slices.Contains(b.sent(), "/api/v2/tickets/show_many?ids=11,12")
				if together != pair.one {
					t.Errorf("sent %v", b.sent())
				}
				if ends[1].status != 200 {
					t.Errorf("its sibling got %d, %v", ends[1].status, ends[1].err)
				}
			})
		})
	}
}

func TestARefusedGroupIsAskedAgainByThosePatientEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		b.answer = func(req *http.Request) (*http.Response, error) {
			if manySends(b.sent()) != 1 || !many(req) {
				return nil, nil
			}
			resp := reply(429, `{"error":"APIRateLimitExceeded"}`)
			resp.Header.Set("Retry-After", "30")
			return resp, nil
		}
		short := limit.Call{Deadline: time.Now().Add(time.Second)}
		ends := b.all(t, ask{id: 10}, ask{id: 11, call: short}, ask{id: 12}, ask{id: 13, call: short}, ask{id: 14, call: limit.Call{Deadline: time.Now().Add(20 * time.Second)}})
		for i, want := range []int{200, 429, 200, 429, 429} {
			if ends[i].status != want || ends[i].err != nil {
				t.Errorf("call %d: %d, %v, want %d", i, ends[i].status, ends[i].err, want)
			}
		}
		if ends[1].text != `{"error":"APIRateLimitExceeded"}` || ends[1].header.Get("Retry-After") != "30" {
			t.Errorf("the refusal came as %q, %v", ends[1].text, ends[1].header)
		}
	})
}

// The layers below gave up after their last attempt, not for want of patience.
func TestARefusedSendForManyIsNotItsCallersRefusal(t *testing.T) {
	for _, patience := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, batch.Options{})
			b.answer = func(req *http.Request) (*http.Response, error) {
				if !many(req) {
					return nil, nil
				}
				return reply(429, `{"error":"APIRateLimitExceeded"}`), nil
			}
			asks := reads(10, 14)
			for i := range asks {
				if patience > 0 {
					asks[i].call.Deadline = time.Now().Add(patience)
				}
			}
			for i, e := range b.all(t, asks...) {
				if e.status != 200 || e.err != nil {
					t.Errorf("patience %s, call %d: %d, %v", patience, i, e.status, e.err)
				}
			}
			if n := manySends(b.sent()); n != 1 || len(b.sent()) != 6 {
				t.Errorf("patience %s: sent %v, want one for many and five alone", patience, b.sent())
			}
		})
	}
}

// A group of one made all the attempts that its call is allowed.
func TestARefusedGroupOfOneIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		b.hold = func(_ *http.Request, call *limit.Call) error {
			if call.For == limit.Merged {
				time.Sleep(time.Second) // its sibling leaves meanwhile
			}
			return nil
		}
		b.answer = func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/11") || strings.HasSuffix(req.URL.Path, "/11.json") {
				return reply(429, `{"error":"APIRateLimitExceeded"}`), nil
			}
			time.Sleep(50 * time.Millisecond)
			return nil, nil
		}
		leaves, leave := context.WithCancel(t.Context())
		time.AfterFunc(500*time.Millisecond, leave)
		ends := b.all(t, ask{id: 10}, ask{id: 11}, ask{id: 12, ctx: leaves})
		if ends[1].status != 429 || len(b.sent()) != 2 {
			t.Errorf("%d, %v; sent %v, want the refusal and one send of it", ends[1].status, ends[1].err, b.sent())
		}
	})
}

// Behaviour F6: over 100 items are split
func TestNoSendIsForMoreThanAHundred(t *testing.T) {
	check := func(t *testing.T, through func(b *bench) http.RoundTripper) (fault string) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, batch.Options{})
			open := make(chan struct{})
			b.hold = func(*http.Request, *limit.Call) error { <-open; return nil }
			b.answer = func(req *http.Request) (*http.Response, error) {
				if many(req) && strings.Count(req.URL.RawQuery, ",") >= 100 {
					return reply(400, `{"error":"TooManyValues"}`), nil
				}
				return nil, nil
			}
			b.RoundTripper = through(b)
			time.AfterFunc(time.Second, func() { close(open) })
			for i, e := range b.all(t, reads(10, 350)...) {
				if e.status != 200 {
					fault = fmt.Sprintf("ticket %d: %d, %v", 10+i, e.status, e.err)
				}
			}
			if n := len(b.sent()); n != 5 {
				fault += fmt.Sprintf("; %d sends for 341 calls, want one alone and 4 for the rest", n)
			}
		})
		return fault
	}
	if fault := check(t, func(b *bench) http.RoundTripper { return b.RoundTripper }); fault != "" {
		t.Error(fault)
	}
	if fault := check(t, func(b *bench) http.RoundTripper { return &greedy{next: sender{b}, after: time.Second} }); fault == "" {
		t.Error("the check finds nothing on a twin that asks for all at once either")
	} else {
		t.Logf("the twin: %s", fault)
	}
}

// greedy asks for all that came within a while in one call.
type greedy struct {
	next  http.RoundTripper
	after time.Duration
	ids   []string
	first time.Time
	mu    sync.Mutex
}

func (g *greedy) RoundTrip(req *http.Request) (*http.Response, error) {
	g.mu.Lock()
	if g.first.IsZero() {
		g.first = time.Now()
	}
	id := strings.TrimSuffix(req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:], ".json")
	g.ids = append(g.ids, id)
	g.mu.Unlock()
	time.Sleep(time.Until(g.first.Add(g.after)))
	g.mu.Lock()
	defer g.mu.Unlock()
	u := *req.URL
	u.Path, u.RawQuery = "/api/v2/tickets/show_many", "ids="+strings.Join(g.ids, ",")
	req = (&http.Request{Method: "GET", URL: &u, Header: req.Header}).WithContext(req.Context())
	return g.next.RoundTrip(req)
}

func TestAPanicBelowIsItsCallersError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		b.answer = func(req *http.Request) (*http.Response, error) {
			if many(req) {
				panic("boom")
			}
			return nil, nil
		}
		for i, e := range b.all(t, reads(10, 12)...)[1:] {
			if e.err == nil || !strings.Contains(e.err.Error(), "boom") {
				t.Errorf("call %d: %d, %v", i, e.status, e.err)
			}
		}
		b.answer = nil
		if e := b.do(t, ask{id: 10}); e.status != 200 || e.took != 100*time.Millisecond {
			t.Errorf("after a panic: %d, %v after %s", e.status, e.err, e.took)
		}
	})
}

func TestADeadlineWhileHeldSaysWhatHeldIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		b.hold = func(req *http.Request, call *limit.Call) error {
			if call.Deadline.IsZero() {
				time.Sleep(time.Minute)
				return nil
			}
			time.Sleep(time.Until(call.Deadline))
			return &limit.WaitError{Reason: limit.Spent, RetryAt: time.Now().Add(time.Minute)}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ends := b.all(t, ask{id: 10}, ask{id: 11, ctx: ctx})
		var refusal *limit.WaitError
		if !errors.As(ends[1].err, &refusal) || refusal.Reason != limit.Spent || ends[1].took != time.Second {
			t.Errorf("got %v after %s, want what held it", ends[1].err, ends[1].took)
		}
	})
}

func TestADeadlineAfterLeaveEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		b.answer = func(req *http.Request) (*http.Response, error) {
			if many(req) {
				select {
				case <-time.After(time.Hour):
				case <-req.Context().Done():
					return nil, req.Context().Err()
				}
			}
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ends := b.all(t, ask{id: 10}, ask{id: 11, ctx: ctx}, ask{id: 12, ctx: ctx})
		for _, e := range ends[1:] {
			if !errors.Is(e.err, context.DeadlineExceeded) || e.took != time.Second {
				t.Errorf("got %v after %s, want the deadline", e.err, e.took)
			}
		}
	})
}

func TestARouteIsMergedUnasked(t *testing.T) {
	for route, want := range map[string]int{"GET /api/v2/tickets/{id}": 2, "GET *": 2, "GET /api/v2/users/{id}": 3} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, batch.Options{Routes: []string{route}})
			b.all(t, ask{id: 10, without: true}, ask{id: 11, without: true}, ask{id: 12, without: true})
			if n := len(b.sent()); n != want {
				t.Errorf("%s: %d sends, want %d", route, n, want)
			}
		})
	}
}

func TestWaitsForNobodyWhileNothingIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		ends := b.all(t, ask{id: 10}, ask{id: 11})
		if ends[1].took != 105*time.Millisecond || len(b.sent()) != 2 || manySends(b.sent()) != 0 {
			t.Errorf("the second took %s, sent %v: want the window and its own call", ends[1].took, b.sent())
		}
		// The one under way ends before the window does.
		start := time.Now()
		go b.do(t, ask{id: 12})
		time.Sleep(98 * time.Millisecond)
		e := b.do(t, ask{id: 13})
		if e.took != 102*time.Millisecond {
			t.Errorf("it took %s, want to go as soon as the one before has ended; %s", e.took, time.Since(start))
		}
	})
}

// Who leaves in the middle of the send gets its request and its call back: the
// send goes on for its siblings and touches neither. The race detector sees to
// it.
func TestWhoLeavesMayReuseItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, late := range []time.Duration{2 * time.Millisecond, 50 * time.Millisecond, 105 * time.Millisecond} {
			b := newBench(t, batch.Options{})
			b.answer = func(req *http.Request) (*http.Response, error) {
				if many(req) {
					time.Sleep(100 * time.Millisecond)
					return account(req), nil
				}
				return nil, nil
			}
			ctx, leave := context.WithCancel(t.Context())
			time.AfterFunc(late, leave)
			ends := b.all(t, ask{id: 10}, ask{id: 11, ctx: ctx}, ask{id: 12}, ask{id: 13, ctx: ctx}, ask{id: 14})
			for i, e := range ends {
				if left := i%2 == 1 && late < 105*time.Millisecond; left != (e.err != nil) && late != 105*time.Millisecond {
					t.Errorf("after %s, call %d: %d, %v", late, i, e.status, e.err)
				}
			}
		}
	})
}

// A caller that may not read many costs one send to find out, not one for
// each group.
func TestWhatIsDeniedIsNotTriedEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		b.answer = func(req *http.Request) (*http.Response, error) {
			if many(req) {
				return reply(403, `{"error":"Forbidden"}`), nil
			}
			return nil, nil
		}
		for range 5 {
			for i, e := range b.all(t, reads(10, 14)...) {
				if e.status != 200 {
					t.Errorf("ticket %d: %d, %v", 10+i, e.status, e.err)
				}
			}
		}
		if n := manySends(b.sent()); n != 1 {
			t.Errorf("%d sends for many, want 1", n)
		}
		time.Sleep(time.Minute)
		b.all(t, reads(10, 14)...)
		if n := manySends(b.sent()); n != 2 {
			t.Errorf("%d sends for many a minute later, want 2", n)
		}
		// Another credential is another matter.
		other := []string{"Authorization", "Bearer other"}
		b.all(t, ask{id: 10, header: other}, ask{id: 11, header: other}, ask{id: 12, header: other})
		if n := manySends(b.sent()); n != 3 {
			t.Errorf("%d sends for many, want 3", n)
		}
	})
}

func TestGatheringIsASmallPartOfACallersPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{ReadWindow: time.Second})
		b.answer = func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/10.json") {
				time.Sleep(time.Minute)
			}
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		short := limit.Call{Deadline: time.Now().Add(50 * time.Millisecond)}
		ends := b.all(t, ask{id: 10}, ask{id: 11, ctx: ctx}, ask{id: 12, call: short})
		for i, want := range []time.Duration{150 * time.Millisecond, 105 * time.Millisecond} {
			if e := ends[i+1]; e.status != 200 || e.took != want {
				t.Errorf("call %d: %d, %v after %s, want 200 after %s", i+1, e.status, e.err, e.took, want)
			}
		}
	})
}
