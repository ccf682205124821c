package desk

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ticket has the fields seen live (zendesk-facts 10) but for url, which
// depends on the origin.
type ticket struct {
	ID                   uint64        `json:"id"`
	ExternalID           *string       `json:"external_id"`
	Via                  via           `json:"via"`
	CreatedAt            time.Time     `json:"created_at"`
	UpdatedAt            time.Time     `json:"updated_at"`
	Generated            int64         `json:"generated_timestamp"`
	Type                 *string       `json:"type"`
	Subject              string        `json:"subject"`
	RawSubject           string        `json:"raw_subject"`
	Description          string        `json:"description"`
	Priority             *string       `json:"priority"`
	Status               string        `json:"status"`
	Recipient            *string       `json:"recipient"`
	RequesterID          uint64        `json:"requester_id"`
	SubmitterID          uint64        `json:"submitter_id"`
	AssigneeID           *uint64       `json:"assignee_id"`
	OrganizationID       *uint64       `json:"organization_id"`
	GroupID              *uint64       `json:"group_id"`
	CollaboratorIDs      []uint64      `json:"collaborator_ids"`
	FollowerIDs          []uint64      `json:"follower_ids"`
	EmailCCIDs           []uint64      `json:"email_cc_ids"`
	ForumTopicID         *uint64       `json:"forum_topic_id"`
	ProblemID            *uint64       `json:"problem_id"`
	HasIncidents         bool          `json:"has_incidents"`
	IsPublic             bool          `json:"is_public"`
	DueAt                *time.Time    `json:"due_at"`
	Tags                 []string      `json:"tags"`
	CustomFields         []customField `json:"custom_fields"`
	SatisfactionRating   *struct{}     `json:"satisfaction_rating"`
	SharingAgreementIDs  []uint64      `json:"sharing_agreement_ids"`
	CustomStatusID       *uint64       `json:"custom_status_id"`
	Fields               []customField `json:"fields"` // a copy of CustomFields
	FollowupIDs          []uint64      `json:"followup_ids"`
	TicketFormID         *uint64       `json:"ticket_form_id"`
	BrandID              *uint64       `json:"brand_id"`
	AllowChannelback     bool          `json:"allow_channelback"`
	AllowAttachments     bool          `json:"allow_attachments"`
	FromMessagingChannel bool          `json:"from_messaging_channel"`

	audits   []*audit
	previous string // status before the ticket was deleted
	json     cached
	shown    shown
}

type via struct {
	Channel string    `json:"channel"`
	Source  viaSource `json:"source"`
}

type viaSource struct {
	From struct{} `json:"from"`
	To   struct{} `json:"to"`
	Rel  *string  `json:"rel"`
}

type customField struct {
	ID    uint64          `json:"id"`
	Value json.RawMessage `json:"value"`
}

// shown is the whole answer to the show call, kept until the record changes.
type shown struct {
	origin, etag string
	body         []byte
}

func (t *ticket) key() uint64 { return t.ID }

func (t *ticket) append(b []byte, origin string) []byte {
	return t.json.append(b, origin, func() (string, []byte) {
		t.Fields = t.CustomFields
		return "/api/v2/tickets/" + strconv.FormatUint(t.ID, 10), encode(t)
	})
}

// changed must be called after a change to the ticket, with the lock held.
func (d *Desk) ticketChanged(t *ticket, now time.Time) {
	t.UpdatedAt, t.Generated = now, now.Unix()
	t.json.forget()
	t.shown = shown{}
	d.byChange.tickets, d.byChange.events = nil, nil
}

func showTicket(c *call) answer {
	t, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	if c.param("include") != "" {
		return ok(append(sideload(c, single("ticket", c.Origin, t), []*ticket{t}), '}'))
	}
	if t.shown.origin != c.Origin {
		body := single("ticket", c.Origin, t)
		t.shown = shown{origin: c.Origin, body: body, etag: etagOf(body)}
	}
	return answer{status: 200, body: t.shown.body, etag: t.shown.etag}
}

// ticket finds the ticket that the path's n-th placeholder names.
func (c *call) ticket(n int) (*ticket, *answer) {
	id, bad := c.id(n)
	if bad != nil {
		return nil, bad
	}
	t, ok := c.tickets.get(id)
	if !ok {
		return nil, notFound()
	}
	return t, nil
}

func listTickets(c *call) answer { return ticketPage(c, c.tickets.sorted) }

// ticketPage answers with a list of tickets, given by rising id.
func ticketPage(c *call, rows []*ticket) answer {
	if id := c.param("external_id"); id != "" {
		rows = slices.DeleteFunc(slices.Clone(rows), func(t *ticket) bool { return t.ExternalID == nil || *t.ExternalID != id })
	}
	o, bad := ticketOrder(c)
	if bad != nil {
		return *bad
	}
	return paginate(c, "tickets", o.sort(rows), o, c.sideloads())
}

// ticketOrder reads the sorting: sort= under cursor paging, limited to a few
// keys; sort_by= and sort_order= otherwise (zendesk-facts 6).
func ticketOrder(c *call) (order[*ticket], *answer) {
	keys := map[string]func(*ticket) int64{
		"id":         nil,
		"status":     func(t *ticket) int64 { return int64(slices.Index(statuses, t.Status)) },
		"updated_at": func(t *ticket) int64 { return t.UpdatedAt.Unix() },
	}
	o := order[*ticket]{name: "nice_id"}
	if byCursor(c.query()) {
		name, desc := strings.CutPrefix(c.param("sort"), "-")
		by, known := keys[cmp.Or(name, "id")]
		if !known {
			return o, badPage("sort is not valid")
		}
		if name != "" && name != "id" {
			o.name = name + ",nice_id"
		}
		o.by, o.desc = by, desc
		return o, nil
	}
	keys["created_at"] = func(t *ticket) int64 { return t.CreatedAt.Unix() }
	keys["priority"] = func(t *ticket) int64 { return int64(slices.Index(priorities, deref(t.Priority))) }
	o.by, o.desc = keys[c.param("sort_by")], c.param("sort_order") == "desc"
	return o, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func countTickets(c *call) answer { return counted(c, len(c.tickets.sorted)) }

func showManyTickets(c *call) answer {
	ids, bad := c.ids("ids")
	if bad != nil {
		return *bad
	}
	return showMany(c, "tickets", c.tickets.pick(ids), c.sideloads())
}

func recentTickets(c *call) answer {
	rows := order[*ticket]{by: func(t *ticket) int64 { return t.UpdatedAt.Unix() }, desc: true}.sort(c.tickets.sorted)
	return offsetPage(c, "tickets", rows[:min(5, len(rows))], c.sideloads())
}

// ticketsWhere is the list of the tickets that the record named in the path
// picks.
func (c *call) ticketsWhere(exists func(id uint64) bool, picks func(t *ticket, id uint64) bool) answer {
	id, bad := c.id(0)
	if bad != nil {
		return *bad
	}
	if !exists(id) {
		return *notFound()
	}
	return ticketPage(c, filter(c.tickets.sorted, func(t *ticket) bool { return picks(t, id) }))
}

func filter[T any](rows []T, keep func(T) bool) []T {
	var kept []T
	for _, r := range rows {
		if keep(r) {
			kept = append(kept, r)
		}
	}
	return kept
}

func (d *Desk) isUser(id uint64) bool { _, ok := d.users.get(id); return ok }

func (d *Desk) isOrganization(id uint64) bool { _, ok := d.organizations.get(id); return ok }

func organizationTickets(c *call) answer {
	return c.ticketsWhere(c.isOrganization, func(t *ticket, id uint64) bool { return is(t.OrganizationID, id) })
}

func requestedTickets(c *call) answer {
	return c.ticketsWhere(c.isUser, func(t *ticket, id uint64) bool { return t.RequesterID == id })
}

func assignedTickets(c *call) answer {
	return c.ticketsWhere(c.isUser, func(t *ticket, id uint64) bool { return is(t.AssigneeID, id) })
}

func ccdTickets(c *call) answer {
	return c.ticketsWhere(c.isUser, func(t *ticket, id uint64) bool { return slices.Contains(t.EmailCCIDs, id) })
}

func followedTickets(c *call) answer {
	return c.ticketsWhere(c.isUser, func(t *ticket, id uint64) bool { return slices.Contains(t.FollowerIDs, id) })
}

func is(id *uint64, want uint64) bool { return id != nil && *id == want }
