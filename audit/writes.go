package audit

// jobCost is what a job costs: the call that starts it, and three that ask
// what became of it.
const jobCost = 4

// writes finds single writes that are one job.
type writes struct {
	waste  *waste
	groups *recent[group]
}

func newWrites(a *Audit) *writes {
	return &writes{waste: a.waste(Writes), groups: newRecent[group](Writes, mostGroups, together)}
}

func (w *writes) take(m *moment) {
	form, id := m.audit.provider.SingleWrite(&m.audit.request)
	if form == nil || m.Status >= 300 {
		return
	}
	if len(m.Sent) > 0 {
		if _, ok := m.audit.provider.WriteItem(form, id, m.Sent); !ok {
			return // what it says has no place in a job
		}
	}
	g, _ := w.groups.get(mix(m.who, form.Class), m.instant())
	if place, how := g.join(m, id, form.Most); place > jobCost {
		w.waste.spare(m, how, ", soon after other writes of its kind")
	}
}

func (w *writes) end()               {}
func (w *writes) memories() []memory { return []memory{w.groups} }
