package retry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/retry"
)

// A layer is what is tested: ours, or the naive way.
type layer func(next http.RoundTripper) http.RoundTripper

func ours(o retry.Options) layer {
	o.Provider = provider{}
	return retry.New(o)
}

// A naive layer is a retry loop in ten lines, as it is found in many clients.
type naive struct {
	tries int                             // sends of one call
	wait  func(http.Header) time.Duration // before each repeat; nil waits not at all
	made  error                           // what giving up returns instead of the answer
	reuse bool                            // sends the same, drained body again
	every bool                            // repeats everything that is not a 2xx
}

func (n naive) layer(next http.RoundTripper) http.RoundTripper {
	return trips(func(req *http.Request) (*http.Response, error) {
		var body []byte
		if req.Body != nil && !n.reuse {
			body, _ = io.ReadAll(req.Body)
		}
		for i := 1; ; i++ {
			if body != nil {
				req.Body = io.NopCloser(bytes.NewReader(body))
			}
			resp, err := next.RoundTrip(req)
			if err == nil && resp.StatusCode < 300 || err == nil && !n.every && resp.StatusCode < 429 {
				return resp, nil
			}
			if i >= n.tries {
				if n.made != nil {
					return nil, n.made
				}
				return resp, err
			}
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			if n.wait != nil && err == nil {
				time.Sleep(n.wait(resp.Header))
			}
		}
	})
}

type trips func(*http.Request) (*http.Response, error)

func (f trips) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// keeps runs a check on ours and on the twin, each in its own bubble, and
// wants it to hold for ours and to fail for the twin.
func keeps(t *testing.T, us, twin layer, check func(*testing.T, layer) error) {
	t.Helper()
	t.Run("ours", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			if err := check(t, us); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("twin", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			if check(t, twin) == nil {
				t.Error("the check holds for the faulty twin too")
			}
		})
	})
}

// A gate stands in for admission: after a refusal it holds every call until
// the pause is over, and refuses the one whose deadline that would pass.
type gate struct {
	next  http.RoundTripper
	until time.Time
}

func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	call := limit.CallFrom(req.Context())
	if !call.Deadline.IsZero() && g.until.After(call.Deadline) || call.NoWait && time.Now().Before(g.until) {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, &limit.WaitError{Method: req.Method, Path: req.URL.Path, RetryAt: g.until}
	}
	time.Sleep(time.Until(g.until))
	resp, err := g.next.RoundTrip(req)
	if err == nil && resp.StatusCode == 429 {
		a := provider{}.Read(&call.Route, resp.StatusCode, resp.Header)
		g.until = time.Now().Add(max(a.RetryAfter, time.Second))
	}
	return resp, err
}

// Behaviour A6: whatever Retry-After says, no form makes a tight loop or a crash.
func TestNoFormOfRetryAfterMakesATightLoop(t *testing.T) {
	forms := map[string]func() string{
		"zero": func() string { return "0" }, "decimal": func() string { return "1.5" },
		"date": func() string { return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) },
		"past": func() string { return time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat) },
		"none": func() string { return "" }, "words": func() string { return "soon" },
		"negative": func() string { return "-5" },
	}
	kinds := map[string]struct {
		status int
		body   string
		admit  bool // a layer below holds calls back
	}{
		"429":                    {429, "slow down", true},
		"429 that is no limit":   {429, "no limit", false},
		"503 with a Retry-After": {503, "down", false},
	}
	atoi := func(h http.Header) time.Duration {
		n, _ := strconv.Atoi(h.Get("Retry-After"))
		return time.Duration(n) * time.Second
	}
	for kind, k := range kinds {
		for form, value := range forms {
			if k.status == 503 && (form == "none" || form == "words") {
				continue // nothing was asked: full jitter, from zero up
			}
			t.Run(kind+"/"+form, func(t *testing.T) {
				us := ours(retry.Options{})
				if k.admit {
					us = func(next http.RoundTripper) http.RoundTripper {
						return ours(retry.Options{})(&gate{next: next})
					}
				}
				keeps(t, us, naive{tries: 100, wait: atoi}.layer, func(t *testing.T, l layer) error {
					below := &wire{steps: []step{
						answers(k.status, k.body, "Retry-After", value()),
						answers(k.status, k.body, "Retry-After", value()), answers(200, "fine"),
					}}
					req, _ := request(t, "GET", "", limit.Route{})
					resp, err := l(below).RoundTrip(req)
					if err != nil {
						return err
					}
					resp.Body.Close()
					if resp.StatusCode != 200 {
						return fmt.Errorf("answer %d, want 200", resp.StatusCode)
					}
					return spaced(below.sends, time.Second)
				})
			})
		}
	}
}

func spaced(sends []send, least time.Duration) error {
	for i := range sends[1:] {
		if gap := sends[i+1].at.Sub(sends[i].at); gap < least {
			return fmt.Errorf("sends %d and %d are %v apart, want at least %v", i, i+1, gap, least)
		}
	}
	return nil
}

// Behaviour A8: a 429 that never ends costs 8 sends, then the caller gets the server's own answer.
func TestEndless429EndsInTheServersAnswer(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		sends      int
	}{
		{"for a while", "slow down", 8},
		{"for ever", "never: page too deep", 1},
		{"too long to keep", strings.Repeat("x", 100<<10), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			twin := naive{tries: 1000}.layer
			keeps(t, ours(retry.Options{}), twin, func(t *testing.T, l layer) error {
				below := &wire{steps: []step{answers(429, tt.body, "Retry-After", "7", "X-Zendesk-Request-Id", "r1")}}
				req, _ := request(t, "POST", "{}", limit.Route{})
				resp, err := l(&gate{next: below}).RoundTrip(req)
				if err != nil {
					return err
				}
				if got := text(t, resp); resp.StatusCode != 429 || got != tt.body || resp.Header.Get("X-Zendesk-Request-Id") != "r1" {
					return fmt.Errorf("answer %d %.20q %v, want the server's own", resp.StatusCode, got, resp.Header)
				}
				if n := below.count(); n != tt.sends || below.open != 0 {
					return fmt.Errorf("%d sends, %d answers open; want %d, 0", n, below.open, tt.sends)
				}
				return nil
			})
		})
	}
}

var (
	errCut  = errors.New("connection reset by peer")
	errDial = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
)

// Behaviour D1: after a 5xx or a cut only what can be done twice without harm is sent again.
func TestOnlyHarmlessCallsAreRepeatedAfterAFault(t *testing.T) {
	tickets := limit.Route{IdempotencyKeys: true}
	job := limit.Route{Job: limit.StartsJob}
	for _, tt := range []struct {
		name, method, body string
		route              limit.Route
		fault              step
		sends              int
	}{
		{"GET", "GET", "", limit.Route{}, fails(errCut), 2},
		{"HEAD", "HEAD", "", limit.Route{}, answers(502, ""), 2},
		{"OPTIONS", "OPTIONS", "", limit.Route{}, answers(504, ""), 2},
		{"DELETE", "DELETE", "", limit.Route{}, answers(500, ""), 2},
		{"PUT that sets", "PUT", `{"ticket":{"status":"open"}}`, limit.Route{}, fails(errCut), 2},
		{"PUT that comments", "PUT", `{"ticket":{"comment":{"body":"hi"}}}`, limit.Route{}, fails(errCut), 1},
		{"PUT that comments, escaped", "PUT", `{"ticket":{"\u0063omment":{"body":"hi"}}}`, limit.Route{}, fails(errCut), 1},
		{"PUT that is guarded", "PUT", `{"ticket":{"status":"open","safe_update":true}}`, limit.Route{}, answers(503, ""), 1},
		{"PUT that is no JSON", "PUT", `ticket[comment]=hi`, limit.Route{}, answers(503, ""), 1},
		{"PUT that is half JSON", "PUT", `{"ticket":`, limit.Route{}, answers(503, ""), 1},
		{"PUT that starts a job", "PUT", `{"ticket":{"status":"open"}}`, job, answers(503, ""), 1},
		{"DELETE that starts a job", "DELETE", "", job, fails(errCut), 1},
		{"POST", "POST", `{"ticket":{}}`, limit.Route{}, fails(errCut), 1},
		{"POST after 503", "POST", `{"ticket":{}}`, limit.Route{}, answers(503, ""), 1},
		{"PATCH", "PATCH", `{}`, limit.Route{}, answers(500, ""), 1},
		{"POST where keys are honoured", "POST", `{"ticket":{}}`, tickets, fails(errCut), 2},
		{"POST never dialed", "POST", `{"ticket":{}}`, limit.Route{}, fails(errDial), 2},
		{"501 is an answer", "GET", "", limit.Route{}, answers(501, ""), 1},
		{"unknown host", "GET", "", limit.Route{}, fails(&net.DNSError{IsNotFound: true}), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			twin := naive{tries: 2, every: true}.layer // repeats everything, once
			if tt.sends == 2 {
				twin = naive{tries: 1}.layer // repeats nothing
			}
			keeps(t, ours(retry.Options{}), twin, func(t *testing.T, l layer) error {
				below := &wire{steps: []step{tt.fault, answers(200, "")}}
				req, _ := request(t, tt.method, tt.body, tt.route)
				if resp, err := l(below).RoundTrip(req); err == nil {
					resp.Body.Close()
				}
				if n := below.count(); n != tt.sends {
					return fmt.Errorf("%d sends, want %d", n, tt.sends)
				}
				return nil
			})
		})
	}
}

// Behaviour D1: a ticket's creation gets one key for all its attempts, and the caller's request none.
func TestTicketCreationGetsOneKey(t *testing.T) {
	fresh := func(next http.RoundTripper) http.RoundTripper { // the twin makes a key for each send
		n := 0
		return naive{tries: 3}.layer(trips(func(req *http.Request) (*http.Response, error) {
			n++
			req.Header.Set("Idempotency-Key", strconv.Itoa(n))
			return next.RoundTrip(req)
		}))
	}
	keeps(t, ours(retry.Options{}), fresh, func(t *testing.T, l layer) error {
		for _, own := range []string{"", "mine"} {
			below := &wire{steps: []step{fails(errCut), answers(503, ""), answers(201, "")}}
			req, _ := request(t, "POST", "{}", limit.Route{IdempotencyKeys: true})
			if own != "" {
				req.Header.Set("Idempotency-Key", own)
			}
			before := req.Header.Clone()
			resp, err := l(below).RoundTrip(req)
			if err != nil {
				return err
			}
			resp.Body.Close()
			first := below.sends[0].header.Get("Idempotency-Key")
			for _, s := range below.sends {
				if got := s.header.Get("Idempotency-Key"); got == "" || got != first || own != "" && got != own {
					return fmt.Errorf("keys %q and %q, want one", first, got)
				}
			}
			if got := fmt.Sprint(req.Header); got != fmt.Sprint(before) {
				return fmt.Errorf("the caller's header became %v", got)
			}
		}
		return nil
	})
}

// After a send that may have been done, a refusal of its repeat would tell the
// caller that nothing was done; its own retry would carry another key.
func TestSendInDoubtIsNotReportedAsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, tt := range map[string]struct {
			refusal step
			sends   int
		}{
			"refused to the end":             {answers(429, "slow down"), 9},
			"refused for ever":               {answers(429, "never"), 2},
			"refused past the key's life":    {answers(429, "slow down", "Retry-After", "3600"), 2},
			"refused by us":                  {fails(&limit.WaitError{}), 2},
			"refused in an unbounded amount": {answers(429, strings.Repeat("x", 100<<10)), 2},
			"not dialed":                     {fails(errDial), 3},
		} {
			below := &wire{steps: []step{fails(errCut), tt.refusal}}
			req, _ := request(t, "POST", "{}", limit.Route{IdempotencyKeys: true})
			if _, err := ours(retry.Options{})(below).RoundTrip(req); !errors.Is(err, errCut) {
				t.Errorf("%s: err = %v, want the cut", name, err)
			}
			if below.open != 0 || below.count() != tt.sends {
				t.Errorf("%s: %d answers left open, %d sends; want 0, %d", name, below.open, below.count(), tt.sends)
			}
		}
	})
}

// Behaviour D2: a body is sent whole each time, or its call is not repeated.
func TestBodyIsReplayedWholeOrNotAtAll(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     retry.Options
		size  int
		sends int
	}{
		{"in memory", retry.Options{}, 100, 3},
		{"in memory to the byte", retry.Options{BodyMemory: 1000}, 1000, 3},
		{"in a file", retry.Options{BodyMemory: 1000}, 1001, 3},
		{"in a large file", retry.Options{BodyMemory: 1000}, 300_000, 3},
		{"in a file for want of memory", retry.Options{MemoryBudget: 700}, 5000, 3},
		{"partly streamed", retry.Options{BodyMemory: 10, DiskBudget: 100_000}, 300_000, 1},
		{"streamed", retry.Options{BodyMemory: -1, DiskBudget: -1}, 300_000, 1},
	} {
		for _, stated := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/length stated %v", tt.name, stated), func(t *testing.T) {
				tt.o.TempDir = t.TempDir()
				twin := naive{tries: 3, reuse: true}.layer
				keeps(t, ours(tt.o), twin, func(t *testing.T, l layer) error {
					want := strings.Repeat("0123456789", tt.size/10+1)[:tt.size]
					below := &wire{steps: []step{answers(429, "slow down"), answers(429, "slow down"), answers(200, "")}}
					req, _ := request(t, "POST", want, limit.Route{})
					req.ContentLength = -1
					if stated {
						req.ContentLength = int64(tt.size)
					}
					sent := l(below)
					resp, err := sent.RoundTrip(req)
					if err != nil {
						return err
					}
					resp.Body.Close()
					for i, s := range below.sends {
						if s.body != want {
							return fmt.Errorf("send %d had %d bytes of %d", i, len(s.body), len(want))
						}
						if tt.sends > 1 && s.req.ContentLength != int64(tt.size) {
							return fmt.Errorf("send %d says Content-Length %d, want %d", i, s.req.ContentLength, tt.size)
						}
					}
					if n := below.count(); n != tt.sends {
						return fmt.Errorf("%d sends, want %d", n, tt.sends)
					}
					if m, d := retry.Used(sent); m != 0 || d != 0 {
						return fmt.Errorf("%d bytes of memory and %d of disk are still taken", m, d)
					}
					return nil
				})
			})
		}
	}
}

// Behaviour D3: the deadline bounds first, the count second, the retry budget third.
func TestRepeatsAreBoundedThreeWays(t *testing.T) {
	eager := naive{tries: 20, wait: func(h http.Header) time.Duration {
		n, _ := strconv.Atoi(h.Get("Retry-After"))
		return time.Duration(n) * time.Second
	}}.layer
	t.Run("deadline", func(t *testing.T) {
		keeps(t, ours(retry.Options{}), eager, func(t *testing.T, l layer) error {
			below := &wire{steps: []step{answers(503, "down", "Retry-After", "11")}}
			req, call := request(t, "GET", "", limit.Route{})
			call.Deadline = time.Now().Add(10 * time.Second)
			return atOnce(t, l, below, req)
		})
	})
	t.Run("context's deadline", func(t *testing.T) {
		keeps(t, ours(retry.Options{}), eager, func(t *testing.T, l layer) error {
			below := &wire{steps: []step{answers(503, "down", "Retry-After", "11")}}
			ctx, cancel := context.WithTimeout(limit.WithCall(t.Context(), &limit.Call{}), 10*time.Second)
			defer cancel()
			return atOnce(t, l, below, requestIn(t, ctx, "GET", ""))
		})
	})
	t.Run("longest wait", func(t *testing.T) {
		keeps(t, ours(retry.Options{}), eager, func(t *testing.T, l layer) error {
			below := &wire{steps: []step{answers(503, "down", "Retry-After", "3600")}}
			req, _ := request(t, "GET", "", limit.Route{})
			return atOnce(t, l, below, req)
		})
	})
	t.Run("never wait", func(t *testing.T) {
		keeps(t, ours(retry.Options{}), eager, func(t *testing.T, l layer) error {
			below := &wire{steps: []step{answers(500, "down")}}
			req, call := request(t, "GET", "", limit.Route{})
			call.NoWait = true
			return atOnce(t, l, below, req)
		})
	})
	t.Run("count", func(t *testing.T) {
		keeps(t, ours(retry.Options{}), eager, func(t *testing.T, l layer) error {
			below := &wire{steps: []step{answers(500, "down")}}
			req, _ := request(t, "GET", "", limit.Route{})
			resp, err := l(below).RoundTrip(req)
			if err != nil {
				return err
			}
			resp.Body.Close()
			if n := below.count(); n != 3 {
				return fmt.Errorf("%d sends, want 3", n)
			}
			return nil
		})
	})
	t.Run("retry budget", func(t *testing.T) {
		keeps(t, ours(retry.Options{}), naive{tries: 3}.layer, func(t *testing.T, l layer) error {
			for calls, most := range map[int]int{5: 15, 40: 50, 1000: 1112} { // a tenth of all sends, at least ten
				below := &wire{steps: []step{answers(500, "down")}}
				if err := each(t, calls, l(below)); err != nil {
					return err
				}
				if n := below.count(); n > most || n < calls+10 {
					return fmt.Errorf("%d sends of %d calls, want %d to %d", n, calls, calls+10, most)
				}
				time.Sleep(2 * time.Minute)
			}
			return nil
		})
	})
}

// each makes n calls, one after the other.
func each(t *testing.T, n int, rt http.RoundTripper) error {
	for range n {
		req, _ := request(t, "GET", "", limit.Route{})
		resp, err := rt.RoundTrip(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
	}
	return nil
}

func atOnce(t *testing.T, l layer, below *wire, req *http.Request) error {
	start := time.Now()
	resp, err := l(below).RoundTrip(req)
	if err != nil {
		return err
	}
	if got := text(t, resp); got != "down" {
		return fmt.Errorf("answer %q, want the server's own", got)
	}
	if took, n := time.Since(start), below.count(); took != 0 || n != 1 {
		return fmt.Errorf("%d sends in %v, want one at once", n, took)
	}
	return nil
}

// Behaviour D4: giving up hands back the server's own last answer, whole.
func TestGivingUpReturnsTheServersAnswer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		steps  []step
		status int
		body   string
	}{
		{"the last of several", []step{answers(500, "one"), answers(502, "two"), answers(503, "three", "X-A", "b")}, 503, "three"},
		{"refused, then no time", []step{answers(429, "wait an hour", "Retry-After", "3600", "X-A", "b")}, 429, "wait an hour"},
		{"a fault, then no time", []step{answers(500, "boom", "X-A", "b"), answers(429, "wait an hour", "Retry-After", "3600", "X-A", "b")}, 429, "wait an hour"},
		{"a long 5xx", []step{answers(500, strings.Repeat("long", 50_000), "X-A", "b")}, 500, strings.Repeat("long", 50_000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			twin := naive{tries: 3, made: errors.New("max retries exceeded")}.layer
			keeps(t, ours(retry.Options{}), twin, func(t *testing.T, l layer) error {
				below := &wire{steps: tt.steps}
				req, call := request(t, "GET", "", limit.Route{})
				call.Deadline = time.Now().Add(50 * time.Second)
				resp, err := l(&gate{next: below}).RoundTrip(req)
				if err != nil {
					return err
				}
				if got := text(t, resp); resp.StatusCode != tt.status || got != tt.body || resp.Header.Get("X-A") != "b" {
					return fmt.Errorf("answer %d %.20q %v", resp.StatusCode, got, resp.Header)
				}
				if below.open != 0 {
					return fmt.Errorf("%d answers left open", below.open)
				}
				return nil
			})
		})
	}
}

// A refusal of ours with no answer before it is the caller's to see.
func TestOurOwnRefusalIsReturnedAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := &limit.WaitError{Method: "GET"}
		below := &wire{steps: []step{fails(want)}}
		req, _ := request(t, "GET", "", limit.Route{})
		if _, err := ours(retry.Options{})(below).RoundTrip(req); err != error(want) || below.count() != 1 {
			t.Errorf("err = %v after %d tries, want the refusal after 1", err, below.count())
		}
	})
}

// Behaviour B7: total attempts and total time are bounded, and each repeat is told.
func TestAttemptsAndTimeAreBoundedAndTold(t *testing.T) {
	hours := naive{tries: 50, every: true, wait: func(http.Header) time.Duration { return 10 * time.Minute }}.layer
	var told int
	us := ours(retry.Options{Sink: func(e event.Event) {
		if e.Kind == event.Retried && e.Call != nil && (e.Status != 0) != (e.Err != nil) {
			told++
		}
	}})
	keeps(t, us, hours, func(t *testing.T, l layer) error {
		// The worst mix: faults and refusals by turns.
		below := &wire{steps: []step{answers(500, ""), answers(429, ""), fails(errCut)}}
		for range 20 {
			below.steps = append(below.steps, answers(429, "", "Retry-After", "5"))
		}
		start := time.Now()
		req, _ := request(t, "GET", "", limit.Route{})
		resp, err := l(&gate{next: below}).RoundTrip(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		n, took := below.count(), time.Since(start)
		if n > 8+2 || took > 2*time.Minute {
			return fmt.Errorf("%d sends in %v", n, took)
		}
		if told != n-1 {
			return fmt.Errorf("%d repeats told, %d made", told, n-1)
		}
		return nil
	})
}
