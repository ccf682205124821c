package flyball_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

// mixed is the load of the published measurements: 64 workers with a backlog,
// and a person's clicks, one a second on average.
type mixed struct {
	bulk, clicks func(context.Context) context.Context
	calls        int
}

func unlabelled(ctx context.Context) context.Context { return ctx }

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
	if m.calls == 0 {
		time.Sleep(10 * time.Minute)
	}
	workers(64, m.calls, func(i int) { a.call(m.bulk(t.Context()), "GET", user(i)) })
	done()
	group.Wait()
	slices.Sort(took)
	return took
}

func TestLab(t *testing.T) {
	if os.Getenv("LAB") == "" {
		t.Skip()
	}
	for _, others := range []float64{0, 0.3, 0.7} {
		for _, mode := range []string{"none", "bulk", "unlabelled"} {
			m := mixed{bulk: labelled(flyball.Bulk), clicks: labelled(flyball.Interactive), calls: int(7000 * (1 - others))}
			if mode == "none" {
				m.calls = 0
			}
			if mode == "unlabelled" {
				m.bulk, m.clicks = named("sync"), named("agent")
			}
			var refused, sends, oth, othRef, used, fair, peak int
			var took []time.Duration
			for seed := range uint64(8) {
				synctest.Test(t, func(t *testing.T) {
					a := newAccount(t, 200+seed, simulator.Options{Others: others, Latency: usual}, governed)
					start := time.Now()
					took = append(took, m.run(t, a, seed)...)
					l := a.Ledger()
					refused += l.Refused()
					sends += l.Sends
					oth += l.Others
					othRef += l.OthersRefused
					peak = max(peak, l.PeakPerSecond)
					for _, w := range fullWindows(l, "account", start.Add(10*time.Second), time.Now().Add(-time.Minute)) {
						used += w.Admitted
						fair += w.Limit - w.Others
					}
				})
			}
			slices.Sort(took)
			fmt.Printf("others %2.0f%% %-10s  429/1k %5.2f  used %5.1f%%  click p50 %4.2f p99 %5.2f  others refused %5.2f%%  peak %d\n", 100*others, mode,
				1000*float64(refused)/float64(sends), 100*float64(used)/float64(max(1, fair)), took[len(took)/2].Seconds(), took[len(took)*99/100].Seconds(), 100*float64(othRef)/float64(max(1, oth)), peak)
		}
	}
}
