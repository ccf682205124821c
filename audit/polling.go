package audit

import (
	"net/http"
	"strings"
	"time"
)

// exports are the lists that an incremental export replaces [INC].
var exports = map[string]string{
	"GET /api/v2/tickets":              "/api/v2/incremental/tickets/cursor",
	"GET /api/v2/users":                "/api/v2/incremental/users/cursor",
	"GET /api/v2/organizations":        "/api/v2/incremental/organizations",
	"GET /api/v2/ticket_audits":        "/api/v2/incremental/ticket_events",
	"GET /api/v2/help_center/articles": "/api/v2/help_center/incremental/articles",
}

const (
	mostLists = 10_000
	// pageGap is how long after a page the next of the same reading comes.
	pageGap = 5 * time.Minute
	// poll is how long after a reading another is still the same habit.
	poll = 25 * time.Hour
)

// polling finds lists that are read whole again and again. An export costs one
// call each time while fewer than a thousand records have changed, so all
// pages but the first of each further reading are spared.
type polling struct {
	waste *waste
	lists *recent[reading]
}

// reading is the latest reading of a list.
type reading struct {
	times int
	last  time.Time // of a page
}

func newPolling(a *Audit) *polling {
	return &polling{waste: a.waste(Polling), lists: newRecent[reading](Polling, mostLists, poll)}
}

func (p *polling) take(m *moment) {
	if exports[m.class()] == "" || !m.ok || m.Method != http.MethodGet {
		return
	}
	further, filter := paged(m.Query)
	r, _ := p.lists.get(mix(m.who, m.class()+filter), m.instant())
	idle := m.since(r.last)
	switch {
	case !further && r.times > 0 && idle <= poll:
		r.times++
	case !further:
		r.times = 1
	case idle > pageGap:
		r.times = 0 // its beginning was not seen
	case r.times > 1:
		p.waste.spare(m, "", ", when the list is read again")
	}
	r.last = m.At
}

func (p *polling) end()               {}
func (p *polling) memories() []memory { return []memory{p.lists} }

// paged tells a list's further pages from its first, and returns what else the
// query says, in order.
func paged(query string) (further bool, filter string) {
	var rest []string
	for pair := range strings.SplitSeq(sorted(query), "&") {
		name, value, _ := strings.Cut(pair, "=")
		switch strings.NewReplacer("%5B", "[", "%5b", "[", "%5D", "]", "%5d", "]").Replace(name) {
		case "page":
			further = further || value != "" && value != "1"
		case "page[after]", "page[before]", "cursor":
			further = further || value != ""
		case "per_page", "page[size]", "":
		default:
			rest = append(rest, pair)
		}
	}
	return further, strings.Join(rest, "&")
}
