package flyball_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/simulator"
)

// A server whose minute is shorter is found out: nothing is configured.
func TestLearnsTheWindowFromTwoEnds(t *testing.T) {
	for _, window := range []time.Duration{10 * time.Second, 20 * time.Second} {
		for seed := range uint64(10) {
			t.Run(fmt.Sprintf("%s, seed %d", window, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := newAccount(t, 300+seed, simulator.Options{Window: window, Limit: 60}, governed)
					start := time.Now()
					workers(32, 600, func(i int) {
						if status, err := a.call(t.Context(), "GET", user(i)); err != nil || status == 429 {
							t.Errorf("call %d: %d, %v", i, status, err)
						}
					})
					if n := a.Ledger().Refused(); n != 0 {
						t.Errorf("%d refusals, want none", n)
					}
					if took := time.Since(start); took > 14*window {
						t.Errorf("600 calls at 60 a window of %s took %s", window, took)
					}
				})
			})
		}
	}
}

// Every fourth send refused with Retry-After 0 is slow, not endless.
func TestARetryAfterOfZeroIsBearable(t *testing.T) {
	for _, body := range simulator.Bodies() {
		permanent := body == simulator.BodyTotals || body == simulator.BodyDepth
		for i, wait := range []string{"0", "none", "0", "none"} {
			bare := i >= 2
			t.Run(fmt.Sprintf("%s, %s, bare %t", body, wait, bare), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := newAccount(t, 310, simulator.Options{BareRefusals: bare, Faults: []simulator.Fault{{Every: 4, Status: 429, RetryAfter: wait, Body: body}}}, governed)
					start := time.Now()
					workers(8, 160, func(i int) {
						if status, err := a.call(t.Context(), "GET", user(i)); err != nil || status == 429 && !permanent {
							t.Errorf("call %d: %d, %v", i, status, err)
						}
					})
					if took := time.Since(start); took > 5*time.Minute {
						t.Errorf("160 calls took %s", took)
					} else {
						t.Logf("160 calls took %s", took)
					}
				})
			})
		}
	}
}

// waitForms are ways of saying Retry-After that were seen. A date is put into
// words once the bubble's clock is known.
var waitForms = []string{"none", "0", "5", "7.5", "date"}

// accountNow is newAccount for a test that has slept by itself.
func accountNow(t *testing.T, seed uint64, o simulator.Options, by way) *account {
	t.Helper()
	o.Seed, o.Origin = seed, "https://acme.zendesk.com"
	sim := simulator.New(o)
	return &account{sim, &http.Client{Transport: by(t, sim.RoundTripper())}}
}

func refusedWith(wait string) string {
	if wait == "date" {
		return time.Now().Add(8 * time.Second).UTC().Format(http.TimeFormat)
	}
	return wait
}

func TestUpdatesSideBySideAreAllDoneDespiteRefusals(t *testing.T) {
	for _, wait := range waitForms {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%s, seed %d", wait, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Duration(seed) * 17 * time.Second)
					faults := []simulator.Fault{{Method: "PUT", Nth: []int{2, 5, 8}, Status: 429, RetryAfter: refusedWith(wait)}}
					a := accountNow(t, 320+seed, simulator.Options{Faults: faults}, governed)
					workers(10, 10, func(i int) {
						ctx := flyball.WithMaxWait(t.Context(), 50*time.Second)
						status, err := a.send(ctx, "PUT", fmt.Sprintf("/api/v2/tickets/%d.json", i+1), `{"ticket":{"priority":"high"}}`)
						if err != nil || status != 200 {
							t.Errorf("ticket %d: %d, %v", i+1, status, err)
						}
					})
					if n := a.Ledger().Refused(); n != 3 {
						t.Errorf("%d refusals, want the three that were made", n)
					}
				})
			})
		}
	}
}

func TestARefusedPageComesSoon(t *testing.T) {
	for _, wait := range waitForms {
		for _, body := range simulator.Bodies() {
			if body == simulator.BodyTotals || body == simulator.BodyDepth {
				continue // permanent
			}
			t.Run(fmt.Sprintf("%s, %s", wait, body), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(17 * time.Second)
					faults := []simulator.Fault{{Path: "/api/v2/tickets?*after*", Count: 1, Status: 429, RetryAfter: refusedWith(wait), Body: body}}
					a := accountNow(t, 330, simulator.Options{Tickets: 250, Faults: faults}, governed)
					next := nextPage(t, a, "/api/v2/tickets?page[size]=100")
					start := time.Now()
					nextPage(t, a, next)
					if took := time.Since(start); took > 15*time.Second {
						t.Errorf("the refused page took %s", took)
					}
					if n := a.Ledger().Refused(); n != 1 {
						t.Errorf("%d refusals, want one", n)
					}
				})
			})
		}
	}
}

// nextPage reads one page and returns the path of the next.
func nextPage(t *testing.T, a *account, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://acme.zendesk.com"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	resp, err := a.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var page struct {
		Tickets []struct{ ID int }
		Links   struct{ Next string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil || resp.StatusCode != 200 || len(page.Tickets) != 100 {
		t.Fatalf("%s: %d, %d tickets, %v", path, resp.StatusCode, len(page.Tickets), err)
	}
	return strings.TrimPrefix(page.Links.Next, "https://acme.zendesk.com")
}

var propertySeed = flag.Int64("schedule", -1, "the one seed of TestAnyScheduleEnds to run")

// Whatever the account, its faults and its callers do: every call ends once
// and in time, nothing stays in flight, and refusals stay few.
func TestAnyScheduleEnds(t *testing.T) {
	from, to := int64(0), int64(100)
	if *propertySeed >= 0 {
		from, to = *propertySeed, *propertySeed+1
	}
	for seed := from; seed < to; seed++ {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { anySchedule(t, uint64(seed)) })
		})
		if !ok {
			t.Errorf("again: go test -run TestAnyScheduleEnds -schedule %d .", seed)
		}
	}
}

func anySchedule(t *testing.T, seed uint64) {
	draw := rand.New(rand.NewPCG(seed, 7))
	o, configured := anyAccount(draw)
	if testing.Verbose() {
		t.Logf("%+v", o)
	}
	var late sync.Map
	options := flyball.Options{MaxWaiting: pick(draw, 0, 0, 20), OnEvent: func(e event.Event) {
		if e.Kind == event.Admitted && !e.Call.Deadline.IsZero() && e.At.After(e.Call.Deadline) {
			late.Store(e.Call.Seq, e.At.Sub(e.Call.Deadline))
		}
	}}
	if configured {
		options.Window = o.Window
	}
	a := newAccount(t, seed, o, governedBy(options))
	start := time.Now()
	var mu sync.Mutex
	ended := map[int]int{}
	n := 40 + draw.IntN(160)
	calls := make([]anyCall, n)
	for i := range calls {
		calls[i] = newAnyCall(draw)
	}
	workers(1+draw.IntN(40), n, func(i int) {
		calls[i].make(t, a)
		mu.Lock()
		ended[i]++
		mu.Unlock()
	})
	for i := range n {
		if ended[i] != 1 {
			t.Errorf("call %d ended %d times", i, ended[i])
		}
	}
	late.Range(func(seq, by any) bool { t.Errorf("call %v was sent %v after its patience", seq, by); return true })
	time.Sleep(time.Minute) // what was cut off has reached the account
	snap := a.client.Transport.(*flyball.Transport).Snapshot()
	if snap.Waiting != 0 {
		t.Errorf("%d calls still wait", snap.Waiting)
	}
	for _, b := range snap.Buckets {
		if b.InFlight != 0 || b.Held != 0 || b.Left < 0 {
			t.Errorf("%s: %d in flight, %d held, %d left", b.Key, b.InFlight, b.Held, b.Left)
		}
	}
	l := a.Ledger()
	faults := l.RefusedBy("fault")
	windows := int(time.Since(start) / o.Window) // others may drain each of them first
	if real := l.Refused() - faults; real > 20+l.Sends/10+windows {
		t.Errorf("%d of %d sends refused for a limit's sake", real, l.Sends)
	}
	t.Logf("%d calls, %d sends, %d refused (%d by faults), %s", n, l.Sends, l.Refused(), faults, time.Since(start))
}

func pick[T any](draw *rand.Rand, of ...T) T { return of[draw.IntN(len(of))] }

// anyAccount draws an account. configured says that flyball is told its window.
func anyAccount(draw *rand.Rand) (o simulator.Options, configured bool) {
	o = simulator.Options{
		Limit:         pick(draw, 3, 10, 60, 200, 700),
		Window:        pick(draw, time.Second, 7*time.Second, 10*time.Second, time.Minute, time.Minute),
		KeepWindows:   draw.IntN(2) == 0,
		ChargeRefused: draw.IntN(2) == 0,
		BareRefusals:  draw.IntN(3) == 0,
		Headers:       pick(draw, simulator.HeadersCurrent, simulator.Headers2023, simulator.HeadersXRateLimit, simulator.HeadersNone),
		Latency:       simulator.Between(pick(draw, 0, 20*time.Millisecond), pick(draw, 30*time.Millisecond, time.Second, 4*time.Second)),
		Others:        pick(draw, 0, 0, 0.3, 0.9),
		BoundarySkew:  pick(draw, 0, 600*time.Millisecond),
		Limits:        map[string]simulator.Limit{},
	}
	if o.Headers == simulator.HeadersNone && o.Window < 5*time.Second {
		o.Limit = 700 // a limit of a few a second that nobody states is not learned
	}
	if draw.IntN(3) == 0 {
		o.Limits["tickets-index"] = simulator.Limit{N: 1 + draw.IntN(20), Silent: draw.IntN(2) == 0}
	}
	if draw.IntN(3) == 0 {
		o.Limits["per-ticket-updates"] = simulator.Limit{N: 1 + draw.IntN(5), Silent: draw.IntN(2) == 0}
	}
	for range draw.IntN(4) {
		o.Faults = append(o.Faults, anyFault(draw))
	}
	if o.Window >= 5*time.Second && o.Headers != simulator.HeadersNone { // else the server's clock is all there is to go by
		o.WindowJitter = pick(draw, 0, 0, o.Window/20)
		o.OpenedByFirst, o.RoundDown = draw.IntN(5) == 0, draw.IntN(5) == 0
	}
	return o, o.Window < 5*time.Second || draw.IntN(2) == 0
}

func anyFault(draw *rand.Rand) simulator.Fault {
	f := simulator.Fault{Probability: pick(draw, 0.02, 0.1, 0.3)}
	switch draw.IntN(7) {
	case 0:
		f.Status, f.Body = 429, pick(draw, simulator.Bodies()...)
		f.RetryAfter = pick(draw, "", "0", "none", "1.5", "date", "20", "junk")
	case 1:
		f.Status, f.RetryAfter = 503, pick(draw, "", "2")
	case 2:
		f.Cut = pick(draw, simulator.CutBefore, simulator.CutAfter, simulator.CutBody)
	case 3:
		f.Headers = pick(draw, simulator.HeadersAbsent, simulator.HeadersGarbage, simulator.HeadersReordered)
	case 4:
		f.StrayZero = true
	case 5:
		f.Overstate = 10
	default:
		f.Delay = 20 * time.Second
	}
	return f
}

// anyCall is a call that may lose patience or be called off.
type anyCall struct {
	method, path, body string
	patience           time.Duration // 0 waits for as long as it takes
	leaves             time.Duration // 0 stays
	pause              time.Duration
}

func newAnyCall(draw *rand.Rand) anyCall {
	c := anyCall{method: "GET", path: user(draw.IntN(50))}
	switch draw.IntN(5) {
	case 0:
		c.method, c.path, c.body = "PUT", fmt.Sprintf("/api/v2/tickets/%d.json", 1+draw.IntN(3)), `{"ticket":{"priority":"high"}}`
	case 1:
		c.path = "/api/v2/tickets.json?page[size]=1"
	case 2:
		c.method, c.path, c.body = "PUT", "/api/v2/tickets/update_many.json?ids=1,2", `{"ticket":{"priority":"low"}}`
	case 3:
		c.path = pick(draw, "/api/v2/help_center/articles.json", "/api/v2/incremental/tickets.json?start_time=1", "/api/v2/groups.json")
	}
	c.patience = pick(draw, 0, 0, time.Millisecond, time.Second, 20*time.Second, 2*time.Minute)
	c.leaves = pick(draw, 0, 0, 0, time.Duration(1+draw.Int64N(int64(10*time.Second))))
	c.pause = pick(draw, 0, 0, time.Duration(draw.Int64N(int64(5*time.Second))))
	return c
}

func (c anyCall) make(t *testing.T, a *account) {
	time.Sleep(c.pause)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if c.leaves > 0 {
		defer time.AfterFunc(c.leaves, cancel).Stop()
	}
	if c.patience > 0 {
		ctx = flyball.WithMaxWait(ctx, c.patience)
	}
	start := time.Now()
	status, err := a.send(ctx, c.method, c.path, c.body)
	if status == 0 && err == nil {
		t.Errorf("%s %s: neither an answer nor an error", c.method, c.path)
	}
	// A send under way may take 20 s twice (a fault delays it) and 4 s besides.
	if took := time.Since(start); c.patience > 0 && took > c.patience+90*time.Second {
		t.Errorf("%s %s took %s and may wait %s", c.method, c.path, took, c.patience)
	}
}
