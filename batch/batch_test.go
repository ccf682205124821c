package batch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/batch"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// A bench is the layer over a made-up admission and account.
type bench struct {
	http.RoundTripper

	// hold, if set, is called before each send may go; its error refuses it.
	hold func(req *http.Request, call *limit.Call) error
	// answer, if set, answers a send; a nil response answers like an account
	// that has every ticket but those below 10.
	answer func(req *http.Request) (*http.Response, error)

	mu    sync.Mutex
	paths []string // sent
	saved int
}

func newBench(t *testing.T, o batch.Options) *bench {
	t.Helper()
	b := &bench{}
	o.Provider = zendesk.New(zendesk.UnknownPlan)
	o.Sink = func(e event.Event) {
		if e.Kind == event.Saved && e.Cause == limit.Merged {
			b.mu.Lock()
			b.saved++
			b.mu.Unlock()
		}
	}
	merger, err := batch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.RoundTripper = merger.Layer()(sender{b})
	return b
}

// sender is admission and account below the layer.
type sender struct{ *bench }

func (s sender) RoundTrip(req *http.Request) (*http.Response, error) {
	if call := limit.CallFrom(req.Context()); call != nil {
		if s.hold != nil {
			if err := s.hold(req, call); err != nil {
				return nil, err
			}
		}
		if call.Seal != nil {
			if req = call.Seal(req); req == nil {
				return nil, context.Canceled
			}
		}
	}
	s.mu.Lock()
	s.paths = append(s.paths, req.URL.RequestURI())
	s.mu.Unlock()
	if s.answer != nil {
		if resp, err := s.answer(req); resp != nil || err != nil {
			return resp, err
		}
	}
	select {
	case <-time.After(100 * time.Millisecond):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	return account(req), nil
}

func (b *bench) sent() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.paths...)
}

// ticket is one as the account has it, with blanks that must survive.
func ticket(id uint64) string {
	return fmt.Sprintf(`{"id":%d, "subject": "no %d", "big": 12345678901234567890.10}`, id, id)
}

// account answers like an account without tickets 1 to 9.
func account(req *http.Request) *http.Response {
	if ids := req.URL.Query().Get("ids"); ids != "" {
		var list []string
		for text := range strings.SplitSeq(ids, ",") {
			if id, _ := strconv.ParseUint(text, 10, 64); id >= 10 {
				list = append([]string{ticket(id)}, list...) // in no order of ours
			}
		}
		return reply(200, `{"tickets":[`+strings.Join(list, ",")+`],"next_page":null,"count":1}`)
	}
	last := req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]
	id, _ := strconv.ParseUint(strings.TrimSuffix(last, ".json"), 10, 64)
	switch {
	case id >= 10:
		return reply(200, `{"ticket":`+ticket(id)+`}`)
	case id == 3:
		return reply(403, `{"error":"Forbidden"}`)
	}
	return reply(404, `{"error":"RecordNotFound"}`)
}

func reply(status int, text string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: strconv.Itoa(status) + " " + http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Content-Type": {"application/json; charset=utf-8"}, "Etag": {`W/"1"`}, "Set-Cookie": {"a=b"},
			"X-Rate-Limit-Remaining": {"699"}, "Content-Length": {strconv.Itoa(len(text))},
		},
		Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}
}

// An ask is one call to make.
type ask struct {
	id      int
	path    string // instead of the ticket's
	method  string
	header  []string
	call    limit.Call
	ctx     context.Context
	without bool // without leave to merge
}

// An end is what a call came to.
type end struct {
	status int
	text   string
	header http.Header
	err    error
	took   time.Duration
	call   *limit.Call
}

func (b *bench) do(t *testing.T, a ask) end {
	ctx := a.ctx
	if ctx == nil {
		ctx = t.Context()
	}
	path := a.path
	if path == "" {
		path = fmt.Sprintf("/api/v2/tickets/%d.json", a.id)
	}
	method := a.method
	if method == "" {
		method = http.MethodGet
	}
	call := a.call
	call.Arrived, call.Batch = time.Now(), !a.without
	u, err := url.Parse("https://acme.zendesk.com" + path)
	if err != nil {
		return end{err: err}
	}
	req := (&http.Request{Method: method, URL: u, Host: u.Host, Header: http.Header{"Authorization": {"Bearer token"}}}).WithContext(limit.WithCall(ctx, &call))
	for i := 0; i+1 < len(a.header); i += 2 {
		req.Header.Set(a.header[i], a.header[i+1])
	}
	call.Route = zendesk.New(zendesk.UnknownPlan).Route(req)
	start := time.Now()
	resp, err := b.RoundTrip(req)
	e := end{err: err, took: time.Since(start), call: &call}
	if err != nil { // the caller may do with its own what it likes
		req.Header.Set("Reused", "yes")
		req.URL.Path = "/reused"
		call.Held++
		return e
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	_, e.err = text.ReadFrom(resp.Body)
	e.status, e.text, e.header = resp.StatusCode, text.String(), resp.Header
	return e
}

// all makes the calls at once, in order, and returns what they came to.
func (b *bench) all(t *testing.T, asks ...ask) []end {
	ends := make([]end, len(asks))
	var group sync.WaitGroup
	for i, a := range asks {
		group.Go(func() { ends[i] = b.do(t, a) })
		synctest.Wait() // the next one comes after it
	}
	group.Wait()
	return ends
}

func reads(from, to int) []ask {
	var asks []ask
	for id := from; id <= to; id++ {
		asks = append(asks, ask{id: id})
	}
	return asks
}

func TestALoneReadGoesAtOnceAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		got := b.do(t, ask{id: 17})
		if got.took != 100*time.Millisecond || got.text != `{"ticket":`+ticket(17)+`}` || got.header.Get("Etag") == "" {
			t.Errorf("a lone read took %s and got %q, %v", got.took, got.text, got.header)
		}
		if sent := b.sent(); len(sent) != 1 || sent[0] != "/api/v2/tickets/17.json" || b.saved != 0 {
			t.Errorf("sent %v, saved %d", sent, b.saved)
		}
	})
}

func TestReadsThatComeTogetherAreOneSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		ends := b.all(t, reads(10, 14)...)
		for i, e := range ends {
			if want := `{"ticket":` + ticket(uint64(10+i)) + `}`; e.status != 200 || e.text != want {
				t.Errorf("ticket %d: %d %q, want %q", 10+i, e.status, e.text, want)
			}
			if i == 0 {
				continue
			}
			if e.header.Get("Etag") != "" || e.header.Get("Set-Cookie") != "" || e.header.Get("X-Rate-Limit-Remaining") != "699" ||
				e.header.Get("Content-Length") != strconv.Itoa(len(e.text)) || e.header.Get("Cache-Status") == "" {
				t.Errorf("ticket %d: header %v", 10+i, e.header)
			}
			if e.took != 105*time.Millisecond {
				t.Errorf("ticket %d took %s, want the window and the send", 10+i, e.took)
			}
		}
		sent := b.sent()
		if len(sent) != 2 || sent[1] != "/api/v2/tickets/show_many?ids=11,12,13,14" || b.saved != 4 {
			t.Errorf("sent %v, saved %d", sent, b.saved)
		}
	})
}

func TestWhatIsHeldTakesInSiblings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		open := make(chan struct{})
		b.hold = func(*http.Request, *limit.Call) error { <-open; return nil }
		time.AfterFunc(time.Minute, func() { close(open) })
		var asks []ask
		for i := range 150 {
			asks = append(asks, ask{id: 10 + i})
		}
		for i, e := range b.all(t, asks...) {
			if e.status != 200 || e.text != `{"ticket":`+ticket(uint64(10+i))+`}` {
				t.Errorf("ticket %d: %d, %v", 10+i, e.status, e.err)
			}
		}
		if sent := b.sent(); len(sent) != 3 || b.saved != 149 {
			t.Errorf("%d sends, %d saved, want 3 for 150: one alone, a full hundred and the rest", len(sent), b.saved)
		}
	})
}

func TestAMissingObjectIsAskedForAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		ends := b.all(t, reads(2, 12)...)
		for i, e := range ends {
			want := 404
			switch id := i + 2; {
			case id == 3:
				want = 403
			case id >= 10:
				want = 200
			}
			if e.status != want || e.err != nil {
				t.Errorf("ticket %d: %d, %v, want %d", i+2, e.status, e.err, want)
			}
		}
		if sent := b.sent(); len(sent) != 9 || b.saved != 3 {
			t.Errorf("sent %v, saved %d", sent, b.saved)
		}
	})
}

func TestTheLeadersImpatienceIsNotItsSiblings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		start := time.Now()
		b.hold = func(_ *http.Request, call *limit.Call) error {
			opens := start.Add(10 * time.Second)
			if !call.Deadline.IsZero() && call.Deadline.Before(opens) {
				return &limit.WaitError{Reason: limit.Spent, RetryAt: opens}
			}
			time.Sleep(time.Until(opens))
			return nil
		}
		impatient := limit.Call{Deadline: start.Add(time.Second)}
		ends := b.all(t, ask{id: 10}, ask{id: 11, call: impatient}, ask{id: 12}, ask{id: 13, call: impatient})
		for i, e := range ends {
			var refusal *limit.WaitError
			if refused := errors.As(e.err, &refusal); refused != (i%2 == 1) {
				t.Errorf("call %d: %d, %v", i, e.status, e.err)
			} else if refused && (refusal.Path != fmt.Sprintf("/api/v2/tickets/%d.json", 10+i) || e.took > time.Second) {
				t.Errorf("call %d was refused after %s: %+v", i, e.took, refusal)
			}
		}
	})
}

func TestWhoLeavesCancelsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		open := make(chan struct{})
		b.hold = func(*http.Request, *limit.Call) error { <-open; return nil }
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		time.AfterFunc(2*time.Second, func() { close(open) })
		ends := b.all(t, ask{id: 10}, ask{id: 11, ctx: ctx}, ask{id: 12}, ask{id: 13})
		for i, e := range ends {
			if left := errors.Is(e.err, context.Canceled); left != (i == 1) || left && e.took != time.Second {
				t.Errorf("call %d: %d, %v after %s", i, e.status, e.err, e.took)
			}
		}
		if sent := b.sent(); len(sent) != 2 || sent[0] != "/api/v2/tickets/show_many?ids=12,13" && sent[1] != "/api/v2/tickets/show_many?ids=12,13" {
			t.Errorf("sent %v: want nothing for who left", sent)
		}
	})
}

func TestNothingIsSentForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, batch.Options{})
		b.hold = func(req *http.Request, _ *limit.Call) error {
			select {
			case <-time.After(time.Minute):
				return nil
			case <-req.Context().Done():
				return req.Context().Err()
			}
		}
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		b.all(t, ask{id: 10, ctx: ctx}, ask{id: 11, ctx: ctx}, ask{id: 12, ctx: ctx})
		if sent := b.sent(); len(sent) != 0 {
			t.Errorf("sent %v for nobody", sent)
		}
	})
}
