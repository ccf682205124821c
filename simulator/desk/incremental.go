package desk

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	exportPage   = 1_000 // records a page, at most and by default (zendesk-facts 6)
	exportDelay  = 60    // seconds a start time must lie back (zendesk-facts 6)
	samplePage   = 50
	latestExport = 1 << 40 // seconds; later times are nonsense
)

// export is a resource as the incremental endpoints give it: rows by the time
// of their last change, then by id.
type export[T row] struct {
	name     string
	rows     []T
	stamp    func(T) int64
	withheld bool // the newest minute is kept back
	more     extra[T]
}

func ticketExport(c *call) export[*ticket] {
	rows := changedOrder(&c.byChange.tickets, stampOfTicket, c.tickets.sorted, c.deleted.sorted)
	if c.param("exclude_deleted") == "true" {
		rows = filter(rows, func(t *ticket) bool { return t.Status != "deleted" })
	}
	return export[*ticket]{"tickets", rows, stampOfTicket, true, c.sideloads()}
}

func userExport(c *call) export[*user] {
	stamp := func(u *user) int64 { return u.UpdatedAt.Unix() }
	return export[*user]{name: "users", rows: changedOrder(&c.byChange.users, stamp, c.users.sorted, c.gone.sorted), stamp: stamp}
}

func organizationExport(c *call) export[*organization] {
	stamp := func(o *organization) int64 { return o.UpdatedAt.Unix() }
	return export[*organization]{name: "organizations", rows: changedOrder(&c.byChange.organizations, stamp, c.organizations.sorted), stamp: stamp}
}

func stampOfTicket(t *ticket) int64 { return t.Generated }

// changedOrder sorts by change and keeps the result until the next change.
func changedOrder[T row](kept *[]T, stamp func(T) int64, tables ...[]T) []T {
	if *kept == nil {
		rows := slices.Concat(tables...)
		slices.SortFunc(rows, func(a, b T) int { return cmp.Or(cmp.Compare(stamp(a), stamp(b)), cmp.Compare(a.key(), b.key())) })
		*kept = rows
	}
	return *kept
}

func exportTickets(c *call) answer         { return exportByTime(c, ticketExport(c), exportPage) }
func exportTicketsByCursor(c *call) answer { return exportByCursor(c, ticketExport(c)) }
func exportUsers(c *call) answer           { return exportByTime(c, userExport(c), exportPage) }
func exportUsersByCursor(c *call) answer   { return exportByCursor(c, userExport(c)) }
func exportOrganizations(c *call) answer   { return exportByTime(c, organizationExport(c), exportPage) }
func exportEvents(c *call) answer          { return exportByTime(c, eventExport(c), exportPage) }

func exportSample(c *call) answer {
	switch c.args[0] {
	case "tickets":
		return exportByTime(c, ticketExport(c), samplePage)
	case "ticket_events":
		return exportByTime(c, eventExport(c), samplePage)
	case "users":
		return exportByTime(c, userExport(c), samplePage)
	case "organizations":
		return exportByTime(c, organizationExport(c), samplePage)
	}
	return *fail(http.StatusNotFound, "InvalidEndpoint", "Not found")
}

// startTime reads start_time=, which must be a minute old.
func (c *call) startTime() (int64, *answer) {
	n, err := strconv.ParseInt(c.param("start_time"), 10, 64)
	if err != nil || n < 0 || n > latestExport {
		return 0, invalidAttribute("start_time", "must be an integer")
	}
	if n > c.now.Unix()-exportDelay {
		return 0, fail(http.StatusUnprocessableEntity, "InvalidValue", "Too recent start_time. Use a start_time older than 60 seconds")
	}
	return n, nil
}

func (c *call) exportSize(limit int) (int, *answer) {
	text := c.param("per_page")
	if text == "" {
		return limit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, invalidAttribute("per_page", "must be a positive integer")
	}
	return min(n, limit), nil
}

// available drops the rows that are too new to be exported.
func (e *export[T]) available(now time.Time) []T {
	if !e.withheld {
		return e.rows
	}
	latest := now.Unix() - exportDelay
	end, _ := slices.BinarySearchFunc(e.rows, latest+1, func(r T, at int64) int { return cmp.Compare(e.stamp(r), at) })
	return e.rows[:end]
}

// exportByTime gives the records changed after start_time; the page grows to
// the end of its last second, so that end_time loses none.
func exportByTime[T row](c *call, e export[T], limit int) answer {
	start, bad := c.startTime()
	if bad != nil {
		return *bad
	}
	size, bad := c.exportSize(limit)
	if bad != nil {
		return *bad
	}
	rows := e.available(c.now)
	from, _ := slices.BinarySearchFunc(rows, start+1, func(r T, at int64) int { return cmp.Compare(e.stamp(r), at) })
	to := min(len(rows), from+size)
	for to > from && to < len(rows) && e.stamp(rows[to]) == e.stamp(rows[to-1]) {
		to++
	}
	end := start
	if to > from {
		end = e.stamp(rows[to-1])
	}
	b := e.open(c, rows[from:to])
	b = append(b, `,"count":`...)
	b = strconv.AppendInt(b, int64(to-from), 10)
	b = append(b, `,"end_of_stream":`...)
	b = strconv.AppendBool(b, to == len(rows))
	b = append(b, `,"end_time":`...)
	b = strconv.AppendInt(b, end, 10)
	b = append(b, `,"next_page":`...)
	b = quote(b, c.exportLink("start_time", strconv.FormatInt(end, 10)))
	return ok(append(b, '}'))
}

func (e *export[T]) open(c *call, page []T) []byte {
	b := append(pageBuffer(len(page)), '{')
	b = appendRows(b, e.name, c.Origin, page)
	if e.more != nil {
		b = e.more(b, page)
	}
	return b
}

func (c *call) exportLink(name, value string) string {
	q := url.Values{}
	for k, v := range c.query() {
		if k != "start_time" && k != "cursor" {
			q[k] = v
		}
	}
	q.Set(name, value)
	return c.self(q)
}

// exportByCursor gives the records after the cursor, or from start_time on.
func exportByCursor[T row](c *call, e export[T]) answer {
	size, bad := c.exportSize(exportPage)
	if bad != nil {
		return *bad
	}
	at, bad := c.exportPlace()
	if bad != nil {
		return *bad
	}
	rows := e.available(c.now)
	compare := func(r T, p place) int { return cmp.Or(cmp.Compare(e.stamp(r), p.by), cmp.Compare(r.key(), p.id)) }
	from, found := slices.BinarySearchFunc(rows, at, compare)
	if found {
		from++
	}
	to := min(len(rows), from+size)
	if to > from {
		at = place{e.stamp(rows[to-1]), rows[to-1].key()}
	}
	cursor := base64.StdEncoding.EncodeToString([]byte(strconv.FormatInt(at.by, 10) + ".0||" + strconv.FormatUint(at.id, 10) + "|"))
	b := e.open(c, rows[from:to])
	b = append(b, `,"after_url":`...)
	b = quote(b, c.exportLink("cursor", cursor))
	b = append(b, `,"after_cursor":`...)
	b = quote(b, cursor)
	b = append(b, `,"before_url":null,"before_cursor":null,"end_of_stream":`...)
	return ok(append(strconv.AppendBool(b, to == len(rows)), '}'))
}

// exportPlace reads cursor=, else start_time=.
func (c *call) exportPlace() (place, *answer) {
	text := c.param("cursor")
	if text == "" {
		start, bad := c.startTime()
		return place{by: start}, bad
	}
	bad := invalidAttribute("cursor", "is not valid")
	raw, err := base64.StdEncoding.DecodeString(text)
	when, id, ok := strings.Cut(strings.TrimSuffix(string(raw), "|"), "||")
	when, _, _ = strings.Cut(when, ".")
	if err != nil || !ok {
		return place{}, bad
	}
	at, err := strconv.ParseInt(when, 10, 64)
	if err != nil {
		return place{}, bad
	}
	number, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return place{}, bad
	}
	return place{at, number}, nil
}

// eventRow is a step of a ticket's history in the export of events.
type eventRow struct{ *audit }

func (r eventRow) key() uint64 { return r.id }

func (r eventRow) append(b []byte, _ string) []byte {
	children := []map[string]any{}
	if r.comment != nil {
		children = append(children, map[string]any{
			"id": r.comment.id, "via": "API", "via_reference_id": nil, "comment_present": true, "comment_public": r.comment.public, "event_type": "Comment",
		})
	}
	for _, e := range r.events {
		children = append(children, map[string]any{
			"id": e.ID, "via": "API", "via_reference_id": nil, e.FieldName: e.Value, "previous_value": e.Previous, "event_type": e.Type,
		})
	}
	return append(b, encode(map[string]any{
		"child_events": children, "id": r.id, "ticket_id": r.ticket, "timestamp": r.at.Unix(), "created_at": r.at, "updater_id": r.author,
		"via": "API", "system": struct{}{}, "metadata": r.metadataJSON().Custom, "event_type": "Audit",
	})...)
}

func eventExport(c *call) export[eventRow] {
	stamp := func(r eventRow) int64 { return r.at.Unix() }
	if c.byChange.events == nil {
		var rows []eventRow
		for _, t := range slices.Concat(c.tickets.sorted, c.deleted.sorted) {
			for _, a := range t.audits {
				rows = append(rows, eventRow{a})
			}
		}
		c.byChange.events = changedOrder(new([]eventRow), stamp, rows)
	}
	return export[eventRow]{name: "ticket_events", rows: c.byChange.events, stamp: stamp, withheld: true}
}
