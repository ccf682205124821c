package flyball_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// rules are a regulation and its quotas.
type rules struct {
	flyball.Regulation
	quotas map[string]flyball.Quota
}

func etlHas(q flyball.Quota) rules { return rules{quotas: map[string]flyball.Quota{"etl": q}} }

func (r rules) way() way {
	return governedBy(flyball.Options{Regulation: r.Regulation, Quotas: r.quotas})
}

func (r rules) putInForce(t *testing.T, a *account) {
	t.Helper()
	if err := a.client.Transport.(*flyball.Transport).Regulate(r.Regulation, r.quotas); err != nil {
		t.Error(err)
	}
}

// A backlog is calls without end by some clients; whoever is not answered is
// an error of the test.
type backlog struct {
	group    sync.WaitGroup
	answered map[string]*atomic.Int64
}

// callFor lets 32 workers of each client call until for has passed.
func callFor(t *testing.T, a *account, span time.Duration, clients ...string) *backlog {
	b := &backlog{answered: map[string]*atomic.Int64{}}
	end := time.Now().Add(span)
	for _, client := range clients {
		n := &atomic.Int64{}
		b.answered[client] = n
		ctx := flyball.WithClient(t.Context(), client)
		for i := range 32 {
			b.group.Go(func() {
				for time.Now().Before(end) {
					if status, err := a.call(ctx, "GET", user(i)); err != nil || status == 429 {
						t.Errorf("a call of %s: %d, %v; want an answer", client, status, err)
					}
					n.Add(1)
				}
			})
		}
	}
	return b
}

// within is how many calls of the client are answered within span from now.
func (b *backlog) within(span time.Duration, client string) int64 {
	before := b.answered[client].Load()
	pass(span)
	return b.answered[client].Load() - before
}

// Under a load that never ends, calls that wait feel the new rules in the
// next seconds, and the next full minutes are as they demand.
func TestRulesChangeUnderLoad(t *testing.T) {
	for name, tt := range map[string]struct {
		from, to  rules
		was, most int // sends in any minute, before and after
	}{
		"a bound is lowered":           {rules{Regulation: flyball.Regulation{AtMost: 400}}, rules{Regulation: flyball.Regulation{AtMost: 80}}, 400, 80},
		"a bound is raised":            {rules{Regulation: flyball.Regulation{AtMost: 80}}, rules{Regulation: flyball.Regulation{AtMost: 400}}, 80, 400},
		"a bound is lifted":            {rules{Regulation: flyball.Regulation{AtMost: 80}}, rules{}, 80, 700},
		"a bound is set":               {rules{}, rules{Regulation: flyball.Regulation{AtMost: 80}}, 700, 80},
		"less is kept free":            {rules{Regulation: flyball.Regulation{KeepFreeShare: 0.9}}, rules{}, 70, 700},
		"more is kept free":            {rules{}, rules{Regulation: flyball.Regulation{KeepFree: 600}}, 700, 100},
		"a quota is lowered":           {etlHas(flyball.Quota{AtMost: 400}), etlHas(flyball.Quota{AtMost: 80}), 400, 80},
		"a quota is raised":            {etlHas(flyball.Quota{AtMost: 80}), etlHas(flyball.Quota{AtMost: 400}), 80, 400},
		"a quota is lifted":            {etlHas(flyball.Quota{AtMost: 80}), rules{}, 80, 700},
		"a quota becomes another's":    {etlHas(flyball.Quota{AtMost: 80}), rules{quotas: map[string]flyball.Quota{"app": {AtMost: 80}}}, 80, 700},
		"a quota is set":               {rules{}, etlHas(flyball.Quota{AtMost: 80}), 700, 80},
		"a quota becomes a share":      {etlHas(flyball.Quota{AtMost: 80}), etlHas(flyball.Quota{MaxShare: 0.5}), 80, 350},
		"a share is lowered":           {etlHas(flyball.Quota{MaxShare: 0.5}), etlHas(flyball.Quota{MaxShare: 0.1}), 350, 70},
		"a quota gives way to a bound": {etlHas(flyball.Quota{AtMost: 80}), rules{Regulation: flyball.Regulation{AtMost: 400}}, 80, 400},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t, 23, simulator.Options{Latency: usual}, tt.from.way())
				load := callFor(t, a, 7*time.Minute, "etl")
				pass(2*time.Minute + 20*time.Second)
				changed := time.Now()
				tt.to.putInForce(t, a)
				const soon = 10 * time.Second
				if got, was := load.within(soon, "etl"), int64(tt.was)/6; tt.most > tt.was && got < 2*was {
					t.Errorf("%d calls answered in the first %s, want more than the %d of before", got, soon, was)
				} else if tt.most < tt.was && got > was {
					t.Errorf("%d calls answered in the first %s, want fewer than the %d of before", got, soon, was)
				}
				load.group.Wait()
				judgeMinutes(t, a, changed.Add(time.Minute), changed.Add(4*time.Minute), tt.most)
				settled(t, a)
			})
		})
	}
}

// judgeMinutes wants each minute between from and to to be used up to most.
func judgeMinutes(t *testing.T, a *account, from, to time.Time, most int) {
	t.Helper()
	l := a.Ledger()
	if l.Refused() > 0 {
		t.Errorf("%d sends refused", l.Refused())
	}
	full := fullWindows(l, "account", from, to)
	if len(full) < 2 {
		t.Fatalf("%d full minutes to judge by, want two", len(full))
	}
	for _, w := range full {
		if w.Sends > most || w.Sends < most*8/10 {
			t.Errorf("%d sends in the minute of %s, want at most %d and most of them", w.Sends, w.Start.Format(time.TimeOnly), most)
		}
	}
}

// settled wants nothing waiting, nothing in flight, and no rule that is not in
// force.
func settled(t *testing.T, a *account) {
	t.Helper()
	snap := a.client.Transport.(*flyball.Transport).Snapshot()
	if snap.Waiting != 0 {
		t.Errorf("%d calls wait when all are answered", snap.Waiting)
	}
	for _, b := range snap.Buckets {
		if b.InFlight != 0 || b.Held != 0 {
			t.Errorf("%s: %d in flight and %d held when all are answered", b.Key, b.InFlight, b.Held)
		}
	}
}

// Who was held back by a quota gets no more than others once it is lifted.
func TestALiftedQuotaLeavesAnEqualShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 29, simulator.Options{Latency: usual}, etlHas(flyball.Quota{AtMost: 60}).way())
		load := callFor(t, a, 6*time.Minute, "etl", "app")
		pass(2*time.Minute + 15*time.Second)
		rules{}.putInForce(t, a)
		apps := load.answered["app"].Load()
		etls := load.within(2*time.Minute, "etl")
		apps = load.answered["app"].Load() - apps
		if share := float64(etls) / float64(etls+apps); share < 0.45 || share > 0.55 {
			t.Errorf("etl has %d and app %d of two minutes, want half each", etls, apps)
		}
		load.group.Wait()
		settled(t, a)
	})
}

// Calls that would have waited for the minute's end go as soon as what held
// them is lifted or raised, and none is left in the line of a bound that is
// gone.
func TestASpentBoundLetsGoWhenItIsRaised(t *testing.T) {
	for name, to := range map[string]rules{
		"a bound raised": {Regulation: flyball.Regulation{AtMost: 600}},
		"a bound lifted": {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from := rules{Regulation: flyball.Regulation{AtMost: 600}}
				a := newAccount(t, 43, simulator.Options{Latency: usual}, from.way())
				load := callFor(t, a, 3*time.Minute, "etl")
				pass(2*time.Minute - time.Duration(time.Now().UnixNano()%int64(time.Minute)) + 20*time.Second)
				rules{Regulation: flyball.Regulation{AtMost: 50}}.putInForce(t, a)
				pass(time.Second) // for the answers of sends under way
				if got := load.within(10*time.Second, "etl"); got != 0 {
					t.Fatalf("%d calls answered under a bound that is spent", got)
				}
				to.putInForce(t, a)
				snap, held := a.client.Transport.(*flyball.Transport).Snapshot(), 0
				for _, b := range snap.Buckets {
					held += b.Held
				}
				if held != snap.Waiting {
					t.Errorf("%d of %d calls that wait are shown where they wait", held, snap.Waiting)
				}
				if got := load.within(10*time.Second, "etl"); got < 50 {
					t.Errorf("%d calls answered in 10 s, want more", got)
				}
				load.group.Wait()
				settled(t, a)
			})
		})
	}
}

// A call that a spent bound of ours cannot let go in time is told so at once,
// as it is of Zendesk's limits, and when to come back.
func TestASpentBoundOfOursRefusesAtOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		rules
		reason limit.Reason
		all    bool // every client's calls are held
	}{
		"a quota":      {etlHas(flyball.Quota{AtMost: 40}), limit.Spent, false},
		"a share":      {etlHas(flyball.Quota{MaxShare: 0.1}), limit.Spent, false},
		"a bound":      {rules{Regulation: flyball.Regulation{AtMost: 40}}, limit.Spent, true},
		"what is kept": {rules{Regulation: flyball.Regulation{KeepFree: 660}}, limit.Reserved, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t, 47, simulator.Options{}, tt.way())
				etl := flyball.WithClient(t.Context(), "etl")
				a.call(etl, "GET", user(0))
				pass(time.Minute - time.Duration(time.Now().UnixNano()%int64(time.Minute)) + time.Second)
				urgent := flyball.WithMaxWait(flyball.WithClass(etl, flyball.Interactive), 50*time.Second)
				workers(8, 70, func(i int) { a.call(urgent, "GET", user(i)) })
				pass(time.Second)
				left := time.Minute - time.Duration(time.Now().UnixNano()%int64(time.Minute))
				_, err := a.call(flyball.WithMaxWait(etl, left/2), "GET", user(1))
				refusal, refused := errors.AsType[*flyball.WaitError](err)
				if !refused || refusal.Reason != tt.reason || time.Until(refusal.RetryAt) < left-2*time.Second {
					t.Errorf("%s before the minute's end: %v", left, err)
				}
				if now := time.Minute - time.Duration(time.Now().UnixNano()%int64(time.Minute)); now != left {
					t.Errorf("it was told after %s", left-now)
				}
				if _, err := a.call(flyball.WithMaxWait(flyball.WithClient(t.Context(), "app"), left/2), "GET", user(1)); (err != nil) != tt.all {
					t.Errorf("another client: %v", err)
				}
			})
		})
	}
}

// What was sent before a bound's figure changed counts towards the new one.
func TestABoundStaysSpentWhenItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 31, simulator.Options{}, etlHas(flyball.Quota{AtMost: 40}).way())
		ctx := flyball.WithMaxWait(flyball.WithClient(t.Context(), "etl"), 40*time.Second)
		a.call(ctx, "GET", user(0))
		pass(time.Minute - time.Duration(time.Now().UnixNano()%int64(time.Minute)) + 5*time.Second)
		workers(20, 20, func(i int) { a.call(ctx, "GET", user(i)) }) // takes up to 30 s at 40 a minute
		etlHas(flyball.Quota{AtMost: 25}).putInForce(t, a)
		if got := leftOf(a, "client etl"); got != 5 {
			t.Errorf("%d left of 25 after 20, want 5", got)
		}
		etlHas(flyball.Quota{AtMost: 15}).putInForce(t, a)
		if _, err := a.call(flyball.WithMaxWait(ctx, 0), "GET", user(1)); err == nil {
			t.Error("a 21st call went out under a bound of 15")
		}
		rules{}.putInForce(t, a)
		if got := leftOf(a, "client etl"); got != -1 {
			t.Errorf("a lifted quota is shown still, with %d left", got)
		}
	})
}

// leftOf is what is left of a bound of ours, -1 when it is not there.
func leftOf(a *account, id string) int {
	for _, b := range a.client.Transport.(*flyball.Transport).Snapshot().Buckets {
		if b.Key.ID == id {
			return b.Left
		}
	}
	return -1
}

// Rules that change all the time cost nobody a call, and no minute has more
// sends than the account allows.
func TestRulesMayChangeAtAnyMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 37, simulator.Options{Latency: usual}, governed)
		load := callFor(t, a, 3*time.Minute, "etl", "app")
		ended, end := context.WithCancel(t.Context())
		var changing sync.WaitGroup
		all := []rules{
			{},
			etlHas(flyball.Quota{AtMost: 30}),
			{Regulation: flyball.Regulation{AtMost: 100, Burst: 5}},
			etlHas(flyball.Quota{MaxShare: 0.2}),
			{Regulation: flyball.Regulation{KeepFree: 200, Politeness: -1}},
		}
		for n := range 2 {
			changing.Go(func() {
				for i := n; ended.Err() == nil; i++ {
					all[i%len(all)].putInForce(t, a)
					pass(time.Duration(70+60*n) * time.Millisecond)
				}
			})
		}
		load.group.Wait()
		end()
		changing.Wait()
		if n := a.Ledger().Refused(); n > 0 {
			t.Errorf("%d sends refused", n)
		}
		settled(t, a)
	})
}

func TestWrongRulesLeaveTheOldInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 41, simulator.Options{}, etlHas(flyball.Quota{AtMost: 1}).way())
		transport := a.client.Transport.(*flyball.Transport)
		for want, wrong := range map[string]rules{
			"flyball: regulate acme.zendesk.com: regulation.KeepFree: -1 is negative; 0 keeps none":                                   {Regulation: flyball.Regulation{KeepFree: -1}},
			`flyball: regulate acme.zendesk.com: quotas["app"]: quota.MaxShare: 2 is not between 0 and 1; 0.5 is half of the account`: {quotas: map[string]flyball.Quota{"app": {MaxShare: 2}}},
		} {
			if err := transport.Regulate(wrong.Regulation, wrong.quotas); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("Regulate = %v, want %s", err, want)
			}
		}
		ctx := flyball.WithMaxWait(flyball.WithClient(t.Context(), "etl"), 0)
		if _, err := a.call(ctx, "GET", user(1)); err != nil {
			t.Errorf("the first call: %v", err)
		}
		if _, err := a.call(ctx, "GET", user(2)); err == nil {
			t.Error("a second call went out under the old bound of one a minute")
		}
	})
}

// What a quota or a limit of its own route holds back of urgent calls is none
// that exports leave room for: they use what is there.
func TestWhatOtherLimitsHoldBackIsNotKeptFree(t *testing.T) {
	exports := simulator.Options{Limit: 400, Latency: usual, Limits: map[string]simulator.Limit{"incremental-exports": {N: 10}}}
	for name, tt := range map[string]struct {
		account simulator.Options
		way     way
		path    func(n int) string
	}{
		"a quota":         {simulator.Options{Limit: 400, Latency: usual}, etlHas(flyball.Quota{AtMost: 40}).way(), user},
		"a route's limit": {exports, governed, func(n int) string { return fmt.Sprint("/api/v2/incremental/tickets.json?start_time=", n) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t, 53, tt.account, tt.way)
				ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
				defer stop()
				start := time.Now()
				var all sync.WaitGroup
				calls := func(ctx context.Context, path string) {
					if _, err := a.call(ctx, "GET", path); err != nil {
						pass(200 * time.Millisecond)
					}
				}
				for i := range 60 {
					all.Go(func() {
						urgent := flyball.WithMaxWait(flyball.WithClient(flyball.WithClass(ctx, flyball.Normal), "etl"), 2*time.Second)
						for n := 1000 * i; ctx.Err() == nil; n++ {
							calls(urgent, tt.path(n))
						}
					})
					if i%4 == 0 {
						all.Go(func() {
							bulk := flyball.WithClient(flyball.WithClass(ctx, flyball.Bulk), "sync")
							for n := i; ctx.Err() == nil; n++ {
								calls(bulk, user(n))
							}
						})
					}
				}
				all.Wait()
				judge(t, a.Ledger(), time.Minute, start, 95, 1, 0)
			})
		})
	}
}
