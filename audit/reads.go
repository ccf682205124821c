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
// how it came after the others.
func (g *group) join(m *moment, id uint64, most int) (place int, how string) {
	late := m.since(g.last) > together && m.since(g.end) > together
	if g.n == 0 || late || g.n >= most {
		*g = group{ids: g.ids[:0]}
	}
	if id != 0 && slices.Contains(g.ids, id) {
		return 0, ""
	}
	switch how = inARow; {
	case m.At.Add(m.Blur).Before(g.end):
		how = atOnce
	case m.Blur > 0:
		how = notTold
	}
	g.n++
	g.ids = append(g.ids, id)
	g.last = m.At
	if m.end().After(g.end) {
		g.end = m.end()
	}
	return g.n, how
}

const (
	atOnce  = "under way at once"
	inARow  = "one after another"
	notTold = "at once or one after another, its times are too coarse to tell"
)

// reads finds single reads that are one show_many.
type reads struct {
	waste  *waste
	groups *recent[group]
}

func newReads(a *Audit) *reads {
	return &reads{waste: a.waste(Reads), groups: newRecent[group](Reads, mostGroups, together)}
}

func (r *reads) take(m *moment) {
	form, id := m.audit.provider.SingleRead(&m.audit.request)
	if form == nil || m.Status != 200 && m.Status != 404 {
		return
	}
	g, _ := r.groups.get(mix(m.who, form.Class), m.instant())
	if place, how := g.join(m, id, form.Most); place > 1 {
		r.waste.spare(m, how, ", soon after other reads of its kind")
	}
}

func (r *reads) end()               {}
func (r *reads) memories() []memory { return []memory{r.groups} }
