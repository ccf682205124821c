package zendesk_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// Which counters a call draws on, and what its answer says of them.
func ExampleProvider() {
	provider := zendesk.New(zendesk.Enterprise)
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodPut, "https://acme.zendesk.com/api/v2/tickets/4016.json", nil)

	route := provider.Route(req)
	fmt.Println(route.Class, "of", route.Object)
	for _, draw := range route.Draws() {
		fmt.Printf("draws on %s: %d per %v, binding %v\n", route.KeyOf(draw), draw.Rule.Limit, draw.Rule.Window, draw.Rule.Mark == limit.Binding)
	}

	answer := provider.Read(&route, http.StatusOK, http.Header{
		"X-Rate-Limit":                         {"700"},
		"X-Rate-Limit-Remaining":               {"696"},
		"Ratelimit-Reset":                      {"59"},
		"Zendesk-Ratelimit-Per-Ticket-Updates": {"total=30; remaining=29; resets=468"},
	})
	for _, reading := range answer.Readings() {
		fmt.Printf("%s: %d of %d left, resets in %v\n", reading.Rule.ID, reading.Remaining, reading.Limit, reading.Reset)
	}
	// Output:
	// PUT /api/v2/tickets/{id} of 4016
	// draws on support/account: 700 per 1m0s, binding true
	// draws on support/tickets-update: 100 per 1m0s, binding true
	// draws on support/per-ticket-updates of 4016: 30 per 10m0s, binding true
	// account: 696 of 700 left, resets in 59s
	// per-ticket-updates: 29 of 30 left, resets in 7m48s
}

func ExampleAccount() {
	for _, name := range []string{"acme", "acme.zendesk.com", "http://127.0.0.1:4292"} {
		origin, err := zendesk.Account(name)
		fmt.Println(origin, err)
	}
	// Output:
	// https://acme.zendesk.com <nil>
	// https://acme.zendesk.com <nil>
	// http://127.0.0.1:4292 <nil>
}
