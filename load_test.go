package flyball_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/simulator"
)

// A way is how calls reach the account: through flyball, or through a twin
// that has the fault which a promise is about.
type way func(t *testing.T, base http.RoundTripper) http.RoundTripper

// governed is the way through flyball. Calls that are alike are not made one:
// these tests are about limits, and count sends.
func governed(t *testing.T, base http.RoundTripper) http.RoundTripper {
	return governedBy(flyball.Options{Cache: cache.Options{NoCoalescing: true}})(t, base)
}

func governedBy(o flyball.Options) way {
	return func(t *testing.T, base http.RoundTripper) http.RoundTripper {
		t.Helper()
		o.Account, o.Base = "acme", base
		transport, err := flyball.New(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { transport.Close() })
		return transport
	}
}

// An account is a simulated account and a way to it, in virtual time.
type account struct {
	*simulator.Simulator
	client *http.Client
}

// newAccount makes one inside a bubble. It first sleeps a seeded while: bubbles
// start at second 0 of a minute, and servers do not.
func newAccount(t *testing.T, seed uint64, o simulator.Options, by way) *account {
	t.Helper()
	time.Sleep(time.Duration(rand.New(rand.NewPCG(seed, 1)).Int64N(int64(600 * time.Second))))
	o.Seed = seed
	o.Origin = "https://acme.zendesk.com"
	sim := simulator.New(o)
	return &account{sim, &http.Client{Transport: by(t, sim.RoundTripper())}}
}

// call makes one call and returns its status, or the error.
func (a *account) call(ctx context.Context, method, path string) (int, error) {
	return a.send(ctx, method, path, "")
}

func (a *account) send(ctx context.Context, method, path, body string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, "https://acme.zendesk.com"+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer token")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// workers makes calls 0 to n-1 with w at once and returns when all are answered.
func workers(w, n int, call func(i int)) {
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

// fullWindows are the bucket's windows that lie wholly within the run.
func fullWindows(l simulator.Ledger, bucket string, from, to time.Time) []simulator.Window {
	var full []simulator.Window
	for _, w := range l.WindowsOf(bucket) {
		if !w.Start.Before(from) && !w.Start.Add(w.Length).After(to) {
			full = append(full, w)
		}
	}
	return full
}

func TestUsesEveryWindowWithoutARefusal(t *testing.T) {
	for _, tt := range []struct {
		window time.Duration
		limit  int
		calls  int
	}{
		{time.Minute, 700, 7000},
		{10 * time.Second, 117, 1200},
		{time.Second, 12, 1200},
		{10 * time.Minute, 7000, 21000},
		{time.Minute, 10, 60},
		{time.Minute, 200, 1000},
		{time.Minute, 2500, 12500},
	} {
		t.Run(fmt.Sprintf("%d per %s", tt.limit, tt.window), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t, 7, simulator.Options{
					Limit: tt.limit, Window: tt.window, KeepWindows: true,
					Latency: simulator.LogNormal(180*time.Millisecond, 0.6, 50*time.Millisecond, 500*time.Millisecond),
				}, governedBy(flyball.Options{Window: tt.window}))
				real := realTime()
				start := time.Now()
				workers(64, tt.calls, func(i int) {
					if status, err := a.call(t.Context(), "GET", fmt.Sprintf("/api/v2/users/%d.json", i)); err != nil || status == 429 {
						t.Errorf("call %d: %d, %v", i, status, err)
					}
				})
				l := a.Ledger()
				if l.Refused() != 0 {
					t.Errorf("%d refusals, want none", l.Refused())
				}
				if tt.window < 5*time.Second {
					start = start.Add(5 * time.Second) // until the server's clock is known well enough
				}
				full := fullWindows(l, "account", start, time.Now().Add(-tt.window/2))
				admitted := 0
				least := 0.97
				if tt.limit == 10 {
					least = 0.9
				}
				for _, w := range full {
					admitted += w.Admitted
					if used := float64(w.Admitted) / float64(w.Limit); used < least && tt.window >= 5*time.Second {
						t.Errorf("window %s: %d of %d used", w.Start.Format(time.TimeOnly), w.Admitted, w.Limit)
					}
				}
				if used := float64(admitted) / float64(len(full)*tt.limit); used < least {
					t.Errorf("%.1f %% of %d windows used, want %.0f", 100*used, len(full), 100*least)
				}
				t.Logf("%d full windows, %d sends, %s virtual, %s real", len(full), l.Sends, time.Since(start), realTime()-real)
			})
		})
	}
}

// pass lets virtual time go by. It is for use inside a bubble only.
func pass(d time.Duration) { time.Sleep(d) }
