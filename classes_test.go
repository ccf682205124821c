package flyball_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/simulator"
)

// mixed is the load of the published measurements: 64 workers with a backlog,
// and a person's clicks, one a second on average.
type mixed struct {
	bulk, clicks func(context.Context) context.Context
	calls        int
}

func labelled(class flyball.Class) func(context.Context) context.Context {
	return func(ctx context.Context) context.Context { return flyball.WithClass(ctx, class) }
}

func named(client string) func(context.Context) context.Context {
	return func(ctx context.Context) context.Context { return flyball.WithClient(ctx, client) }
}

// run makes the load and returns the clicks' times, sorted.
func (m mixed) run(t *testing.T, a *account, seed uint64) []time.Duration {
	ctx, done := context.WithCancel(t.Context())
	var mu sync.Mutex
	var took []time.Duration
	var group sync.WaitGroup
	group.Go(func() {
		rnd := rand.New(rand.NewPCG(seed, 2))
		for i := 0; ctx.Err() == nil; i++ {
			time.Sleep(time.Duration(rnd.ExpFloat64() * float64(time.Second)))
			group.Go(func() {
				start := time.Now()
				status, err := a.call(m.clicks(t.Context()), "GET", user(1000+i))
				mu.Lock()
				defer mu.Unlock()
				if err == nil && status != 429 {
					took = append(took, time.Since(start))
				}
			})
		}
	})
	workers(64, m.calls, func(i int) { a.call(m.bulk(t.Context()), "GET", user(i)) })
	done()
	group.Wait()
	slices.Sort(took)
	return took
}

// percentile is the clicks' p-th percentile.
func percentile(took []time.Duration, p int) time.Duration {
	return took[min(len(took)-1, len(took)*p/100)]
}

// Bars of the published measurements, for labelled calls and for calls that
// nobody labelled and nobody configured.
func TestClicksPassAndOthersKeepTheirShare(t *testing.T) {
	for _, others := range []float64{0, 0.3} {
		for name, m := range map[string]mixed{
			"labelled":   {bulk: labelled(flyball.Bulk), clicks: labelled(flyball.Interactive), calls: 5000},
			"unlabelled": {bulk: named("sync"), clicks: named("agent"), calls: 5000},
		} {
			t.Run(fmt.Sprintf("%s, others take %.0f %%", name, 100*others), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := newAccount(t, 41, simulator.Options{Others: others, Latency: usual}, governed)
					start := time.Now()
					took := m.run(t, a, 41)
					judge(t, a.Ledger(), time.Minute, start, 97, 1, 0.5)
					if p99 := percentile(took, 99); p99 > time.Second {
						t.Errorf("a click's p99 is %s, want at most 1s", p99)
					}
				})
			})
		}
	}
}

// Behaviour A13: harm to others is limited.
func TestOthersKeepTheirShare(t *testing.T) {
	trial{seed: 13, sim: simulator.Options{Others: 0.3}, run: func(t *testing.T, a *account) string {
		workers(64, 3000, func(i int) { a.call(t.Context(), "GET", user(i)) })
		if l := a.Ledger(); 200*l.OthersRefused > l.Others {
			return fmt.Sprintf("%d of the others' %d calls refused", l.OthersRefused, l.Others)
		}
		return ""
	}}.keeps(t, governed, sleepsOn429)
}

// Behaviour A13: harm to others is measured, and shown.
func TestHarmToOthersIsEstimated(t *testing.T) {
	var estimated, counted float64
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t, seed, simulator.Options{Others: 0.3, Latency: usual}, governedBy(flyball.Options{
				Regulation: flyball.Regulation{Politeness: -1, Burst: 4},
			}))
			workers(64, 6500, func(i int) { a.call(t.Context(), "GET", user(i)) })
			counted += float64(a.Ledger().OthersRefused)
			for _, b := range a.client.Transport.(*flyball.Transport).Snapshot().Buckets {
				estimated += b.Harm
			}
		})
	}
	t.Logf("%.0f estimated, %.0f counted", estimated, counted)
	if counted < 100 || estimated < 0.8*counted || estimated > 1.2*counted {
		t.Errorf("%.0f of the others' calls estimated to be refused, %.0f counted; want within 20 %%", estimated, counted)
	}
}

// Harm is shown while it is done, not a minute later, and never sinks.
func TestHarmIsShownAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 2, simulator.Options{Others: 0.3, Latency: usual}, governedBy(flyball.Options{
			Regulation: flyball.Regulation{Politeness: -1, Burst: 4},
		}))
		load := callFor(t, a, 8*time.Minute, "etl")
		grew, was, ends := 0, 0.0, time.Time{}
		for range 8 * 60 {
			pass(time.Second)
			for _, b := range a.client.Transport.(*flyball.Transport).Snapshot().Buckets {
				if b.Key.ID != "account" {
					continue
				}
				if b.Harm < was-1e-9 {
					t.Errorf("harm sinks from %.2f to %.2f", was, b.Harm)
				}
				if b.Harm > was && b.Resets.Equal(ends) {
					grew++
				}
				was, ends = b.Harm, b.Resets
			}
		}
		load.group.Wait()
		if grew < 5 {
			t.Errorf("harm grew %d times within a window, want while nothing was left", grew)
		}
	})
}

// Behaviour A14: urgent calls are admitted like any other.
func TestUrgentCallsAreAdmittedToo(t *testing.T) {
	urgent := labelled(flyball.Interactive)
	trial{seed: 14, sim: simulator.Options{Limit: 60}, run: func(t *testing.T, a *account) string {
		workers(16, 200, func(i int) { a.call(urgent(t.Context()), "GET", user(i)) })
		if l := a.Ledger(); l.Refused() > 0 {
			return fmt.Sprintf("%d of %d sends refused", l.Refused(), l.Sends)
		}
		return ""
	}}.keeps(t, governed, sleepsOn429)
}

// Behaviour A15: a click passes an export.
func TestAClickPassesAnExport(t *testing.T) {
	m := mixed{bulk: labelled(flyball.Bulk), clicks: labelled(flyball.Interactive), calls: 1500}
	trial{seed: 15, run: func(t *testing.T, a *account) string {
		if p99 := percentile(m.run(t, a, 15), 99); p99 > time.Second {
			return fmt.Sprintf("a click's p99 is %s", p99)
		}
		return ""
	}}.keeps(t, governed, typedIn(700))
}

// Behaviour A16: a new background job waits for a slot.
func TestJobsWaitForASlot(t *testing.T) {
	trial{seed: 16, sim: simulator.Options{JobLag: func(int) time.Duration { return 10 * time.Second }}, run: func(t *testing.T, a *account) string {
		var mu sync.Mutex
		started := 0
		workers(64, 128, func(i int) {
			id := a.startJob(t.Context(), i)
			if id == "" {
				return
			}
			mu.Lock()
			started++
			mu.Unlock()
			for range 100 {
				if a.jobEnded(t.Context(), id) {
					return
				}
				time.Sleep(2 * time.Second)
			}
			t.Errorf("job %s does not end", id)
		})
		if n := a.Ledger().Refused(); n > 0 || started < 128 {
			return fmt.Sprintf("%d of 128 jobs started, %d refusals", started, n)
		}
		return ""
	}}.keeps(t, governed, sleepsOn429)
}

// startJob starts a job and returns its id.
func (a *account) startJob(ctx context.Context, i int) string {
	var answer struct {
		Job struct{ ID string } `json:"job_status"`
	}
	a.decode(ctx, "PUT", fmt.Sprintf("/api/v2/tickets/update_many.json?ids=%d", i%200+1), `{"ticket":{"priority":"high"}}`, &answer)
	return answer.Job.ID
}

func (a *account) jobEnded(ctx context.Context, id string) bool {
	var answer struct {
		Job struct{ Status string } `json:"job_status"`
	}
	a.decode(ctx, "GET", "/api/v2/job_statuses/"+id+".json", "", &answer)
	return answer.Job.Status == "completed" || answer.Job.Status == "failed"
}

func (a *account) decode(ctx context.Context, method, path, body string, into any) {
	req, err := http.NewRequestWithContext(ctx, method, "https://acme.zendesk.com"+path, strings.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Authorization", "Bearer token")
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.client.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	_ = json.NewDecoder(resp.Body).Decode(into)
}

// Behaviour B6: whether to wait is chosen per call.
func TestWaitingIsChosenPerCall(t *testing.T) {
	trial{seed: 26, sim: simulator.Options{Limit: 10}, run: func(t *testing.T, a *account) string {
		spend(t, a, 10)
		start := time.Now()
		_, err := a.call(flyball.WithMaxWait(t.Context(), 0), "GET", user(11))
		var refused *flyball.WaitError
		if !errors.As(err, &refused) || time.Since(start) > 0 {
			return fmt.Sprintf("a call that never waits got %v after %s", err, time.Since(start))
		}
		if status, err := a.call(t.Context(), "GET", user(12)); err != nil || status == 429 {
			return fmt.Sprintf("a call that waits got %d, %v", status, err)
		}
		return ""
	}}.keeps(t, governed, sleepsOn429)
}

func TestTwoClientsShareAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 17, simulator.Options{Latency: usual}, governedBy(flyball.Options{Cache: cache.Options{NoCoalescing: true}}))
		ctx, done := context.WithTimeout(t.Context(), 5*time.Minute)
		defer done()
		var served [2]atomic.Int64
		var group sync.WaitGroup
		for client, n := range []int{60, 6} {
			for range n {
				group.Go(func() {
					for ctx.Err() == nil {
						if _, err := a.call(flyball.WithClient(ctx, fmt.Sprint(client)), "GET", user(1)); err != nil {
							return // no further call would be answered in time
						}
						served[client].Add(1)
					}
				})
			}
		}
		group.Wait()
		many, few := float64(served[0].Load()), float64(served[1].Load())
		if share := many / (many + few); share < 0.45 || share > 0.55 {
			t.Errorf("60 workers got %.0f %%, 6 workers the rest; want half each", 100*share)
		}
	})
}

// So they do in the little that higher classes leave to theirs: it is not first
// come, first served there.
func TestBulkClientsShareAlikeBesideNormalCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 3, simulator.Options{Limit: 200, Latency: usual}, governed)
		ctx, stop := context.WithTimeout(t.Context(), 12*time.Minute)
		defer stop()
		var answered [3]atomic.Int32
		var all sync.WaitGroup
		for client, n := range []int{40, 20, 1} {
			class := flyball.Bulk
			if client == 0 {
				class = flyball.Normal
			}
			ctx := flyball.WithClient(flyball.WithClass(ctx, class), fmt.Sprint(client))
			for range n {
				all.Go(func() {
					for i := 0; ctx.Err() == nil; i++ {
						if _, err := a.call(ctx, "GET", user(i)); err != nil {
							return // no further call would be answered in time
						}
						answered[client].Add(1)
					}
				})
			}
		}
		all.Wait()
		many, few := answered[1].Load(), answered[2].Load()
		if few < 30 || few < many*8/10 {
			t.Errorf("20 workers had %d bulk calls, one worker %d; want half each", many, few)
		}
	})
}

func TestRegulationHoldsBesideTheLimits(t *testing.T) {
	for _, tt := range []struct {
		name       string
		regulation flyball.Regulation
		quotas     map[string]flyball.Quota
		most       int // sends in any minute
	}{
		{"at most 300 a minute", flyball.Regulation{AtMost: 300}, nil, 300},
		{"a hundred kept free", flyball.Regulation{KeepFree: 100}, nil, 600},
		{"a fifth kept free", flyball.Regulation{KeepFreeShare: 0.2}, nil, 560},
		{"one client has 60 a minute", flyball.Regulation{}, map[string]flyball.Quota{"etl": {AtMost: 60}}, 60},
		{"one client has a quarter", flyball.Regulation{}, map[string]flyball.Quota{"etl": {MaxShare: 0.25}}, 175},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t, 18, simulator.Options{Latency: usual}, governedBy(flyball.Options{Regulation: tt.regulation, Quotas: tt.quotas}))
				start := time.Now()
				workers(64, 8*tt.most, func(i int) { a.call(flyball.WithClient(t.Context(), "etl"), "GET", user(i)) })
				full := fullWindows(a.Ledger(), "account", start.Add(time.Minute), time.Now().Add(-time.Minute))
				if len(full) < 3 {
					t.Fatalf("%d full minutes to judge by, want three", len(full))
				}
				for _, w := range full {
					if w.Sends > tt.most || w.Sends < tt.most*8/10 {
						t.Errorf("%d sends in the minute of %s, want at most %d and most of them", w.Sends, w.Start.Format(time.TimeOnly), tt.most)
					}
				}
			})
		})
	}
}

// A class that higher ones leave nothing gets one send in twenty, also where
// none of its callers waits for as long as that takes to begin.
func TestAStarvedClassGetsItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 3, simulator.Options{Latency: usual}, governed)
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
		defer stop()
		var bulk, normal atomic.Int32
		var all sync.WaitGroup
		work := func(ctx context.Context, workers int, answered *atomic.Int32) {
			for w := range workers {
				all.Go(func() {
					for i := 0; ctx.Err() == nil; i++ {
						if _, err := a.call(ctx, "GET", user(w*10000+i)); err != nil {
							pass(200 * time.Millisecond)
						} else {
							answered.Add(1)
						}
					}
				})
			}
		}
		work(flyball.WithClass(ctx, flyball.Normal), 60, &normal)
		work(flyball.WithMaxWait(flyball.WithClass(ctx, flyball.Bulk), 50*time.Second), 20, &bulk)
		pass(3 * time.Minute)
		before, sends := bulk.Load(), bulk.Load()+normal.Load()
		pass(6 * time.Minute)
		share := float64(bulk.Load()-before) / float64(bulk.Load()+normal.Load()-sends)
		if share < 0.045 || share > 0.055 {
			t.Errorf("bulk calls have %.1f %% of the sends, want one in twenty", 100*share)
		}
		stop()
		all.Wait()
	})
}

// Urgent calls without end, of so many clients that each is within its share,
// leave the classes below one send in twenty of those that wait.
func TestAnUrgentFloodLeavesEachClassAShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 3, simulator.Options{Limit: 200, Latency: usual}, governed)
		ctx, stop := context.WithTimeout(t.Context(), 12*time.Minute)
		defer stop()
		var answered [3]atomic.Int32
		var all sync.WaitGroup
		for _, class := range []flyball.Class{flyball.Interactive, flyball.Normal, flyball.Bulk} {
			for w := range 60 {
				ctx := flyball.WithClient(flyball.WithClass(ctx, class), fmt.Sprint(class, w%20))
				all.Go(func() {
					for i := 0; ctx.Err() == nil; i++ {
						if _, err := a.call(ctx, "GET", user(i)); err == nil {
							answered[class].Add(1)
						} else {
							pass(time.Second)
						}
					}
				})
			}
		}
		all.Wait()
		for _, class := range []flyball.Class{flyball.Normal, flyball.Bulk} {
			if n := answered[class].Load(); n < 60 || n > 130 {
				t.Errorf("%d calls that are %s of %d urgent ones were sent, want some each minute", n, class, answered[flyball.Interactive].Load())
			}
		}
	})
}

// So do calls that are never held: they pass those who wait from outside.
func TestCallsThatNeverWaitLeaveAShareToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 3, simulator.Options{Limit: 200, Latency: usual}, governed)
		ctx, stop := context.WithTimeout(t.Context(), 15*time.Minute)
		defer stop()
		var normal, bulk atomic.Int32
		var all sync.WaitGroup
		work := func(ctx context.Context, answered *atomic.Int32) {
			for i := 0; ctx.Err() == nil; i++ {
				if _, err := a.call(ctx, "GET", user(i)); err != nil {
					pass(200 * time.Millisecond)
				} else {
					answered.Add(1)
				}
			}
		}
		for range 40 {
			all.Go(func() { work(flyball.WithMaxWait(flyball.WithClass(ctx, flyball.Normal), 0), &normal) })
			all.Go(func() { work(flyball.WithClass(ctx, flyball.Bulk), &bulk) })
		}
		all.Wait()
		if share := float64(bulk.Load()) / float64(bulk.Load()+normal.Load()); share < 0.02 || share > 0.06 {
			t.Errorf("bulk calls have %.1f %% of the sends, want nearly one in twenty", 100*share)
		}
	})
}
