package flyball_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

// Who waited for another's send reads what is left of the limit now, not what
// was left when that send came to the account.
func TestAJoinedCallsLimitHeadersAreThePresentOnes(t *testing.T) {
	slow := []simulator.Fault{{Path: "/api/v2/groups*", Delay: 3 * time.Second}}
	trial{seed: 110, sim: simulator.Options{Limit: 700, Latency: simulator.Fixed(100 * time.Millisecond), Faults: slow}, run: func(t *testing.T, a *account) (fault string) {
		a.asked(t.Context(), user(1)) // the limit is known
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute + 10*time.Second)))
		var said [2]string
		var group sync.WaitGroup
		for i := range said {
			group.Go(func() {
				resp, _, err := a.asked(t.Context(), "/api/v2/groups.json")
				if err != nil {
					said[i] = err.Error()
					return
				}
				said[i] = resp.Header.Get("X-Rate-Limit-Remaining")
			})
			synctest.Wait()
		}
		for i := range 12 {
			a.asked(t.Context(), user(2+i))
		}
		group.Wait()
		l := a.Ledger()
		now := l.WindowsOf("account")[len(l.WindowsOf("account"))-1]
		if now.Sends != 13 {
			return fmt.Sprintf("%d sends, want one for both and twelve others", now.Sends)
		}
		if want := strconv.Itoa(now.Limit - now.Admitted); said[1] != want {
			fault = fmt.Sprintf("the call that joined reads %s, the account has %s left; ", said[1], want)
		}
		if said[0] == strconv.Itoa(now.Limit-now.Admitted) {
			fault += "the leader's own header says the same: nothing is tried"
		}
		return fault
	}}.keeps(t, governedBy(flyball.Options{}), followsItsLeader)
}
