package flyball_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/memory"
	"github.com/flyballhq/flyball/simulator"
)

var (
	everythings = flag.Int("everything", 8, "runs of TestEverythingAtOnce")
	everyFrom   = flag.Uint64("everything-from", 0, "seed of its first run")
)

// All that flyball does at once, on an account that does all that accounts do:
// callers that leave at the moment their wait ends, limits of ours that change
// all the time, merging, keeping, leaving out, and faults of every kind. Every
// call ends, nothing is left behind, and no send is made that is not counted.
func TestEverythingAtOnce(t *testing.T) {
	for seed := *everyFrom; seed < *everyFrom+uint64(*everythings); seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { everything(t, seed) })
		})
	}
}

func everything(t *testing.T, seed uint64) {
	draw := rand.New(rand.NewPCG(seed, 77))
	store, err := memory.New(memory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	a := newAccount(t, seed, oddServer(draw), governedBy(anyOptions(draw, store)))
	transport := a.client.Transport.(*flyball.Transport)
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	var all sync.WaitGroup
	for w := range 50 {
		all.Go(func() {
			own := rand.New(rand.NewPCG(seed, uint64(w)))
			for ctx.Err() == nil {
				anyCall(context.WithoutCancel(ctx), own, a.client)
			}
		})
	}
	for ctx.Err() == nil {
		pass(time.Duration(1+draw.IntN(20)) * time.Second)
		if err := transport.Regulate(anyRules(draw)); err != nil {
			t.Error(err)
		}
	}
	if err := transport.Regulate(flyball.Regulation{}, nil); err != nil { // a bound of one a minute is obeyed for as long as it takes
		t.Error(err)
	}
	all.Wait()
	if late := time.Since(deadline(ctx)); late > 10*time.Minute {
		t.Errorf("the last call ended %s after the last one was made", late)
	}
	pass(12 * time.Minute) // jobs that nobody waits for any more are let go
	settled(t, a)
	if sends, saw := transport.Snapshot().Sends, a.Ledger().Sends; sends < saw {
		t.Errorf("%d sends counted, and the account saw %d", sends, saw)
	}
}

func deadline(ctx context.Context) time.Time {
	at, _ := ctx.Deadline()
	return at
}

// oddServer is an account with some of the faults that there are.
func oddServer(draw *rand.Rand) simulator.Options {
	o := simulator.Options{
		Limit: pick(draw, 60, 200, 700, 2500), Others: pick(draw, 0, 0.3),
		Latency: simulator.LogNormal(180*time.Millisecond, 0.6, 50*time.Millisecond, 2*time.Second),
	}
	for _, f := range []simulator.Fault{
		{Probability: 0.02, Status: 503},
		{Probability: 0.02, Cut: simulator.CutBefore},
		{Probability: 0.02, Cut: simulator.CutAfter},
		{Probability: 0.02, Status: 429, RetryAfter: "1"},
		{Probability: 0.01, Status: 429, RetryAfter: "0"},
		{Probability: 0.01, Status: 429, RetryAfter: "none"},
		{Probability: 0.003, Status: 429},
		{Probability: 0.03, SlowBody: 3 * time.Second},
		{Probability: 0.03, Delay: 10 * time.Second},
		{Probability: 0.01, StrayZero: true},
	} {
		if draw.IntN(5) < 2 {
			o.Faults = append(o.Faults, f)
		}
	}
	return o
}

func anyOptions(draw *rand.Rand, store cache.Store) (o flyball.Options) {
	o.MaxWaiting = pick(draw, 0, 0, 30)
	o.Elide.Within = pick(draw, 0, time.Minute)
	if draw.IntN(2) == 0 {
		o.Cache = cache.Options{Store: store, Rules: []cache.Rule{
			{Route: "GET /api/v2/tickets/{id}", Fresh: 5 * time.Second, StaleWhileLimited: time.Minute},
		}}
	}
	return o
}

func anyRules(draw *rand.Rand) (flyball.Regulation, map[string]flyball.Quota) {
	return flyball.Regulation{AtMost: pick(draw, 0, 0, 20, 500), KeepFree: pick(draw, 0, 0, 30)}, map[string]flyball.Quota{
		"c1": {AtMost: pick(draw, 0, 5, 60)}, "c2": {MaxShare: pick(draw, 0, 0, 0.2)},
	}
}

// anyCall makes one call; its caller may leave at any moment, also at that at
// which its wait ends.
func anyCall(ctx context.Context, draw *rand.Rand, client *http.Client) {
	patience := pick(draw, 0, time.Second, 2*time.Second, 5*time.Second, 20*time.Second, time.Minute)
	cancel := func() {}
	if draw.IntN(2) == 0 {
		ctx = flyball.WithMaxWait(ctx, patience)
	}
	switch draw.IntN(3) {
	case 0:
		ctx, cancel = context.WithTimeout(ctx, patience)
	case 1:
		ctx, cancel = context.WithCancel(ctx)
		defer time.AfterFunc(patience, cancel).Stop()
	}
	defer cancel()
	ctx = flyball.WithClass(flyball.WithClient(ctx, fmt.Sprint("c", draw.IntN(4))), flyball.Class(draw.IntN(3)))
	if draw.IntN(2) == 0 {
		ctx = flyball.WithBatch(ctx)
	}
	resp, err := client.Do(anyRequest(ctx, draw))
	if err != nil {
		pass(100 * time.Millisecond)
		return
	}
	if draw.IntN(10) > 0 { // some leave in the middle
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	resp.Body.Close()
}

func anyRequest(ctx context.Context, draw *rand.Rand) *http.Request {
	method, path, body := "GET", fmt.Sprintf("/api/v2/tickets/%d.json", 1+draw.IntN(60)), ""
	switch draw.IntN(6) {
	case 0:
		method, body = "PUT", fmt.Sprintf(`{"ticket":{"priority":%q}}`, pick(draw, "low", "high"))
	case 1:
		method, path, body = "POST", "/api/v2/tickets.json", `{"ticket":{"subject":"x","comment":{"body":"y"}}}`
	case 2:
		path = "/api/v2/incremental/tickets.json?start_time=1"
	case 3:
		path = "/api/v2/search.json?query=x"
	}
	req, _ := http.NewRequestWithContext(ctx, method, "https://acme.zendesk.com"+path, strings.NewReader(body))
	req.Header.Set("Authorization", fmt.Sprint("Bearer ", draw.IntN(2)))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}
