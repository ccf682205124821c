package admission

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
	"github.com/flyballhq/flyball/zendesk"
)

// A rig is a controller between callers and a simulated account.
type rig struct {
	*Controller
	sim    *simulator.Simulator
	layers http.RoundTripper
	routes limit.Provider
}

func newRig(o simulator.Options, base func(http.RoundTripper) http.RoundTripper, sink event.Sink) *rig {
	time.Sleep(time.Duration(rand.New(rand.NewPCG(o.Seed, 1)).Int64N(int64(600 * time.Second)))) // bubbles start at second 0
	o.Origin = "https://acme.zendesk.com"
	sim := simulator.New(o)
	provider := zendesk.New(0)
	c := New(Options{Provider: provider, Budget: budget.Options{Seed: o.Seed + 1}, Sink: sink})
	next := sim.RoundTripper()
	if base != nil {
		next = base(next)
	}
	return &rig{c, sim, c.Layer()(next), provider}
}

func (r *rig) get(ctx context.Context, path string) (*limit.Call, int, error) {
	return r.do(ctx, "GET", path, nil)
}

func (r *rig) do(ctx context.Context, method, path string, body io.Reader) (*limit.Call, int, error) {
	req, err := http.NewRequestWithContext(ctx, method, "https://acme.zendesk.com"+path, body)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Authorization", "Bearer token")
	call := &limit.Call{Arrived: time.Now(), Route: r.routes.Route(req)}
	resp, err := r.layers.RoundTrip(req.WithContext(limit.WithCall(ctx, call)))
	if err != nil {
		return call, 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return call, resp.StatusCode, err
}

func user(i int) string { return fmt.Sprintf("/api/v2/users/%d.json", i) }

// Calls of one kind go in the order in which they came, also when the reserve
// kept for others or the pace gives way between two looks at the line.
func TestNobodyOvertakes(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var sent []event.Event
			sink := func(e event.Event) {
				if e.Kind == event.Admitted {
					mu.Lock()
					sent = append(sent, e)
					mu.Unlock()
				}
			}
			r := newRig(simulator.Options{Seed: seed, Limit: 60, Others: 0.4}, nil, sink)
			draw := rand.New(rand.NewPCG(seed, 2))
			var group sync.WaitGroup
			for range 150 {
				group.Go(func() { r.get(t.Context(), "/api/v2/groups.json") })
				time.Sleep(time.Duration(draw.Int64N(int64(time.Second))))
				synctest.Wait()
			}
			group.Wait()
			for i := 1; i < len(sent); i++ {
				if one, next := sent[i-1], sent[i]; next.Call.Seq < one.Call.Seq && next.At.After(one.At) {
					t.Errorf("seed %d: call %d went %s before call %d", seed, one.Call.Seq, next.At.Sub(one.At), next.Call.Seq)
				}
			}
			r.Close()
		})
	}
}

// Whenever a caller leaves or the controller closes, before, while or after it
// is let go, nothing stays in flight or in line.
func TestLeavingAtAnyMomentGivesEverythingBack(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(simulator.Options{Seed: seed, Limit: 30, Latency: simulator.Fixed(100 * time.Millisecond)}, nil, nil)
			draw := rand.New(rand.NewPCG(seed, 3))
			var group sync.WaitGroup
			for i := range 60 {
				ctx, cancel := context.WithCancel(t.Context())
				// Multiples of what a wait takes: cancelled at the instant of leave, too.
				time.AfterFunc(time.Duration(draw.IntN(100))*100*time.Millisecond, cancel)
				group.Go(func() { r.get(ctx, user(i)) })
			}
			if seed%2 == 0 {
				time.AfterFunc(time.Duration(draw.IntN(50))*100*time.Millisecond, r.Close)
			}
			group.Wait()
			r.Close()
			snap := r.Snapshot()
			if snap.Waiting != 0 {
				t.Errorf("seed %d: %d still wait", seed, snap.Waiting)
			}
			for _, b := range snap.Buckets {
				if b.InFlight != 0 || b.Held != 0 {
					t.Errorf("seed %d: %s: %d in flight, %d held", seed, b.Key, b.InFlight, b.Held)
				}
			}
		})
	}
}

// The sink may ask the controller what it likes: no lock is held meanwhile.
func TestTheSinkIsCalledWithoutTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r *rig
		told := 0
		var mu sync.Mutex
		r = newRig(simulator.Options{Limit: 5, Faults: []simulator.Fault{{Every: 3, Status: 429, RetryAfter: "1"}}}, nil, func(event.Event) {
			r.Snapshot()
			mu.Lock()
			told++
			mu.Unlock()
		})
		var group sync.WaitGroup
		for i := range 12 {
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*10*time.Second)
				defer cancel()
				r.get(ctx, user(i))
			})
		}
		group.Wait()
		r.Close()
		if told < 24 {
			t.Errorf("%d events of twelve calls", told)
		}
	})
}

// The timer never fires twice for one instant, and seldom for nothing.
func TestEachWakeUpHasAPurpose(t *testing.T) {
	for _, routes := range []int{1, 50} {
		for _, latency := range []time.Duration{50 * time.Millisecond, 10 * time.Second} {
			d := newDrive(routes, latency)
			for d.sends < 3000 {
				for d.waiting < 500 {
					d.join()
				}
				d.step()
			}
			if d.idle > 0 || d.wakes > 3*d.sends {
				t.Errorf("%d routes, %s: %d wake-ups for %d sends, %d of them at an instant already served", routes, latency, d.wakes, d.sends, d.idle)
			}
			if d.refused > 0 {
				t.Errorf("%d routes, %s: %d of %d sends beyond the limit", routes, latency, d.refused, d.sends)
			}
		}
	}
}
