package admin_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/internal/rehearsal"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/usage"
)

// What the admin address shows of the rehearsal is what the account and the
// clients saw; the metrics and the access log are held against the same run.
func TestTheRehearsalIsShownAsItWas(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 2000
	}
	synctest.Test(t, func(t *testing.T) {
		snapshot := func() limit.Snapshot { return limit.Snapshot{Account: "acme.zendesk.com"} }
		now := func() limit.Snapshot { return snapshot() }
		history, err := usage.New(usage.Options{Snapshot: now})
		if err != nil {
			t.Fatal(err)
		}
		h := handler(t, admin.Options{Snapshot: now, Usage: history})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var running sync.WaitGroup
		truth, err := rehearsal.Run(t.Context(), rehearsal.Options{
			Seed: 5, Calls: n, OnEvent: history.Take,
			Ready: func(transport *flyball.Transport) {
				snapshot = transport.Snapshot
				running.Go(func() { history.Run(ctx) })
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		use := show[admin.Usage](t, h, "/api/usage?window=24h&step=1m")
		clients := show[admin.Clients](t, h, "/api/clients?window=24h")
		cancel()
		running.Wait()

		equal := func(what string, got, want int64) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %d, want %d", what, got, want)
			}
		}
		equal("calls", use.Sum.Calls, int64(truth.Calls))
		equal("sends", use.Sum.Sends, int64(truth.Ledger.Sends))
		equal("the steps' sends", sum(use.Total.Sends), int64(truth.Ledger.Sends))
		equal("given up", use.Sum.GaveUp, int64(truth.Refused["wait-too-long"]+truth.Refused["queue-full"]))
		equal("left", use.Sum.Left, int64(truth.Left))
		equal("clients", int64(len(clients.Clients)), int64(len(truth.ByClient)))
		for _, c := range clients.Clients {
			equal("calls of "+c.Client, c.Calls, int64(truth.ByClient[c.Client]))
		}
		equal("causes", int64(len(use.Saved)), int64(len(truth.Snapshot.Saved)))
		for i, s := range truth.Snapshot.Saved {
			equal("calls saved by "+s.Cause.String(), use.Saved[i].SumCalls, int64(s.Calls))
			equal("sends saved by "+s.Cause.String(), use.Saved[i].SumSends, int64(s.Sends))
		}
		refusals := int64(0)
		for _, b := range truth.Snapshot.Buckets {
			refusals += int64(b.Refusals)
		}
		equal("refusals", use.Sum.Refusals, refusals)
		equal("waiting", int64(len(history.Waiting())), 0)
	})
}
