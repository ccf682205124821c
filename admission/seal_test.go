package admission

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// A send for many that is its sole member's own when it may go is counted, and
// told of, as what it is then.
func TestASendIsCountedAsWhatItIsSealedAs(t *testing.T) {
	var kinds []string
	provider := zendesk.New(0)
	c := New(Options{Provider: provider, Budget: budget.Options{Regulation: budget.Regulation{AtMost: 100}}, Quotas: map[string]budget.Quota{"app": {AtMost: 50}}, Sink: func(e event.Event) {
		if e.Kind == event.Sent {
			kinds = append(kinds, e.Call.Route.Class)
		}
	}})
	defer c.Close()
	through := c.Layer()(answering(func(req *http.Request) (*http.Response, error) {
		header := http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"600"}}
		if strings.HasSuffix(req.URL.Path, "/search.json") {
			header.Set("Zendesk-RateLimit-Search-Index", "total=100; remaining=90; resets=30")
		}
		return &http.Response{StatusCode: http.StatusOK, Header: header, Body: http.NoBody, Request: req}, nil
	}))
	for range 3 {
		call := &limit.Call{Class: limit.Normal, Client: "app"}
		req, err := http.NewRequestWithContext(limit.WithCall(t.Context(), call), http.MethodGet, "https://acme.zendesk.com/api/v2/tickets/show_many?ids=1", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		call.Route = provider.Route(req)
		call.Seal = func(req *http.Request) *http.Request {
			own := req.Clone(req.Context())
			own.URL.Path, own.URL.RawQuery = "/api/v2/search.json", "query=x"
			return own
		}
		resp, err := through.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if want := "GET /api/v2/search"; len(kinds) != 3 || slices.ContainsFunc(kinds, func(k string) bool { return k != want }) {
		t.Errorf("sends of %v, want three of %s", kinds, want)
	}
	counted, left := map[string]int{}, map[string]int{}
	for _, b := range c.Snapshot().Buckets {
		counted[b.Key.ID], left[b.Key.ID] = b.Ours, b.Left
		if b.InFlight != 0 {
			t.Errorf("%s: %d in flight when all are answered", b.Key, b.InFlight)
		}
	}
	if counted["account"] != 3 || counted["search-index"] < 2 { // the first tells of the limit
		t.Errorf("counted %v, want three sends, and searches", counted)
	}
	if left["at most"] != 97 || left["client app"] != 47 {
		t.Errorf("left of our own bounds: %v, want three sends less than 100 and 50", left)
	}
}

type answering func(*http.Request) (*http.Response, error)

func (f answering) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
