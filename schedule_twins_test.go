package flyball_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// plain is a schedule of n calls by so many workers on an account of 10 per
// 10 s, with nothing that could excuse a breach.
func plain(n, workers int) *schedule {
	s := &schedule{seed: 5, temper: greedy, workers: workers, server: simulator.Options{
		Limit: 10, Window: 10 * time.Second, Seed: 5, Origin: "https://acme.zendesk.com", Latency: simulator.Fixed(100 * time.Millisecond),
	}}
	s.options = flyball.Options{Window: s.server.Window, Regulation: flyball.Regulation{Politeness: -1, Burst: 100}}
	for i := range n {
		s.calls = append(s.calls, plan{id: i, method: "GET", path: user(i), labelled: true})
	}
	return s
}

// waiting gives each call of a schedule a bound.
func waiting(s *schedule, maxWait, leaves time.Duration) *schedule {
	for i := range s.calls {
		s.calls[i].maxWait, s.calls[i].leaves = maxWait, leaves
	}
	return s
}

// twins are faults, one for each way to breach an invariant.
var twins = map[string]struct {
	breaks invariant
	says   string
	on     *schedule
	with   twin
}{
	"some calls go past admission": {admissions, "without leave", plain(40, 8), twin{above: func(flyball, wire http.RoundTripper) http.RoundTripper {
		return some(flyball, wire)
	}}},
	"nothing holds the calls": {limits, "could be known", spread(plain(80, 80)), twin{above: func(_, wire http.RoundTripper) http.RoundTripper {
		return wire
	}}},
	"what is kept free is used": {limits, "to be kept free", keepingFree(plain(60, 8)), twin{setUp: func(o *flyball.Options) { o.Regulation.KeepFree = 0 }}},
	"a bound of our own is not kept": {limits, "in a window of flyball/at most", bounding(plain(30, 8)), twin{shows: func(s limit.Snapshot) limit.Snapshot {
		for i := range s.Buckets {
			if s.Buckets[i].Key.ID == "at most" {
				s.Buckets[i].Limit = 4 // while 60 pass
			}
		}
		return s
	}}},
	"a pause ends early": {limits, "before the pause", plain(60, 16), twin{tells: func(e event.Event) (event.Event, bool) {
		if e.Kind == event.Held && e.Call.Seq > 20 { // told as a refusal that nobody heeds
			e.Kind, e.Until = event.Refused, e.At.Add(time.Hour)
		}
		return e, true
	}}},
	"an answer goes to two calls": {answers, "got the answer to send", plain(20, 8), twin{above: repeated}},
	"an answer is lost":           {answers, "its caller got", plain(20, 8), twin{above: dropping}},
	"an answer is cut short":      {answers, "another body", plain(20, 8), twin{above: shortened}},
	"a send is made twice":        {answers, "repeats call", plain(20, 8), twin{below: doubled}},
	"a send asks for something else": {answers, "asks for", plain(20, 8), twin{below: func(wire http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			req.URL.Path = user(99)
			return wire.RoundTrip(req)
		})
	}}},
	"a send leaves late":      {bounds, "after its patience ended", waiting(plain(20, 8), time.Second, 0), twin{below: late}},
	"a refusal comes late":    {bounds, "refused", waiting(plain(40, 16), time.Second, 0), twin{above: tardy}},
	"a caller does not leave": {bounds, "after its caller", waiting(plain(40, 16), 0, time.Second), twin{above: clinging}},
	"patience is not told":    {bounds, "after its patience ended", waiting(plain(40, 16), time.Second, 0), twin{above: forgetful}},
	"a hold names nothing": {holds, "held by", plain(40, 16), twin{tells: func(e event.Event) (event.Event, bool) {
		e.Bucket, e.Reason = limit.Key{}, ""
		return e, true
	}}},
	"a hold names no instant": {holds, "held by", plain(40, 16), twin{tells: func(e event.Event) (event.Event, bool) {
		e.Until = e.At
		return e, true
	}}},
	"a hold overstays": {holds, "calls are held by", plain(40, 16), twin{shows: func(s limit.Snapshot) limit.Snapshot {
		for i := range s.Lines {
			s.Lines[i].Until = s.At
		}
		return s
	}}},
	"a hold lasts for ever": {holds, "at most", plain(40, 16), twin{shows: func(s limit.Snapshot) limit.Snapshot {
		for i := range s.Lines {
			s.Lines[i].Until = s.At.Add(time.Hour)
		}
		return s
	}}},
	"budget is left beside a queue":  {idleness, "used in the window", urgent(plain(60, 16)), twin{setUp: func(o *flyball.Options) { o.Regulation.KeepFree = 5 }}},
	"a budget that is left is spent": {idleness, "calls are held", plain(60, 16), twin{setUp: func(o *flyball.Options) { o.Regulation.KeepFree = 5 }}},
	"a waiter is forgotten":          {counts, "were told to be held", plain(40, 16), twin{tells: func(e event.Event) (event.Event, bool) { return e, e.Kind != event.Held }}},
	"more wait than may":             {counts, "calls wait", bounded(plain(40, 16)), twin{setUp: func(o *flyball.Options) { o.MaxWaiting = 0 }}},
	"what is in flight is miscounted": {counts, "in flight", plain(20, 8), twin{shows: func(s limit.Snapshot) limit.Snapshot {
		for i := range s.Buckets {
			s.Buckets[i].InFlight++
		}
		return s
	}}},
	"a send never ends": {counts, "is still", plain(20, 8), twin{tells: func(e event.Event) (event.Event, bool) { return e, e.Kind != event.Sent || e.Call.Seq != 20 }}},
}

// Each invariant can fail: on each twin the referee finds the breach.
func TestTheRefereeFindsEveryTwin(t *testing.T) {
	for name, tt := range twins {
		t.Run(name, func(t *testing.T) {
			var r *referee
			synctest.Test(t, func(t *testing.T) { r = tt.on.run(t, tt.with) })
			breach := func(f finding) bool { return f.of == tt.breaks && strings.Contains(f.text, tt.says) }
			if !slices.ContainsFunc(r.found, breach) {
				t.Errorf("want %s: ...%s..., found %v", tt.breaks, tt.says, r.found)
			}
		})
	}
	for name, s := range map[string]*schedule{"few": plain(20, 8), "many": plain(60, 16), "waiting": waiting(plain(40, 16), time.Second, 0), "leaving": waiting(plain(40, 16), 0, time.Second)} {
		t.Run("none, "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if r := s.run(t, twin{}); len(r.found) > 0 {
					t.Errorf("without a twin it finds %v", r.found)
				}
			})
		})
	}
}

func keepingFree(s *schedule) *schedule { s.options.Regulation.KeepFree = 4; return s }
func bounding(s *schedule) *schedule    { s.options.Regulation.AtMost = 60; return s }
func bounded(s *schedule) *schedule     { s.options.MaxWaiting = 4; return s }

// urgent makes all calls interactive; most are treated as normal then.
func urgent(s *schedule) *schedule {
	for i := range s.calls {
		s.calls[i].class = flyball.Interactive
	}
	return s
}

// spread makes five calls a second, five times what the account allows.
func spread(s *schedule) *schedule {
	for i := range s.calls {
		s.calls[i].pause = time.Duration(i) * 200 * time.Millisecond
	}
	return s
}

// some sends every third call by another way.
func some(usual, other http.RoundTripper) http.RoundTripper {
	n := 0
	var mu sync.Mutex
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		mu.Lock()
		n++
		by := usual
		if n%3 == 0 {
			by = other
		}
		mu.Unlock()
		return by.RoundTrip(req)
	})
}

// repeated answers every call after the first with the first one's answer.
func repeated(flyball, _ http.RoundTripper) http.RoundTripper {
	var first http.Header
	var mu sync.Mutex
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := flyball.RoundTrip(req)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
		case first == nil:
			first = resp.Header
		default:
			resp.Header = first
		}
		return resp, err
	})
}

func dropping(flyball, _ http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if resp, err := flyball.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
		return nil, io.ErrUnexpectedEOF
	})
}

func shortened(flyball, _ http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := flyball.RoundTrip(req)
		if err == nil {
			whole, _ := io.ReadAll(resp.Body)
			resp.Body = io.NopCloser(strings.NewReader(string(whole[:len(whole)/2])))
		}
		return resp, err
	})
}

func doubled(wire http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if resp, err := wire.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
		return wire.RoundTrip(req)
	})
}

// late lets each send lie for two seconds.
func late(wire http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		time.Sleep(2 * time.Second)
		return wire.RoundTrip(req)
	})
}

// tardy hands refusals over two seconds late.
func tardy(flyball, _ http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := flyball.RoundTrip(req)
		if err != nil {
			time.Sleep(2 * time.Second)
		}
		return resp, err
	})
}

// clinging goes on when the caller has left.
func clinging(flyball, _ http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		return flyball.RoundTrip(req.WithContext(context.WithoutCancel(req.Context())))
	})
}

// forgetful waits for as long as it takes.
func forgetful(over, _ http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		return over.RoundTrip(req.WithContext(flyball.WithMaxWait(req.Context(), time.Hour)))
	})
}
