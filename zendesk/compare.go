package zendesk

import (
	"net/http"
	"strings"

	"github.com/flyballhq/flyball/limit"
)

var _ limit.Comparer = (*Provider)(nil)

// compareForms name the fields that say what an object is and do nothing
// else [TK][US][OR]. What adds, notifies, merges or verifies is not among
// them: comment, tags and their operations, addresses, identities, followers,
// safe_update, macros, metadata. Nor is what another object decides, such as a
// ticket's organization.
var compareForms = map[string]*limit.CompareForm{
	"/api/v2/tickets/": {
		One: "ticket",
		Fields: plainFields(map[string]limit.CompareField{
			"custom_fields": {How: limit.ByID}, "fields": {How: limit.ByID},
			// Where an account has statuses of its own, "open" alone means the
			// first of the open ones.
			"status": {How: limit.ByValue, With: "custom_status_id"},
		}, "id", "subject", "type", "priority", "custom_status_id", "assignee_id", "group_id", "external_id", "due_at", "brand_id", "ticket_form_id"),
		// A closed ticket refuses every update, and an incident follows its
		// problem.
		Steady: func(t map[string]any) bool {
			return t["status"] != "closed" && t["status"] != "deleted" && t["problem_id"] == nil
		},
		Besides: []string{userWrites}, // an agent who becomes an end user has no tickets
	},
	"/api/v2/users/": {
		One: "user",
		Fields: plainFields(map[string]limit.CompareField{"user_fields": {How: limit.ByKey}},
			"id", "name", "alias", "details", "notes", "external_id", "role", "custom_role_id", "organization_id", "locale", "locale_id", "time_zone", "signature"),
		Steady:  func(u map[string]any) bool { return u["active"] == true },
		Besides: []string{membershipWrites},
	},
	"/api/v2/organizations/": {
		One: "organization",
		Fields: plainFields(map[string]limit.CompareField{"organization_fields": {How: limit.ByKey}},
			"id", "name", "details", "notes", "external_id", "group_id", "shared_tickets", "shared_comments"),
		Steady: func(o map[string]any) bool { return o["deleted_at"] == nil },
	},
}

func plainFields(all map[string]limit.CompareField, plain ...string) map[string]limit.CompareField {
	for _, name := range plain {
		all[name] = limit.CompareField{How: limit.ByValue}
	}
	return all
}

// The names of writes that spread from one object to others.
const (
	userWrites       = "writes to users"
	membershipWrites = "writes to memberships"
)

// Compares returns the form of GET or PUT of /api/v2/tickets/5, and of users
// and organizations. A call with a query has none: what it adds is not known.
func (p *Provider) Compares(req *http.Request) *limit.CompareForm {
	u := req.URL
	if u == nil || u.RawQuery != "" || u.ForceQuery || u.RawPath != "" || u.Opaque != "" {
		return nil
	}
	switch req.Method {
	case http.MethodGet, http.MethodPut, "":
	default:
		return nil
	}
	at := strings.LastIndexByte(u.Path, '/') + 1
	if _, ok := plainID(strings.TrimSuffix(u.Path[at:], ".json")); !ok {
		return nil
	}
	return compareForms[u.Path[:at]]
}

// Spreads names what a write changes in objects of another kind.
func (p *Provider) Spreads(tags []string, route *limit.Route) []string {
	switch {
	case strings.Contains(route.Class, " /api/v2/users"), strings.Contains(route.Class, " /api/v2/end_users"):
		return append(tags, userWrites)
	case strings.Contains(route.Class, "organization_memberships"):
		return append(tags, membershipWrites)
	}
	return tags
}
