package flyball_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// A reply is one answer, read.
type reply struct {
	status int
	header http.Header
	value  any
	err    error
}

// fetch makes one GET and decodes its answer.
func fetch(ctx context.Context, client *http.Client, path string, header ...string) reply {
	req := reading(ctx, path)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	r := reply{status: resp.StatusCode, header: resp.Header, err: err}
	if err == nil {
		r.err = json.Unmarshal(text, &r.value)
	}
	return r
}

// crowd has callers with some calls in flight each make calls 0 to n-1.
func crowd(callers, inFlight, n int, call func(i int)) {
	var group sync.WaitGroup
	share := n / callers
	for c := range callers {
		group.Go(func() { workers(inFlight, share, func(i int) { call(c*share + i) }) })
	}
	group.Wait()
}

func TestAThousandReadsAreAtMostFifteenSends(t *testing.T) {
	const tickets = 1000
	check := func(t *testing.T, ctx func(context.Context) context.Context) (sends int, fault string) {
		synctest.Test(t, func(t *testing.T) {
			var transport *flyball.Transport
			by := func(t *testing.T, base http.RoundTripper) http.RoundTripper {
				through := governedBy(flyball.Options{})(t, base)
				transport = through.(*flyball.Transport)
				return through
			}
			a := newAccount(t, 3, simulator.Options{
				Limit: 700, Tickets: tickets,
				Latency: simulator.LogNormal(180*time.Millisecond, 0.6, 50*time.Millisecond, 500*time.Millisecond),
			}, by)
			got := make([]reply, tickets+1)
			crowd(50, 20, tickets, func(i int) {
				got[i+1] = fetch(ctx(t.Context()), a.client, fmt.Sprintf("/api/v2/tickets/%d.json", i+1))
			})
			sends = a.Ledger().Sends
			bare := &http.Client{Transport: a.RoundTripper()}
			for id := 1; id <= tickets; id++ {
				want := fetch(t.Context(), bare, fmt.Sprintf("/api/v2/tickets/%d.json", id))
				if want.status == http.StatusTooManyRequests {
					time.Sleep(time.Minute)
					want = fetch(t.Context(), bare, fmt.Sprintf("/api/v2/tickets/%d.json", id))
				}
				if got[id].err != nil || got[id].status != want.status || !reflect.DeepEqual(got[id].value, want.value) {
					fault = fmt.Sprintf("ticket %d: %d, %v: not what its own call answers", id, got[id].status, got[id].err)
				}
			}
			saved := transport.Snapshot().Saved
			if len(saved) > 0 && (saved[0].Cause != limit.Merged || saved[0].Sends != tickets-sends) {
				fault = fmt.Sprintf("saved %v with %d sends of %d", saved, sends, tickets)
			}
		})
		return sends, fault
	}
	sends, fault := check(t, flyball.WithBatch)
	if sends > 15 || fault != "" {
		t.Errorf("%d sends, want at most 15; %s", sends, fault)
	}
	t.Logf("%d sends", sends)
	if sends, _ := check(t, func(ctx context.Context) context.Context { return ctx }); sends <= 15 {
		t.Errorf("without leave to merge it took %d sends too: the check cannot fail", sends)
	}
}
