package flyball_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

// spy records the bodies that reach the account.
func spy(mu *sync.Mutex, seen *[]string, by way) way {
	return func(t *testing.T, base http.RoundTripper) http.RoundTripper {
		return by(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			if req.Body != nil && req.Method != http.MethodGet {
				text, err := io.ReadAll(req.Body)
				if err != nil {
					return nil, err
				}
				req = req.Clone(req.Context())
				req.Body = io.NopCloser(bytes.NewReader(text))
				mu.Lock()
				*seen = append(*seen, req.Method+" "+req.URL.RequestURI()+" "+string(text))
				mu.Unlock()
			}
			return base.RoundTrip(req)
		}))
	}
}

func TestTwoWritesToOneTicketStayInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var seen []string
		a := newAccount(t, 9, simulator.Options{Limit: 700}, spy(&mu, &seen, governedBy(flyball.Options{})))
		const rounds, tickets = 6, 30
		var group sync.WaitGroup
		last := make([]reply, tickets)
		for round := range rounds {
			for i := range tickets {
				group.Go(func() {
					ctx := flyball.WithBatch(t.Context())
					path := fmt.Sprintf("/api/v2/tickets/%d", i+1)
					if round%3 == 2 { // one that is not merged
						ctx, path = t.Context(), path+".json"
					}
					r := write(ctx, a.client, "PUT", path, fmt.Sprintf(`{"ticket":{"subject":"round %d of %d"}}`, round, i))
					if r.status != 200 || at(r.value, "ticket", "subject") != fmt.Sprintf("round %d of %d", round, i) {
						t.Errorf("ticket %d, round %d: %d, %v, %v", i+1, round, r.status, r.err, at(r.value, "ticket", "subject"))
					}
					if round == rounds-1 {
						last[i] = r
					}
				})
			}
			synctest.Wait() // the next round comes after this one
		}
		group.Wait()
		for i := range tickets {
			r := fetch(t.Context(), a.client, fmt.Sprintf("/api/v2/tickets/%d", i+1))
			if got, want := at(r.value, "ticket", "subject"), fmt.Sprintf("round %d of %d", rounds-1, i); got != want {
				t.Errorf("ticket %d ends as %v, want %v", i+1, got, want)
			}
		}
		jobs := 0
		for _, body := range seen {
			_, text, many := strings.Cut(body, "update_many ")
			if !many {
				continue
			}
			jobs++
			var job struct{ Tickets []struct{ ID int } }
			if err := json.Unmarshal([]byte(text), &job); err != nil {
				t.Fatal(err)
			}
			once := map[int]bool{}
			for _, item := range job.Tickets {
				if once[item.ID] {
					t.Errorf("ticket %d is twice in one job", item.ID)
				}
				once[item.ID] = true
			}
		}
		if jobs == 0 {
			t.Error("nothing was merged: the test cannot fail")
		}
		t.Logf("%d jobs, %d sends for %d writes", jobs, a.Ledger().Sends, rounds*tickets)
	})
}

// More jobs than may run at once wait for a place; the polls that see one end
// free it.
func TestJobsWaitForAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tickets = 1000
		a := newAccount(t, 10, simulator.Options{
			Limit: 700, Tickets: tickets, Limits: map[string]simulator.Limit{"inflight-jobs": {N: 3}},
		}, governedBy(flyball.Options{}))
		for i, r := range ticketUpdate.through(t, a.client, numbered(tickets), tickets) {
			if r.status != 200 || at(r.value, "ticket", "subject") != fmt.Sprintf("new %d", i) {
				t.Errorf("write %d: %d, %v", i, r.status, r.err)
			}
		}
		if l := a.Ledger(); l.Sends > 60 || l.RefusedBy("inflight-jobs") > 3 {
			t.Errorf("%d sends, %d refused for want of a place", l.Sends, l.RefusedBy("inflight-jobs"))
		} else {
			t.Logf("%d sends, %d refused", l.Sends, l.Refused())
		}
	})
}

// A write that wants a hundred others gets them when the limit is spent, too.
func TestWritesThatAreHeldGatherForAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tickets = 300
		a := newAccount(t, 11, simulator.Options{Limit: 60, Tickets: tickets, Latency: usual}, governedBy(flyball.Options{}))
		workers(100, 100, func(i int) { a.call(t.Context(), "GET", user(i)) }) // the limit is spent
		start := time.Now()
		before := a.Ledger().Sends
		workers(tickets, tickets, func(i int) {
			time.Sleep(time.Duration(i) * 30 * time.Millisecond) // one after another
			r := write(flyball.WithBatch(t.Context()), a.client, "PUT", fmt.Sprintf("/api/v2/tickets/%d", i+1), ticketUpdate.of(i))
			if r.status != 200 || at(r.value, "ticket", "subject") != fmt.Sprintf("new %d", i) {
				t.Errorf("write %d: %d, %v", i, r.status, r.err)
			}
		})
		sends := a.Ledger().Sends - before
		t.Logf("%d sends in %s", sends, time.Since(start))
		if took := time.Since(start); sends > 60 || took > 3*time.Minute {
			t.Errorf("%d sends for %d writes in %s", sends, tickets, took)
		}
	})
}
