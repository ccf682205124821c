package desk

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

var (
	firstNames = strings.Fields("Ada Bela Chiara Dmitri Elif Femi Grete Hana Ibrahim Jonas Keiko Lucia Mateo Noor Olga Priya Quentin Rosa Samir Tova Uma Viktor Wanda Ximena Yusuf Zofia")
	lastNames  = strings.Fields("Abebe Brandt Castillo Dubois Eriksen Farkas Garcia Hoffmann Ivanov Jansen Kowalski Lindqvist Moreau Nakamura Okafor Petrov Quispe Rossi Santos Tanaka Ueda Varga Weber Xu Yilmaz Zhang")
	things     = []string{"invoice", "password reset", "order", "delivery", "refund", "login", "subscription", "app", "export", "webhook", "printer", "account"}
	troubles   = []string{"does not arrive", "fails with an error", "is late", "shows the wrong amount", "stopped working", "asks for a second factor", "is missing", "cannot be changed"}
	tagNames   = strings.Fields("billing bug feature mobile vip api shipping refund login churn_risk german spanish")
	trades     = strings.Fields("Logistics Foods Travel Software Energy Textiles Media Robotics Pharma Insurance")
	teams      = []string{"Support", "Billing", "Engineering", "Sales"}
)

func (d *Desk) seed(now time.Time) {
	start := now.Add(-365 * 24 * time.Hour)
	d.seedGroups(start)
	d.seedOrganizations(start)
	d.seedUsers(start)
	d.seedFields(start)
	d.seedViews(start)
	d.seedTickets(now)
	d.seedHelpCenter(start)
	d.changed = nil
}

func oneOf[T any](d *Desk, list []T) T { return list[d.random.IntN(len(list))] }

func (d *Desk) seedGroups(at time.Time) {
	for i, name := range teams {
		d.groups.put(&group{ID: d.newID(), IsPublic: true, Name: name, Default: i == 0, CreatedAt: at, UpdatedAt: at})
	}
}

func (d *Desk) seedOrganizations(start time.Time) {
	for i := range d.options.Organizations {
		at := start.Add(time.Duration(d.random.IntN(300*24)) * time.Hour)
		name := fmt.Sprintf("%s %s %d", lastNames[i%len(lastNames)], oneOf(d, trades), i+1)
		o := newOrganization(d.newID(), name, at)
		o.ExternalID = new(fmt.Sprintf("org-%d", i+1))
		o.DomainNames = []string{strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".example"}
		d.organizations.put(o)
	}
}

// seedUsers makes the administrator first, then one agent for every twenty.
func (d *Desk) seedUsers(start time.Time) {
	for i := range max(1, d.options.Users) {
		first, last := oneOf(d, firstNames), oneOf(d, lastNames)
		u := newUser(d.newID(), first+" "+last, start.Add(time.Duration(d.random.IntN(300*24))*time.Hour))
		u.Email = new(fmt.Sprintf("%s.%s.%d@example.com", strings.ToLower(first), strings.ToLower(last), i+1))
		u.ExternalID, u.Verified = new(fmt.Sprintf("user-%d", i+1)), true
		switch {
		case i == 0:
			u.Role, u.Email, u.RoleType = "admin", new("admin@example.com"), new(4)
		case i%20 == 1:
			u.Role, u.RoleType = "agent", new(0)
		case len(d.organizations.sorted) > 0:
			u.OrganizationID = &oneOf(d, d.organizations.sorted).ID
		}
		if u.Role != "end-user" {
			u.DefaultGroupID = &oneOf(d, d.groups.sorted).ID
		}
		d.addUser(u)
	}
}

func (d *Desk) seedFields(at time.Time) {
	for i, kind := range []string{"subject", "description", "status", "tickettype", "priority", "group", "assignee", "tagger", "text"} {
		title := strings.ToUpper(kind[:1]) + kind[1:]
		own := kind == "tagger" || kind == "text"
		d.fields.put(&ticketField{
			ID: d.newID(), Type: kind, Title: title, RawTitle: title, Description: title + " of the ticket", RawDescription: title + " of the ticket",
			Position: i + 1, Active: true, TitleInPortal: title, RawTitleInPortal: title, VisibleInPortal: true, EditableInPortal: own,
			CreatedAt: at, UpdatedAt: at, Removable: own,
		})
	}
}

// seedTickets makes tickets whose times rise with their ids, the last an hour
// ago at least.
func (d *Desk) seedTickets(now time.Time) {
	n := d.options.Tickets
	agents := filter(d.users.sorted, func(u *user) bool { return u.Role != "end-user" })
	field := d.fields.sorted[len(d.fields.sorted)-1].ID
	for i := range n {
		created := now.Add(-time.Duration(n-i) * (364 * 24 * time.Hour) / time.Duration(n+1)).Add(-time.Hour).Truncate(time.Second)
		d.seedTicket(created, oneOf(d, agents), field)
	}
}

func (d *Desk) seedTicket(at time.Time, agent *user, field uint64) {
	requester := oneOf(d, d.users.sorted)
	t := &ticket{
		ID: d.takeTicketID(), Status: oneOf(d, statuses[:5]), Via: via{Channel: "email"}, IsPublic: true, AllowAttachments: true,
		CreatedAt: at, UpdatedAt: at.Add(time.Duration(d.random.IntN(3600)) * time.Second), RequesterID: requester.ID, SubmitterID: requester.ID,
		OrganizationID: requester.OrganizationID, GroupID: &oneOf(d, d.groups.sorted).ID, Priority: new(oneOf(d, priorities)), Type: new(oneOf(d, types)),
	}
	t.empty()
	t.Generated = t.UpdatedAt.Unix()
	thing := oneOf(d, things)
	t.Subject = fmt.Sprintf("%s %s (%d)", strings.ToUpper(thing[:1])+thing[1:], oneOf(d, troubles), t.ID)
	t.RawSubject = t.Subject
	t.Description = fmt.Sprintf("Hello,\n\nour %s %s since this morning. Can you help?\n\n%s", thing, oneOf(d, troubles), requester.Name)
	if t.Status != "new" {
		t.AssigneeID = &agent.ID
	}
	for range d.random.IntN(4) {
		t.Tags = append(t.Tags, oneOf(d, tagNames))
	}
	slices.Sort(t.Tags)
	t.Tags = slices.Compact(t.Tags)
	t.CustomFields = []customField{{ID: field, Value: []byte("null")}}
	t.audits = []*audit{{id: d.newID(), ticket: t.ID, author: requester.ID, at: at, via: t.Via, comment: &comment{id: d.newID(), body: t.Description, public: true}}}
	d.tickets.put(t)
}
