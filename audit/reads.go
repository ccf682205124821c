package audit

import (
	"slices"
	"time"
)

const (
	// mostGroups bounds the callers whose present group is remembered.
	mostGroups = 10_000
	// together is how long after the one before a call still belongs to its
	// group: what a client asks so soon it could have asked at once.
	together = 2 * time.Second
)

// A group is calls of one caller that one call for many would answer.
type group struct {
	ids  []uint64
	last time.Time // begin of the latest
	end  time.Time // latest end
	n    int
}

// join adds a call on an object to the group, or begins another. It reports
// the call's place in its group, 0 when the group has the object already, and
// whether the call was under way at once with another.
func (g *group) join(m *moment, id uint64, most int) (place int, overlaps bool) {
	late := m.since(g.last) > together && m.since(g.end) > together
	if g.n == 0 || late || g.n >= most {
		*g = group{ids: g.ids[:0]}
	}
	if id != 0 && slices.Contains(g.ids, id) {
		return 0, false
	}
	overlaps = g.n > 0 && m.At.Before(g.end)
	g.n++
	g.ids = append(g.ids, id)
	g.last = m.At
	if m.end().After(g.end) {
		g.end = m.end()
	}
	return g.n, overlaps
}

const (
	atOnce = "under way at once"
	inARow = "one after another"
)

// reads finds single reads that are one show_many.
type reads struct {
	waste  *waste
	groups *recent[group]
}

func newReads(a *Audit) *reads {
	return &reads{waste: a.waste(Reads), groups: newRecent[group](mostGroups)}
}

func (r *reads) take(m *moment) {
	form, id := m.audit.provider.SingleRead(&m.audit.request)
	if form == nil || m.Status != 200 && m.Status != 404 {
		return
	}
	g, _ := r.groups.get(mix(m.who, form.Class))
	switch place, overlaps := g.join(m, id, form.Most); {
	case place < 2:
	case overlaps:
		r.waste.spare(m, atOnce, ", under way at once with other reads of its kind")
	default:
		r.waste.spare(m, inARow, ", right after other reads of its kind")
	}
}

func (r *reads) end()           {}
func (r *reads) forgotten() int { return r.groups.forgotten }
