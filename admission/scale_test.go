package admission

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// plenty is a controller whose account has everything switched on and budget
// for any benchmark.
func plenty(provider limit.Provider) *Controller {
	const most = 1_000_000
	c := New(Options{
		Provider: provider,
		Budget:   budget.Options{Regulation: budget.Regulation{AtMost: most, KeepFree: 100, Burst: 100}},
		Quotas:   map[string]budget.Quota{"etl": {AtMost: most, MaxShare: 1}},
	})
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://acme.zendesk.com/api/v2/users/1.json", nil)
	route := provider.Route(req)
	now := time.Now()
	answer := provider.Read(&route, 200, http.Header{
		"Date": {now.UTC().Format(http.TimeFormat)}, "Ratelimit-Limit": {fmt.Sprint(most)},
		"Ratelimit-Remaining": {fmt.Sprint(most - 1)}, "Ratelimit-Reset": {fmt.Sprint(60 - now.Second())},
	})
	for range 2000 { // answered calls: the route is walked into
		var grant budget.Grant
		c.account.Charge(now, &route, "", &grant)
		c.account.Observe(now, now, now, &grant, &answer, nil)
	}
	return c
}

// decide asks for leave to send and gives it back.
func decide(ctx context.Context, c *Controller, w *waiter) error {
	w.call.Seq = 0
	if err := c.acquire(ctx, w); err != nil {
		return err
	}
	c.mu.Lock()
	w.usage.urgent, w.usage.calls = 0, 0 // or its share of urgent calls is soon used up
	w.exit()
	c.account.Refund(time.Now(), &w.grant)
	c.mu.Unlock()
	return nil
}

func newWaiter(provider limit.Provider, id int) *waiter {
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, fmt.Sprintf("https://acme.zendesk.com/api/v2/users/%d.json", id), nil)
	req.Header.Set("Authorization", "Bearer x")
	return &waiter{call: &limit.Call{Route: provider.Route(req), Client: "etl", Class: limit.Interactive, Labelled: true}}
}

// BenchmarkEverythingOn is a granted send's whole decision: class, fair share,
// client's quota, regulation, three counters. Giving it back is counted too.
func BenchmarkEverythingOn(b *testing.B) {
	provider := zendesk.New(0)
	b.Run("alone", func(b *testing.B) {
		c := plenty(provider)
		defer c.Close()
		w := newWaiter(provider, 1)
		b.ReportAllocs()
		for b.Loop() {
			if err := decide(b.Context(), c, w); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("64 goroutines", func(b *testing.B) {
		c := plenty(provider)
		defer c.Close()
		b.SetParallelism(64 / runtime.GOMAXPROCS(0))
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			w := newWaiter(provider, 1)
			for pb.Next() {
				if err := decide(b.Context(), c, w); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// The granted path needs no memory of its own, with everything switched on.
func TestADecisionAllocatesNothing(t *testing.T) {
	provider := zendesk.New(0)
	c := plenty(provider)
	defer c.Close()
	w := newWaiter(provider, 1)
	if n := testing.AllocsPerRun(100, func() {
		if err := decide(t.Context(), c, w); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%g allocations a decision, want none", n)
	}
}

// A thousand accounts, and a hundred thousand tickets of one.
func TestManyAccountsAndObjectsAreSmall(t *testing.T) {
	provider := zendesk.New(0)
	measure := func(make func()) uint64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		make()
		runtime.GC()
		runtime.ReadMemStats(&after)
		return after.HeapAlloc - before.HeapAlloc
	}
	var accounts []*Controller
	bytes := measure(func() {
		for range 1000 {
			accounts = append(accounts, plenty(provider))
		}
	})
	t.Logf("%d bytes an account", bytes/1000)
	if bytes/1000 > 64<<10 {
		t.Errorf("%d bytes an account, want at most 64 KiB", bytes/1000)
	}

	const tickets = 120_000
	account := budget.New(budget.Options{})
	now := time.Date(2026, 11, 23, 12, 0, 1, 0, time.UTC)
	bytes = measure(func() {
		for id := range tickets {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, fmt.Sprintf("https://acme.zendesk.com/api/v2/tickets/%d.json", id+1), nil)
			route := provider.Route(req)
			var grant budget.Grant
			account.Charge(now, &route, "", &grant)
			account.Lose(now, &grant) // counted: the ticket stays for its ten minutes
		}
	})
	t.Logf("%d bytes a ticket of 100,000", bytes/100_000)
	if bytes/100_000 > 512 {
		t.Errorf("%d bytes a ticket, map and all, want at most 512", bytes/100_000)
	}
	runtime.KeepAlive(accounts)
	runtime.KeepAlive(account)
}

// Ten thousand callers wait, each with a deadline: what one takes besides its
// own call and the goroutine that carries it.
func TestAWaiterIsSmall(t *testing.T) {
	const n = 10_000
	provider := zendesk.New(0)
	c := New(Options{Provider: provider, MaxWaiting: n})
	defer c.Close()
	calls := make([]*limit.Call, n)
	for i := range calls {
		calls[i] = newWaiter(provider, 1).call
		calls[i].Class, calls[i].Deadline = limit.Normal, time.Now().Add(2*time.Hour)
	}
	c.pauseAll(t, &calls[0].Route)
	ctx, leave := context.WithCancel(t.Context())
	var gone sync.WaitGroup
	each := func(wait func(*limit.Call), waiting func() int) float64 {
		before := heapInUse()
		for _, call := range calls {
			gone.Go(func() { wait(call) })
		}
		for waiting() < n {
			runtime.Gosched()
		}
		return float64(int64(heapInUse())-int64(before)) / n
	}
	var idle atomic.Int32
	park := func(end <-chan struct{}) func(*limit.Call) {
		never := make(chan int)
		return func(*limit.Call) {
			idle.Add(1)
			select {
			case <-never:
			case <-end:
			}
		}
	}
	idling := func() int { return int(idle.Load()) }
	warm := make(chan struct{})
	each(park(warm), idling) // what the runtime keeps of goroutines is made once,
	idle.Store(0)
	each(park(warm), idling) // for as many as will be there
	close(warm)
	gone.Wait()
	idle.Store(0)
	carried := each(park(ctx.Done()), idling)
	held := each(func(call *limit.Call) {
		s := c.newSend(call)
		s.trace(ctx)
		_ = c.acquire(ctx, &s.waiter)
	}, func() int { return c.Snapshot().Waiting })
	leave()
	gone.Wait()
	t.Logf("%.0f bytes a waiter, besides %.0f for its goroutine", held-carried, carried)
	if held-carried > 1<<10 {
		t.Errorf("%.0f bytes a waiter, want at most 1 KiB", held-carried)
	}
}

// pauseAll refuses one send on the route for an hour.
func (c *Controller) pauseAll(t *testing.T, route *limit.Route) {
	t.Helper()
	now := time.Now()
	header := http.Header{"Retry-After": {"3600"}, "Ratelimit-Limit": {"700"}, "Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {"60"}}
	answer := c.provider.Read(route, 429, header)
	refusal := limit.Refusal{Limit: true}
	var grant budget.Grant
	c.account.Charge(now, route, "", &grant)
	c.account.Observe(now, now, now, &grant, &answer, &refusal)
}
