package budget_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/zendesk"
)

// A limit that is only hinted at, and that answers never state, holds nobody
// back however often it is passed without a refusal.
func TestHintPassedWithoutRefusalHoldsNobodyBack(t *testing.T) {
	provider := zendesk.New(0)
	req, err := http.NewRequest(http.MethodGet, "https://acme.zendesk.com/api/v2/tickets.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	route := provider.Route(req)
	answer := provider.Read(&route, http.StatusOK, http.Header{
		"X-Rate-Limit": {"1000000"}, "X-Rate-Limit-Remaining": {"999999"},
	})
	account := budget.New(budget.Options{Window: time.Minute})
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for send := range 2000 { // four minutes of 500 calls, five times the hint
		now = now.Add(120 * time.Millisecond)
		answer.Date = now.Truncate(time.Second)
		var grant budget.Grant
		if v := account.Admit(now, &route, budget.Ask{}, &grant); !v.OK {
			t.Fatalf("send %d is held by %v: %s", send, v.Bucket, v.Reason)
		}
		account.Observe(now, now, now, &grant, &answer, nil)
	}
}
