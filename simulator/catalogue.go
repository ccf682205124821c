package simulator

import (
	"bytes"
	"slices"
	"strconv"
	"time"
)

// unpublished stands in where Zendesk's default column says N/A; 20000 is what a
// production account showed [CSA].
const unpublished = 20_000

// entry is one row of the catalogue: a rule, the calls it is for, and its figure
// by tier (0: as in the first column).
type entry struct {
	rule
	figures [tiers]int
	on      []string
}

func paid(n int) [tiers]int { return [tiers]int{n} }

func byTier(paid, addOn, sandbox, trial int) [tiers]int {
	return [tiers]int{paid, addOn, sandbox, trial}
}

// The limits that other code names.
const (
	limitAccount     = "account"
	limitHelpCenter  = "help-center"
	limitUserSecond  = "user-write-second"
	limitUser        = "create-update-user"
	limitJobs        = "inflight-jobs"
	limitWebhooks    = "webhooks"
	limitWebhookTest = "webhooks-test"
	limitTalkPartner = "talk-partner"
	limitAnonymous   = "anonymous-requests"
)

// endpointLimits are the rows of the endpoint catalogue, in the order of
// zendesk-facts section 2. Deep pages come before their list, so that
// they are named as the cause.
func endpointLimits() []entry {
	return slices.Concat(ticketLimits(), userLimits(), readLimits(), otherLimits())
}

func ticketLimits() []entry {
	const tenMinutes = 10 * time.Minute
	return []entry{
		{rule{name: "tickets-index-deep-pagination", header: "tickets-index-deep-pagination", when: pageOver(500)}, paid(50), []string{"GET /api/v2/tickets"}},
		{rule{name: "tickets-index", header: "tickets-index"}, byTier(unpublished, unpublished, 100, 100), []string{"GET /api/v2/tickets"}},
		{rule{name: "per-ticket-updates", header: "per-ticket-updates", window: tenMinutes, scope: perTargetUser, body: BodyTicket}, paid(30), []string{"PUT /api/v2/tickets/{id}/**"}},
		{rule{name: "tickets-update", header: "tickets-update"}, byTier(100, 300, 20, 20), []string{"PUT /api/v2/tickets/{id}"}},
		{rule{name: "ticket-request-create-by-user-and-ip", header: "ticket-request-create-by-user-and-ip", scope: perUser}, paid(300), []string{"POST /api/v2/tickets"}},
		{rule{name: limitAnonymous, window: time.Hour, body: BodyHourly, when: anonymous}, byTier(unpublished, unpublished, unpublished, 5), []string{"POST /api/v2/requests"}},
		{rule{name: "tickets-destroy"}, paid(400), []string{"DELETE /api/v2/tickets/{id}"}},
		{rule{name: "deleted-tickets-index-deep-pagination", header: "deleted-tickets-index-deep-pagination", when: pageOver(100)}, paid(5), []string{"GET /api/v2/deleted_tickets"}},
		{rule{name: "deleted-tickets-index", header: "deleted-tickets-index"}, paid(10), []string{"GET /api/v2/deleted_tickets"}},
		{rule{name: "deleted-tickets-destroy", header: "deleted-tickets-destroy"}, paid(1000), []string{"DELETE /api/v2/deleted_tickets/{id}"}},
		{rule{name: "deleted-tickets-destroy_many", header: "deleted-tickets-destroy_many"}, paid(300), []string{"DELETE /api/v2/deleted_tickets/destroy_many"}},
		{rule{name: "omnilog-index", header: "omnilog-index"}, byTier(unpublished, 300, 100, 100), []string{"GET /api/v2/tickets/{id}/conversation_log"}},
		{rule{name: "suspended-tickets-export"}, paid(1), []string{"POST /api/v2/suspended_tickets/export"}},
		{rule{name: "side-conversations", window: tenMinutes}, paid(300), []string{"POST /api/v2/tickets/{id}/side_conversations", "POST /api/v2/tickets/{id}/side_conversations/{any}/reply"}},
		{rule{name: "side-conversation-events", window: tenMinutes}, paid(600), []string{"GET /api/v2/tickets/side_conversations/events"}},
	}
}

func userLimits() []entry {
	return []entry{
		{rule{name: limitUser, header: limitUser, scope: perTarget, body: BodyUser}, paid(5), []string{"PUT /api/v2/users/{id}"}},
		{rule{name: "create-or-update-user", header: limitUser, scope: perEmail, body: BodyUser, when: hasEmail}, paid(5), []string{"POST /api/v2/users/create_or_update"}},
		{rule{name: limitUserSecond, header: limitUser, window: time.Second}, paid(1), []string{"PUT /api/v2/users/{id}", "POST /api/v2/users/create_or_update"}},
		{rule{name: "users-index-deep-pagination", when: pageOver(10_000)}, paid(100), []string{"GET /api/v2/users", "GET /api/v2/groups/{id}/users", "GET /api/v2/organizations/{id}/users"}},
		{rule{name: "deleted-users-destroy", window: 10 * time.Minute}, paid(700), []string{"DELETE /api/v2/deleted_users/{id}"}},
		{rule{name: "organizations-update", scope: perTarget, body: BodyUpdate}, paid(5), []string{"PUT /api/v2/organizations/{id}"}},
		{rule{name: "organizations-autocomplete", body: BodyAutocomplete}, paid(unpublished), []string{"GET /api/v2/organizations/autocomplete"}},
		{rule{name: "tags-index-deep-pagination", when: pageOver(500)}, paid(50), []string{"GET /api/v2/tags"}},
		{rule{name: "tags-index", header: "tags-index"}, byTier(unpublished, unpublished, 100, 100), []string{"GET /api/v2/tags"}},
		{rule{name: "ticket-fields-index", header: "ticket-fields-index"}, byTier(300, 450, 40, 20), []string{"GET /api/v2/ticket_fields"}},
		{rule{name: "ticket-field-options"}, paid(100), []string{"POST /api/v2/ticket_fields/{id}/options"}},
	}
}

func readLimits() []entry {
	return []entry{
		{rule{name: "search-index", header: "search-index"}, paid(2500), []string{"GET /api/v2/search"}},
		{rule{name: "search-export"}, paid(100), []string{"GET /api/v2/search/export"}},
		{rule{name: "incremental-exports", header: "incremental-exports", body: BodyIncremental, when: notCursorNorSample}, byTier(10, 30, 0, 0), []string{"GET /api/v2/incremental/**"}},
		{rule{name: "incremental-exports-cursor", header: "incremental-exports-cursor", body: BodyIncremental}, byTier(20, 60, 0, 0), []string{"GET /api/v2/incremental/users/cursor"}},
		{rule{name: "incremental-sample", window: 20 * time.Minute, body: BodyIncremental}, paid(10), []string{"GET /api/v2/incremental/{any}/sample"}},
		{rule{name: "voice-incremental"}, paid(10), []string{"GET /api/v2/channels/voice/stats/incremental/**"}},
		{rule{name: "views-execute", scope: perTargetUser}, paid(5), []string{"GET /api/v2/views/{id}/execute"}},
		{rule{name: "views-count", scope: perTargetUser}, paid(5), []string{"GET /api/v2/views/{id}/count"}},
		{rule{name: "views-preview", scope: perUser}, paid(5), []string{"POST /api/v2/views/preview"}},
		{rule{name: "views-count-many", window: 5 * time.Minute}, paid(6), []string{"GET /api/v2/views/count_many"}},
		{rule{name: "views-export", window: time.Hour}, paid(100_000), []string{"GET /api/v2/views/{id}/export"}},
	}
}

func otherLimits() []entry {
	const fiveMinutes = 5 * time.Minute
	return []entry{
		{rule{name: "agent-availabilities"}, paid(300), []string{"GET /api/v2/agent_availabilities"}},
		{rule{name: "talk", window: fiveMinutes}, paid(15_000), []string{"* /api/v2/channels/voice/**"}},
		{rule{name: "talk-queue-activity", window: fiveMinutes}, paid(2500), []string{"GET /api/v2/channels/voice/stats/current_queue_activity"}},
		{rule{name: "talk-callback-requests", window: 10 * time.Minute}, paid(30), []string{"POST /api/v2/channels/voice/callback_requests"}},
		{rule{name: "external-content-records"}, paid(770), []string{"POST /api/v2/guide/external_content/records"}},
		{rule{name: "attachments"}, paid(2500), []string{"GET /attachments/token/**"}},
	}
}

// serviceLimits are the counters of whole services. Webhooks' figures and the
// double cost of a test call are recorded [ZP].
func serviceLimits(p plan, o Options) []entry {
	account := p.account
	if o.Limit > 0 {
		account = o.Limit
	}
	return []entry{
		{rule{name: limitAccount, service: true, body: BodyAccount}, paid(account), nil},
		{rule{name: limitHelpCenter, service: true, body: BodyAccount}, paid(p.account), nil},
		{rule{name: limitWebhooks, service: true, body: BodyEndpoint}, paid(100), nil},
		{rule{name: limitWebhookTest, service: true, body: BodyEndpoint, cost: 2}, paid(20), nil},
		{rule{name: limitTalkPartner, service: true, uncounted: true}, paid(700), nil},
	}
}

// jobLimit is the number of background jobs queued or running at once [RL].
func jobLimit() entry {
	return entry{rule{name: limitJobs, header: limitJobs, body: BodyJobs, concurrent: true}, paid(30), nil}
}

// LimitNames lists the names Options.Limits takes.
func LimitNames() []string {
	rows := slices.Concat(serviceLimits(plan{}, Options{}), endpointLimits(), []entry{jobLimit()})
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.name
	}
	return names
}

// build makes the rule of an entry for one account; nil if it is switched off.
func (e entry) build(p plan, o Options) *rule {
	r := e.rule
	if r.n = e.figures[p.tier]; r.n == 0 {
		r.n = e.figures[tierPaid]
	}
	if r.window == 0 {
		r.window = minute
	}
	if !o.KeepWindows || r.service {
		r.window = scaled(r.window, o.Window)
	}
	r.cost = max(r.cost, 1)
	if r.body == "" {
		r.body = BodyEndpoint
	}
	change := o.Limits[r.name]
	if change.Off || r.name == limitUserSecond && o.NoUserWriteSecond {
		return nil
	}
	r.apply(change)
	return &r
}

func (r *rule) apply(l Limit) {
	if l.N > 0 {
		r.n = l.N
	}
	if l.Window > 0 {
		r.window = l.Window
	}
	if l.Header != "" {
		r.header = l.Header
	}
	if l.Silent {
		r.header, r.silent = "", true
	}
}

// scaled shortens a documented window as much as the account's minute was.
func scaled(documented, account time.Duration) time.Duration {
	if account == minute {
		return documented
	}
	return max(time.Duration(float64(documented)*float64(account)/float64(minute)), time.Millisecond)
}

// pageOver holds for offset pages past n.
func pageOver(n int) func(*call) bool {
	return func(c *call) bool {
		if c.query == "" {
			return false
		}
		page, err := strconv.Atoi(c.param("page"))
		return err == nil && page > n
	}
}

func anonymous(c *call) bool { return c.user == 0 }

// notCursorNorSample holds for the exports that share the ten a minute: the
// cursor export of users and the samples have figures of their own [INC][OAS].
func notCursorNorSample(c *call) bool {
	last := c.route.parts[c.route.n-1]
	return last != "sample" && !(last == "cursor" && c.route.parts[3] == "users")
}

func hasEmail(c *call) bool { return emailOf(c.body) != 0 }

// emailOf is a hash of the first e-mail in a JSON body, 0 if there is none.
func emailOf(body []byte) uint64 {
	_, rest, ok := bytes.Cut(body, []byte(`"email"`))
	if !ok {
		return 0
	}
	_, rest, _ = bytes.Cut(rest, []byte(`"`))
	email, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok {
		return 0
	}
	return hashText(string(bytes.ToLower(email)))
}
