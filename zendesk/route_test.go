package zendesk

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/flyballhq/flyball/limit"
)

// routeOf routes a request with a credential.
func routeOf(t testing.TB, method, target string) limit.Route {
	t.Helper()
	req := httptest.NewRequest(method, target, nil)
	req.Header.Set("Authorization", "Basic YWdlbnRAZXhhbXBsZS5jb206c2VjcmV0")
	return New(Enterprise).Route(req)
}

func drawIDs(r *limit.Route) []string {
	var ids []string
	for _, d := range r.Draws() {
		ids = append(ids, string(d.Rule.Service)+"/"+d.Rule.ID)
	}
	return ids
}

func TestRouteNamesServiceClassAndBuckets(t *testing.T) {
	for _, c := range []struct {
		method, target string
		service        limit.Service
		class          string
		object         uint64
		draws          []string
	}{
		{"GET", "/api/v2/tickets", Support, "GET /api/v2/tickets", 0, []string{"support/account", "support/tickets-index"}},
		{"HEAD", "/api/v2/tickets.json", Support, "GET /api/v2/tickets", 0, []string{"support/account", "support/tickets-index"}},
		{"GET", "/api/v2/tickets/35436.json?include=users", Support, "GET /api/v2/tickets/{id}", 35436, []string{"support/account"}},
		{"PUT", "/api/v2/tickets/35436", Support, "PUT /api/v2/tickets/{id}", 35436, []string{"support/account", "support/tickets-update", "support/per-ticket-updates"}},
		{"PUT", "/api/v2/tickets/7/comments/8/attachments/9/redact.json", Support, "PUT /api/v2/tickets/{id}/comments/{id}/attachments/{id}/redact", 7, []string{"support/account", "support/per-ticket-updates"}},
		{"PUT", "/api/v2/tickets/7/new_thing/8", Support, "PUT /api/v2/tickets/{id}/{other}", 7, []string{"support/account", "support/per-ticket-updates"}},
		{"PUT", "/api/v2/users/12", Support, "PUT /api/v2/users/{id}", 12, []string{"support/account", "support/user-updates", "support/per-user-updates"}},
		{"PUT", "/api/v2/organizations/12", Support, "PUT /api/v2/organizations/{id}", 12, []string{"support/account", "support/organization-updates"}},
		{"GET", "/api/v2/incremental/tickets.json?start_time=1", Support, "GET /api/v2/incremental/tickets", 0, []string{"support/account", "support/incremental-exports"}},
		{"GET", "/api/v2/incremental/users/cursor.json", Support, "GET /api/v2/incremental/users/cursor", 0, []string{"support/account", "support/incremental-exports", "support/incremental-exports-cursor"}},
		{"GET", "/api/v2/incremental/unheard_of", Support, "GET /api/v2/incremental/{other}", 0, []string{"support/account", "support/incremental-exports"}},
		{"GET", "/api/v2/search.json?query=x", Support, "GET /api/v2/search", 0, []string{"support/account", "support/search-index"}},
		{"POST", "/api/v2/tickets/create_many", Support, "POST /api/v2/tickets/create_many", 0, []string{"support/account", "support/inflight-jobs"}},
		{"GET", "/api/v2/help_center/en-us/articles/5.json", HelpCenter, "GET /api/v2/help_center/{locale}/articles/{id}", 5, []string{"help-center/account"}},
		{"GET", "/api/v2/community/posts", HelpCenter, "GET /api/v2/community/posts", 0, []string{"help-center/account"}},
		{"PUT", "/api/v2/guide/content_tags/01HXYZ", Guide, "PUT /api/v2/guide/content_tags/{id}", objectID("01HXYZ"), []string{"guide/account"}},
		{"GET", "/api/v2/webhooks", Webhooks, "GET /api/v2/webhooks", 0, []string{"webhooks/account"}},
		{"POST", "/api/v2/webhooks/test", WebhooksTest, "POST /api/v2/webhooks/test", 0, []string{"webhooks-test/account"}},
		{"POST", "/api/v2/calls", Talk, "POST /api/v2/calls", 0, []string{"talk/account"}},
		{"GET", "/api/v2/engagements", Unmetered, "GET /api/v2/engagements", 0, []string{"unmetered/account"}},
		{"GET", "/attachments/token/abc/?name=x.png", Attachments, "GET /attachments/token/{key}", objectID("abc"), []string{"attachments/account", "attachments/attachment-upload-reads"}},
		{"POST", "/oauth/tokens", OAuth, "POST /oauth/tokens", 0, []string{"oauth/account"}},
		{"GET", "/api/v2/nothing_known/77", Support, "GET /api/v2/{other}", 0, []string{"support/account"}},
		{"PROPFIND", "/api/v2/tickets", Support, "OTHER /api/v2/tickets", 0, []string{"support/account"}},
		{"GET", "//api//v2//tickets/", Support, "GET /api/v2/tickets", 0, []string{"support/account", "support/tickets-index"}},
		{"GET", "/favicon.ico", Other, "GET /{other}", 0, []string{"other/account"}},
	} {
		r := routeOf(t, c.method, "http://acme.zendesk.com"+c.target)
		if r.Service != c.service || r.Class != c.class || r.Object != c.object {
			t.Errorf("%s %s: got %s, %q, object %d; want %s, %q, %d", c.method, c.target, r.Service, r.Class, r.Object, c.service, c.class, c.object)
		}
		if got := drawIDs(&r); !slices.Equal(got, c.draws) {
			t.Errorf("%s %s draws on %v, want %v", c.method, c.target, got, c.draws)
		}
		if r.Credential == 0 {
			t.Errorf("%s %s has no credential", c.method, c.target)
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	for _, target := range []string{"GET /api/v2/tickets", "PUT /api/v2/tickets/35436.json", "GET /api/v2/incremental/tickets/cursor.json?cursor=abc&per_page=100"} {
		b.Run(target, func(b *testing.B) {
			var method, path string
			for i := range target {
				if target[i] == ' ' {
					method, path = target[:i], target[i+1:]
				}
			}
			req := httptest.NewRequest(method, path, nil)
			req.Header = http.Header{"Authorization": {"Basic YWdlbnRAZXhhbXBsZS5jb206c2VjcmV0"}, "Accept": {"*/*"}, "User-Agent": {"x"}}
			p := New(Enterprise)
			b.ReportAllocs()
			for b.Loop() {
				if r := p.Route(req); r.Class == "" {
					b.Fatal("no class")
				}
			}
		})
	}
}
