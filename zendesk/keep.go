package zendesk

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/flyballhq/flyball/limit"
)

var _ limit.Keeper = (*Provider)(nil)

// settled are the paths of what rarely changes: definitions that an
// administrator edits (facts, section 7, I, after [BP]).
var settled = []string{
	"/api/v2/account/settings", "/api/v2/automations", "/api/v2/automations/active", "/api/v2/automations/{id}",
	"/api/v2/brands", "/api/v2/brands/{id}", "/api/v2/custom_roles", "/api/v2/custom_roles/{id}",
	"/api/v2/custom_statuses", "/api/v2/custom_statuses/{id}", "/api/v2/groups", "/api/v2/groups/assignable", "/api/v2/groups/{id}",
	"/api/v2/locales", "/api/v2/locales/agent", "/api/v2/locales/current", "/api/v2/locales/public", "/api/v2/locales/{id}",
	"/api/v2/macros", "/api/v2/macros/active", "/api/v2/macros/actions", "/api/v2/macros/categories", "/api/v2/macros/definitions", "/api/v2/macros/{id}",
	"/api/v2/organization_fields", "/api/v2/organization_fields/{id}",
	"/api/v2/slas/policies", "/api/v2/slas/policies/definitions", "/api/v2/slas/policies/{id}",
	"/api/v2/ticket_fields", "/api/v2/ticket_fields/{id}", "/api/v2/ticket_fields/{id}/options",
	"/api/v2/ticket_forms", "/api/v2/ticket_forms/show_many", "/api/v2/ticket_forms/{id}",
	"/api/v2/triggers", "/api/v2/triggers/active", "/api/v2/triggers/definitions", "/api/v2/triggers/{id}",
	"/api/v2/user_fields", "/api/v2/user_fields/{id}", "/api/v2/views", "/api/v2/views/active", "/api/v2/views/compact", "/api/v2/views/{id}",
}

// Settled lists the classes of the routes that read what rarely changes.
func (p *Provider) Settled() []string {
	classes := make([]string, len(settled))
	for i, path := range settled {
		classes[i] = "GET " + path
	}
	return classes
}

// definitions are the families that administrators edit. They depend on each
// other in ways that are not written down, so a write to any of them counts
// as one to everything; but calls of the day do not change them.
var definitions = set(
	"account", "automations", "brands", "custom_roles", "custom_statuses", "groups", "locales", "macros",
	"organization_fields", "slas", "ticket_fields", "ticket_forms", "triggers", "user_fields", "views",
)

// records are the families of the day's work. A write to one object of theirs
// changes that object and what lists or counts, and no definition.
var records = set(
	"tickets", "users", "organizations", "requests", "satisfaction_ratings", "organization_memberships", "problems", "imports", "end_users",
	"suspended_tickets", "deleted_tickets", "deleted_users", "ticket_audits", "ticket_metrics", "organization_subscriptions", "comment_redactions", "skips",
)

// reaching are the records whose writes change other records that their path
// does not name: a membership its user, a redaction its ticket's comments, a
// restored ticket the one that was gone.
var reaching = set("organization_memberships", "comment_redactions", "deleted_tickets", "deleted_users", "suspended_tickets")

// harmless are writes that change nothing which is read again: uploads wait
// for the ticket that takes them, and a preview is a read.
var harmless = set("uploads", "views/preview", "views/preview/count", "job_statuses", "activities", "bookmarks")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

// The tags of what an answer depends on. Beside them there is one for each
// object, "tickets/5".
const (
	everything = "everything" // held by each answer
	dayWork    = "records"    // held by each answer but definitions
	lists      = "lists"      // held by what lists, counts, searches or joins records, and by what is not known
)

// Holds names what an answer depends on: an object's answers on the object, a
// definition's on definitions alone, and all others on every record.
func (p *Provider) Holds(tags []string, _ *limit.Route, u *url.URL) []string {
	tags = append(tags, everything)
	family, id, rest := parts(u.Path)
	if definitions[family] && !executes(family, id, rest) && !strings.Contains(u.RawQuery, "include") {
		return tags
	}
	tags = append(tags, dayWork)
	if !records[family] || !isID(id) {
		return append(tags, lists)
	}
	tags = append(tags, record(family, id))
	if rest != "" && !slices.Contains(own, first(rest)) || strings.Contains(u.RawQuery, "include") {
		tags = append(tags, lists)
	}
	return tags
}

// own are the parts of a record that only a write to the record changes.
var own = []string{"audits", "comments", "tags", "metrics", "collaborators", "followers", "email_ccs", "identities"}

// executes reports whether a definition's path answers with records: a view's
// tickets, a group's users, who may be assigned.
func executes(family, id, rest string) bool {
	if family == "slas" {
		return false // its second segment names a kind, not an object
	}
	return rest != "" && first(rest) != "options" || id == "assignable" || strings.HasPrefix(id, "count")
}

// Touches names what a write may have changed: for one record itself and what
// lists records, for many records, the end of one, or one that reaches into
// others all of them, for anything else everything.
func (p *Provider) Touches(tags []string, _ *limit.Route, method string, u *url.URL) []string {
	family, id, rest := parts(u.Path)
	switch {
	case harmless[family] || harmless[family+"/"+joined(id, rest)]:
		return tags
	case !records[family]:
		return append(tags, everything)
	case reaching[family], isID(id) && rest != "" && first(rest) == "merge", method == http.MethodDelete && rest == "", !isID(id) && id != "":
		return append(tags, dayWork)
	case id == "":
		return append(tags, lists)
	}
	tags = append(tags, lists, record(family, id))
	switch family { // the same record under its other names
	case "tickets":
		tags = append(tags, record("requests", id))
	case "requests":
		tags = append(tags, record("tickets", id))
	case "end_users":
		tags = append(tags, record("users", id))
	case "users":
		tags = append(tags, record("end_users", id))
	}
	return tags
}

func record(family, id string) string { return family + "/" + id }

func joined(id, rest string) string {
	if rest == "" {
		return id
	}
	return id + "/" + rest
}

// first is a path's first segment.
func first(path string) string {
	segment, _, _ := strings.Cut(path, "/")
	return segment
}

// parts takes a path of the Support API apart: /api/v2/tickets/5/comments.json
// is "tickets", "5" and "comments". Paths of others have no family.
func parts(path string) (family, id, rest string) {
	path, ok := strings.CutPrefix(path, "/api/v2/")
	if !ok {
		return "", "", ""
	}
	path = strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".json")
	family, path, _ = strings.Cut(path, "/")
	id, rest, _ = strings.Cut(path, "/")
	return family, id, rest
}

// isID reports whether a segment is a number of at most 19 digits.
func isID(segment string) bool {
	return segment != "" && len(segment) <= 19 && strings.Trim(segment, "0123456789") == ""
}
