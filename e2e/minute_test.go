package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// Behaviour A1: in real minutes, 1,500 calls of 64 workers at 700 a minute meet no refusal, whoever could have made it.
// Behaviour B3: a client that gives up after 60 s has no reason to.
func TestRealMinutesPassWithoutAnyRefusal(t *testing.T) {
	t.Parallel()
	const calls = 1500
	everyday := func(t *testing.T, a *account) *load {
		tickets := a.tickets(t, 100)
		return &load{workers: 64, calls: calls, timeout: 60 * time.Second, request: func(i int) (string, string, string) {
			switch i % 5 {
			case 0:
				return http.MethodGet, "/api/v2/users.json?page[size]=5", ""
			case 1:
				return http.MethodGet, "/api/v2/groups.json", ""
			default:
				return http.MethodGet, "/api/v2/tickets/" + tickets[i%len(tickets)] + ".json", ""
			}
		}}
	}
	opts := simulator.Options{Limit: 700, Latency: simulator.Typical()}
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, opts)
		l := everyday(t, a)
		l.run(t, a.url)
		t.Logf("without flyball: %v", l)
		if l.answers[http.StatusTooManyRequests] == 0 {
			t.Error("the account refuses nobody: nothing was tried")
		}
	})
	t.Run("governed", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, opts)
		l, began := everyday(t, a), time.Now()
		l.run(t, a.govern(t).url)
		ledger := a.Ledger()
		t.Logf("through flyball in %v: %v; windows %+v", time.Since(began).Round(time.Second), l, ledger.WindowsOf("account"))
		if l.answers[http.StatusOK] != calls || ledger.Refused() != 0 {
			t.Errorf("through flyball: %v; the account refused %d", l, ledger.Refused())
		}
	})
}
