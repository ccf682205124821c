package zendesk

import (
	"slices"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A Row is one limit of the catalogue and where it applies.
type Row struct {
	Fact string // the row's code in the list of facts, such as "T4"
	Rule *limit.Rule
	// On lists where a send draws on the rule: "METHOD /path", with {id} for
	// any id; one that ends in /** means everything below the path, and one
	// that begins with ! takes that path out again.
	On []string
	// Headers lists the names after "zendesk-ratelimit-" that speak of it.
	Headers []string
	// DeepAfter is the page of offset pagination after which the rule
	// applies; 0 when it applies to every page.
	DeepAfter int
	// Anonymous says that it applies to calls without a credential only.
	Anonymous bool
}

// Catalogue returns every limit that flyball knows beside the services' own
// counters, which are [Primaries]. The rules are shared and must not be
// changed.
func Catalogue() []Row { return slices.Clone(catalogue) }

const (
	minute = time.Minute
	acct   = limit.PerAccount
	object = limit.PerObject
	agent  = limit.PerObjectAndCredential
)

func rule(id string, n int, window time.Duration, scope limit.Scope, mark limit.Mark, source string) *limit.Rule {
	kind := limit.Window
	if scope == limit.PerObject || scope == limit.PerObjectAndCredential {
		kind = limit.Object
	}
	return &limit.Rule{
		ID: id, Service: Support, Kind: kind, Scope: scope, Mark: mark,
		Limit: n, Window: window, Source: source,
	}
}

// of moves a rule to another service's counters.
func of(s limit.Service, r *limit.Rule) *limit.Rule { r.Service = s; return r }

// The rules that refusals and headers name apart from the table below.
var (
	perTicketUpdates    = rule("per-ticket-updates", 30, 10*minute, agent, limit.Binding, "T3 [RL][TK], header seen in [ZP]")
	ticketsUpdate       = rule("tickets-update", 100, minute, acct, limit.Binding, "T4 [TK][RL]")
	perUserUpdates      = rule("per-user-updates", 5, minute, object, limit.Binding, "U1 [US][RL]")
	userUpdates         = rule("user-updates", 1, time.Second, acct, limit.Binding, "U1 [US][RL]")
	organizationUpdates = rule("organization-updates", 5, minute, object, limit.Binding, "U4 [RL]")
	incrementalExports  = rule("incremental-exports", 10, minute, acct, limit.Binding, "I1 [RL][INC]; seen in [CSA]")
	incrementalCursor   = rule("incremental-exports-cursor", 20, minute, acct, limit.Binding, "I2 [INC]")
	inflightJobs        = &limit.Rule{
		ID: "inflight-jobs", Service: Support, Kind: limit.Slots, Scope: acct,
		Mark: limit.Binding, Limit: 30, Source: "J1 [RL]",
	}
)

// catalogue is the table of limits. The figure is that of Zendesk's "Default"
// column, which is for all paid plans. A row binds when its figure is
// documented for paid plans and its scope is stated; figures of sandboxes and
// trials, figures seen once, and figures of unstated scope are hints.
//
// Not here, for no request of the account's host shows them: limits of one
// app in the browser (J2), of Zendesk's own deliveries to webhooks (W3) and
// events (EV1), of Sell's other host (SL1), and totals of stored objects (CO1,
// LC1, SC1), which no waiting changes.
var catalogue = []Row{
	// Tickets.
	{Fact: "T1", Rule: rule("tickets-index", 100, minute, acct, limit.Hint, "T1 [TK] sandbox and trial; seen in [ZP], 20000 in [CSA]"), On: []string{
		"GET /api/v2/tickets", "GET /api/v2/tickets/recent", "GET /api/v2/organizations/{id}/tickets",
		"GET /api/v2/users/{id}/tickets/requested", "GET /api/v2/users/{id}/tickets/ccd",
		"GET /api/v2/users/{id}/tickets/followed", "GET /api/v2/users/{id}/tickets/assigned",
	}, Headers: []string{"tickets-index"}},
	{Fact: "T1", Rule: rule("tickets-index-pagination", 100, minute, acct, limit.Hint, "T1 [TK] sandbox and trial"), Headers: []string{"tickets-index-pagination"}},
	{Fact: "T2", Rule: rule("tickets-index-deep-pagination", 50, minute, acct, limit.Binding, "T2 [RL][L2020]"), On: []string{"GET /api/v2/tickets"}, Headers: []string{"tickets-index-deep-pagination"}, DeepAfter: 500},
	{Fact: "T3", Rule: perTicketUpdates, On: []string{"PUT /api/v2/tickets/{id}", "PUT /api/v2/tickets/{id}/**", "PATCH /api/v2/tickets/{id}", "PUT /api/v2/requests/{id}"}, Headers: []string{"per-ticket-updates"}},
	{Fact: "T4", Rule: ticketsUpdate, On: []string{"PUT /api/v2/tickets/{id}", "PATCH /api/v2/tickets/{id}"}, Headers: []string{"tickets-update"}},
	{Fact: "T5", Rule: rule("ticket-request-create-by-user-and-ip", 300, minute, limit.PerCredential, limit.Hint, "T5 [ZP] once"), On: []string{"POST /api/v2/tickets"}, Headers: []string{"ticket-request-create-by-user-and-ip"}},
	{Fact: "T6", Rule: rule("anonymous-requests", 5, time.Hour, acct, limit.Hint, "T6 [OAS] trial accounts"), On: []string{"POST /api/v2/requests"}, Anonymous: true},
	{Fact: "T7", Rule: rule("tickets-destroy", 400, minute, acct, limit.Hint, "T7 [TK], scope not stated"), On: []string{"DELETE /api/v2/tickets/{id}"}},
	{Fact: "T8", Rule: rule("deleted-tickets-index", 10, minute, acct, limit.Binding, "T8 [TK]"), On: []string{"GET /api/v2/deleted_tickets"}, Headers: []string{"deleted-tickets-index"}},
	{Fact: "T8", Rule: rule("deleted-tickets-index-deep-pagination", 5, minute, acct, limit.Binding, "T8 [TK]"), On: []string{"GET /api/v2/deleted_tickets"}, Headers: []string{"deleted-tickets-index-deep-pagination"}, DeepAfter: 100},
	{Fact: "T9", Rule: rule("deleted-tickets-destroy", 1000, minute, acct, limit.Binding, "T9 [TK], seen in [ZP]"), On: []string{"DELETE /api/v2/deleted_tickets/{id}"}, Headers: []string{"deleted-tickets-destroy"}},
	{Fact: "T10", Rule: rule("deleted-tickets-destroy_many", 300, minute, acct, limit.Binding, "T10 [TK]"), On: []string{"DELETE /api/v2/deleted_tickets/destroy_many"}, Headers: []string{"deleted-tickets-destroy_many"}},
	{Fact: "T11", Rule: rule("omnilog-index", 100, minute, acct, limit.Hint, "T11 [TK] sandbox and trial"), On: []string{"GET /api/v2/tickets/{id}/conversation_log"}, Headers: []string{"omnilog-index"}},
	{Fact: "T12", Rule: rule("suspended-tickets-export", 1, minute, acct, limit.Hint, "T12 [OAS], scope not stated"), On: []string{"POST /api/v2/suspended_tickets/export"}},
	{Fact: "T13", Rule: rule("side-conversations", 300, 10*minute, acct, limit.Hint, "T13 [RL], scope not stated"), On: []string{"POST /api/v2/tickets/{id}/side_conversations", "POST /api/v2/tickets/{id}/side_conversations/{id}/reply"}},
	{Fact: "T14", Rule: rule("side-conversation-events", 600, 10*minute, acct, limit.Hint, "T14 [RL], scope not stated"), On: []string{"GET /api/v2/tickets/side_conversations/events"}},
	{Fact: "T15", Rule: of(Attachments, rule("attachment-upload-reads", 10, minute, object, limit.Hint, "T15 [RL], while the upload is not attached")), On: []string{"GET /attachments/token/{key}"}},

	// Users, organizations, tags, fields.
	{Fact: "U1", Rule: perUserUpdates, On: []string{"PUT /api/v2/users/{id}", "PATCH /api/v2/users/{id}"}, Headers: []string{"create-update-user"}},
	{Fact: "U1", Rule: userUpdates, On: []string{"PUT /api/v2/users/{id}", "PATCH /api/v2/users/{id}", "POST /api/v2/users/create_or_update"}, Headers: []string{"create-update-user"}},
	{Fact: "U2", Rule: rule("users-index-deep-pagination", 100, minute, acct, limit.Hint, "U2 [L2020], now behind the depth cap"), On: []string{"GET /api/v2/users", "GET /api/v2/groups/{id}/users", "GET /api/v2/organizations/{id}/users"}, DeepAfter: 10000},
	{Fact: "U3", Rule: rule("deleted-users-destroy", 700, 10*minute, acct, limit.Hint, "U3 [OAS], scope not stated"), On: []string{"DELETE /api/v2/deleted_users/{id}"}},
	{Fact: "U4", Rule: organizationUpdates, On: []string{"PUT /api/v2/organizations/{id}", "PATCH /api/v2/organizations/{id}"}},
	{Fact: "U5", Rule: &limit.Rule{ID: "organizations-autocomplete", Service: Support, Kind: limit.Pause, Scope: acct, Mark: limit.Hint, Source: "U5 [OAS], figure not stated"}},
	{Fact: "U6", Rule: rule("tags-index", 100, minute, acct, limit.Hint, "U6 [ZP], gone in 2024"), On: []string{"GET /api/v2/tags"}, Headers: []string{"tags-index"}},
	{Fact: "U6", Rule: rule("tags-index-deep-pagination", 50, minute, acct, limit.Binding, "U6 [L2020]"), On: []string{"GET /api/v2/tags"}, Headers: []string{"tags-index-deep-pagination"}, DeepAfter: 500},
	{Fact: "U7", Rule: rule("ticket-fields-index", 300, minute, acct, limit.Binding, "U7 [TF]"), On: []string{"GET /api/v2/ticket_fields"}, Headers: []string{"ticket-fields-index"}},
	{Fact: "U7", Rule: rule("ticket-fields-index-deep-pagination", 0, minute, acct, limit.Hint, "U7 [TF], figure not stated"), Headers: []string{"ticket-fields-index-deep-pagination"}},
	{Fact: "U8", Rule: rule("ticket-field-options", 100, minute, acct, limit.Hint, "U8 [OAS][TF], scope not stated"), On: []string{"POST /api/v2/ticket_fields/{id}/options"}},

	// Search, incremental exports, views.
	{Fact: "S1", Rule: rule("search-index", 2500, minute, acct, limit.Binding, "S1 [SE]"), On: []string{"GET /api/v2/search"}, Headers: []string{"search-index"}},
	{Fact: "S2", Rule: rule("search-export", 100, minute, acct, limit.Binding, "S2 [RL][OAS]"), On: []string{"GET /api/v2/search/export"}},
	// "All together" [INC], but the users' cursor export has a page and a
	// header of its own, and recordings show ten time-based exports and cursor
	// exports in one minute without a refusal [ZP].
	{Fact: "I1", Rule: incrementalExports, On: []string{"GET /api/v2/incremental/**", "!GET /api/v2/incremental/users/cursor"}, Headers: []string{"incremental-exports"}},
	{Fact: "I2", Rule: incrementalCursor, On: []string{"GET /api/v2/incremental/users/cursor"}, Headers: []string{"incremental-exports-cursor"}},
	{Fact: "I3", Rule: rule("incremental-sample", 10, 20*minute, acct, limit.Hint, "I3 [OAS], scope not stated"), On: []string{"GET /api/v2/incremental/tickets/sample", "GET /api/v2/incremental/users/sample", "GET /api/v2/incremental/organizations/sample"}},
	{Fact: "I4", Rule: of(Voice, rule("voice-incremental-exports", 10, minute, acct, limit.Hint, "I4 [TALKI], scope not stated")), On: []string{"GET /api/v2/channels/voice/stats/incremental/**"}},
	{Fact: "V1", Rule: rule("view-execute", 5, minute, agent, limit.Binding, "V1 [RL][OAS]"), On: []string{"GET /api/v2/views/{id}/execute"}},
	{Fact: "V2", Rule: rule("view-count", 5, minute, agent, limit.Binding, "V2 [OAS]"), On: []string{"GET /api/v2/views/{id}/count"}},
	{Fact: "V2", Rule: rule("view-preview", 5, minute, limit.PerCredential, limit.Hint, "V2 [OAS], names no view"), On: []string{"POST /api/v2/views/preview"}},
	{Fact: "V3", Rule: rule("view-count-many", 6, 5*minute, acct, limit.Hint, "V3 [OAS], scope not stated"), On: []string{"GET /api/v2/views/count_many"}},
	{Fact: "V4", Rule: rule("view-export", 100000, time.Hour, acct, limit.Hint, "V4 [RL], scope not stated"), On: []string{"GET /api/v2/views/{id}/export"}},

	// Jobs and other products.
	{Fact: "J1", Rule: inflightJobs, On: startsJob, Headers: []string{"inflight-jobs"}},
	{Fact: "A1", Rule: rule("agent-availabilities", 300, minute, acct, limit.Hint, "A1 [RL], scope not stated"), On: []string{"GET /api/v2/agent_availabilities"}},
	{Fact: "K2", Rule: of(Voice, rule("queue-activity", 2500, 5*minute, acct, limit.Hint, "K2 [TALK], scope not stated")), On: []string{"GET /api/v2/channels/voice/stats/current_queue_activity"}},
	{Fact: "K2", Rule: of(Voice, rule("callback-requests", 30, 10*minute, acct, limit.Hint, "K2 [TALK], scope not stated")), On: []string{"POST /api/v2/channels/voice/callback_requests"}},
	{Fact: "EC1", Rule: of(HelpCenter, rule("external-content-records", 770, minute, acct, limit.Binding, "EC1 [RL]")), On: []string{"POST /api/v2/guide/external_content/records", "POST /api/v2/external_content/records"}},
	{Fact: "SDK", Rule: of(Mobile, rule("sdk-anonymous", 2000, minute, acct, limit.Binding, "SDK [SDK]")), On: []string{"POST /access/sdk/anonymous"}},
	{Fact: "SDK", Rule: of(Mobile, rule("sdk-jwt", 2000, minute, acct, limit.Binding, "SDK [SDK]")), On: []string{"POST /access/sdk/jwt"}},
	{Fact: "SDK", Rule: of(Mobile, rule("sdk-requests-create", 500, minute, acct, limit.Binding, "SDK [SDK]")), On: []string{"POST /api/mobile/requests"}},
	{Fact: "SDK", Rule: of(Mobile, rule("sdk-requests-index", 5000, minute, acct, limit.Binding, "SDK [SDK]")), On: []string{"GET /api/mobile/requests"}},
}

// startsJob lists the calls that leave a background job running [RL][TK].
// DELETE destroy_many of macros, views, triggers, automations and suspended
// tickets answers 204 at once and starts none, as seen in [ZP].
var startsJob = []string{
	"POST /api/v2/tickets/create_many", "PUT /api/v2/tickets/update_many", "DELETE /api/v2/tickets/destroy_many",
	"PUT /api/v2/tickets/mark_many_as_spam", "POST /api/v2/tickets/{id}/merge",
	"DELETE /api/v2/deleted_tickets/destroy_many", "DELETE /api/v2/deleted_tickets/{id}",
	"POST /api/v2/imports/tickets/create_many",
	"POST /api/v2/users/create_many", "POST /api/v2/users/create_or_update_many",
	"PUT /api/v2/users/update_many", "DELETE /api/v2/users/destroy_many",
	"POST /api/v2/organizations/create_many", "PUT /api/v2/organizations/update_many", "DELETE /api/v2/organizations/destroy_many",
	"POST /api/v2/organization_memberships/create_many", "DELETE /api/v2/organization_memberships/destroy_many",
	"POST /api/v2/group_memberships/create_many", "DELETE /api/v2/group_memberships/destroy_many",
	"POST /api/v2/custom_objects/{key}/jobs", "POST /api/v2/routing/agents/instance_values/job",
}

// reportsJob lists the calls whose answers tell the status of jobs [JS].
var reportsJob = []string{
	"GET /api/v2/job_statuses", "GET /api/v2/job_statuses/show_many", "GET /api/v2/job_statuses/{id}",
}

// idempotent lists the calls on which Zendesk honours Idempotency-Key.
var idempotent = []string{"POST /api/v2/tickets"}
