package desk

import (
	"time"
)

// deletedRow is a deleted ticket as its list shows it.
type deletedRow struct {
	*ticket
	d *Desk
}

func (r deletedRow) append(b []byte, _ string) []byte {
	actor := r.d.users.sorted[0]
	return append(b, encode(map[string]any{
		"id": r.ID, "subject": r.Subject, "description": r.Description, "deleted_at": r.UpdatedAt, "previous_state": r.previous,
		"actor": map[string]any{"id": actor.ID, "name": actor.Name},
	})...)
}

func listDeleted(c *call) answer {
	rows := make([]deletedRow, len(c.deleted.sorted))
	for i, t := range c.deleted.sorted {
		rows[i] = deletedRow{t, c.Desk}
	}
	return paginate(c, "deleted_tickets", rows, order[deletedRow]{}, nil)
}

func countDeleted(c *call) answer { return counted(c, len(c.deleted.sorted)) }

func purgeTicket(c *call) answer {
	id, bad := c.id(0)
	if bad != nil {
		return *bad
	}
	if _, found := c.deleted.get(id); !found {
		return *notFound()
	}
	return c.purge([]uint64{id})
}

func purgeManyTickets(c *call) answer {
	ids, bad := c.ids("ids")
	if bad != nil {
		return *bad
	}
	return c.purge(ids)
}

// purge deletes for good, in a job whose result is one object.
func (c *call) purge(ids []uint64) answer {
	d := c.Desk
	return c.begin(ticketsPurge, len(ids), among(ids), func(i int, _ time.Time) outcome {
		if _, found := d.deleted.get(ids[i]); !found {
			return failure(i, "TicketNotFound", ids[i], because("Ticket not found"))
		}
		d.deleted.drop(ids[i])
		d.byChange.tickets, d.byChange.events = nil, nil
		d.note("ticket", ids[i], "delete")
		return done("delete", "Deleted", ids[i])
	})
}

func restoreTicket(c *call) answer {
	id, bad := c.id(0)
	if bad != nil {
		return *bad
	}
	t, found := c.deleted.get(id)
	if !found {
		return *notFound()
	}
	c.restore(t)
	return ok([]byte(`{}`))
}

func restoreManyTickets(c *call) answer {
	ids, bad := c.ids("ids")
	if bad != nil {
		return *bad
	}
	for _, t := range c.deleted.pick(ids) {
		c.restore(t)
	}
	return ok([]byte(`{}`))
}

func (c *call) restore(t *ticket) {
	c.deleted.drop(t.ID)
	t.Status = t.previous
	c.tickets.put(t)
	c.ticketChanged(t, c.now)
	c.note("ticket", t.ID, "update")
}
