package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/flyballhq/flyball/audit"
)

// A lifetime is proposed no longer than the log proves: not longer than the
// log, nor beyond a minute where only lengths tell of changes, nor where more
// than one in a hundred of the answers that the log tells of were outdated.
func TestALifetimeIsProposedNoLongerThanTheLogProves(t *testing.T) {
	etag := func(changesEvery int) func(i int, c *audit.Call) {
		return func(i int, c *audit.Call) { c.ETag = fmt.Sprintf("v%d", i/changesEvery) }
	}
	size := func(_ int, c *audit.Call) { c.Bytes = 500 }
	for _, test := range []struct {
		name  string
		every time.Duration
		n     int
		tell  func(i int, c *audit.Call)
		want  time.Duration
	}{
		{"ETags over three hours", 30 * time.Second, 360, etag(1000), time.Hour},
		{"ETags over half an hour", 30 * time.Second, 60, etag(1000), 5 * time.Minute},
		{"lengths over three hours", 30 * time.Second, 360, size, time.Minute},
		{"nothing told", 5 * time.Second, 360, func(int, *audit.Call) {}, 10 * time.Second},
		// Of 1,080 hits of a minute 540 are told, of which 10 are outdated.
		{"half told, and some outdated", 6 * time.Second, 1200, func(i int, c *audit.Call) {
			if i%20 < 11 {
				c.ETag = fmt.Sprint("v", (i+455)/600)
			}
		}, 10 * time.Second},
	} {
		a := audit.New(audit.Options{})
		for i := range test.n {
			c := audit.Call{
				At: monday.Add(time.Duration(i) * test.every), Client: "a", Who: "a", Method: "GET", Path: "/api/v2/ticket_fields.json",
				Status: 200, Sends: 1, File: "x", Line: i + 1,
			}
			test.tell(i, &c)
			a.Take(&c)
		}
		r := a.Report()
		if len(r.Proposal.Keep) != 1 || r.Proposal.Keep[0].Fresh != test.want {
			t.Errorf("%s: %+v of %+v, want %s", test.name, r.Proposal.Keep, r.Lifetimes, test.want)
		}
	}
}
