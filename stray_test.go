package flyball_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// A listing's second page is refused once, at any second of the minute. That
// the wait happens to end with the minute makes it no limit of one a minute.
func TestAStrayRefusalTeachesNoLimit(t *testing.T) {
	for second := range 60 {
		t.Run(fmt.Sprintf("second %d", second), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t, uint64(second), simulator.Options{
					Faults: []simulator.Fault{{Path: "/api/v2/tickets.json", Nth: []int{2}, Status: 429, RetryAfter: "2"}},
				}, governed)
				time.Sleep(time.Duration((second-time.Now().Second()+60)%60) * time.Second)
				for page := range 3 {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					status, err := a.call(ctx, "GET", fmt.Sprintf("/api/v2/tickets.json?page=%d&per_page=1", page+1))
					cancel()
					if err != nil || status != 200 {
						t.Errorf("page %d: %d, %v", page+1, status, err)
					}
				}
			})
		})
	}
}

// One update of a ticket is refused without a wait to be read: the ticket is
// not held for the ten minutes of its limit.
func TestAStrayRefusalHoldsNoTicketForLong(t *testing.T) {
	for _, retryAfter := range []string{"0", "none", "Sat, 02 Jan 1999 15:04:05 GMT"} {
		t.Run(retryAfter, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t, 3, simulator.Options{
					Faults: []simulator.Fault{{Method: "PUT", Nth: []int{2}, Status: 429, Body: simulator.BodyTicket, RetryAfter: retryAfter}},
				}, governed)
				for range 2 {
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					status, err := a.send(ctx, "PUT", "/api/v2/tickets/1.json", `{"ticket":{"subject":"changed"}}`)
					cancel()
					if err != nil || status == 429 {
						t.Errorf("%d, %v", status, err)
					}
				}
			})
		})
	}
}
