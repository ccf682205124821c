package zendesk

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
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
		{"GET", "/api/v2/incremental/users/cursor.json", Support, "GET /api/v2/incremental/users/cursor", 0, []string{"support/account", "support/incremental-exports-cursor"}},
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
		{"GET", "/api/v2/tickets/frobnicate", Support, "GET /api/v2/tickets/{other}", 0, []string{"support/account"}},
		{"GET", "/api/v2/custom_objects/boat/records/01HXYZ", Support, "GET /api/v2/custom_objects/{key}/records/{id}", objectID("01HXYZ"), []string{"support/account"}},
		{"GET", "/api/v2/tickets/99999999999999999999999999", Support, "GET /api/v2/tickets/{id}", objectID("99999999999999999999999999"), []string{"support/account"}},
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

// request makes a request without the checks of a real client, as a hostile
// one might.
func request(t testing.TB, method, target, auth string) *http.Request {
	t.Helper()
	path, query, _ := strings.Cut(target, "?")
	req := &http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{}}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	return req
}

func TestDeepPagesAreRoutedApart(t *testing.T) {
	for target, deep := range map[string]bool{
		"/api/v2/tickets?page=501&per_page=10":      true,
		"/api/v2/tickets.json?per_page=10&page=501": true,
		"/api/v2/tickets?page=500":                  false,
		"/api/v2/tickets?page[size]=501":            false,
		"/api/v2/tickets?page=":                     false,
		"/api/v2/tickets?page=-501":                 false,
		"/api/v2/tickets?subpage=501":               false,
		"/api/v2/tickets?page=abc;page=501":         false,
		"/api/v2/deleted_tickets?page=101":          true,
		"/api/v2/users?page=10000":                  false,
		"/api/v2/users/1?page=99999":                false,
	} {
		r := New(Team).Route(request(t, "GET", target, ""))
		if (r.Shape == Deep) != deep {
			t.Errorf("%s has shape %q, deep should be %v", target, r.Shape, deep)
		}
	}
}

func TestRouteKnowsHeavyCallsJobsAndKeys(t *testing.T) {
	for _, c := range []struct {
		call        string
		heavy, keys bool
		job         limit.JobRole
	}{
		{"GET /api/v2/incremental/tickets/cursor", true, false, limit.NoJob},
		{"GET /api/v2/search/export", true, false, limit.NoJob},
		{"GET /api/v2/search", false, false, limit.NoJob},
		{"PUT /api/v2/tickets/update_many.json?ids=1,2", true, false, limit.StartsJob},
		{"DELETE /api/v2/deleted_tickets/44", false, false, limit.StartsJob},
		{"DELETE /api/v2/macros/destroy_many", true, false, limit.NoJob},
		{"GET /api/v2/tickets/show_many", false, false, limit.NoJob},
		{"POST /api/v2/tickets.json", false, true, limit.NoJob},
		{"PUT /api/v2/tickets/4", false, false, limit.NoJob},
		{"GET /api/v2/job_statuses/V3-0123456789abcdef0123456789abcdef.json", false, false, limit.ReportsJob},
		{"GET /api/v2/job_statuses/show_many?ids=a", false, false, limit.ReportsJob},
		{"POST /api/v2/custom_objects/boat/jobs", true, false, limit.StartsJob},
	} {
		method, target, _ := strings.Cut(c.call, " ")
		r := New(Team).Route(request(t, method, target, ""))
		if r.Heavy != c.heavy || r.IdempotencyKeys != c.keys || r.Job != c.job {
			t.Errorf("%s: heavy %v, keys %v, job %v; want %v, %v, %v", c.call, r.Heavy, r.IdempotencyKeys, r.Job, c.heavy, c.keys, c.job)
		}
	}
}

// TestEveryForwardedMethodIsCharged holds for methods that nobody uses too.
func TestEveryForwardedMethodIsCharged(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "", "BREW"} {
		for target, cost := range map[string]int{"/api/v2/tickets/1": 1, "/api/v2/webhooks/test": 2, "/x": 1} {
			r := New(Team).Route(request(t, method, target, ""))
			if d := r.Draws(); len(d) == 0 || !d[0].Rule.Primary || d[0].Cost != cost {
				t.Errorf("%q %s draws %+v, want %d of the primary counter", method, target, d, cost)
			}
		}
	}
}

func TestHeadCountsAsItsGet(t *testing.T) {
	get := New(Team).Route(request(t, "GET", "/api/v2/tickets?page=600", "Bearer x"))
	head := New(Team).Route(request(t, "HEAD", "/api/v2/tickets?page=600", "Bearer x"))
	if get != head {
		t.Errorf("HEAD is routed %+v, GET %+v", head, get)
	}
}

func TestCredentialsAreToldApartAndNotKept(t *testing.T) {
	a := New(Team).Route(request(t, "PUT", "/api/v2/tickets/9", "Bearer one"))
	b := New(Team).Route(request(t, "PUT", "/api/v2/tickets/9", "Bearer two"))
	none := New(Team).Route(request(t, "PUT", "/api/v2/tickets/9", ""))
	if a.Credential == b.Credential || a.Credential == 0 || none.Credential != 0 {
		t.Errorf("credentials %x, %x, %x", a.Credential, b.Credential, none.Credential)
	}
	if a.KeyOf(a.Draws()[2]) == b.KeyOf(b.Draws()[2]) {
		t.Error("two agents share one ticket's update limit, which is counted per user and ticket")
	}
}

func TestAnonymousRequestsHaveTheirOwnLimit(t *testing.T) {
	known := New(Team).Route(request(t, "POST", "/api/v2/requests", "Bearer x"))
	nobody := New(Team).Route(request(t, "POST", "/api/v2/requests", ""))
	if known.Shape == nobody.Shape {
		t.Error("calls of one class and shape draw on different buckets")
	}
	if got := drawIDs(&known); len(got) != 1 {
		t.Errorf("a known caller draws on %v", got)
	}
	if got := drawIDs(&nobody); !slices.Equal(got, []string{"support/account", "support/anonymous-requests"}) {
		t.Errorf("an anonymous caller draws on %v", got)
	}
}

func TestRouteClassesAreBounded(t *testing.T) {
	classes := map[string]bool{}
	for i := range 20000 {
		seed := strconv.Itoa(i*7919 + 13)
		for _, path := range []string{
			"/api/v2/tickets/" + seed, "/api/v2/tickets/x" + seed + "/comments", "/api/v2/" + seed, "/api/v2/word" + seed + "/a",
			"/" + seed, "/api/v2/users/" + seed + "/unknown" + seed, "/api/v2/custom_objects/k" + seed + "/records/" + seed,
			"/api/v2/help_center/x" + seed + "/articles",
		} {
			r := New(Team).Route(request(t, "GET", path, ""))
			classes[r.Class] = true
		}
	}
	if len(classes) > 12 {
		t.Errorf("%d classes from eight path forms: %v", len(classes), classes)
	}
}

func TestRouteAllocatesNothing(t *testing.T) {
	req, p := request(t, "PUT", "/api/v2/tickets/35436.json?include=users", "Basic abc"), New(Team)
	if n := testing.AllocsPerRun(100, func() { _ = p.Route(req) }); n != 0 {
		t.Errorf("Route allocates %v times", n)
	}
}

func FuzzRoute(f *testing.F) {
	f.Add("GET", "/api/v2/tickets/1.json", "page=501", "Basic x")
	f.Add("PUT", "//api/v2/users/99999999999999999999999/x/%2f", "page=99999999999999&page=1", "")
	f.Add("", "", "&&==&page", "Bearer \x00")
	known := map[string]bool{}
	collect(tree().root, known)
	drawn := map[string][]string{} // by class and shape: rooms above keep one list for each
	f.Fuzz(func(t *testing.T, method, path, query, auth string) {
		req := request(t, method, path+"?"+query, auth)
		r := New(Enterprise).Route(req)
		if !known[r.Class] {
			t.Fatalf("%q %q has the unbounded class %q", method, path, r.Class)
		}
		if len(r.Draws()) == 0 || !r.Draws()[0].Rule.Primary {
			t.Fatalf("%q %q draws on %v", method, path, drawIDs(&r))
		}
		for _, d := range r.Draws() {
			if d.Cost < 1 || d.Rule == nil || r.KeyOf(d).Service != r.Service || r.KeyOf(d).ID != d.Rule.ID {
				t.Fatalf("%q %q has the draw %+v", method, path, d)
			}
		}
		kind := r.Class + "|" + r.Shape
		if buckets, ok := drawn[kind]; ok && !slices.Equal(buckets, drawIDs(&r)) {
			t.Fatalf("%s draws on %v here and on %v there", kind, drawIDs(&r), buckets)
		}
		drawn[kind] = drawIDs(&r)
		if again := New(Enterprise).Route(req); again != r {
			t.Fatalf("%q %q is routed in two ways", method, path)
		}
	})
}

func collect(n *node, into map[string]bool) {
	for m := range methodCount {
		into[n.at[m].class], into[n.other[m].class] = true, true
	}
	for _, child := range n.static {
		collect(child, into)
	}
	if n.param != nil {
		collect(n.param, into)
	}
}
