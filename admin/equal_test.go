package admin_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/simulator"
)

// A count is what callers themselves saw of their calls.
type count struct{ calls, answered429, answered5xx, gaveUp, left, failed int64 }

func (c *count) add(status int, err error) {
	c.calls++
	_, refused := errors.AsType[*flyball.WaitError](err)
	switch {
	case refused:
		c.gaveUp++
	case errors.Is(err, context.Canceled):
		c.left++
	case err != nil:
		c.failed++
	case status == http.StatusTooManyRequests:
		c.answered429++
	case status >= 500:
		c.answered5xx++
	}
}

func countOf(f admin.Figures) count {
	return count{f.Calls, f.Answered429, f.Answered5xx, f.GaveUp, f.Left, f.Failed}
}

// busy is an account on which everything happens: limits, faults, others.
func busy(t *testing.T) *desk {
	t.Helper()
	time.Sleep(17 * time.Second) // bubbles begin with a minute, servers do not
	return newDesk(t, simulator.Options{
		Limit: 400, Seed: 5, Others: 0.2,
		Latency: simulator.LogNormal(180*time.Millisecond, 0.6, 50*time.Millisecond, 500*time.Millisecond),
		Faults: []simulator.Fault{
			{Path: "/api/v2/users/*", Every: 41, Status: 429, RetryAfter: "1"},
			{Path: "/api/v2/users/*", Every: 29, Status: 503},
			{Path: "/api/v2/users/*", Every: 67, Cut: simulator.CutBefore},
		},
	}, flyball.Options{Cache: cache.Options{Store: newKeeper(), Rules: []cache.Rule{{Route: "GET /api/v2/groups", Fresh: 20 * time.Second}}}})
}

// run makes n calls of six clients and returns what they saw.
func (d *desk) run(t *testing.T, n int) map[string]*count {
	seen := make(map[string]*count)
	var mu sync.Mutex
	atOnce(60, n, func(i int) {
		rng := rand.New(rand.NewPCG(uint64(i), 3))
		client := fmt.Sprintf("client-%d", i%6)
		ctx := flyball.WithClass(flyball.WithClient(t.Context(), client), []flyball.Class{flyball.Normal, flyball.Bulk, flyball.Interactive}[i%3])
		path := fmt.Sprintf("/api/v2/users/%d.json", i)
		switch rng.IntN(10) {
		case 0:
			path = "/api/v2/groups.json"
		case 1, 2:
			ctx, path = flyball.WithBatch(ctx), fmt.Sprintf("/api/v2/tickets/%d.json", 1+rng.IntN(200))
		case 3:
			ctx = flyball.WithMaxWait(ctx, time.Duration(rng.IntN(2000))*time.Millisecond)
		case 4:
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			defer time.AfterFunc(time.Duration(rng.IntN(5000))*time.Millisecond, cancel).Stop()
		}
		status, err := d.call(ctx, "GET", path)
		mu.Lock()
		defer mu.Unlock()
		if seen[client] == nil {
			seen[client] = new(count)
		}
		seen[client].add(status, err)
	})
	return seen
}

// Every figure of the admin address is the one that the callers, the account
// and the transport have counted by themselves.
func TestEveryFigureEqualsTheLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := busy(t)
		const calls = 6000
		seen := d.run(t, calls)
		time.Sleep(2 * time.Second)
		doc := show[admin.Usage](t, d.admin, "/api/usage?window=24h&step=1m")
		clients := show[admin.Clients](t, d.admin, "/api/clients?window=24h")
		if fault := compare(d, seen, doc, clients); fault != "" {
			t.Error(fault)
		}
		var all count
		for _, c := range seen {
			all.calls, all.gaveUp, all.left, all.answered429 = all.calls+c.calls, all.gaveUp+c.gaveUp, all.left+c.left, all.answered429+c.answered429
		}
		saved := len(doc.Saved)
		if all.calls != calls || all.gaveUp == 0 || all.left == 0 || doc.Sum.Refusals == 0 || doc.Sum.Retries == 0 || doc.Sum.Lost == 0 || saved < 3 {
			t.Errorf("%+v, %d kinds of saving, %+v: want some of everything", all, saved, doc.Sum)
		}
		if waiting := d.history.Waiting(); len(waiting) != 0 {
			t.Errorf("%d calls are said to wait", len(waiting))
		}
		nearLedger(t, d, clients)

		// The twin misses what happened in one second.
		missing := doc
		missing.Sum.Sends--
		if compare(d, seen, missing, clients) == "" {
			t.Error("one send too few is not noticed: the check cannot fail")
		}
	})
}

// compare holds the documents against everybody else's counts.
func compare(d *desk, seen map[string]*count, doc admin.Usage, clients admin.Clients) (fault string) {
	ledger, snap := d.Ledger(), d.transport.Snapshot()
	refused := 0
	for _, r := range ledger.Refusals {
		if r.Victim == "us" {
			refused += r.Count
		}
	}
	equal := func(what string, got, want int64) {
		if got != want {
			fault += fmt.Sprintf("%s: %d, want %d; ", what, got, want)
		}
	}
	equal("sends against the ledger", doc.Sum.Sends, int64(ledger.Sends))
	equal("sends against the snapshot", doc.Sum.Sends, int64(snap.Sends))
	equal("the steps' sends", sum(doc.Total.Sends), int64(ledger.Sends))
	// A 429 for a caller that has left reaches nobody.
	equal("refusals", doc.Sum.Refusals, d.refusals.Load())
	if got := doc.Sum.Refusals; got > int64(refused) || got < int64(refused)-doc.Sum.Lost {
		fault += fmt.Sprintf("refusals: %d, and the ledger has %d; ", got, refused)
	}
	equal("clients", int64(len(clients.Clients)), int64(len(seen)))
	calls, sends, byClient := int64(0), int64(0), int64(0)
	for _, c := range clients.Clients {
		if got, want := countOf(c.Figures), *seen[c.Client]; got != want {
			fault += fmt.Sprintf("%s: %+v, want %+v; ", c.Client, got, want)
		}
		calls, sends = calls+c.Calls, sends+c.Sends
		byClient += c.Classes.Normal + c.Classes.Bulk + c.Classes.Interactive
	}
	equal("the clients' calls", calls, doc.Sum.Calls)
	equal("the classes' calls", byClient, doc.Sum.Calls)
	equal("the clients' sends", sends, doc.Sum.Sends)
	for name, all := range map[string][]admin.Series{"clients": doc.Clients, "classes": doc.Classes, "services": doc.Services, "routes": doc.Routes} {
		calls, sends = 0, 0
		for _, s := range all {
			equal(name+" "+s.Name, sum(s.Sends), s.Sum.Sends)
			calls, sends = calls+s.Sum.Calls, sends+s.Sum.Sends
		}
		equal(name+" calls", calls, doc.Sum.Calls)
		equal(name+" sends", sends, doc.Sum.Sends)
	}
	equal("causes", int64(len(doc.Saved)), int64(len(snap.Saved)))
	for i, s := range snap.Saved {
		equal(s.Cause.String()+" calls", doc.Saved[i].SumCalls, int64(s.Calls))
		equal(s.Cause.String()+" sends", doc.Saved[i].SumSends, int64(s.Sends))
	}
	blamed := int64(0)
	for _, b := range doc.Buckets {
		blamed += b.Sum.Refusals
	}
	equal("refusals by bucket", blamed, doc.Sum.Refusals)
	return fault
}

// What the account itself knows better, and what is seen of it only in answers,
// is near what its ledger says.
func nearLedger(t *testing.T, d *desk, clients admin.Clients) {
	t.Helper()
	var ours, others int64
	var at80, at90, at100 int64
	for _, w := range d.Ledger().WindowsOf("account") {
		admitted := w.Others - w.OthersRefused
		ours, others = ours+int64(w.Admitted), others+int64(admitted)
		switch used := 100 * (w.Admitted + admitted) / w.Limit; {
		case w.Start.Add(w.Length).After(clients.At):
		case used >= 100:
			at100++
		case used >= 90:
			at90++
		case used >= 80:
			at80++
		}
	}
	near := func(what string, got, want int64, percent int64) {
		if off := got - want; off*100 > want*percent || -off*100 > want*percent {
			t.Errorf("%s: %d, want %d within %d %%", what, got, want, percent)
		}
	}
	i := slices.IndexFunc(clients.Buckets, func(b admin.BucketTotals) bool { return b.Bucket == "support/account" })
	b := clients.Buckets[i]
	near("the account's count of ours", b.Ours, ours, 1)
	if o := clients.Others; 100*o.Sends > 105*others || 105*o.AtMost < 100*others || o.AtMost > others*5/4 {
		t.Errorf("others: %d to %d, and they were %d", o.Sends, o.AtMost, others)
	}
	// What comes in a minute's last milliseconds may move it over a bound.
	if off := b.At80 + b.At90 + b.At100 - at80 - at90 - at100; off < -2 || off > 2 {
		t.Errorf("minutes near the limit: %d, want %d within 2", off+at80+at90+at100, at80+at90+at100)
	}
	t.Logf("ours %d of %d, others %d of %d (at most %d), minutes at 80, 90, 100: %d %d %d of %d %d %d",
		b.Ours, ours, b.Others, others, clients.Others.AtMost, b.At80, b.At90, b.At100, at80, at90, at100)
}

// A keeper is the simplest store.
type keeper struct {
	mu      sync.Mutex
	entries map[string]*cache.Entry
}

func newKeeper() *keeper { return &keeper{entries: make(map[string]*cache.Entry)} }

func (k *keeper) Get(key string) (*cache.Entry, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.entries[key], nil
}

func (k *keeper) Put(e *cache.Entry) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries[e.Key] = e
	return nil
}

func (k *keeper) Drop(...string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.entries)
	return nil
}

func (k *keeper) Close() error { return nil }
