package desk

import (
	"cmp"
	"slices"
	"strings"
)

// tagRow is a tag and how many tickets carry it; rank is its place in the
// list, most used first.
type tagRow struct {
	rank  uint64
	name  string
	count int
}

func (r tagRow) key() uint64 { return r.rank }

func (r tagRow) append(b []byte, _ string) []byte {
	return append(b, encode(struct {
		Name  string `json:"name"`
		Count int    `json:"count"`
	}{r.name, r.count})...)
}

func (d *Desk) tagRows() []tagRow {
	counts := map[string]int{}
	for _, t := range d.tickets.sorted {
		for _, tag := range t.Tags {
			counts[tag]++
		}
	}
	rows := make([]tagRow, 0, len(counts))
	for name, n := range counts {
		rows = append(rows, tagRow{name: name, count: n})
	}
	slices.SortFunc(rows, func(a, b tagRow) int { return cmp.Or(cmp.Compare(b.count, a.count), strings.Compare(a.name, b.name)) })
	for i := range rows {
		rows[i].rank = uint64(i + 1)
	}
	return rows
}

func listTags(c *call) answer { return paginate(c, "tags", c.tagRows(), order[tagRow]{}, nil) }

func countTags(c *call) answer { return counted(c, len(c.tagRows())) }

func listTicketTags(c *call) answer {
	t, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	return ok(tagsBody(t))
}

func tagsBody(t *ticket) []byte { return encode(map[string][]string{"tags": t.Tags}) }

func setTicketTags(c *call) answer {
	a := c.retag(func(tags words) *ticketInput { return &ticketInput{Tags: given(tags)} })
	if a.status == 200 {
		a.status = 201
	}
	return a
}

func addTicketTags(c *call) answer {
	return c.retag(func(tags words) *ticketInput { return &ticketInput{AdditionalTags: tags} })
}

func removeTicketTags(c *call) answer {
	return c.retag(func(tags words) *ticketInput { return &ticketInput{RemoveTags: tags} })
}

// retag changes a ticket's tags by those in the body.
func (c *call) retag(change func(words) *ticketInput) answer {
	t, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	var in struct {
		Tags words `json:"tags"`
	}
	if bad := c.body(&in); bad != nil {
		return *bad
	}
	if bad := c.changeTicket(t, change(in.Tags), c.now); bad != nil {
		return *bad
	}
	return ok(tagsBody(t))
}
