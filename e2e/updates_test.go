package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// Behaviour C1: an update that was refused is not taken for one that was done.
func TestNoUpdateIsLost(t *testing.T) {
	t.Parallel()
	refusesThree := func(t *testing.T) *account {
		because := simulator.BodyTicket // a ticket's own limit
		return refusing(t, "PUT", "/api/v2/tickets/*",
			simulator.Fault{Nth: []int{2}, Status: 429, Body: because, RetryAfter: "1"},
			simulator.Fault{Nth: []int{5}, Status: 429, Body: because, RetryAfter: "1.5"},
			simulator.Fault{Nth: []int{8}, Status: 429, Body: because, RetryAfter: inAWhile})
	}
	survivors := []string{"fetch"} // they make all ten by themselves
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			turn(t)
			a := refusesThree(t)
			tickets := a.tickets(t, 10)
			o := c.run(t, time.Minute, a.govern(t).url, "update", tickets...)
			l := a.Ledger()
			t.Logf("through flyball: %v; changed: %v", o, l.Changed)
			if l.Changed["ticket update"] != 10 || o.different() != 10 || l.DuplicateWrites != 0 {
				t.Errorf("through flyball: %v; %v changed, %d of them twice", o, l.Changed, l.DuplicateWrites)
			}
			if l.Refused() != 3 {
				t.Errorf("the account refused %d updates, not 3: nothing was tried", l.Refused())
			}
		})
		t.Run(c.name+"/alone", func(t *testing.T) {
			turn(t)
			a := refusesThree(t)
			o := c.run(t, time.Minute, a.url, "update", a.tickets(t, 10)...)
			changed := a.Ledger().Changed["ticket update"]
			t.Logf("without flyball: %v; changed: %v", o, changed)
			if want := has(survivors, c.name); (changed == 10 && o.crash == "") != want {
				t.Errorf("without flyball, all ten were made: %v; expected %v", !want, want)
			}
		})
	}
}

func has(names []string, name string) bool { return slices.Contains(names, name) }
