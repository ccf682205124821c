package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
	"github.com/flyballhq/flyball/usage"
)

// A desk is a simulated account behind a transport whose history an admin
// address shows, in virtual time.
type desk struct {
	*simulator.Simulator
	transport *flyball.Transport
	history   *usage.History
	admin     http.Handler
	refusals  atomic.Int64 // 429s that came back
}

// RoundTrip is the account's, counted.
func (d *desk) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := d.Simulator.RoundTripper().RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		d.refusals.Add(1)
	}
	return resp, err
}

func newDesk(t *testing.T, sim simulator.Options, opts flyball.Options) *desk {
	t.Helper()
	sim.Origin = "https://acme.zendesk.com"
	d := &desk{Simulator: simulator.New(sim)}
	var err error
	if d.history, err = usage.New(usage.Options{Snapshot: func() limit.Snapshot { return d.transport.Snapshot() }}); err != nil {
		t.Fatal(err)
	}
	opts.Account, opts.Base, opts.OnEvent = "acme", d, event.All(d.history.Take, opts.OnEvent)
	if d.transport, err = flyball.New(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.transport.Close() })
	runs(t, d.history.Run)
	d.admin = handler(t, admin.Options{Snapshot: d.transport.Snapshot, Usage: d.history})
	return d
}

// runs runs something until the test ends.
func runs(t *testing.T, run func(context.Context)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
}

// call makes one call and returns its status, or the error.
func (d *desk) call(ctx context.Context, method, path string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, "https://acme.zendesk.com"+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer token")
	resp, err := d.transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// show reads a document of the admin address.
func show[T any](t *testing.T, h http.Handler, path string) (doc T) {
	t.Helper()
	w := get(t, h, "localhost", path)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s = %d %s", path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return doc
}

// atOnce makes calls 0 to n-1 with w at once and returns when all have ended.
func atOnce(w, n int, call func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range w {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				call(i)
			}
		})
	}
	group.Wait()
}

func TestUsageCountsWhatTheAccountCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(17 * time.Second)
		d := newDesk(t, simulator.Options{Limit: 60, Latency: simulator.Fixed(100 * time.Millisecond)}, flyball.Options{})
		var answered, refused, left atomic.Int64
		atOnce(20, 200, func(i int) {
			ctx := flyball.WithClient(t.Context(), fmt.Sprintf("client-%d", i%3))
			if i%10 == 7 {
				ctx = flyball.WithMaxWait(ctx, time.Second)
			}
			if i%10 == 8 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithCancel(ctx)
				defer time.AfterFunc(2*time.Second, cancel).Stop()
			}
			_, err := d.call(ctx, "GET", fmt.Sprintf("/api/v2/users/%d.json", i))
			switch _, no := errors.AsType[*flyball.WaitError](err); {
			case err == nil:
				answered.Add(1)
			case no:
				refused.Add(1)
			default:
				left.Add(1)
			}
		})
		time.Sleep(time.Second)
		doc := show[admin.Usage](t, d.admin, "/api/usage?window=30m&step=1m")
		ledger := d.Ledger()
		if answered.Load() == 0 || refused.Load() == 0 || left.Load() == 0 {
			t.Fatalf("answered %d, refused %d, left %d: want some of each", answered.Load(), refused.Load(), left.Load())
		}
		want := admin.Figures{Calls: 200, GaveUp: refused.Load(), Left: left.Load(), Sends: int64(ledger.Sends)}
		got := doc.Sum
		if got.Calls != want.Calls || got.GaveUp != want.GaveUp || got.Left != want.Left || got.Sends != want.Sends {
			t.Errorf("sum = %+v, want %+v", got, want)
		}
		if n := sum(doc.Total.Sends); n != want.Sends {
			t.Errorf("the steps hold %d sends, want %d", n, want.Sends)
		}
		clients := show[admin.Clients](t, d.admin, "/api/clients?window=30m")
		calls := int64(0)
		for _, c := range clients.Clients {
			calls += c.Calls
		}
		if len(clients.Clients) != 3 || calls != 200 {
			t.Errorf("%d clients with %d calls, want 3 with 200", len(clients.Clients), calls)
		}
		list := show[admin.Calls](t, d.admin, "/api/calls")
		if list.Waiting != 0 || len(list.Refused) == 0 || len(list.Longest) == 0 {
			t.Errorf("calls: %d wait, %d refused, %d long", list.Waiting, len(list.Refused), len(list.Longest))
		}
	})
}

func sum(column []int64) (n int64) {
	for _, v := range column {
		n += v
	}
	return n
}
