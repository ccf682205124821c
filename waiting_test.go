package flyball_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

// spend uses the account's window up. Its limit must be small.
func spend(t *testing.T, a *account, n int) {
	workers(n, n, func(i int) { a.call(t.Context(), "GET", user(i)) })
}

// keepsTheirSlots is a queue in which callers that left keep their place.
func keepsTheirSlots(perMinute int) way {
	return func(t *testing.T, base http.RoundTripper) http.RoundTripper {
		paced := typedIn(perMinute)(t, base)
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			return paced.RoundTrip(req.WithContext(context.WithoutCancel(req.Context())))
		})
	}
}

// Behaviour B1: a waiter whose caller leaves is gone at once and never sent.
func TestACallerWhoLeavesIsNeverSent(t *testing.T) {
	trial{seed: 21, sim: simulator.Options{Limit: 30}, run: func(t *testing.T, a *account) string {
		spend(t, a, 5)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for i := range 28 {
			group.Go(func() { a.call(ctx, "GET", fmt.Sprintf("/api/v2/groups/%d.json", i)) })
		}
		time.Sleep(100 * time.Millisecond)
		cancel()
		synctest.Wait()
		before := a.Ledger().Sends
		workers(3, 20, func(i int) { a.call(t.Context(), "GET", user(i)) })
		group.Wait()
		if extra := a.Ledger().Sends - before - 20; extra > 0 {
			return fmt.Sprintf("%d calls were sent after their callers had left", extra)
		}
		return ""
	}}.keeps(t, governed, keepsTheirSlots(30))
}

// Behaviour B2: a wait that cannot fit is refused at once, with the reason and an honest time.
func TestAWaitThatCannotFitIsRefusedAtOnce(t *testing.T) {
	faults := []simulator.Fault{{Path: "/api/v2/organizations.json", Count: 1, Status: 429, RetryAfter: "40"}}
	trial{seed: 22, sim: simulator.Options{Faults: faults}, run: func(t *testing.T, a *account) string {
		a.call(t.Context(), "GET", user(1))
		go a.call(t.Context(), "GET", "/api/v2/organizations.json") // is refused and waits out the 40 s
		time.Sleep(time.Second)
		ctx, cancel := contextFor(t, 5*time.Second)
		defer cancel()
		start := time.Now()
		_, err := a.call(ctx, "GET", "/api/v2/organizations.json")
		if took := time.Since(start); took > 0 {
			return fmt.Sprintf("the refusal took %s: %v", took, err)
		}
		var refused *flyball.WaitError
		if !errors.As(err, &refused) {
			return fmt.Sprintf("got %v, want a *WaitError", err)
		}
		if wait := time.Until(refused.RetryAt); wait < 5*time.Second || wait > time.Minute {
			return fmt.Sprintf("it may be tried again in %s", wait)
		}
		return ""
	}}.keeps(t, governed, stopsAll)
}

// Behaviour B3: holds and retries together end when the caller's patience does.
func TestTheWholeCallIsCapped(t *testing.T) {
	faults := []simulator.Fault{{Status: 429, RetryAfter: "20"}}
	trial{seed: 23, sim: simulator.Options{Faults: faults}, run: func(t *testing.T, a *account) string {
		start := time.Now()
		status, err := a.call(flyball.WithMaxWait(t.Context(), 50*time.Second), "GET", user(1))
		if took := time.Since(start); took > 51*time.Second {
			return fmt.Sprintf("the call took %s (%d, %v)", took, status, err)
		}
		if status != 429 {
			return fmt.Sprintf("got %d, %v; want the server's own last answer", status, err)
		}
		return ""
	}}.keeps(t, governed, givesUpAfter(5*time.Minute))
}

// givesUpAfter sleeps and retries for its own time, whatever its caller's.
func givesUpAfter(d time.Duration) way {
	return func(t *testing.T, base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			end := time.Now().Add(d)
			for {
				resp, err := base.RoundTrip(again(req))
				if err != nil || resp.StatusCode != 429 || time.Now().After(end) {
					return resp, err
				}
				discard(resp)
				time.Sleep(retryAfter(resp))
			}
		})
	}
}

// Behaviour B5: the queue is bounded.
func TestTheQueueIsBounded(t *testing.T) {
	endless := func(t *testing.T, base http.RoundTripper) http.RoundTripper { return typedIn(10)(t, base) }
	trial{seed: 25, sim: simulator.Options{Limit: 10}, run: func(t *testing.T, a *account) string {
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var group sync.WaitGroup
		refused := 0
		for i := range 600 {
			group.Go(func() {
				_, err := a.call(ctx, "GET", user(i))
				var e *flyball.WaitError
				if errors.As(err, &e) && e.Reason == "the queue is full" {
					mu.Lock()
					refused++
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Second)
		synctest.Wait()
		cancel()
		group.Wait()
		if refused < 80 {
			return fmt.Sprintf("%d of 600 refused by a queue of 500", refused)
		}
		return ""
	}}.keeps(t, governedBy(flyball.Options{MaxWaiting: 500}), endless)
}

// A waiter's goroutine is its caller's: a gateway's or a program's own. What
// flyball adds to it is counted here.
func TestAWaiterCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 26, simulator.Options{Limit: 10}, governed)
		spend(t, a, 10)
		ctx, cancel := context.WithCancel(t.Context())
		const n = 2000
		var group sync.WaitGroup
		transport := a.client.Transport
		requests := make([]*http.Request, n)
		for i := range requests {
			requests[i], _ = http.NewRequestWithContext(ctx, "GET", "https://acme.zendesk.com"+user(1), nil)
		}
		before := heap()
		for _, req := range requests {
			group.Go(func() {
				if resp, err := transport.RoundTrip(req); err == nil {
					discard(resp)
				}
			})
		}
		time.Sleep(time.Second)
		synctest.Wait()
		each := (heap() - before) / n
		cancel()
		group.Wait()
		t.Logf("%d bytes a waiter besides its goroutine's stack", each)
		if each > 4<<10 {
			t.Errorf("%d bytes a waiter, want at most 4 KiB", each)
		}
	})
}

// heap is the memory in use, goroutine stacks left out.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
