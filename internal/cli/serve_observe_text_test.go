package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/observe"
)

func TestWhatWasObservedIsTold(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := observe.Report{
		Account: "acme.zendesk.com", Since: began, At: began.Add(252 * time.Second), Waiting: 1, Unobserved: 3,
		Passed: observe.Passed{Calls: 551, Refused: 116},
		Governed: observe.Outcome{
			GaveUp: 78, ByReason: []observe.Reason{{Name: "earlier calls go first", Calls: 62}, {Name: "spread over the window", Calls: 16}},
			Saved: 1, ByCause: []observe.Spared{{Cause: "coalesced", Calls: 1, Sends: 1}},
			Held: 255, HeldSeconds: 6279.7, HoldP99: 49.452, LongestSeconds: 49.996, ByLimit: []observe.Held{{Bucket: "support/account", Calls: 255}},
		},
	}
	var text strings.Builder
	writeObserved(&text, r)
	want := `observed acme.zendesk.com for 4m12s: 551 calls passed as they came, 116 refused by the account
flyball would have
  held      255 sends for 24.626s on average, 49.996s at most; of all calls, 99 in 100 no longer than 49.452s (support/account: 255)
  refused   78 calls (earlier calls go first: 62, spread over the window: 16)
  saved     1 call without a send of their own (coalesced: 1)
  met       0 refusals by the account instead of 116
  and be holding 1 call now, in none of these figures
  (not observed: 3 calls, for too many were under way at once)
`
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
}
