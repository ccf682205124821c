package observe_test

import (
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/elide"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/observe"
	"github.com/flyballhq/flyball/simulator"
)

// A load is calls that arrive at times of their own, whatever becomes of those
// before: what governing changes in the clients is no part of it.
type load struct {
	seed     uint64
	perMin   int           // calls on average
	maxWait  time.Duration // patience of the calls that have any
	repeats  float64       // share of the calls that ask again for what another asks for
	account  simulator.Options
	governed flyball.Options
	merge    bool
	gone     float64 // share of the calls that ask for what is not there
	sweep    int     // how many tickets a sync writes at once, once a minute; every other time the same again
}

const acme = "https://acme.zendesk.com"

// calls makes the load's calls through rt, and waits for them.
func (l load) calls(t *testing.T, rt http.RoundTripper) {
	draw := rand.New(rand.NewPCG(l.seed, 1))
	var all sync.WaitGroup
	defer all.Wait()
	if l.sweep > 0 {
		all.Go(func() { l.sweeps(t, rt) })
	}
	for at := time.Duration(0); at < 4*time.Minute; {
		// Bursts: half of the minutes bring twice as much.
		pace := float64(l.perMin) / 1.5
		if int(at/(30*time.Second))%2 == 0 {
			pace *= 2
		}
		gap := time.Duration(draw.ExpFloat64() * float64(time.Minute) / pace)
		time.Sleep(gap)
		at += gap
		req := l.draw(t, draw)
		all.Go(func() { finish(rt, req) })
	}
}

func finish(rt http.RoundTripper, req *http.Request) {
	resp, err := rt.RoundTrip(req)
	if err == nil {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// sweeps makes the calls of a sync, which writes all that it knows once a
// minute, changed or not: of some tickets that are gone, and to some what they
// cannot be.
func (l load) sweeps(t *testing.T, rt http.RoundTripper) {
	draw := rand.New(rand.NewPCG(l.seed, 2))
	ctx := observe.With(flyball.WithMaxWait(flyball.WithClient(t.Context(), "sweep"), l.maxWait), observe.Ask{Client: "sweep"})
	if l.merge {
		ctx = flyball.WithBatch(ctx)
	}
	var all sync.WaitGroup
	defer all.Wait()
	for round := range 4 {
		for i := range l.sweep {
			method, path := "PUT", fmt.Sprintf("/api/v2/tickets/%d.json", 1000+i)
			body := fmt.Sprintf(`{"ticket":{"subject":"as of %d","external_id":"e-%d"}}`, round/2, i)
			switch i % 10 {
			case 4:
				path = fmt.Sprintf("/api/v2/tickets/%d.json", 70_000+i)
			case 6:
				body = `{"ticket":{"status":"wrong"}}`
			case 8:
				method, path, body = "POST", "/api/v2/tickets.json", fmt.Sprintf(`{"ticket":{"subject":"new %d","comment":{"body":"%d"}}}`, i, round)
			}
			req, _ := http.NewRequestWithContext(ctx, method, acme+path, strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer sweep")
			req.Header.Set("Content-Type", "application/json")
			time.Sleep(time.Duration(draw.ExpFloat64() * float64(10*time.Millisecond)))
			all.Go(func() { finish(rt, req) })
		}
		time.Sleep(time.Minute)
	}
}

func (l load) draw(t *testing.T, draw *rand.Rand) *http.Request {
	client := []string{"sync", "sync", "sync", "app", "report"}[draw.IntN(5)]
	ctx := flyball.WithMaxWait(flyball.WithClient(t.Context(), client), l.maxWait)
	ask := observe.Ask{Client: client}
	if client == "app" {
		ctx = flyball.WithClass(ctx, flyball.Interactive)
		ask.Class, ask.HasClass = limit.Interactive, true
	}
	if l.merge {
		ctx = flyball.WithBatch(ctx)
	}
	id := 1 + draw.IntN(5000)
	if draw.Float64() < l.repeats {
		id = 1 + draw.IntN(5)
	}
	method, path, body := "GET", fmt.Sprintf("/api/v2/tickets/%d.json", id), io.Reader(nil)
	if l.gone > 0 && draw.Float64() < l.gone {
		id += 70_000 // a read of many leaves out what it does not find
	}
	switch {
	case client == "sync" && draw.IntN(4) == 0:
		method, body = "PUT", strings.NewReader(fmt.Sprintf(`{"ticket":{"priority":"high","id":%d}}`, id))
	case client == "report" && draw.IntN(3) == 0:
		path = fmt.Sprintf("/api/v2/users/%d.json", id)
	}
	req, _ := http.NewRequestWithContext(observe.With(ctx, ask), method, acme+path, body)
	req.Header.Set("Authorization", "Bearer "+client)
	return req
}

// run makes the load once, governed or observed, from the same second on the
// same account, and returns what was done, or would have been.
func (l load) run(t *testing.T, observed bool) (got observe.Outcome, passed observe.Passed) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(17 * time.Second)
		l.account.Origin, l.account.Seed = acme, l.seed
		sim := simulator.New(l.account)
		o := l.governed
		o.Account = acme
		if !observed {
			var tally observe.Tally
			o.Base, o.OnEvent = sim.RoundTripper(), tally.Take
			governed, err := flyball.New(o)
			if err != nil {
				t.Fatal(err)
			}
			defer governed.Close()
			l.calls(t, governed)
			got = tally.Outcome()
			if led := sim.Ledger(); led.Refused() != got.Refused {
				t.Errorf("the account refused %d, the tally says %d", led.Refused(), got.Refused)
			}
			return
		}
		watch, err := observe.New(observe.Options{Base: sim.RoundTripper(), Govern: o})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		l.calls(t, watch)
		for watch.Report().Waiting > 0 {
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Second)
		r := watch.Report()
		if led := sim.Ledger(); led.Sends != r.Passed.Sends || led.Refused() != r.Passed.Refused {
			t.Errorf("the account saw %d sends and refused %d, the report says %+v", led.Sends, led.Refused(), r.Passed)
		}
		if r.Unobserved > 0 || r.Governed.Calls != r.Passed.Calls {
			t.Errorf("%d calls of %d tried, %d not", r.Governed.Calls, r.Passed.Calls, r.Unobserved)
		}
		got, passed = r.Governed, r.Passed
	})
	return got, passed
}

// What is foretold may be wrong by a share of the calls:
//   - alone on the account by 2 %: a real refusal does not tell how long the
//     answer would have taken, nor what it would have said, and the same seed
//     draws other latencies for other sends;
//   - a held call more or less makes another group of those behind it: loads that
//     are merged have a latency that is the same for all sends;
//   - beside others by 10 %: what they would have sent in a window that our real
//     sends used up nobody knows; they are taken to go on as before.
func TestWhatIsForetoldIsWhatGoverningDoes(t *testing.T) {
	account := simulator.Options{Limit: 100, Tickets: 5000, Users: 5000}
	busy := account
	busy.Others = 0.3
	const long, short = 50 * time.Second, 5 * time.Second
	const noCall = 0.002 // of less than 500: no count may differ, and holds by as little as one call is felt
	even := account
	even.Latency = simulator.Fixed(150 * time.Millisecond)
	roomy, tight := even, even
	roomy.Limit, tight.Limit = 700, 200
	eliding := flyball.Options{Elide: elide.Options{Within: time.Hour}}
	kept := flyball.Options{Cache: cache.Options{Rules: []cache.Rule{{Route: "GET /api/v2/tickets/{id}", Fresh: time.Minute}}}}
	for name, c := range map[string]struct {
		load
		within float64
	}{
		"room for all":       {load{seed: 1, perMin: 50, maxWait: long, account: account}, 0},
		"more than fits":     {load{seed: 2, perMin: 130, maxWait: long, account: account}, 0.02},
		"little patience":    {load{seed: 3, perMin: 130, maxWait: short, account: account}, 0.02},
		"the same, often":    {load{seed: 4, perMin: 130, maxWait: long, repeats: 0.5, account: account}, 0.02},
		"kept":               {load{seed: 5, perMin: 130, maxWait: long, repeats: 0.5, account: account, governed: kept}, 0.02},
		"merged":             {load{seed: 6, perMin: 130, maxWait: long, account: even, merge: true}, 0.02},
		"of what is gone":    {load{seed: 23, perMin: 130, maxWait: long, account: even, merge: true, gone: 0.3}, 0.02},
		"writes merged":      {load{seed: 20, perMin: 60, maxWait: long, account: roomy, merge: true, sweep: 20}, 0},
		"many writes merged": {load{seed: 20, perMin: 60, maxWait: long, account: roomy, merge: true, sweep: 60}, noCall},
		"nothing changes":    {load{seed: 21, perMin: 60, maxWait: long, account: roomy, governed: eliding, sweep: 20}, 0},
		"both":               {load{seed: 22, perMin: 60, maxWait: long, account: roomy, governed: eliding, merge: true, sweep: 20}, 0},
		"both, often":        {load{seed: 23, perMin: 60, maxWait: long, account: roomy, governed: eliding, merge: true, sweep: 60}, noCall},
		"both, held":         {load{seed: 22, perMin: 130, maxWait: long, account: tight, governed: eliding, merge: true, sweep: 60}, 0.02},
		"others use it, too": {load{seed: 11, perMin: 90, maxWait: long, account: busy}, 0.1},
		"others, much":       {load{seed: 15, perMin: 90, maxWait: long, account: busy}, 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			if len(c.governed.Cache.Rules) > 0 {
				c.governed.Cache.Store = store(t)
			}
			then, _ := c.run(t, false)
			if len(c.governed.Cache.Rules) > 0 {
				c.governed.Cache.Store = store(t)
			}
			told, passed := c.run(t, true)
			if fault := apart(told, then, c.within); fault != "" {
				t.Error(fault)
			}
			// The faulty twin says that what really happened is what would have.
			unheld := observe.Outcome{Calls: passed.Calls, Sends: passed.Sends, Refused: passed.Refused}
			if (c.within > 0 || c.sweep > 0) && apart(unheld, then, c.within) == "" {
				t.Error("the check finds nothing on a report that foretells nothing")
			}
		})
	}
}

// apart says what was foretold wrong by more than a share of the calls.
func apart(told, then observe.Outcome, within float64) (fault string) {
	bound := within * float64(then.Calls)
	for name, pair := range map[string][2]int{
		"calls": {told.Calls, then.Calls}, "sends": {told.Sends, then.Sends}, "held": {told.Held, then.Held},
		"gave up": {told.GaveUp, then.GaveUp}, "saved": {told.Saved, then.Saved}, "refused": {told.Refused, then.Refused},
	} {
		if d := math.Abs(float64(pair[0] - pair[1])); d > bound {
			fault += fmt.Sprintf("%s: foretold %d, happened %d, of %d calls; ", name, pair[0], pair[1], then.Calls)
		}
	}
	for cause := limit.NotSaved + 1; cause < limit.Causes; cause++ {
		a, b := spared(told, cause), spared(then, cause)
		if d := math.Abs(float64(a.Calls - b.Calls)); d > bound {
			fault += fmt.Sprintf("%s: foretold %d calls, happened %d; ", cause, a.Calls, b.Calls)
		}
		if d := math.Abs(float64(a.Sends - b.Sends)); d > bound {
			fault += fmt.Sprintf("%s: foretold %d sends saved, happened %d; ", cause, a.Sends, b.Sends)
		}
	}
	// A call more or less in a line is felt by all behind it. Sums of the same
	// in another order differ by their last digits.
	if d := math.Abs(told.HeldSeconds - then.HeldSeconds); d > 25*bound+1e-9 {
		fault += fmt.Sprintf("held %.1fs, happened %.1fs; ", told.HeldSeconds, then.HeldSeconds)
	}
	return fault
}

func spared(o observe.Outcome, cause limit.Cause) observe.Spared {
	for _, s := range o.ByCause {
		if s.Cause == cause.String() {
			return s
		}
	}
	return observe.Spared{}
}

// A shelf is the simplest store.
type shelf struct {
	mu      sync.Mutex
	entries map[string]*cache.Entry
}

func store(*testing.T) cache.Store { return &shelf{entries: map[string]*cache.Entry{}} }

func (s *shelf) Get(key string) (*cache.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[key], nil
}

func (s *shelf) Put(e *cache.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[e.Key] = e
	return nil
}

func (s *shelf) Drop(tags ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.entries, func(_ string, e *cache.Entry) bool {
		return slices.ContainsFunc(e.Tags, func(tag string) bool { return slices.Contains(tags, tag) })
	})
	return nil
}

func (s *shelf) Close() error { return nil }
