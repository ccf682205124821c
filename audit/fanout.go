package audit

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// instead says what answers calls about single records at once.
var instead = map[string]string{
	"GET /api/v2/tickets/{id}":                     "GET /api/v2/tickets/show_many?ids=",
	"GET /api/v2/users/{id}":                       "include=users on the list, or GET /api/v2/users/show_many?ids=",
	"GET /api/v2/organizations/{id}":               "include=organizations on the list, or GET /api/v2/organizations/show_many?ids=",
	"GET /api/v2/groups/{id}":                      "include=groups on the list, or GET /api/v2/groups once",
	"GET /api/v2/brands/{id}":                      "GET /api/v2/brands once",
	"GET /api/v2/ticket_fields/{id}":               "GET /api/v2/ticket_fields once",
	"GET /api/v2/ticket_forms/{id}":                "GET /api/v2/ticket_forms/show_many?ids=",
	"GET /api/v2/tickets/{id}/comments":            "GET /api/v2/incremental/ticket_events?include=comment_events",
	"GET /api/v2/tickets/{id}/audits":              "GET /api/v2/incremental/ticket_events",
	"GET /api/v2/tickets/{id}/metrics":             "include=metric_sets on the list",
	"GET /api/v2/users/{id}/identities":            "include=identities on the list",
	"GET /api/v2/users/{id}/organizations":         "include=organizations on the list",
	"GET /api/v2/users/{id}/groups":                "include=groups on the list",
	"GET /api/v2/users/{id}/group_memberships":     "GET /api/v2/group_memberships once",
	"GET /api/v2/organizations/{id}/users":         "GET /api/v2/users, which names each one's organization",
	"GET /api/v2/tickets/{id}/satisfaction_rating": "GET /api/v2/satisfaction_ratings",
}

const (
	// fewest is how many calls make a fan-out.
	fewest = 5
	// perAnswer is how many records one call for many answers.
	perAnswer = 100
	// soonAfter is how long after the one before the next call may come.
	soonAfter = 10 * time.Second
)

// fanout finds a call for each record of a list, N+1 calls where a few do.
type fanout struct {
	waste *waste
	lists *recent[time.Time] // by caller, and what its latest list was of
	runs  *recent[run]
}

// run is calls of one class, each on another object, after a list.
type run struct {
	objects []uint64 // of the last hundred
	n       int
	spared  int
	last    time.Time
}

func newFanout(a *Audit) *fanout {
	return &fanout{waste: a.waste(FanOut), lists: newRecent[time.Time](FanOut, mostLists, soonAfter), runs: newRecent[run](FanOut, mostLists, soonAfter)}
}

func (f *fanout) take(m *moment) {
	if m.Method != http.MethodGet || m.Status >= 300 && m.Status != 404 {
		return
	}
	collection, _ := subject(m.path)
	if isList(m) {
		at, _ := f.lists.get(mix(m.who, leadsTo(m, collection)), m.instant())
		*at = m.At
	}
	if instead[m.class()] == "" || m.route.Object == 0 {
		return
	}
	r, _ := f.runs.get(mix(m.who, m.class()), m.instant())
	if r.n == 0 || m.since(r.last) > soonAfter {
		*r = run{objects: r.objects[:0]}
		if !f.afterList(m, "") && !f.afterList(m, collection) {
			return
		}
	}
	r.last = m.end()
	if slices.Contains(r.objects, m.route.Object) {
		return
	}
	f.grow(r, m)
}

// grow adds a record to a run, and counts the run once it is long enough.
func (f *fanout) grow(r *run, m *moment) {
	if len(r.objects) == perAnswer {
		r.objects = r.objects[:0]
	}
	r.objects = append(r.objects, m.route.Object)
	r.n++
	switch {
	case r.n < fewest:
		if m.spared {
			r.spared++
		}
	case r.n == fewest:
		// One call stays, which may be one that nothing else spares.
		f.waste.spareEarlier(m.class(), fewest-2, r.spared, "", m.cite()+", one of a call for each record of a list")
		f.waste.spare(m, "", "")
	case r.n%perAnswer != 1:
		f.waste.spare(m, "", "")
	}
}

func (f *fanout) end()               {}
func (f *fanout) memories() []memory { return []memory{f.lists, f.runs} }

// afterList reports whether the caller has just read a list of that.
func (f *fanout) afterList(m *moment, of string) bool {
	at := f.lists.find(mix(m.who, of))
	return at != nil && m.since(*at) <= soonAfter
}

// partLists are the lists of tickets that are named by something else, as in
// /api/v2/views/5/tickets.
var partLists = []string{"tickets", "execute", "requested", "ccd", "assigned"}

func isPartList(m *moment) bool { return m.route.Object != 0 && slices.Contains(partLists, lastOf(m)) }

// isList reports whether the call answers with many records: it names none, or
// what all of them belong to.
func isList(m *moment) bool {
	last := lastOf(m)
	return m.route.Object == 0 && last != "count" && last != "me" || isPartList(m)
}

func lastOf(m *moment) string { return m.path[strings.LastIndexByte(m.path, '/')+1:] }

// setup are the lists that a client reads to know the account. Their records
// lead to no others, so that tickets read soon after were not found by them.
var setup = []string{
	"account", "automations", "brands", "custom_statuses", "groups", "job_statuses", "locales", "macros", "organization_fields",
	"satisfaction_reasons", "tags", "ticket_fields", "ticket_forms", "triggers", "user_fields", "views",
}

// leadsTo is what the records of a list lead to: their own kind where they are
// of the setup, else anything, which is "".
func leadsTo(m *moment, collection string) string {
	if slices.Contains(setup, strings.TrimPrefix(collection, "/api/v2/")) && !isPartList(m) {
		return collection
	}
	return ""
}
