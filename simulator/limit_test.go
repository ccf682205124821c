package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCatalogueFigures holds the figures in force to the published table.
func TestCatalogueFigures(t *testing.T) {
	for _, test := range []struct {
		plan, name string
		n          int
		window     time.Duration
		header     string
	}{
		{"suite-team", "account", 200, time.Minute, ""},
		{"growth", "account", 400, time.Minute, ""},
		{"suite-professional", "account", 400, time.Minute, ""},
		{"", "account", 700, time.Minute, ""},
		{"", "help-center", 700, time.Minute, ""},
		{"suite-enterprise-plus", "account", 2500, time.Minute, ""},
		{"support-essential", "account", 10, time.Minute, ""},
		{"high-volume", "account", 2500, time.Minute, ""},
		{"", "webhooks", 100, time.Minute, ""},
		{"", "webhooks-test", 20, time.Minute, ""},
		{"", "tickets-index", 20000, time.Minute, "tickets-index"},
		{"sandbox", "tickets-index", 100, time.Minute, "tickets-index"},
		{"", "per-ticket-updates", 30, 10 * time.Minute, "per-ticket-updates"},
		{"", "tickets-update", 100, time.Minute, "tickets-update"},
		{"high-volume", "tickets-update", 300, time.Minute, "tickets-update"},
		{"trial", "tickets-update", 20, time.Minute, "tickets-update"},
		{"", "ticket-request-create-by-user-and-ip", 300, time.Minute, "ticket-request-create-by-user-and-ip"},
		{"", "deleted-tickets-destroy", 1000, time.Minute, "deleted-tickets-destroy"},
		{"", "deleted-tickets-destroy_many", 300, time.Minute, "deleted-tickets-destroy_many"},
		{"", "create-update-user", 5, time.Minute, "create-update-user"},
		{"", "user-write-second", 1, time.Second, "create-update-user"},
		{"", "organizations-update", 5, time.Minute, ""},
		{"trial", "ticket-fields-index", 20, time.Minute, "ticket-fields-index"},
		{"", "search-index", 2500, time.Minute, "search-index"},
		{"", "search-export", 100, time.Minute, ""},
		{"", "incremental-exports", 10, time.Minute, "incremental-exports"},
		{"high-volume", "incremental-exports", 30, time.Minute, "incremental-exports"},
		{"", "incremental-exports-cursor", 20, time.Minute, "incremental-exports-cursor"},
		{"", "incremental-sample", 10, 20 * time.Minute, ""},
		{"", "views-count-many", 6, 5 * time.Minute, ""},
		{"", "views-export", 100_000, time.Hour, ""},
		{"", "inflight-jobs", 30, 0, "inflight-jobs"},
	} {
		rows := New(Options{Plan: test.plan}).Limits()
		want := LimitInForce{test.name, test.n, test.window, test.header}
		if !slices.Contains(rows, want) {
			t.Errorf("plan %q: %+v is not among %+v", test.plan, want, rows)
		}
	}
}

// hits has for each limit a call that draws on it.
var hits = map[string]struct{ method, path, body string }{
	"account":                               {"GET", "/api/v2/groups", ""},
	"help-center":                           {"GET", "/api/v2/help_center/en-us/articles.json", ""},
	"webhooks":                              {"GET", "/api/v2/webhooks", ""},
	"webhooks-test":                         {"POST", "/api/v2/webhooks/test", "{}"},
	"tickets-index-deep-pagination":         {"GET", "/api/v2/tickets?per_page=1&page=501", ""},
	"tickets-index":                         {"GET", "/api/v2/tickets.json", ""},
	"per-ticket-updates":                    {"PUT", "/api/v2/tickets/3/tags", `{"tags":["a"]}`},
	"tickets-update":                        {"PUT", "/api/v2/tickets/3.json", `{"ticket":{"status":"open"}}`},
	"ticket-request-create-by-user-and-ip":  {"POST", "/api/v2/tickets", `{"ticket":{"comment":{"body":"x"}}}`},
	"tickets-destroy":                       {"DELETE", "/api/v2/tickets/3", ""},
	"deleted-tickets-index-deep-pagination": {"GET", "/api/v2/deleted_tickets?page=101", ""},
	"deleted-tickets-index":                 {"GET", "/api/v2/deleted_tickets", ""},
	"deleted-tickets-destroy":               {"DELETE", "/api/v2/deleted_tickets/3", ""},
	"deleted-tickets-destroy_many":          {"DELETE", "/api/v2/deleted_tickets/destroy_many?ids=3", ""},
	"omnilog-index":                         {"GET", "/api/v2/tickets/3/conversation_log", ""},
	"suspended-tickets-export":              {"POST", "/api/v2/suspended_tickets/export", ""},
	"side-conversations":                    {"POST", "/api/v2/tickets/3/side_conversations/abc/reply", "{}"},
	"side-conversation-events":              {"GET", "/api/v2/tickets/side_conversations/events", ""},
	"create-update-user":                    {"PUT", "/api/v2/users/9", `{"user":{"name":"x"}}`},
	"create-or-update-user":                 {"POST", "/api/v2/users/create_or_update", `{"user":{"email":"a@example.com"}}`},
	"users-index-deep-pagination":           {"GET", "/api/v2/organizations/9/users?page=10001", ""},
	"deleted-users-destroy":                 {"DELETE", "/api/v2/deleted_users/9", ""},
	"organizations-update":                  {"PUT", "/api/v2/organizations/9", `{"organization":{"name":"x"}}`},
	"organizations-autocomplete":            {"GET", "/api/v2/organizations/autocomplete?name=x", ""},
	"tags-index-deep-pagination":            {"GET", "/api/v2/tags?page=501", ""},
	"tags-index":                            {"GET", "/api/v2/tags", ""},
	"ticket-fields-index":                   {"GET", "/api/v2/ticket_fields", ""},
	"ticket-field-options":                  {"POST", "/api/v2/ticket_fields/9/options", "{}"},
	"search-index":                          {"GET", "/api/v2/search?query=x", ""},
	"search-export":                         {"GET", "/api/v2/search/export?query=x", ""},
	"incremental-exports":                   {"GET", "/api/v2/incremental/tickets/cursor?start_time=1", ""},
	"incremental-exports-cursor":            {"GET", "/api/v2/incremental/users/cursor.json?start_time=1", ""},
	"incremental-sample":                    {"GET", "/api/v2/incremental/tickets/sample", ""},
	"voice-incremental":                     {"GET", "/api/v2/channels/voice/stats/incremental/calls", ""},
	"views-execute":                         {"GET", "/api/v2/views/9/execute", ""},
	"views-count":                           {"GET", "/api/v2/views/9/count", ""},
	"views-preview":                         {"POST", "/api/v2/views/preview", "{}"},
	"views-count-many":                      {"GET", "/api/v2/views/count_many?ids=9", ""},
	"views-export":                          {"GET", "/api/v2/views/9/export", ""},
	"agent-availabilities":                  {"GET", "/api/v2/agent_availabilities", ""},
	"talk":                                  {"GET", "/api/v2/channels/voice/phone_numbers", ""},
	"talk-queue-activity":                   {"GET", "/api/v2/channels/voice/stats/current_queue_activity", ""},
	"talk-callback-requests":                {"POST", "/api/v2/channels/voice/callback_requests", "{}"},
	"external-content-records":              {"POST", "/api/v2/guide/external_content/records", "{}"},
	"attachments":                           {"GET", "/attachments/token/abc", ""},
}

// TestEachLimitRefusesItsOwnCalls sets each limit to two and expects the third
// call of a window refused by that limit, and another route untouched.
func TestEachLimitRefusesItsOwnCalls(t *testing.T) {
	elsewhere := map[string]bool{limitUserSecond: true, limitAnonymous: true, limitJobs: true, limitTalkPartner: true}
	for _, name := range LimitNames() {
		if elsewhere[name] {
			continue
		}
		hit, ok := hits[name]
		if !ok {
			t.Errorf("no call for the limit %q", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			o := Options{Latency: Fixed(0), NoUserWriteSecond: true, Limits: map[string]Limit{name: {N: 2}}}
			want := 3
			if name == limitWebhookTest { // two spent per call
				want = 2
			}
			simulate(t, o, func(t *testing.T, s *Simulator, c client) {
				for n := 1; n <= want; n++ {
					r, body := c.read(c.send(hit.method, hit.path, hit.body))
					if refused := r.StatusCode == http.StatusTooManyRequests; refused != (n == want) {
						t.Fatalf("call %d: %d %s", n, r.StatusCode, body)
					}
				}
				if l := s.Ledger(); l.RefusedBy(name) != 1 || l.Refused() != 1 {
					t.Errorf("refusals: %+v", l.Refusals)
				}
				if r, _ := c.get("/api/v2/groups"); r.StatusCode != 200 && name != limitAccount {
					t.Errorf("another route got %d", r.StatusCode)
				}
			})
		})
	}
}

func TestPerTicketLimitIsPerTicketAndTenMinutes(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0), Limits: map[string]Limit{"tickets-update": {Off: true}}}, func(t *testing.T, s *Simulator, c client) {
		until(2*time.Minute + 12*time.Second + 500*time.Millisecond)
		put := func(id int) *http.Response {
			r, _ := c.read(c.send("PUT", fmt.Sprintf("/api/v2/tickets/%d.json", id), `{"ticket":{"priority":"low"}}`))
			return r
		}
		for n := 30; n > 0; n-- {
			r := put(7)
			left := (10*60 - int(time.Now().Unix()%600)) // the clock's ten minutes
			wantHeaders(t, r, "Zendesk-Ratelimit-Per-Ticket-Updates", fmt.Sprintf("total=30; remaining=%d; resets=%d", n-1, left))
			pass(time.Second)
		}
		r := put(7)
		if r.StatusCode != 429 {
			t.Fatalf("update 31: %d", r.StatusCode)
		}
		if put(8).StatusCode != 200 {
			t.Error("another ticket was refused")
		}
		pass(time.Until(time.Now().Truncate(10 * time.Minute).Add(10 * time.Minute)))
		if r := put(7); r.StatusCode != 200 {
			t.Errorf("after ten minutes: %d", r.StatusCode)
		}
	})
}

func TestUserWritesOncePerSecond(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0)}, func(t *testing.T, s *Simulator, c client) {
		until(500 * time.Millisecond)
		c.read(c.send("PUT", "/api/v2/users/1", `{"user":{"name":"a"}}`))
		r, _ := c.read(c.send("PUT", "/api/v2/users/2", `{"user":{"name":"b"}}`))
		if r.StatusCode != 429 {
			t.Fatalf("second write of a second: %d", r.StatusCode)
		}
		wantHeaders(t, r, "Retry-After", "1", "Zendesk-Ratelimit-Create-Update-User", "total=1; remaining=0; resets=1")
		pass(time.Second)
		r, _ = c.read(c.send("PUT", "/api/v2/users/2", `{"user":{"name":"b"}}`))
		wantHeaders(t, r, "Zendesk-Ratelimit-Create-Update-User", "total=5; remaining=4; resets=59")
	})
}

// TestServicesCountApart: 699 to 682 of the Help Center in a minute leave the
// first Support call of that minute at 699.
func TestServicesCountApart(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0)}, func(t *testing.T, s *Simulator, c client) {
		until(5 * time.Second)
		for _, step := range []struct{ method, path, limit, left string }{
			{"GET", "/api/v2/help_center/articles", "700", "699"},
			{"GET", "/api/v2/community/posts", "700", "698"},
			{"GET", "/api/v2/groups", "700", "699"},
			{"GET", "/api/v2/webhooks", "100", "99"},
			{"POST", "/api/v2/webhooks/test", "20", "18"},
			{"POST", "/api/v2/webhooks/test", "20", "16"},
			{"GET", "/api/v2/webhooks", "100", "98"},
			{"GET", "/api/v2/calls", "700", "700"},
			{"GET", "/api/v2/calls", "700", "700"},
			{"GET", "/api/v2/engagements", "", ""},
			{"GET", "/api/v2/groups", "700", "698"},
		} {
			r, _ := c.read(c.send(step.method, step.path, ""))
			wantHeaders(t, r, "X-Rate-Limit", step.limit, "X-Rate-Limit-Remaining", step.left)
			if onSupport := step.path == "/api/v2/groups"; onSupport != (r.Header.Get("Ratelimit-Reset") == "55") {
				t.Errorf("%s: reset %q", step.path, r.Header.Get("Ratelimit-Reset"))
			}
		}
	})
}

func TestLimitsCanBeSilentOrOff(t *testing.T) {
	o := Options{Latency: Fixed(0), Limits: map[string]Limit{
		"incremental-exports": {Silent: true},
		"tickets-index":       {Off: true},
		"search-export":       {N: 3, Window: 2 * time.Minute, Header: "search-export-index"},
	}}
	simulate(t, o, func(t *testing.T, s *Simulator, c client) {
		until(0)
		for n := 1; n <= 11; n++ {
			r, _ := c.get("/api/v2/incremental/tickets?start_time=1")
			if (r.StatusCode == 429) != (n == 11) {
				t.Fatalf("export %d: %d", n, r.StatusCode)
			}
			for k := range r.Header {
				if strings.HasPrefix(k, "Zendesk-Ratelimit-") {
					t.Errorf("a silent limit sent %s", k)
				}
			}
		}
		r, _ := c.get("/api/v2/tickets")
		wantHeaders(t, r, "Zendesk-Ratelimit-Tickets-Index", "")
		r, _ = c.get("/api/v2/search/export?query=x")
		if got := r.Header.Get("Zendesk-Ratelimit-Search-Export-Index"); !strings.HasPrefix(got, "total=3; remaining=2; ") {
			t.Errorf("a limit with a header of its own says %q", got)
		}
	})
}

func TestWindowsScaleWithTheAccounts(t *testing.T) {
	find := func(o Options, name string) time.Duration {
		for _, l := range New(o).Limits() {
			if l.Name == name {
				return l.Window
			}
		}
		return -1
	}
	for _, test := range []struct {
		o       Options
		name    string
		want    time.Duration
		comment string
	}{
		{Options{Window: 10 * time.Second}, "account", 10 * time.Second, "set"},
		{Options{Window: 10 * time.Second}, "incremental-exports", 10 * time.Second, "as the account's"},
		{Options{Window: 10 * time.Second}, "per-ticket-updates", 100 * time.Second, "ten times"},
		{Options{Window: 600 * time.Second}, "per-ticket-updates", 6000 * time.Second, "ten times"},
		{Options{Window: 10 * time.Second, KeepWindows: true}, "per-ticket-updates", 600 * time.Second, "kept"},
		{Options{Window: 10 * time.Second, KeepWindows: true}, "webhooks", 10 * time.Second, "a service's"},
	} {
		if got := find(test.o, test.name); got != test.want {
			t.Errorf("%s at a window of %s: %s, want %s (%s)", test.name, test.o.Window, got, test.want, test.comment)
		}
	}
}

func TestRefusedCallsAreChargedIfAsked(t *testing.T) {
	for charged, want := range map[bool]string{false: "690", true: "689"} {
		simulate(t, Options{Latency: Fixed(0), ChargeRefused: charged}, func(t *testing.T, s *Simulator, c client) {
			until(0)
			for range 10 {
				c.get("/api/v2/incremental/tickets?start_time=1")
			}
			r, _ := c.get("/api/v2/incremental/tickets?start_time=1")
			if r.StatusCode != 429 {
				t.Fatalf("eleventh export: %d", r.StatusCode)
			}
			wantHeaders(t, r, "X-Rate-Limit-Remaining", want, "Cache-Control", "max-age=60, public")
		})
	}
}

func TestErrorsAndHeadAreCharged(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0)}, func(t *testing.T, s *Simulator, c client) {
		until(0)
		c.get("/api/v2/tickets/99999999")     // 404
		c.get("/api/v2/no_such_thing")        // 501
		c.send("HEAD", "/api/v2/tickets", "") // as its GET
		r, _ := c.get("/api/v2/tickets")
		wantHeaders(t, r, "X-Rate-Limit-Remaining", "696", "Zendesk-Ratelimit-Tickets-Index", "total=20000; remaining=19998; resets=60")
	})
}
