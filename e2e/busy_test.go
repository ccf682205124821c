package e2e

import (
	"testing"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// Behaviour A1: 150 calls at 60 a window are all answered and none is refused, though nobody told the gateway the limit or the window.
func TestCallsBeyondTheLimitAreAllAnsweredAndNoneRefused(t *testing.T) {
	t.Parallel()
	const calls = 150
	opts := simulator.Options{Limit: 60, Window: 20 * time.Second}
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, opts)
			tickets := a.tickets(t, calls)
			o := c.run(t, 2*time.Minute, a.govern(t).url, "show", tickets...)
			refused := a.Ledger().Refused()
			t.Logf("through flyball: %v; %d refusals", o, refused)
			if !answered(o, calls) || refused != 0 {
				t.Errorf("through flyball: %v; %d refusals", o, refused)
			}
		})
		t.Run(c.name+"/alone", func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, opts)
			o := c.run(t, 2*time.Minute, a.url, "show", a.tickets(t, calls)...)
			refused := a.Ledger().Refused()
			t.Logf("without flyball: %v; %d refusals", o, refused)
			if answered(o, calls) && refused == 0 {
				t.Error("without flyball all went well too: nothing was tried")
			}
		})
	}
}

// answered reports whether each of n calls got its ticket.
func answered(o outcome, n int) bool {
	for _, id := range o.ids {
		if id == 0 {
			return false
		}
	}
	return len(o.ids) == n
}
