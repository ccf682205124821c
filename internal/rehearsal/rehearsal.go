// Package rehearsal runs ten thousand calls of every kind through a gateway on
// a simulated account: retries, merges, hits, joins, writes left out, refusals
// and clients that leave. Tests hold what flyball says of the run, in whatever
// form, against what the account and the clients saw.
//
// Reach for [Run], inside a testing/synctest bubble: the run takes minutes of
// virtual time.
package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/memory"
	"github.com/flyballhq/flyball/elide"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

const (
	account    = "https://acme.zendesk.com"
	credential = "Bearer secret-of-the-rehearsal"
)

// Options says what listens to the run.
type Options struct {
	Seed  uint64
	Calls int // 0 is 10,000
	// OnEvent and OnServed are told of everything, as by a gateway's options.
	OnEvent  event.Sink
	OnServed func(event.Served)
	// Ready, if set, is called with the transport before the first call.
	Ready func(*flyball.Transport)
}

// A Truth is what the account and the clients saw.
type Truth struct {
	Ledger   simulator.Ledger
	Snapshot limit.Snapshot // what the transport itself says

	mu       sync.Mutex
	Calls    int            // made by clients
	Left     int            // of these, whose clients left before an answer began
	ByClient map[string]int // calls
	ByStatus map[int]int    // answers
	Refused  map[string]int // answers by their Flyball-Refused, "" left out
	Bytes    int64          // of answers' bodies
}

// clients are who calls; each has calls of every kind.
var clients = []string{"crm", "warehouse", "macros", "night sync"}

// Run makes the calls and returns when the last answer has been read and all
// that was begun has ended. It is called inside a bubble.
func Run(ctx context.Context, o Options) (*Truth, error) {
	if o.Calls == 0 {
		o.Calls = 10_000
	}
	random := rand.New(rand.NewPCG(o.Seed, 7))
	time.Sleep(time.Duration(random.Int64N(int64(time.Minute)))) // a bubble starts with a minute, servers do not
	sim := simulator.New(simulator.Options{Seed: o.Seed, Origin: account, Limit: 2500, Others: .2, Tickets: 400, Users: 100})
	users, err := usersOf(ctx, sim)
	if err != nil {
		return nil, err
	}
	err = sim.SetFaults(
		simulator.Fault{Method: "GET", Probability: .01, Status: 503},
		simulator.Fault{Method: "GET", Probability: .005, Cut: simulator.CutBefore},
		simulator.Fault{Path: "/api/v2/users*", Probability: .01, Status: 429, RetryAfter: "1"},
	)
	if err != nil {
		return nil, err
	}
	sim.Reset() // what was asked to get ready stands on no ledger
	store, err := memory.New(memory.Options{})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	transport, err := flyball.New(flyball.Options{
		Account: account, Base: sim.RoundTripper(), OnEvent: o.OnEvent,
		Cache: cache.Options{Store: store, Rules: []cache.Rule{{Route: "GET /api/v2/tickets/{id}", Fresh: 20 * time.Second}}},
		Elide: elide.Options{Within: time.Minute},
	})
	if err != nil {
		return nil, err
	}
	if o.Ready != nil {
		o.Ready(transport)
	}
	upstream, err := url.Parse(account)
	if err != nil {
		return nil, err
	}
	g, err := gateway.New(gateway.Options{Upstream: upstream, Transport: transport, OnServed: o.OnServed})
	if err != nil {
		return nil, err
	}
	t := &Truth{ByClient: map[string]int{}, ByStatus: map[int]int{}, Refused: map[string]int{}}
	t.rush(ctx, g, o, users)
	time.Sleep(5 * time.Minute) // jobs that nobody waits for any more are let go
	t.Ledger, t.Snapshot = sim.Ledger(), transport.Snapshot()
	return t, transport.Close()
}

// usersOf lists the ids of sixty of the account's users.
func usersOf(ctx context.Context, sim *simulator.Simulator) ([]uint64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, account+"/api/v2/users.json?per_page=60", http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", credential)
	resp, err := sim.RoundTripper().RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var page struct{ Users []struct{ ID uint64 } }
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		return nil, err
	}
	if len(page.Users) == 0 {
		return nil, fmt.Errorf("list users: %s, and none in it", resp.Status)
	}
	ids := make([]uint64, len(page.Users))
	for i, u := range page.Users {
		ids[i] = u.ID
	}
	return ids, nil
}

// rush makes the calls, many at once.
func (t *Truth) rush(ctx context.Context, g http.Handler, o Options, users []uint64) {
	var next atomic.Int64
	var group sync.WaitGroup
	for worker := range 64 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(o.Seed, uint64(worker)))
			for i := int(next.Add(1)) - 1; i < o.Calls; i = int(next.Add(1)) - 1 {
				t.call(ctx, g, newRequest(ctx, random, i, users))
				time.Sleep(time.Duration(random.Int64N(int64(300 * time.Millisecond))))
			}
		})
	}
	group.Wait()
}

// A request is one call of a client, and when the client leaves; 0 is never.
type request struct {
	*http.Request
	client string
	leaves time.Duration
}

// newRequest draws the i-th call.
func newRequest(ctx context.Context, random *rand.Rand, i int, users []uint64) request {
	method, path, body := http.MethodGet, "", ""
	header := http.Header{"Authorization": {credential}}
	client := clients[random.IntN(len(clients))]
	header.Set("Flyball-Client", client)
	switch kind := random.IntN(20); {
	case kind < 6: // read again and again: hits and joins
		path = fmt.Sprintf("/api/v2/tickets/%d.json", 1+random.IntN(20))
	case kind < 10: // read with others: merged
		path = fmt.Sprintf("/api/v2/users/%d.json", users[random.IntN(len(users))])
		header.Set("Flyball-Batch", "allow")
	case kind < 13: // written with others: jobs
		method, path = http.MethodPut, fmt.Sprintf("/api/v2/tickets/%d.json", 21+random.IntN(300))
		body = fmt.Sprintf(`{"ticket":{"priority":"%s"}}`, []string{"low", "normal", "high"}[random.IntN(3)])
		header.Set("Flyball-Batch", "allow")
	case kind < 15:
		path = "/api/v2/search.json?query=status%3Aopen&page=" + fmt.Sprint(1+i%7)
		header.Set("Flyball-Class", "interactive")
	case kind < 16: // most change nothing
		method, path, body = http.MethodPut, fmt.Sprintf("/api/v2/tickets/%d.json", 321+random.IntN(10)), `{"ticket":{"subject":"the same"}}`
	case kind < 17:
		path = fmt.Sprintf("/api/v2/users/%d/tickets/requested.json", users[random.IntN(len(users))])
		header.Set("Flyball-Class", "bulk")
	case kind < 18:
		path = "/api/v2/tickets/9999999.json" // gone
	case kind < 19:
		path = "/api/v2/organizations.json"
		header.Set("Prefer", "wait=0")
	default:
		path = "/api/v2/groups.json"
	}
	r := httptest.NewRequestWithContext(ctx, method, "http://127.0.0.1:4290"+path, strings.NewReader(body))
	if body == "" {
		r.Body = http.NoBody
		r.ContentLength = 0
	} else {
		header.Set("Content-Type", "application/json")
	}
	r.Header = header
	req := request{Request: r, client: client}
	if random.IntN(25) == 0 {
		req.leaves = time.Duration(1 + random.Int64N(int64(400*time.Millisecond)))
	}
	return req
}

// call makes a call and notes what its client saw.
func (t *Truth) call(ctx context.Context, g http.Handler, r request) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if r.leaves > 0 {
		defer time.AfterFunc(r.leaves, cancel).Stop()
	}
	w := httptest.NewRecorder()
	func() {
		defer func() {
			if fault := recover(); fault != nil && fault != any(http.ErrAbortHandler) {
				panic(fault)
			}
		}()
		g.ServeHTTP(w, r.WithContext(ctx))
	}()
	t.note(r, w)
}

func (t *Truth) note(r request, w *httptest.ResponseRecorder) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Calls++
	t.ByClient[r.client]++
	if len(w.Result().Header) == 0 { // nothing was written at all
		t.Left++
		return
	}
	t.ByStatus[w.Code]++
	t.Bytes += int64(w.Body.Len())
	if reason := w.Header().Get("Flyball-Refused"); reason != "" {
		t.Refused[reason]++
	}
}
