package flyball_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/cachetest"
	"github.com/flyballhq/flyball/cache/memory"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/simulator"
)

// frail is an account behind a cache whose store can be made to fail.
type frail struct {
	*flyball.Transport
	client *http.Client
	store  *cachetest.Faulty
	sim    *simulator.Simulator
	told   []event.Event
}

func newFrail(t *testing.T) *frail {
	t.Helper()
	held, err := memory.New(memory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := &frail{store: &cachetest.Faulty{Store: held}, sim: simulator.New(simulator.Options{Origin: "https://acme.zendesk.com"})}
	f.Transport, err = flyball.New(flyball.Options{
		Account: "acme", Base: f.sim.RoundTripper(),
		Cache: cache.Options{Store: f.store, Rules: []cache.Rule{{Route: "GET /api/v2/tickets/{id}", Fresh: time.Hour}}},
		Batch: flyball.Batch{Routes: []string{"GET /api/v2/tickets/{id}"}},
		OnEvent: func(e event.Event) {
			if e.Kind == event.StoreFailed {
				f.told = append(f.told, e)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = f.Close()
		_ = held.Close()
	})
	f.client = &http.Client{Transport: f.Transport}
	return f
}

const frailTicket = "/api/v2/tickets/5.json"

func TestAStoreThatFailsIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFrail(t)
		_ = bodyOf(t, f.client, frailTicket)
		if n := f.Snapshot().StoreErrors; n != 0 || len(f.told) != 0 {
			t.Errorf("%d errors of a store that is well", n)
		}
		f.store.Broken.Store(true)
		_ = bodyOf(t, f.client, frailTicket)
		f.store.Broken.Store(false)
		f.store.Answers.Store(cachetest.Entry("x", 10))
		_ = bodyOf(t, f.client, frailTicket)
		synctest.Wait()
		want := []string{"get: ", "put: ", "another entry"}
		if len(f.told) != len(want) || f.Snapshot().StoreErrors != len(want) {
			t.Fatalf("%d failures told and %d counted, want %d: %v", len(f.told), f.Snapshot().StoreErrors, len(want), f.told)
		}
		for i, words := range want {
			if got := f.told[i].Err.Error(); !strings.Contains(got, words) || f.told[i].Call == nil {
				t.Errorf("failure %d is %q, want it to say %q, of a call", i, got, words)
			}
		}
	})
}

// A store that is broken while a write passes is well again before what it
// kept has expired.
func TestWhatABrokenStoreDidNotDropIsNotGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFrail(t)
		_ = bodyOf(t, f.client, frailTicket)
		if _ = bodyOf(t, f.client, frailTicket); f.sim.Ledger().Sends != 1 {
			t.Fatal("nothing is kept: nothing is tried")
		}
		f.store.Broken.Store(true)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://acme.zendesk.com"+frailTicket, strings.NewReader(`{"ticket":{"subject":"new"}}`))
		req.Header.Set("Authorization", "Bearer token")
		req.Header.Set("Content-Type", "application/json")
		resp, err := f.client.Do(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
		f.store.Broken.Store(false)
		if got := bodyOf(t, f.client, frailTicket); !strings.Contains(got, `"subject":"new"`) {
			t.Errorf("after the write the answer is as before it: %.120s", got)
		}
		before := f.sim.Ledger().Sends
		if _ = bodyOf(t, f.client, frailTicket); f.sim.Ledger().Sends != before {
			t.Error("the store is not used again once it is well")
		}
	})
}

// A cache has one element in Cache-Status (RFC 9211, 2), whichever of its layers
// had a part in the answer.
func TestAMergedReadThatIsKeptHasOneCacheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFrail(t)
		const callers = 20
		statuses := make([][]string, callers)
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				resp, err := f.client.Do(reading(t.Context(), fmt.Sprintf("/api/v2/tickets/%d.json", i+1)))
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				statuses[i] = resp.Header["Cache-Status"]
			})
		}
		all.Wait()
		merged := 0
		for i, status := range statuses {
			if len(status) != 1 || strings.Count(status[0], "flyball") != 1 {
				t.Errorf("ticket %d: %q, want one element", i+1, status)
				continue
			}
			if strings.Contains(status[0], "merged") {
				merged++
				if want := "flyball; fwd=uri-miss; stored; collapsed; detail=merged"; status[0] != want {
					t.Errorf("ticket %d: %q, want %q", i+1, status[0], want)
				}
			}
		}
		if merged < callers/2 {
			t.Errorf("%d of %d reads were merged: nothing was tried", merged, callers)
		}
	})
}
