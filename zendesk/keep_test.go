package zendesk_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

func parse(t *testing.T, path string) *url.URL {
	t.Helper()
	u, err := url.Parse("https://acme.zendesk.com" + path)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A write reaches what depends on it, and leaves the rest of the day's work
// alone.
func TestAWriteTouchesWhatDependsOnIt(t *testing.T) {
	reads := []string{
		"/api/v2/tickets/5.json", "/api/v2/tickets/5/comments", "/api/v2/requests/5", "/api/v2/tickets/6.json", "/api/v2/tickets.json",
		"/api/v2/tickets/6?include=users", "/api/v2/search?query=x", "/api/v2/users/7/tickets/requested", "/api/v2/views/3/tickets",
		"/api/v2/incremental/tickets/cursor", "/api/v2/users/7", "/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2", "/hc/api/unheard/of",
	}
	for _, tt := range []struct {
		write string
		left  []string // what is left; nil is nothing
	}{
		{"PUT /api/v2/tickets/5.json", []string{"/api/v2/tickets/6.json", "/api/v2/users/7", "/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2"}},
		{"PUT /api/v2/tickets/5/tags", []string{"/api/v2/tickets/6.json", "/api/v2/users/7", "/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2"}},
		{"POST /api/v2/tickets", []string{"/api/v2/tickets/5.json", "/api/v2/tickets/5/comments", "/api/v2/requests/5", "/api/v2/tickets/6.json", "/api/v2/users/7", "/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2"}},
		{"DELETE /api/v2/tickets/5", []string{"/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2"}},
		{"POST /api/v2/tickets/5/merge", []string{"/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2"}},
		{"PUT /api/v2/tickets/update_many?ids=5,6", []string{"/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2"}},
		{"POST /api/v2/users/create_or_update", []string{"/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2"}},
		{"PUT /api/v2/end_users/7", []string{"/api/v2/tickets/5.json", "/api/v2/tickets/5/comments", "/api/v2/requests/5", "/api/v2/tickets/6.json", "/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2"}},
		{"POST /api/v2/organization_memberships", []string{"/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2"}},
		{"PUT /api/v2/comment_redactions/8", []string{"/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2"}},
		{"PUT /api/v2/deleted_tickets/5/restore", []string{"/api/v2/ticket_fields", "/api/v2/views/3", "/api/v2/groups/2"}},
		{"PUT /api/v2/ticket_fields/9", nil},
		{"POST /api/v2/never/heard/of", nil},
		{"POST /api/v2/uploads.json?filename=a", reads},
		{"POST /api/v2/views/preview", reads},
	} {
		p := zendesk.New(zendesk.UnknownPlan)
		method, path, _ := strings.Cut(tt.write, " ")
		touched := p.Touches(nil, &limit.Route{}, method, parse(t, path))
		var left []string
		for _, read := range reads {
			held := p.Holds(nil, &limit.Route{}, parse(t, read))
			if !slices.ContainsFunc(held, func(tag string) bool { return slices.Contains(touched, tag) }) {
				left = append(left, read)
			}
		}
		if !slices.Equal(left, tt.left) {
			t.Errorf("%s leaves %q\nwant %q", tt.write, left, tt.left)
		}
	}
}

// Each settled route is one that is told apart, and holds no record.
func TestSettledRoutesAreKindsOfCallsThatHoldNoRecords(t *testing.T) {
	p := zendesk.New(zendesk.UnknownPlan)
	for _, class := range p.Settled() {
		u := &url.URL{Path: strings.ReplaceAll(strings.TrimPrefix(class, "GET "), "{id}", "1")}
		if got := p.Route(&http.Request{Method: "GET", URL: u}).Class; got != class {
			t.Errorf("%s is of the class %s", class, got)
		}
		if slices.Contains(p.Holds(nil, &limit.Route{}, u), "records") && !strings.HasSuffix(class, "/assignable") {
			t.Errorf("%s holds records", class)
		}
	}
}

// What is left now stands where the header said it, in every spelling, and
// nothing is said that is not known.
func TestALimitIsRestatedInItsOwnSpelling(t *testing.T) {
	h := http.Header{
		"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"699"}, "Ratelimit-Limit": {"700"}, "Ratelimit-Remaining": {"699"}, "Ratelimit-Reset": {"12"},
		"Zendesk-Ratelimit-Tickets-Index": {"total=100; remaining=99; resets=12"}, "X-Request-Id": {"1"}, "Etag": {`"x"`}, "Retry-After": {"3"},
	}
	p := zendesk.New(zendesk.UnknownPlan)
	p.Restate(&limit.Route{}, h, limit.Standing{Limit: 400, Left: 7, Reset: 1200 * time.Millisecond})
	want := http.Header{
		"X-Rate-Limit": {"400"}, "X-Rate-Limit-Remaining": {"7"}, "Ratelimit-Limit": {"400"}, "Ratelimit-Remaining": {"7"}, "Ratelimit-Reset": {"2"},
		"X-Request-Id": {"1"}, "Etag": {`"x"`},
	}
	if !maps.EqualFunc(h, want, slices.Equal) {
		t.Errorf("got %v\nwant %v", h, want)
	}
	p.Restate(&limit.Route{}, h, limit.Standing{})
	if want := (http.Header{"X-Request-Id": {"1"}, "Etag": {`"x"`}}); !maps.EqualFunc(h, want, slices.Equal) {
		t.Errorf("not known, but %v", h)
	}
}
