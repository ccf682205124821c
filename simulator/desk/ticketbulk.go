package desk

import (
	"net/http"
	"time"
)

var (
	ticketsCreate = work{name: "Bulk Create Ticket", class: "TicketBulkCreateJob", fail: "TicketCreateFailed", message: "Creating ticket #%d", create: true}
	ticketsImport = work{name: "Bulk Import Ticket", class: "TicketBulkImportJob", fail: "TicketCreateFailed", message: "Creating ticket #%d", create: true}
	ticketsUpdate = work{name: "Bulk Update Ticket", class: "TicketBulkUpdateJobV3", fail: "TicketUpdateFailed", message: "Updating ticket #%d"}
	ticketsDelete = work{name: "Bulk Update Ticket", class: "TicketBulkUpdateJobV3", fail: "TicketUpdateFailed", message: "Deleting ticket #%d"} // named so live
	ticketsPurge  = work{name: "Bulk Permanently Delete Ticket", class: "TicketBulkPurgeJob", fail: "TicketNotFound", message: "Deleting tickets", whole: true}
	ticketsMerge  = work{name: "Ticket Merge", class: "TicketMergeJob", fail: "TicketUpdateFailed", message: "Merging ticket #%d"}
)

// bulkTickets reads {"tickets":[...]}, one to a hundred.
func (c *call) bulkTickets() ([]*ticketInput, *answer) {
	var in ticketBody
	if bad := c.body(&in); bad != nil {
		return nil, bad
	}
	return in.Tickets, bulk(in.Tickets, "tickets", tooManyValues)
}

// bulk checks the number of items, and puts an empty one where null was sent.
func bulk[T any](items []*T, name string, tooMany func() *answer) *answer {
	if len(items) == 0 {
		return missing(name)
	}
	if len(items) > maxBulk {
		return tooMany()
	}
	for i, item := range items {
		if item == nil {
			items[i] = new(T)
		}
	}
	return nil
}

func createManyTickets(c *call) answer {
	return c.beginTickets(ticketsCreate, c.makeTicket)
}

func importManyTickets(c *call) answer {
	return c.beginTickets(ticketsImport, c.importTicket)
}

type maker func(in *ticketInput, now time.Time, id func() uint64) (*ticket, *answer)

// beginTickets creates tickets in a job. Their ids are reserved in a block and
// given out in another order than the items', as live.
func (c *call) beginTickets(w work, create maker) answer {
	items, bad := c.bulkTickets()
	if bad != nil {
		return *bad
	}
	d := c.Desk
	first, places := d.nextTicket, d.random.Perm(len(items))
	a := c.begin(w, len(items), nil, func(i int, at time.Time) outcome {
		t, bad := create(items[i], at, func() uint64 { return first + uint64(places[i]) })
		if bad != nil {
			return failure(i, "TicketCreateFailed", 0, bad)
		}
		return outcome{Index: &i, ID: t.ID, AccountID: d.account}
	})
	if a.status == http.StatusOK {
		d.nextTicket += uint64(len(items))
	}
	return a
}

func importOneTicket(c *call) answer {
	var in ticketBody
	if bad := c.body(&in); bad != nil {
		return *bad
	}
	if in.Ticket == nil {
		return *missing("ticket")
	}
	t, bad := c.importTicket(in.Ticket, c.now, c.takeTicketID)
	if bad != nil {
		return *bad
	}
	return created(c.absolute(t.path()+".json"), single("ticket", c.Origin, t))
}

// importTicket is makeTicket with a past: its own times, and several comments.
func (d *Desk) importTicket(in *ticketInput, now time.Time, id func() uint64) (*ticket, *answer) {
	var rest []*commentIn
	for _, comment := range in.Comments {
		switch {
		case comment == nil:
		case in.Comment == nil && !in.Description.set:
			in.Comment = comment
		default:
			rest = append(rest, comment)
		}
	}
	t, bad := d.makeTicket(in, now, id)
	if bad != nil {
		return nil, bad
	}
	for _, comment := range rest {
		d.addAudit(t, t, comment, in, now, "Change")
	}
	if in.CreatedAt.set && !in.CreatedAt.null {
		t.CreatedAt = in.CreatedAt.value.Time
	}
	if in.UpdatedAt.set && !in.UpdatedAt.null {
		t.UpdatedAt = in.UpdatedAt.value.Time
	}
	return t, nil
}

// updateManyTickets has two forms: one change for ids=, or a change for each
// ticket named in the body.
func updateManyTickets(c *call) answer {
	if c.query().Has("ids") {
		return updateTicketsAlike(c)
	}
	items, bad := c.bulkTickets()
	if bad != nil {
		return *bad
	}
	d := c.Desk
	return c.begin(ticketsUpdate, len(items), func(i int) uint64 { return uint64(items[i].ID.value) }, func(i int, at time.Time) outcome {
		in := items[i]
		in.plainTags()
		if in.SafeUpdate != in.UpdatedStamp.set {
			return failure(i, "TicketUpdateFailed", uint64(in.ID.value), because("safe_update and updated_stamp must both be given"))
		}
		return d.updateItem(i, uint64(in.ID.value), in, at)
	})
}

// because is a reason that only a job's result shows.
func because(reason string) *answer { return &answer{reason: reason} }

// plainTags drops what only the form for ids= knows (zendesk-facts 5.1).
func (in *ticketInput) plainTags() { in.AdditionalTags, in.RemoveTags = nil, nil }

func updateTicketsAlike(c *call) answer {
	ids, bad := c.ids("ids")
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
	d, queued := c.Desk, c.now
	return c.begin(ticketsUpdate, len(ids), among(ids), func(i int, at time.Time) outcome {
		// Always a safe update: what changed since the job was queued stays.
		if t, found := d.tickets.get(ids[i]); found && !in.Ticket.UpdatedStamp.set && t.UpdatedAt.After(queued) {
			return failure(i, "TicketUpdateFailed", ids[i], because("Safe Update prevented the update due to outdated ticket data"))
		}
		return d.updateItem(i, ids[i], in.Ticket, at)
	})
}

func (d *Desk) updateItem(i int, id uint64, in *ticketInput, at time.Time) outcome {
	t, found := d.tickets.get(id)
	if !found {
		return failure(i, "TicketUpdateFailed", id, because("Ticket not found"))
	}
	if bad := d.changeTicket(t, in, at); bad != nil {
		return failure(i, "TicketUpdateFailed", id, bad)
	}
	return done("update", "Updated", id)
}

func destroyManyTickets(c *call) answer {
	return c.eachTicket(ticketsDelete, func(d *Desk, t *ticket, at time.Time) outcome {
		d.softDelete(t, at)
		return done("delete", "Deleted", t.ID)
	})
}

func spamManyTickets(c *call) answer {
	return c.eachTicket(ticketsUpdate, func(d *Desk, t *ticket, at time.Time) outcome {
		d.spam(t, at)
		return done("update", "Updated", t.ID)
	})
}

// spam suspends the requester and deletes the ticket.
func (d *Desk) spam(t *ticket, at time.Time) {
	if u, found := d.users.get(t.RequesterID); found && u.Role == "end-user" && !u.Suspended {
		u.Suspended = true
		d.userChanged(u, at)
		d.note("user", u.ID, "update")
	}
	d.softDelete(t, at)
}

// eachTicket runs a job over ids=.
func (c *call) eachTicket(w work, do func(*Desk, *ticket, time.Time) outcome) answer {
	ids, bad := c.ids("ids")
	if bad != nil {
		return *bad
	}
	d := c.Desk
	return c.begin(w, len(ids), among(ids), func(i int, at time.Time) outcome {
		t, found := d.tickets.get(ids[i])
		if !found {
			return failure(i, "TicketUpdateFailed", ids[i], because("Ticket not found"))
		}
		return do(d, t, at)
	})
}

func spamTicket(c *call) answer {
	t, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	c.spam(t, c.now)
	return ok([]byte(`{}`))
}

// mergeTickets closes the tickets named in the body into the one in the path.
func mergeTickets(c *call) answer {
	target, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	var in struct {
		IDs    []number `json:"ids"`
		Target string   `json:"target_comment"`
		Source string   `json:"source_comment"`
	}
	if bad := c.body(&in); bad != nil {
		return *bad
	}
	if len(in.IDs) == 0 {
		return *missing("ids")
	}
	if len(in.IDs) > maxBulk {
		return *tooManyValues()
	}
	d := c.Desk
	return c.begin(ticketsMerge, len(in.IDs), func(i int) uint64 { return uint64(in.IDs[i]) }, func(i int, at time.Time) outcome {
		return d.mergeItem(i, uint64(in.IDs[i]), target.ID, in.Source, in.Target, at)
	})
}

func (d *Desk) mergeItem(i int, from, into uint64, source, target string, at time.Time) outcome {
	closed := &ticketInput{Status: given("closed"), AdditionalTags: words{"closed_by_merge"}, Comment: &commentIn{Body: given(source)}}
	r := d.updateItem(i, from, closed, at)
	if t, found := d.tickets.get(into); found && r.Success && i == 0 && target != "" {
		if bad := d.changeTicket(t, &ticketInput{Comment: &commentIn{Body: given(target)}}, at); bad != nil {
			return failure(i, "TicketUpdateFailed", into, bad)
		}
	}
	return r
}

// among names items by a list of ids.
func among(ids []uint64) func(int) uint64 { return func(i int) uint64 { return ids[i] } }

func given[T any](v T) opt[T] { return opt[T]{set: true, value: v} }
