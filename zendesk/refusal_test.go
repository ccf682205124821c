package zendesk

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flyballhq/flyball/limit"
)

// The bodies that Zendesk is known to refuse with, by their letters in the
// facts, section 4.1, and those that recordings and issue threads show.
const (
	bodyA        = "Rate limit for ticket updates exceeded, please wait before updating this ticket again"
	bodyB        = "Number of allowed API requests per minute exceeded"
	bodyC        = `{"error":"APIRateLimitExceeded","description":"Number of allowed incremental export API requests per minute exceeded"}`
	bodyD        = `{"errors":[{"code":"TooManyRequests","title":"Too many requests to update"}]}`
	bodyD2       = `{"errors":[{"code":"TooManyRequests","title":"Too many requests to autocomplete"}]}`
	bodyE        = `{"error":"TooManyJobs","description":"Too many UserBulkUpdateJobV2 jobs are currently queued or running. Try again later.","current_job_ids":["0123456789abcdef0123456789abcdef"]}`
	bodyF        = `{"errors":[{"code":"TooManyRequests","status":"429","title":"Too Many Requests","message":"You reached the maximum number of resources allowed."}]}`
	bodyG        = "Number of allowed requests per hour exceeded"
	bodyH        = `{"error":"APIRateLimitExceeded","description":"Number of allowed tag API requests per minute exceeded"}`
	bodyJ        = `{"detail":"Rate limited by Zendesk edge protection","status":"429","title":"Automated response"}`
	bodyJHTML    = "<!DOCTYPE html><html><head><title>Access denied | acme.zendesk.com used Cloudflare</title><style>p{x:1}</style></head><body><h1>Error 1015</h1><p>You are being rate limited</p></body></html>"
	bodyUser     = "You have exceeded the rate limit for updating a single unique user. user email: ann@example.com id: 4016 external_id: Ann Smith 17"
	bodyOffset   = "Pagination limit reached for offset model"
	bodyTooDeep  = `{"errors":[{"code":"InvalidPaginationDepth","title":"Pagination requests using Offset Pagination are limited"}]}`
	bodyDatabase = `{"error":"DatabaseError","description":"Please try again"}`
)

func refuse(t testing.TB, call string, status int, h http.Header, body string) limit.Refusal {
	t.Helper()
	method, target, _ := strings.Cut(call, " ")
	p := New(Team)
	r := p.Route(request(t, method, target, "Bearer x"))
	return p.Refusal(&r, status, h, []byte(body))
}

func ruleID(r limit.Refusal) string {
	if r.Rule == nil {
		return "-"
	}
	return string(r.Rule.Service) + "/" + r.Rule.ID
}

func TestRefusalNamesTheLimitThatItsBodyNames(t *testing.T) {
	for _, c := range []struct{ call, body, rule string }{
		{"PUT /api/v2/tickets/7", bodyA, "support/per-ticket-updates"},
		{"PUT /api/v2/tickets/update_many", bodyA, "-"},
		{"GET /api/v2/users", bodyB, "support/account"},
		{"GET /api/v2/help_center/articles", bodyB, "help-center/account"},
		{"GET /api/v2/webhooks", bodyB, "webhooks/account"},
		{"GET /api/v2/incremental/tickets", bodyC, "support/incremental-exports"},
		{"GET /api/v2/channels/voice/stats/incremental/calls", bodyC, "-"},
		{"PUT /api/v2/organizations/5", bodyD, "support/organization-updates"},
		{"PUT /api/v2/brands/5", bodyD, "-"},
		{"GET /api/v2/organizations/autocomplete", bodyD2, "-"},
		{"POST /api/v2/users/create_many", bodyE, "support/inflight-jobs"},
		{"POST /api/v2/requests", bodyG, "-"},
		{"GET /api/v2/tags", bodyH, "-"},
		{"GET /api/v2/users", bodyJ, "support/account"},
		{"GET /api/v2/users", bodyJHTML, "support/account"},
		{"PUT /api/v2/users/4016", bodyUser, "support/per-user-updates"},
		{"POST /api/v2/users/create_or_update", bodyUser, "-"},
		{"GET /api/v2/users", "", "-"},
		{"GET /api/v2/users", "something new", "-"},
	} {
		got := refuse(t, c.call, 429, http.Header{}, c.body)
		if !got.Limit || got.Permanent || ruleID(got) != c.rule {
			t.Errorf("%s, %q: %s, %+v; want %s", c.call, c.body, ruleID(got), got, c.rule)
		}
	}
}

func TestHeadersNameTheLimitBeforeTheBodyDoes(t *testing.T) {
	spent := http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"300"}, "Zendesk-Ratelimit-Tickets-Index": {"total=100; remaining=0; resets=12"}}
	if got := refuse(t, "GET /api/v2/tickets", 429, spent, bodyB); ruleID(got) != "support/tickets-index" {
		t.Errorf("a spent endpoint counter: %s", ruleID(got))
	}
	left := http.Header{"Zendesk-Ratelimit-Tickets-Index": {"total=100; remaining=9; resets=12"}, "X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"0"}}
	if got := refuse(t, "GET /api/v2/tickets", 429, left, bodyB); ruleID(got) != "support/account" {
		t.Errorf("an endpoint counter with some left: %s", ruleID(got))
	}
	fresh := http.Header{"Zendesk-Ratelimit-Never-Heard-Of": {"total=3; remaining=0; resets=12"}}
	if got := refuse(t, "GET /api/v2/tickets/5", 429, fresh, ""); ruleID(got) != "support/never-heard-of" {
		t.Errorf("a limit that only its header names: %s", ruleID(got))
	}
}

// hiddenLimits are 429s that came while the account's counter was nearly
// full: the two that were recorded, and two that were logged.
var hiddenLimits = []struct{ call, left, body, rule string }{
	{"GET /api/v2/incremental/users", "684", bodyC, "support/incremental-exports"},
	{"PUT /api/v2/users/77", "668", bodyUser, "support/per-user-updates"},
	{"POST /api/v2/requests", "400", bodyG, "-"},
	{"GET /api/v2/ticket_audits", "350", bodyB, "-"},
	{"GET /api/v2/ticket_audits", "350", "", "-"},
}

// theAccountGoesOn returns a hidden limit that blame lays on another bucket
// than its own, "" when none.
func theAccountGoesOn(t *testing.T, blame func(limit.Refusal) string) string {
	t.Helper()
	for _, c := range hiddenLimits {
		h := http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {c.left}}
		if got := blame(refuse(t, c.call, 429, h, c.body)); got != c.rule {
			return c.call + " is blamed on " + got + ", want " + c.rule
		}
	}
	return ""
}

// Behaviour A7: a hidden limit's 429 is never blamed on an account that has some left.
func TestAHiddenLimitIsNotBlamedOnTheAccount(t *testing.T) {
	if wrong := theAccountGoesOn(t, ruleID); wrong != "" {
		t.Error(wrong)
	}
	// The twin pauses the account for every 429.
	if theAccountGoesOn(t, func(limit.Refusal) string { return "support/account" }) == "" {
		t.Error("the check does not notice a blunt pause")
	}
}

// waitingIsJudgedRightly returns a body whose permanence judge gets wrong.
func waitingIsJudgedRightly(t *testing.T, judge func(limit.Refusal) bool) string {
	t.Helper()
	for body, permanent := range map[string]bool{
		bodyOffset: true, bodyTooDeep: true, bodyF: true,
		bodyA: false, bodyB: false, bodyC: false, bodyD: false, bodyE: false, bodyG: false, bodyJ: false, bodyUser: false, "": false,
	} {
		if judge(refuse(t, "GET /api/v2/tickets", 429, http.Header{"Retry-After": {"5"}}, body)) != permanent {
			return body
		}
	}
	return ""
}

// Behaviour A8: a 429 that never ends is known for one.
func TestAPermanentRefusalIsKnown(t *testing.T) {
	if wrong := waitingIsJudgedRightly(t, func(r limit.Refusal) bool { return r.Permanent && r.Limit }); wrong != "" {
		t.Errorf("misjudged: %q", wrong)
	}
	// The twin waits for every 429.
	if waitingIsJudgedRightly(t, func(limit.Refusal) bool { return false }) == "" {
		t.Error("the check does not notice endless waiting")
	}
}

func TestOnlyTheOldThrottleIsALimitUnder503(t *testing.T) {
	for body, isLimit := range map[string]bool{bodyA: true, bodyB: true, bodyC: true, bodyG: true, bodyE: false, bodyDatabase: false, "": false, "<html>Service Unavailable</html>": false} {
		if got := refuse(t, "GET /api/v2/users", 503, http.Header{"Retry-After": {"5"}}, body); got.Limit != isLimit {
			t.Errorf("503 with %q: %+v", body, got)
		}
	}
	for _, status := range []int{200, 400, 404, 422, 500, 502} {
		if got := refuse(t, "GET /api/v2/users", status, http.Header{}, bodyB); got.Limit || got.Rule != nil {
			t.Errorf("%d: %+v", status, got)
		}
	}
}

func TestRefusalTextIsForPeopleAndNamesNobody(t *testing.T) {
	for body, want := range map[string]string{
		bodyA:     bodyA,
		bodyC:     "APIRateLimitExceeded: Number of allowed incremental export API requests per minute exceeded",
		bodyD:     "TooManyRequests: Too many requests to update",
		bodyE:     "TooManyJobs: Too many UserBulkUpdateJobV2 jobs are currently queued or running. Try again later.",
		bodyJ:     "Rate limited by Zendesk edge protection: Automated response",
		bodyJHTML: "Access denied | acme.zendesk.com used Cloudflare Error [removed] You are being rate limited",
		bodyUser:  "You have exceeded the rate limit for updating a single unique user. user email: [removed] id: [removed] external_id: [removed]",
		`{"error":{"title":"Forbidden","message":"no <b>"}}`: "Forbidden: no <b>",
		"ticket #17 of a@b.co,id:\n\x00\x1b[31m bad\xff":     "ticket [removed] of [removed] bad",
		"see https://acme.zendesk.com/agent/tickets/17":      "see [removed]",
		`{"error":"cut in the mid`:                           `{"error":"cut in the mid`,
	} {
		if got := refuse(t, "GET /api/v2/users", 429, http.Header{}, body).Text; got != want {
			t.Errorf("%q is shown as\n%q, want\n%q", body, got, want)
		}
	}
	if got := refuse(t, "GET /api/v2/users", 429, http.Header{}, strings.Repeat("é and more ", 100)).Text; len(got) > maxText || !utf8.ValidString(got) {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

func FuzzRefusal(f *testing.F) {
	for _, body := range []string{bodyA, bodyB, bodyC, bodyD, bodyE, bodyF, bodyG, bodyJ, bodyJHTML, bodyUser, bodyOffset, "<<style></<", "{", `{"error":{"title":{}}}`} {
		f.Add("/api/v2/tickets/5", 429, "total=1; remaining=0; resets=0", body)
		f.Add("/api/v2/webhooks", 503, "", body)
	}
	f.Fuzz(func(t *testing.T, path string, status int, header, body string) {
		h := http.Header{"Zendesk-Ratelimit-Fuzz": {header}, "X-Rate-Limit-Remaining": {header}}
		p := New(Team)
		route := p.Route(request(t, "PUT", path, ""))
		for _, r := range []*limit.Route{&route, nil, {}} {
			got := p.Refusal(r, status, h, []byte(body))
			if len(got.Text) > maxText || !utf8.ValidString(got.Text) || strings.Contains(got.Text, "@") {
				t.Fatalf("text %q", got.Text)
			}
			if got.Limit && status != 429 && status != 503 || !got.Limit && (got.Rule != nil || got.Permanent || got.Text != "") {
				t.Fatalf("%d %q: %+v", status, body, got)
			}
			p.Jobs(r, []byte(body))
		}
	})
}
