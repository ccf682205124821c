package flyball_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

func user(i int) string { return fmt.Sprintf("/api/v2/users/%d.json", i) }

// routes are twenty reads that count on the account alone.
func routes(i int) string {
	return fmt.Sprintf("/api/v2/%s/%d.json", []string{"users", "organizations", "groups", "tickets"}[i%4], i%5+1)
}

// Behaviour A1: one account budget over twenty routes, no refusal.
func TestOneBudgetOverAllRoutes(t *testing.T) {
	trial{seed: 1, run: func(t *testing.T, a *account) string {
		workers(32, 2000, func(i int) { a.call(t.Context(), "GET", routes(i)) })
		if l := a.Ledger(); l.Refused() > 0 {
			return fmt.Sprintf("%d of %d sends refused", l.Refused(), l.Sends)
		}
		return ""
	}}.keeps(t, governed, learnsByRoute)
}

// Behaviour A2: calls run side by side while budget remains.
func TestNeverSerialWhileBudgetRemains(t *testing.T) {
	trial{seed: 2, sim: simulator.Options{Limit: 2500, Latency: simulator.Fixed(50 * time.Millisecond)}, run: func(t *testing.T, a *account) string {
		start := time.Now()
		workers(50, 200, func(i int) { a.call(t.Context(), "GET", user(i)) })
		if took := time.Since(start); took > 2*time.Second {
			return fmt.Sprintf("200 calls of 50ms took %s", took)
		}
		return ""
	}}.keeps(t, governed, oneAtATime)
}

// ticketRefused is one ticket's refusal, once, with a long wait.
var ticketRefused = []simulator.Fault{{Method: "PUT", Path: "/api/v2/tickets/7*", Count: 1, Status: 429, Body: simulator.BodyTicket, RetryAfter: "45"}}

// slowest is the longest of n reads, one every 50 ms, meanwhile.
func slowest(t *testing.T, a *account, n int) time.Duration {
	var mu sync.Mutex
	var worst time.Duration
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			start := time.Now()
			a.call(t.Context(), "GET", user(i))
			mu.Lock()
			worst = max(worst, time.Since(start))
			mu.Unlock()
		})
		pass(50 * time.Millisecond)
	}
	group.Wait()
	return worst
}

// Behaviour A3: one ticket's refusal holds that ticket, not the account.
func TestATicketsRefusalHoldsThatTicketOnly(t *testing.T) {
	trial{seed: 3, sim: simulator.Options{Faults: ticketRefused}, run: func(t *testing.T, a *account) string {
		a.call(t.Context(), "GET", user(1))
		var group sync.WaitGroup
		group.Go(func() { a.send(t.Context(), "PUT", "/api/v2/tickets/7.json", `{"ticket":{"priority":"high"}}`) })
		pass(time.Second)
		worst := slowest(t, a, 100)
		group.Wait()
		if worst > time.Second {
			return fmt.Sprintf("another call took %s", worst)
		}
		return ""
	}}.keeps(t, governed, stopsAll)
}

// Behaviour A4: a pause is seen by every waiting and later call of its scope.
func TestAPauseIsSeenByAll(t *testing.T) {
	refused := []simulator.Fault{{Path: "/api/v2/organizations.json", Count: 1, Status: 429, Body: simulator.BodyEndpoint, RetryAfter: "30"}}
	trial{seed: 4, sim: simulator.Options{Faults: refused}, run: func(t *testing.T, a *account) string {
		a.call(t.Context(), "GET", user(1))
		workers(20, 400, func(i int) { a.call(t.Context(), "GET", "/api/v2/organizations.json") })
		requests := a.Ledger().Requests
		at := slices.IndexFunc(requests, func(r simulator.Request) bool { return r.Status == 429 })
		known := requests[at].Decided.Add(time.Second) // by then the answer is back
		for _, r := range requests[at:] {
			if r.At.After(known) && r.At.Before(requests[at].Decided.Add(30*time.Second)) {
				return fmt.Sprintf("a send %s into a pause of 30s", r.At.Sub(requests[at].Decided))
			}
		}
		return ""
	}}.keeps(t, governed, sleepsOn429)
}

// Behaviour A5: a retry is admitted and charged like any send.
func TestRetryIsChargedAgain(t *testing.T) {
	faults := []simulator.Fault{{Every: 3, Status: 503}}
	retriesPastTheLimiter := func(_ *testing.T, base http.RoundTripper) http.RoundTripper {
		paced := typedIn(60)(t, base)
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := paced.RoundTrip(req)
			for err == nil && resp.StatusCode >= 429 {
				discard(resp)
				resp, err = base.RoundTrip(req)
			}
			return resp, err
		})
	}
	trial{seed: 5, sim: simulator.Options{Limit: 60, Faults: faults}, run: func(t *testing.T, a *account) string {
		workers(16, 240, func(i int) { a.call(t.Context(), "GET", user(i)) })
		if n := a.Ledger().RefusedBy("account"); n > 0 {
			return fmt.Sprintf("%d sends refused for the account's limit", n)
		}
		return ""
	}}.keeps(t, governed, retriesPastTheLimiter)
}

// Behaviour A7: a refusal beside a full account counter is held by its own scope.
func TestAHiddenLimitLeavesTheAccountAlone(t *testing.T) {
	hourly := []simulator.Fault{{Path: "/api/v2/requests*", Count: 1, Status: 429, Body: simulator.BodyHourly, RetryAfter: "600"}}
	trial{seed: 7, sim: simulator.Options{Faults: hourly}, run: func(t *testing.T, a *account) string {
		a.call(t.Context(), "GET", user(1))
		ctx, cancel := contextFor(t, 20*time.Second)
		defer cancel()
		go a.call(ctx, "GET", "/api/v2/requests.json")
		pass(time.Second)
		if worst := slowest(t, a, 100); worst > time.Second {
			return fmt.Sprintf("another call took %s", worst)
		}
		return ""
	}}.keeps(t, governed, stopsAll)
}

// Behaviour A9: the counters of other services never touch the account's.
func TestForeignCountersStayApart(t *testing.T) {
	trial{seed: 9, run: func(t *testing.T, a *account) string {
		for range 20 {
			a.send(t.Context(), "POST", "/api/v2/webhooks/test", `{"request":{}}`)
			a.call(t.Context(), "GET", "/api/v2/help_center/articles.json")
		}
		start := time.Now()
		workers(32, 150, func(i int) { a.call(t.Context(), "GET", user(i)) })
		if took := time.Since(start); took > 15*time.Second {
			return fmt.Sprintf("150 reads of 700 a minute took %s", took)
		}
		return ""
	}}.keeps(t, governed, believesEveryHeader)
}

// believesEveryHeader paces all calls by the last x-rate-limit of any service.
func believesEveryHeader(_ *testing.T, base http.RoundTripper) http.RoundTripper {
	var mu sync.Mutex
	gap, next := time.Duration(0), time.Time{}
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		mu.Lock()
		at := maxTime(next, time.Now())
		next = at.Add(gap)
		mu.Unlock()
		pass(time.Until(at))
		resp, err := base.RoundTrip(req)
		if err == nil && req.URL.Path == "/api/v2/webhooks/test" {
			mu.Lock()
			gap = time.Minute / 20
			mu.Unlock()
		}
		return resp, err
	})
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Behaviour A10: around the minute neither twice the limit nor a blocked fresh window.
func TestBoundariesNeitherOverspendNorBlock(t *testing.T) {
	trial{seed: 10, sim: simulator.Options{BoundarySkew: 600 * time.Millisecond}, run: func(t *testing.T, a *account) string {
		start := time.Now()
		workers(64, 5000, func(i int) { a.call(t.Context(), "GET", user(i)) })
		l := a.Ledger()
		if per1k := 1000 * l.Refused() / l.Sends; per1k > 1 {
			return fmt.Sprintf("%d of %d sends refused", l.Refused(), l.Sends)
		}
		for _, w := range fullWindows(l, "account", start, time.Now().Add(-time.Minute)) {
			if used := float64(w.Admitted) / float64(w.Limit); used < 0.95 {
				return fmt.Sprintf("the window of %s: %d of %d used", w.Start.Format(time.TimeOnly), w.Admitted, w.Limit)
			}
		}
		return ""
	}}.keeps(t, governed, trustsTheLast)
}

// Behaviour A11: one stray "remaining: 0" stops nothing.
func TestAStrayZeroStopsNothing(t *testing.T) {
	trial{seed: 11, sim: simulator.Options{Limit: 200, Faults: []simulator.Fault{{Probability: 0.01, StrayZero: true}}}, run: func(t *testing.T, a *account) string {
		start := time.Now()
		workers(2, 1000, func(i int) { a.call(t.Context(), "GET", user(i)) })
		if took := time.Since(start); took > 5*time.Minute+30*time.Second {
			return fmt.Sprintf("1000 calls at 200 a minute took %s", took)
		}
		return ""
	}}.keeps(t, governed, trustsTheLast)
}

// Behaviour A12: limits are learned from answers; the typed-in plan is a first guess.
func TestTheTypedInPlanIsOnlyAFirstGuess(t *testing.T) {
	trial{seed: 12, sim: simulator.Options{Limit: 700}, run: func(t *testing.T, a *account) string {
		start := time.Now()
		workers(64, 1400, func(i int) { a.call(t.Context(), "GET", user(i)) })
		if took := time.Since(start); took > 3*time.Minute {
			return fmt.Sprintf("1400 calls at 700 a minute took %s", took)
		}
		return ""
	}}.keeps(t, governedBy(flyball.Options{Plan: "team"}), typedIn(200))
}
