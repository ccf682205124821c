package admin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/usage"
)

// A call that only the line held is blamed on no bucket, and none without a
// name appears.
func TestALineAloneIsNoBucket(t *testing.T) {
	h, err := usage.New(usage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	refused := &limit.WaitError{Reason: "earlier calls go first", Wait: 20 * time.Second}
	h.Take(event.Event{Kind: event.Done, At: now, Call: &limit.Call{Client: "crm", Route: limit.Route{Class: "GET /api/v2/users"}}, Err: refused})
	r, err := h.Range(now, 10*time.Second, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := admin.NewUsage("acme", now, h, r)
	if err != nil || doc.Sum.GaveUp != 1 || len(doc.Buckets) != 0 {
		t.Errorf("%d refused, buckets %+v, %v; want one call and no bucket", doc.Sum.GaveUp, doc.Buckets, err)
	}
	calls := admin.NewCalls(limit.Snapshot{Account: "acme"}, now, h)
	if len(calls.Refused) != 1 || calls.Refused[0].Bucket != "" {
		t.Fatalf("refused: %+v", calls.Refused)
	}
	if why := calls.Refused[0].Why; !strings.Contains(why, "was not sent: earlier calls go first; it would have waited 20 s") {
		t.Errorf("why: %s", why)
	}
}
