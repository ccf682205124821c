package zendesk_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/zendesk"
)

func TestReadsOfOneObjectHaveAFormForMany(t *testing.T) {
	p := zendesk.New(zendesk.UnknownPlan)
	for _, tt := range []struct {
		method, target string
		path           string // of the form for many, "" for none
		id             uint64
	}{
		{"GET", "/api/v2/tickets/17", "/api/v2/tickets/show_many", 17},
		{"GET", "/api/v2/tickets/17.json", "/api/v2/tickets/show_many", 17},
		{"", "/api/v2/users/360000000001.json", "/api/v2/users/show_many", 360000000001},
		{"GET", "/api/v2/organizations/999999999999999999", "/api/v2/organizations/show_many", 999999999999999999},
		{"GET", "/api/v2/tickets/1?", "/api/v2/tickets/show_many", 1},
		{"HEAD", "/api/v2/tickets/17", "", 0},
		{"PUT", "/api/v2/tickets/17", "", 0},
		{"GET", "/api/v2/tickets/17?include=users", "", 0},
		{"GET", "/api/v2/tickets/17?x", "", 0},
		{"GET", "/api/v2/tickets/17/comments", "", 0},
		{"GET", "/api/v2/tickets/17/", "", 0},
		{"GET", "/api/v2/tickets//17", "", 0},
		{"GET", "/api/v2/tickets/017", "", 0},
		{"GET", "/api/v2/tickets/0", "", 0},
		{"GET", "/api/v2/tickets/+17", "", 0},
		{"GET", "/api/v2/tickets/-17", "", 0},
		{"GET", "/api/v2/tickets/1e3", "", 0},
		{"GET", "/api/v2/tickets/1,2", "", 0},
		{"GET", "/api/v2/tickets/1%2C2", "", 0},
		{"GET", "/api/v2/tickets/1%37", "", 0},
		{"GET", "/api/v2/tickets/1000000000000000000", "", 0},
		{"GET", "/api/v2/tickets/.json", "", 0},
		{"GET", "/api/v2/tickets/17.json.json", "", 0},
		{"GET", "/api/v2/tickets/17.xml", "", 0},
		{"GET", "/api/v2/tickets/", "", 0},
		{"GET", "/api/v2/tickets", "", 0},
		{"GET", "/api/v2/tickets/show_many", "", 0},
		{"GET", "/api/v2/tickets/recent.json", "", 0},
		{"GET", "/api/v2/users/me.json", "", 0},
		{"GET", "/api/v2/groups/17", "", 0},
		{"GET", "/api/v2/deleted_tickets/17", "", 0},
		{"GET", "/x/api/v2/tickets/17", "", 0},
		{"GET", "/API/V2/tickets/17", "", 0},
	} {
		u, err := url.Parse("https://acme.zendesk.com" + tt.target)
		if err != nil {
			t.Fatal(err)
		}
		form, id := p.SingleRead(&http.Request{Method: tt.method, URL: u})
		path := ""
		if form != nil {
			path = form.Path
		}
		if path != tt.path || id != tt.id {
			t.Errorf("%s %s: %q, %d, want %q, %d", tt.method, tt.target, path, id, tt.path, tt.id)
		}
		if form == nil {
			continue
		}
		route := p.Route(&http.Request{Method: tt.method, URL: u})
		if form.Class != route.Class || !slices.Contains(p.Singles(), form.Class) || form.Most != 100 {
			t.Errorf("%s: the form is for %q, the route is %q", tt.target, form.Class, route.Class)
		}
	}
}

// Whatever is asked for, the id that comes out is the one that the path ends
// in.
func FuzzSingleReadTakesNoOtherID(f *testing.F) {
	f.Add("GET", "/api/v2/tickets/17.json", "")
	f.Add("", "/api/v2/users/018446744073709551616", "a")
	f.Fuzz(func(t *testing.T, method, path, query string) {
		form, id := zendesk.New(zendesk.UnknownPlan).SingleRead(&http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}})
		if form == nil {
			return
		}
		if query != "" || method != "" && method != "GET" || !strings.HasSuffix(strings.TrimSuffix(path, ".json"), "/"+strconv.FormatUint(id, 10)) {
			t.Errorf("%s %s?%s is taken for a read of %d", method, path, query, id)
		}
	})
}
