package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/simulator"
)

// crowd is the log's line about more callers than can be served in time.
var crowd = regexp.MustCompile(`more calls wait than their patience can serve.* waiting=\d+ servable=\d+`)

// Behaviour B3: no call through the gateway outlasts a client's own time-out.
//
// The scale is a fifth of the real one: clients give up after 12 s instead of
// 60 s, the gateway after 10 s instead of its default of 50 s, and the account's
// minute lasts 20 s, longer than both.
func TestNoCallOutlastsItsClientsTimeOut(t *testing.T) {
	t.Parallel()
	const callers = 24
	opts := simulator.Options{
		Limit: 10, Window: 20 * time.Second,
		// One that is refused after its hold must still end in time.
		Faults: []simulator.Fault{{Method: "POST", Path: "/api/v2/tickets*", Nth: []int{8}, Status: 429, RetryAfter: "4"}},
	}
	impatient := func() *load {
		return &load{workers: callers, calls: callers, timeout: 12 * time.Second, obedient: true, request: func(i int) (string, string, string) {
			return http.MethodPost, "/api/v2/tickets.json", fmt.Sprintf(`{"ticket":{"subject":"caller %d","comment":{"body":"hello"}}}`, i)
		}}
	}
	t.Run("capped", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, opts)
		f := a.govern(t, func(o *gateway.Options) { o.MaxWait = 10 * time.Second })
		l := impatient()
		l.run(t, f.url)
		ledger := a.Ledger()
		t.Logf("%v; changed %v; %d refusals", l, ledger.Changed, ledger.Refused())
		if l.timeouts != 0 || len(l.others) != 0 {
			t.Errorf("%v", l)
		}
		if made := ledger.Changed["ticket create"]; made != callers || ledger.DuplicateWrites != 0 {
			t.Errorf("%d tickets were made of %d, %d of them twice", made, callers, ledger.DuplicateWrites)
		}
		if !crowd.MatchString(f.log.String()) {
			t.Error("no line of the log says how many waited and how many could be served")
		}
	})
	t.Run("uncapped", func(t *testing.T) { // the faulty twin
		t.Parallel()
		a := newAccount(t, opts)
		f := a.govern(t, func(o *gateway.Options) { o.MaxWait = time.Hour })
		l := impatient()
		l.run(t, f.url)
		t.Logf("%v", l)
		if l.timeouts == 0 {
			t.Error("the check is blind: without a cap no client timed out either")
		}
	})
}
