package zendesk

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/flyballhq/flyball/limit"
)

// anAnswer is a call and the header that came back.
type anAnswer struct {
	call   string
	header http.Header
}

// foreignAnswers are one support answer and then those of services that use
// the same header names for counters of their own, as recorded.
var foreignAnswers = []anAnswer{
	{"GET /api/v2/tickets", http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"699"}, "Rate-Limit": {"700"}, "Rate-Limit-Remaining": {"699"}, "Rate-Limit-Reset": {"30"}}},
	{"GET /api/v2/help_center/articles", http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"682"}}},
	{"GET /api/v2/webhooks", http.Header{"X-Rate-Limit": {"100"}, "X-Rate-Limit-Remaining": {"95"}}},
	{"POST /api/v2/webhooks/test", http.Header{"X-Rate-Limit": {"20"}, "X-Rate-Limit-Remaining": {"18"}}},
	{"POST /api/v2/calls", http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"700"}}},
	{"GET /api/v2/guide/content_tags", http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"600"}}},
	{"GET /api/v2/engagements", http.Header{"X-Rate-Limit": {"3"}, "X-Rate-Limit-Remaining": {"2"}}},
}

// foreignHeadersChangeNothing plays the answers to a reader of the account's
// limit and remaining and reports what it then believes, "" when that is
// right.
func foreignHeadersChangeNothing(t *testing.T, read func(a anAnswer) (limit.Key, int, int)) string {
	t.Helper()
	type state struct{ limit, remaining int }
	believed := map[limit.Key]state{}
	for _, a := range foreignAnswers {
		key, n, left := read(a)
		believed[key] = state{n, left}
	}
	want := map[limit.Service]state{
		Support: {700, 699}, HelpCenter: {700, 682}, Webhooks: {100, 95}, WebhooksTest: {20, 18},
		Talk: {700, 700}, Guide: {700, 600}, Unmetered: {3, 2},
	}
	for service, s := range want {
		if got := believed[limit.Key{Service: service, ID: PrimaryID}]; got != s {
			return fmt.Sprintf("%s is believed to have %d of %d left, it has %d of %d", service, got.remaining, got.limit, s.remaining, s.limit)
		}
	}
	return ""
}

// Behaviour A9: foreign headers never touch the account's counter.
func TestForeignHeadersNeverTouchTheAccount(t *testing.T) {
	ours := func(a anAnswer) (limit.Key, int, int) {
		r, answer := readOn(t, a.call, 200, a.header)
		seen := answer.Readings()[0]
		return seen.Rule.KeyFor(r.Object, r.Credential), seen.Limit, seen.Remaining
	}
	if wrong := foreignHeadersChangeNothing(t, ours); wrong != "" {
		t.Error(wrong)
	}
	// The twin believes every x-rate-limit to be the account's.
	naive := func(a anAnswer) (limit.Key, int, int) {
		return limit.Key{Service: Support, ID: PrimaryID}, count(a.header.Get("X-Rate-Limit")), count(a.header.Get("X-Rate-Limit-Remaining"))
	}
	if foreignHeadersChangeNothing(t, naive) == "" {
		t.Error("the check does not notice a reader without services")
	}
}

func TestTalkStatesACounterThatItDoesNotCharge(t *testing.T) {
	_, a := readOn(t, "POST /api/v2/calls", 200, http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"700"}})
	if a.Counted {
		t.Error("a call to Talk is counted")
	}
	for _, status := range []int{200, 201, 204, 304, 400, 404, 422, 429, 500, 503} {
		if _, a := readOn(t, "GET /api/v2/tickets", status, nil); !a.Counted || a.Status != status {
			t.Errorf("an answer of %d is not counted: %+v", status, a)
		}
	}
}

func TestAnEdgeCacheSpeaksOfNoCounter(t *testing.T) {
	h := recordedHeader()
	h.Set("Cf-Cache-Status", "HIT")
	if _, a := readOn(t, "GET /api/v2/tickets", 200, h); a.Counted || len(a.Readings()) != 0 {
		t.Errorf("a copy from the edge is counted: %v, %v", a.Counted, said(&a))
	}
	h.Set("Cf-Cache-Status", "DYNAMIC")
	if _, a := readOn(t, "GET /api/v2/tickets", 200, h); !a.Counted || len(a.Readings()) != 2 {
		t.Errorf("an answer through the edge is not counted: %v, %v", a.Counted, said(&a))
	}
}
