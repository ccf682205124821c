package desk

import (
	"net/http"
	"slices"
	"time"
)

const (
	searchLimit = 1_000 // results that pages reach (zendesk-facts 6)
	exportLimit = 1_000 // results a page of the export (zendesk-facts 6)
	cursorLife  = time.Hour
)

// found is a record that a search finds.
type found struct {
	row
	kind             string
	created, updated time.Time
	status, priority int
}

func (f found) append(b []byte, origin string) []byte {
	b = f.row.append(b, origin)
	b = append(b[:len(b)-1], `,"result_type":"`...)
	return append(append(b, f.kind...), '"', '}')
}

// find runs a query; the results are by rising id.
func (c *call) find(kind string) ([]found, *answer) {
	text := c.param("query")
	if text == "" {
		return nil, fail(http.StatusUnprocessableEntity, "invalid", "Invalid search: query is blank")
	}
	q := parseQuery(text, kind)
	var all []found
	if q.wants("ticket") {
		for _, t := range c.tickets.sorted {
			if q.all(func(w term) bool { return c.ticketMatches(t, w) }) {
				all = append(all, found{t, "ticket", t.CreatedAt, t.UpdatedAt, slices.Index(statuses, t.Status), slices.Index(priorities, deref(t.Priority))})
			}
		}
	}
	if q.wants("user") {
		for _, u := range c.users.sorted {
			if q.all(func(w term) bool { return c.userMatches(u, w) }) {
				all = append(all, found{row: u, kind: "user", created: u.CreatedAt, updated: u.UpdatedAt})
			}
		}
	}
	if q.wants("organization") {
		for _, o := range c.organizations.sorted {
			if q.all(func(w term) bool { return organizationMatches(o, w) }) {
				all = append(all, found{row: o, kind: "organization", created: o.CreatedAt, updated: o.UpdatedAt})
			}
		}
	}
	if q.wants("group") {
		for _, g := range c.groups.sorted {
			if q.all(func(w term) bool { return groupMatches(g, w) }) {
				all = append(all, found{row: g, kind: "group", created: g.CreatedAt, updated: g.UpdatedAt})
			}
		}
	}
	return all, nil
}

// searchOrder is newest first unless asked otherwise.
func searchOrder(c *call) order[found] {
	o := order[found]{name: "created_at,id", desc: c.param("sort_order") != "asc"}
	switch c.param("sort_by") {
	case "updated_at":
		o.by = func(f found) int64 { return f.updated.Unix() }
	case "status":
		o.by = func(f found) int64 { return int64(f.status) }
	case "priority":
		o.by = func(f found) int64 { return int64(f.priority) }
	default:
		o.by = func(f found) int64 { return f.created.Unix() }
	}
	return o
}

func search(c *call) answer {
	if c.query().Has("page[size]") {
		return *invalidAttribute("page", "must be an integer")
	}
	all, bad := c.find("")
	if bad != nil {
		return *bad
	}
	page, size, bad := c.offsets(maxPage)
	if bad != nil {
		return *bad
	}
	if page*size > searchLimit {
		return *fail(http.StatusUnprocessableEntity, "invalid", "Invalid search: Requested response size was greater than Search Response Limits")
	}
	shown := slicePage(searchOrder(c).sort(all), page, size)
	b := append(pageBuffer(len(shown)), '{')
	b = appendRows(b, "results", c.Origin, shown)
	b = append(b, `,"facets":null,`...)
	a := ok(append(c.appendOffsets(b, page, size, len(all)), '}'))
	a.cache = cacheSearch
	return a
}

func searchCount(c *call) answer {
	all, bad := c.find("")
	if bad != nil {
		return *bad
	}
	a := ok(encode(map[string]int{"count": len(all)}))
	a.cache = cacheSearch
	return a
}

func searchExport(c *call) answer {
	kind := c.param("filter[type]")
	if !slices.Contains([]string{"ticket", "user", "organization", "group"}, kind) {
		return *invalidAttribute("filter[type]", "must be one of ticket, user, organization, group")
	}
	all, bad := c.find(kind)
	if bad != nil {
		return *bad
	}
	o := order[found]{name: "created_at,id", by: func(f found) int64 { return f.created.Unix() }, desc: true, issued: c.now.Unix()}
	a := cursorPage(c, "results", o.sort(all), o, exportLimit, func(b []byte, _ []found) []byte { return append(b, `,"facets":null`...) })
	a.cache = cacheSearch
	return a
}
