package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/simulator"
)

// Behaviour B3: no call through the gateway outlasts a client's own time-out.
//
// The scale is a tenth of the real one: clients give up after 6 s instead of
// 60 s, the gateway after 5 s instead of its default of 50 s, and the account's
// minute lasts 10 s, longer than both.
func TestNoCallOutlastsItsClientsTimeOut(t *testing.T) {
	const callers = 45
	opts := simulator.Options{
		Limit: 15, Window: 10 * time.Second,
		// One that is refused after its hold must still end in time.
		Faults: []simulator.Fault{{Method: "POST", Path: "/api/v2/tickets*", Nth: []int{20}, Status: 429, RetryAfter: "3"}},
	}
	impatient := func() *load {
		return &load{workers: callers, calls: callers, timeout: 6 * time.Second, obedient: true, request: func(i int) (string, string, string) {
			return http.MethodPost, "/api/v2/tickets.json", fmt.Sprintf(`{"ticket":{"subject":"caller %d","comment":{"body":"hello"}}}`, i)
		}}
	}
	t.Run("capped", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, opts)
		f := a.govern(t, func(o *gateway.Options) { o.MaxWait = 5 * time.Second })
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
		t.Logf("%s", f.log.String())
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
