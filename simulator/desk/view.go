package desk

import (
	"strconv"
	"time"
)

// view is a saved list of tickets, by status.
type view struct {
	ID          uint64     `json:"id"`
	Title       string     `json:"title"`
	Active      bool       `json:"active"`
	UpdatedAt   time.Time  `json:"updated_at"`
	CreatedAt   time.Time  `json:"created_at"`
	Default     bool       `json:"default"`
	Position    int        `json:"position"`
	Description *string    `json:"description"`
	Execution   execution  `json:"execution"`
	Conditions  conditions `json:"conditions"`
	Restriction *struct{}  `json:"restriction"`
	RawTitle    string     `json:"raw_title"`

	status string
	json   cached
}

type execution struct {
	GroupBy    *string  `json:"group_by"`
	GroupOrder string   `json:"group_order"`
	SortBy     string   `json:"sort_by"`
	SortOrder  string   `json:"sort_order"`
	Columns    []column `json:"columns"`
}

type column struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type conditions struct {
	All []condition `json:"all"`
	Any []condition `json:"any"`
}

type condition struct {
	Field    string `json:"field"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
}

func (d *Desk) seedViews(at time.Time) {
	for i, status := range []string{"new", "open", "pending", "solved"} {
		title := "Tickets " + status
		d.views.put(&view{
			ID: d.newID(), Title: title, RawTitle: title, Active: true, CreatedAt: at, UpdatedAt: at, Position: i + 1, status: status,
			Execution:  execution{GroupOrder: "asc", SortBy: "id", SortOrder: "asc", Columns: []column{{"subject", "Subject"}, {"status", "Status"}}},
			Conditions: conditions{All: []condition{{"status", "is", status}}, Any: []condition{}},
		})
	}
}

func (v *view) key() uint64 { return v.ID }

func (v *view) path() string { return "/api/v2/views/" + strconv.FormatUint(v.ID, 10) }

func (v *view) append(b []byte, origin string) []byte {
	return v.json.append(b, origin, func() (string, []byte) { return v.path(), encode(v) })
}

func (c *call) view(n int) (*view, *answer) {
	id, bad := c.id(n)
	if bad != nil {
		return nil, bad
	}
	v, found := c.views.get(id)
	if !found {
		return nil, notFound()
	}
	return v, nil
}

func (c *call) viewed(v *view) []*ticket {
	return filter(c.tickets.sorted, func(t *ticket) bool { return t.Status == v.status })
}

func listViews(c *call) answer { return paginate(c, "views", c.views.sorted, order[*view]{}, nil) }

func showView(c *call) answer {
	v, bad := c.view(0)
	if bad != nil {
		return *bad
	}
	return ok(single("view", c.Origin, v))
}

func viewTickets(c *call) answer {
	v, bad := c.view(0)
	if bad != nil {
		return *bad
	}
	return ticketPage(c, c.viewed(v))
}

// viewRow is a ticket as an executed view shows it: the view's columns.
type viewRow struct{ *ticket }

func (r viewRow) append(b []byte, origin string) []byte {
	b = append(b, `{"ticket_id":`...)
	b = strconv.AppendUint(b, r.ID, 10)
	b = append(b, `,"subject":`...)
	b = quote(b, r.Subject)
	b = append(b, `,"status":"`...)
	b = append(b, r.Status...)
	b = append(b, `","ticket":`...)
	return append(r.ticket.append(b, origin), '}')
}

func executeView(c *call) answer {
	v, bad := c.view(0)
	if bad != nil {
		return *bad
	}
	var rows []viewRow
	for _, t := range c.viewed(v) {
		rows = append(rows, viewRow{t})
	}
	return paginate(c, "rows", rows, order[viewRow]{}, func(b []byte, _ []viewRow) []byte {
		b = append(b, `,"columns":`...)
		b = append(b, encode(v.Execution.Columns)...)
		b = append(b, `,"view":`...)
		return v.append(b, c.Origin)
	})
}

type viewCount struct {
	URL    string `json:"url"`
	ViewID uint64 `json:"view_id"`
	Value  int    `json:"value"`
	Pretty string `json:"pretty"`
	Fresh  bool   `json:"fresh"`
}

func (c *call) viewCount(v *view) viewCount {
	n := len(c.viewed(v))
	return viewCount{c.absolute(v.path() + "/count.json"), v.ID, n, strconv.Itoa(n), true}
}

func countView(c *call) answer {
	v, bad := c.view(0)
	if bad != nil {
		return *bad
	}
	return ok(encode(map[string]any{"view_count": c.viewCount(v)}))
}

func countViews(c *call) answer {
	ids, bad := c.ids("ids")
	if bad != nil {
		return *bad
	}
	counts := []viewCount{}
	for _, v := range c.views.pick(ids) {
		counts = append(counts, c.viewCount(v))
	}
	return ok(encode(map[string]any{"view_counts": counts}))
}
