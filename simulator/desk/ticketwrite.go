package desk

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

var (
	statuses   = []string{"new", "open", "pending", "hold", "solved", "closed"}
	priorities = []string{"low", "normal", "high", "urgent"}
	types      = []string{"problem", "incident", "question", "task"}
)

// ticketInput is what a caller may send about a ticket.
type ticketInput struct {
	ID              opt[number]   `json:"id"`
	ExternalID      opt[string]   `json:"external_id"`
	Type            opt[string]   `json:"type"`
	Subject         opt[string]   `json:"subject"`
	RawSubject      opt[string]   `json:"raw_subject"`
	Description     opt[string]   `json:"description"`
	Comment         *commentIn    `json:"comment"`
	Comments        []*commentIn  `json:"comments"` // imports only
	Priority        opt[string]   `json:"priority"`
	Status          opt[string]   `json:"status"`
	Recipient       opt[string]   `json:"recipient"`
	Requester       *requesterIn  `json:"requester"`
	RequesterID     opt[number]   `json:"requester_id"`
	SubmitterID     opt[number]   `json:"submitter_id"`
	AssigneeID      opt[number]   `json:"assignee_id"`
	AssigneeEmail   opt[string]   `json:"assignee_email"`
	OrganizationID  opt[number]   `json:"organization_id"`
	GroupID         opt[number]   `json:"group_id"`
	CollaboratorIDs opt[[]number] `json:"collaborator_ids"`
	ProblemID       opt[number]   `json:"problem_id"`
	DueAt           opt[moment]   `json:"due_at"`
	Tags            opt[words]    `json:"tags"`
	AdditionalTags  words         `json:"additional_tags"`
	RemoveTags      words         `json:"remove_tags"`
	CustomFields    []customIn    `json:"custom_fields"`
	Fields          []customIn    `json:"fields"`
	CustomStatusID  opt[number]   `json:"custom_status_id"`
	TicketFormID    opt[number]   `json:"ticket_form_id"`
	BrandID         opt[number]   `json:"brand_id"`
	CreatedAt       opt[moment]   `json:"created_at"` // imports only
	UpdatedAt       opt[moment]   `json:"updated_at"` // imports only
	SafeUpdate      bool          `json:"safe_update"`
	UpdatedStamp    opt[moment]   `json:"updated_stamp"`
	Metadata        opt[anything] `json:"metadata"`
}

type requesterIn struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

type customIn struct {
	ID    number   `json:"id"`
	Value anything `json:"value"`
}

type ticketBody struct {
	Ticket  *ticketInput   `json:"ticket"`
	Tickets []*ticketInput `json:"tickets"`
}

func createTicket(c *call) answer {
	return c.once(func() answer {
		var in ticketBody
		if bad := c.body(&in); bad != nil {
			return *bad
		}
		if in.Ticket == nil {
			return *missing("ticket")
		}
		t, bad := c.makeTicket(in.Ticket, c.now, c.takeTicketID)
		if bad != nil {
			return *bad
		}
		fresh := *t
		fresh.Generated, fresh.json = 0, cached{} // as recorded in answers to a create
		return created(c.absolute(t.path()+".json"), c.withAudit(&fresh))
	})
}

func (t *ticket) path() string { return "/api/v2/tickets/" + strconv.FormatUint(t.ID, 10) }

// missing refuses a body without the object it is about.
func missing(name string) *answer {
	return titled(http.StatusBadRequest, "Invalid attribute", "You passed an invalid value for the "+name+" attribute. Invalid parameter: "+name+" is required")
}

func (c *call) withAudit(t *ticket) []byte {
	b := single("ticket", c.Origin, t)
	b = append(b[:len(b)-1], `,"audit":`...)
	b = append(b, encode(c.auditJSON(t.audits[len(t.audits)-1]))...)
	return append(b, '}')
}

func updateTicket(c *call) answer {
	t, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	var in ticketBody
	if bad := c.body(&in); bad != nil {
		return *bad
	}
	if in.Ticket == nil {
		return *missing("ticket")
	}
	in.Ticket.plainTags()
	if bad := c.changeTicket(t, in.Ticket, c.now); bad != nil {
		return *bad
	}
	return ok(c.withAudit(t))
}

func (d *Desk) takeTicketID() uint64 {
	id := d.nextTicket
	d.nextTicket++
	return id
}

// makeTicket creates a ticket; id is asked for one only if the input is valid.
func (d *Desk) makeTicket(in *ticketInput, now time.Time, id func() uint64) (*ticket, *answer) {
	comment := in.firstComment()
	if comment == nil || comment.blank() {
		return nil, recordInvalid(problem{"base", "Description: cannot be blank", "BlankValue"})
	}
	admin := d.admin()
	t := &ticket{Status: "new", IsPublic: comment.public(true), AllowAttachments: true, Via: via{Channel: "api"}, RequesterID: admin, SubmitterID: admin}
	t.empty()
	if bad := d.applyTicket(t, in, now); bad != nil {
		return nil, bad
	}
	t.ID = id()
	t.CreatedAt = now
	t.Description = comment.text()
	if !in.OrganizationID.set {
		if u, ok := d.users.get(t.RequesterID); ok {
			t.OrganizationID = u.OrganizationID
		}
	}
	if t.Status == "new" && t.AssigneeID != nil {
		t.Status = "open"
	}
	before := &ticket{}
	d.tickets.put(t)
	d.addAudit(t, before, comment, in, now, "Create")
	d.ticketChanged(t, now)
	d.noteCreate("ticket", t.ID, t.Subject+"\x00"+t.Description)
	return t, nil
}

// empty gives the ticket's lists their empty form.
func (t *ticket) empty() {
	t.CollaboratorIDs, t.FollowerIDs, t.EmailCCIDs = []uint64{}, []uint64{}, []uint64{}
	t.SharingAgreementIDs, t.FollowupIDs = []uint64{}, []uint64{}
	t.Tags, t.CustomFields = []string{}, []customField{}
}

func (in *ticketInput) firstComment() *commentIn {
	if in.Comment == nil && in.Description.set {
		return &commentIn{Body: in.Description}
	}
	return in.Comment
}

// changeTicket updates a ticket, or says why not and leaves it as it was.
func (d *Desk) changeTicket(t *ticket, in *ticketInput, now time.Time) *answer {
	if t.Status == "closed" {
		return recordInvalid(problem{"status", "Status: closed prevents ticket update", "InvalidValue"})
	}
	if in.SafeUpdate && in.UpdatedStamp.set && !in.UpdatedStamp.value.Equal(t.UpdatedAt) {
		return fail(http.StatusConflict, "UpdateConflict", "Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data and try again.")
	}
	before := *t
	after := *t
	if bad := d.applyTicket(&after, in, now); bad != nil {
		return bad
	}
	audits := t.audits
	*t = after
	t.audits = audits
	d.addAudit(t, &before, in.Comment, in, now, "Change")
	d.ticketChanged(t, now)
	d.note("ticket", t.ID, "update")
	return nil
}

// applyTicket puts the input into the ticket, whose slices it replaces and
// never changes.
func (d *Desk) applyTicket(t *ticket, in *ticketInput, now time.Time) *answer {
	if bad := d.checkTicket(in); bad != nil {
		return bad
	}
	in.ExternalID.into(&t.ExternalID)
	in.RawSubject.over(&t.Subject)
	in.Subject.over(&t.Subject)
	t.RawSubject = t.Subject
	in.Type.into(&t.Type)
	in.Priority.into(&t.Priority)
	in.Status.over(&t.Status)
	in.Recipient.into(&t.Recipient)
	reference(in.AssigneeID, &t.AssigneeID)
	reference(in.OrganizationID, &t.OrganizationID)
	reference(in.GroupID, &t.GroupID)
	reference(in.ProblemID, &t.ProblemID)
	reference(in.CustomStatusID, &t.CustomStatusID)
	reference(in.TicketFormID, &t.TicketFormID)
	reference(in.BrandID, &t.BrandID)
	if in.DueAt.set {
		t.DueAt = nil
		if !in.DueAt.null {
			t.DueAt = &in.DueAt.value.Time
		}
	}
	d.applyPeople(t, in, now)
	if in.CollaboratorIDs.set {
		t.CollaboratorIDs = plainIDs(in.CollaboratorIDs.value)
	}
	applyTags(t, in)
	applyCustom(t, slices.Concat(in.Fields, in.CustomFields))
	return nil
}

func (d *Desk) applyPeople(t *ticket, in *ticketInput, now time.Time) {
	if in.RequesterID.set && in.RequesterID.value != 0 {
		t.RequesterID = uint64(in.RequesterID.value)
	}
	if r := in.Requester; r != nil && (r.Email != "" || r.Name != "") {
		t.RequesterID = d.requester(r, now).ID
	}
	if in.SubmitterID.set && in.SubmitterID.value != 0 {
		t.SubmitterID = uint64(in.SubmitterID.value)
	}
	if u := d.emails[emailKey(in.AssigneeEmail.value)]; u != nil {
		t.AssigneeID = &u.ID
	}
}

func plainIDs(in []number) []uint64 {
	ids := make([]uint64, len(in))
	for i, n := range in {
		ids[i] = uint64(n)
	}
	return ids
}

func applyTags(t *ticket, in *ticketInput) {
	if in.Tags.set {
		t.Tags = tagSet(in.Tags.value)
	}
	if len(in.AdditionalTags) > 0 {
		t.Tags = tagSet(slices.Concat(t.Tags, in.AdditionalTags))
	}
	if len(in.RemoveTags) > 0 {
		t.Tags = slices.DeleteFunc(slices.Clone(t.Tags), func(tag string) bool { return slices.Contains(in.RemoveTags, tag) })
	}
}

func applyCustom(t *ticket, in []customIn) {
	if len(in) == 0 {
		return
	}
	fields := slices.Clone(t.CustomFields)
	for _, f := range in {
		field := customField{ID: uint64(f.ID), Value: encode(f.Value)}
		if i := slices.IndexFunc(fields, func(have customField) bool { return have.ID == field.ID }); i >= 0 {
			fields[i] = field
		} else {
			fields = append(fields, field)
		}
	}
	t.CustomFields = fields
}

// checkTicket finds what Zendesk would not accept.
func (d *Desk) checkTicket(in *ticketInput) *answer {
	var found []problem
	oneOf := func(field, title string, o opt[string], allowed []string) {
		if o.set && !o.null && !slices.Contains(allowed, o.value) {
			found = append(found, problem{field, fmt.Sprintf("%s: %s is not included in the list", title, o.value), "InclusionError"})
		}
	}
	oneOf("status", "Status", in.Status, statuses)
	oneOf("priority", "Priority", in.Priority, priorities)
	oneOf("type", "Type", in.Type, types)
	known := func(field, title string, o opt[number], exists func(uint64) bool) {
		if id := uint64(o.value); o.set && id != 0 && !exists(id) {
			found = append(found, problem{field, title + ": is invalid", "InvalidValue"})
		}
	}
	known("requester", "Requester", in.RequesterID, d.isUser)
	known("submitter", "Submitter", in.SubmitterID, d.isUser)
	known("assignee", "Assignee", in.AssigneeID, d.isUser)
	known("organization", "Organization", in.OrganizationID, d.isOrganization)
	known("group", "Group", in.GroupID, func(id uint64) bool { _, ok := d.groups.get(id); return ok })
	if found != nil {
		return recordInvalid(found...)
	}
	return nil
}

// tagSet is the tags each once, sorted, as Zendesk keeps them.
func tagSet(tags []string) []string {
	set := []string{}
	for _, tag := range tags {
		if tag != "" {
			set = append(set, tag)
		}
	}
	slices.Sort(set)
	return slices.Compact(set)
}

func deleteTicket(c *call) answer {
	t, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	c.softDelete(t, c.now)
	return noContent()
}

// softDelete moves a ticket to the deleted ones.
func (d *Desk) softDelete(t *ticket, now time.Time) {
	d.tickets.drop(t.ID)
	d.deleted.put(t)
	t.previous, t.Status = t.Status, "deleted"
	d.ticketChanged(t, now)
	d.note("ticket", t.ID, "delete")
}
