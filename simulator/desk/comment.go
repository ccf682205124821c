package desk

import (
	"cmp"
	"html"
	"strconv"
	"strings"
	"time"
)

// commentIn is a comment as callers send it: an object, or its text alone.
type commentIn struct {
	Body      opt[string] `json:"body"`
	HTMLBody  opt[string] `json:"html_body"`
	Value     opt[string] `json:"value"` // imports' older name
	Public    opt[bool]   `json:"public"`
	AuthorID  opt[number] `json:"author_id"`
	Uploads   words       `json:"uploads"`
	CreatedAt opt[moment] `json:"created_at"`
}

func (in *commentIn) text() string {
	return cmp.Or(in.Body.value, in.Value.value, stripTags(in.HTMLBody.value))
}

func (in *commentIn) blank() bool { return strings.TrimSpace(in.text()) == "" && len(in.Uploads) == 0 }

// public inherits from the ticket when not given (zendesk-facts 10).
func (in *commentIn) public(ticket bool) bool {
	if in.Public.set && !in.Public.null {
		return in.Public.value
	}
	return ticket
}

// stripTags is the plain text of HTML, well enough for a simulator.
func stripTags(s string) string {
	var b strings.Builder
	for s != "" {
		text, rest, open := strings.Cut(s, "<")
		b.WriteString(text)
		_, after, closed := strings.Cut(rest, ">")
		if open && !closed {
			break
		}
		s = after
	}
	return html.UnescapeString(b.String())
}

// audit is one step of a ticket's history; at most one of its events is the
// comment.
type audit struct {
	id, ticket, author uint64
	at                 time.Time
	via                via
	comment            *comment
	events             []event
	metadata           anything
}

type comment struct {
	id          uint64
	body, html  string
	public      bool
	attachments []*attachment
}

// event is one field's change.
type event struct {
	ID        uint64 `json:"id"`
	Type      string `json:"type"` // "Create" or "Change"
	Value     any    `json:"value"`
	FieldName string `json:"field_name"`
	Previous  any    `json:"previous_value,omitempty"`
}

// addAudit records what changed between before and the ticket.
func (d *Desk) addAudit(t, before *ticket, in *commentIn, with *ticketInput, now time.Time, kind string) {
	a := &audit{id: d.newID(), ticket: t.ID, author: t.SubmitterID, at: now, via: via{Channel: "api"}, metadata: with.Metadata.value}
	if kind == "Change" {
		a.author = d.admin()
	}
	if in != nil && !in.blank() {
		a.comment = d.newComment(in, t)
		if id := uint64(in.AuthorID.value); d.isUser(id) {
			a.author = id
		}
		if in.CreatedAt.set && !in.CreatedAt.null {
			a.at = in.CreatedAt.value.Time
		}
	}
	for _, f := range auditedFields {
		was, is := f.of(before), f.of(t)
		if was == is {
			continue
		}
		e := event{ID: d.newID(), Type: kind, Value: nullable(is), FieldName: f.name}
		if kind == "Change" {
			e.Previous = nullable(was)
		}
		a.events = append(a.events, e)
	}
	t.audits = append(t.audits[:len(t.audits):len(t.audits)], a)
}

func (d *Desk) newComment(in *commentIn, t *ticket) *comment {
	c := &comment{id: d.newID(), body: in.text(), html: in.HTMLBody.value, public: in.public(t.IsPublic)}
	for _, token := range in.Uploads {
		c.attachments = append(c.attachments, d.attach(token)...)
	}
	return c
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

var auditedFields = []struct {
	name string
	of   func(*ticket) string
}{
	{"subject", func(t *ticket) string { return t.Subject }},
	{"status", func(t *ticket) string { return t.Status }},
	{"priority", func(t *ticket) string { return deref(t.Priority) }},
	{"type", func(t *ticket) string { return deref(t.Type) }},
	{"external_id", func(t *ticket) string { return deref(t.ExternalID) }},
	{"requester_id", func(t *ticket) string { return idText(&t.RequesterID) }},
	{"assignee_id", func(t *ticket) string { return idText(t.AssigneeID) }},
	{"group_id", func(t *ticket) string { return idText(t.GroupID) }},
	{"organization_id", func(t *ticket) string { return idText(t.OrganizationID) }},
	{"tags", func(t *ticket) string { return strings.Join(t.Tags, " ") }},
}

func idText(id *uint64) string {
	if id == nil || *id == 0 {
		return ""
	}
	return strconv.FormatUint(*id, 10)
}

type commentJSON struct {
	ID          uint64           `json:"id"`
	Type        string           `json:"type"`
	AuthorID    uint64           `json:"author_id"`
	Body        string           `json:"body"`
	HTMLBody    string           `json:"html_body"`
	PlainBody   string           `json:"plain_body"`
	Public      bool             `json:"public"`
	Attachments []attachmentJSON `json:"attachments"`
	AuditID     uint64           `json:"audit_id"`
	Via         *via             `json:"via,omitempty"`
	CreatedAt   *time.Time       `json:"created_at,omitempty"`
	Metadata    *metadata        `json:"metadata,omitempty"`
}

type metadata struct {
	System struct{} `json:"system"`
	Custom anything `json:"custom"`
}

func (a *audit) metadataJSON() metadata {
	m := metadata{Custom: a.metadata}
	if len(m.Custom) == 0 {
		m.Custom = anything("{}")
	}
	return m
}

func (c *call) commentJSON(a *audit) commentJSON {
	body := a.comment.html
	if body == "" {
		body = `<div class="zd-comment" dir="auto">` + strings.ReplaceAll(html.EscapeString(a.comment.body), "\n", "<br>") + `</div>`
	}
	v := commentJSON{ID: a.comment.id, Type: "Comment", AuthorID: a.author, Body: a.comment.body, HTMLBody: body, PlainBody: a.comment.body, Public: a.comment.public, AuditID: a.id, Attachments: []attachmentJSON{}}
	for _, at := range a.comment.attachments {
		v.Attachments = append(v.Attachments, c.attachmentJSON(at))
	}
	return v
}

type auditJSON struct {
	ID        uint64    `json:"id"`
	TicketID  uint64    `json:"ticket_id"`
	CreatedAt time.Time `json:"created_at"`
	AuthorID  uint64    `json:"author_id"`
	Metadata  metadata  `json:"metadata"`
	Events    []any     `json:"events"`
	Via       via       `json:"via"`
}

func (c *call) auditJSON(a *audit) auditJSON {
	v := auditJSON{ID: a.id, TicketID: a.ticket, CreatedAt: a.at, AuthorID: a.author, Metadata: a.metadataJSON(), Via: a.via, Events: []any{}}
	if a.comment != nil {
		v.Events = append(v.Events, c.commentJSON(a))
	}
	for _, e := range a.events {
		v.Events = append(v.Events, e)
	}
	return v
}

// auditRow and commentRow put audits and comments into pages.
type auditRow struct {
	*audit
	c *call
}

func (r auditRow) key() uint64 { return r.id }

func (r auditRow) append(b []byte, _ string) []byte {
	return append(b, encode(r.c.auditJSON(r.audit))...)
}

type commentRow struct {
	*audit
	c *call
}

func (r commentRow) key() uint64 { return r.comment.id }

func (r commentRow) append(b []byte, _ string) []byte {
	v := r.c.commentJSON(r.audit)
	v.Via, v.CreatedAt, v.Metadata = &r.via, &r.at, new(r.metadataJSON())
	return append(b, encode(v)...)
}

func listComments(c *call) answer {
	t, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	var rows []commentRow
	for _, a := range t.audits {
		if a.comment != nil {
			rows = append(rows, commentRow{a, c})
		}
	}
	o := order[commentRow]{desc: c.param("sort_order") == "desc" || c.param("sort") == "-created_at"}
	return paginate(c, "comments", o.sort(rows), o, nil)
}

func countComments(c *call) answer {
	t, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	return counted(c, len(filter(t.audits, func(a *audit) bool { return a.comment != nil })))
}

func listAudits(c *call) answer {
	t, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	rows := make([]auditRow, len(t.audits))
	for i, a := range t.audits {
		rows[i] = auditRow{a, c}
	}
	return paginate(c, "audits", rows, order[auditRow]{}, nil)
}

func showAudit(c *call) answer {
	t, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	id, bad := c.id(1)
	if bad != nil {
		return *bad
	}
	for _, a := range t.audits {
		if a.id == id {
			return ok(encode(map[string]any{"audit": c.auditJSON(a)}))
		}
	}
	return *notFound()
}
