package budget_test

import (
	"net/http"
	"testing"
	"time"
	"unsafe"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/zendesk"
)

// A decision over three buckets and the answer that ends it.
func BenchmarkDecision(b *testing.B) {
	provider := zendesk.New(0)
	req, _ := http.NewRequest("PUT", "https://acme.zendesk.com/api/v2/tickets/17.json", nil)
	req.Header.Set("Authorization", "Bearer x")
	route := provider.Route(req)
	b.Logf("%d draws, grant %d bytes", len(route.Draws()), unsafe.Sizeof(budget.Grant{}))
	account := budget.New(budget.Options{Window: time.Minute})
	now := time.Date(2026, 11, 23, 12, 0, 7, 0, time.UTC)
	var grant budget.Grant
	header := http.Header{
		"X-Rate-Limit": {"2500000"}, "X-Rate-Limit-Remaining": {"2500000"},
		"Ratelimit-Limit": {"2500000"}, "Ratelimit-Remaining": {"2500000"}, "Ratelimit-Reset": {"53"},
		"Zendesk-Ratelimit-Tickets-Update":     {"total=1000000; remaining=1000000; resets=53"},
		"Zendesk-Ratelimit-Per-Ticket-Updates": {"total=1000000; remaining=1000000; resets=473"},
	}
	answer := provider.Read(&route, 200, header)
	b.ReportAllocs()
	b.Run("admit and refund", func(b *testing.B) {
		account.Admit(now, &route, budget.Ask{}, &grant)
		account.Observe(now, now, now, &grant, &answer, nil)
		b.ReportAllocs()
		for b.Loop() {
			now = now.Add(time.Microsecond)
			if v := account.Admit(now, &route, budget.Ask{}, &grant); !v.OK {
				now = v.Until
				account.Admit(now, &route, budget.Ask{}, &grant)
			}
			account.Refund(now, &grant)
		}
	})
}
