package audit

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

const (
	// mostClients bounds the clients told apart by name; further ones are
	// counted together.
	mostClients  = 1000
	otherClients = "all other clients"
	mostHosts    = 100
)

// waited are flyball's reasons to refuse a call that more room under the limits
// would have spared it; the others say that the request was no good, or that
// the gateway was ending.
var waited = map[string]bool{"wait-too-long": true, "queue-full": true}

// traffic counts the calls: when, of what kind, by whom.
type traffic struct {
	o            Options
	from, to     time.Time
	calls, sends int
	refused      int
	turned       map[string]int // calls that flyball refused, by why
	held         int            // calls that flyball held for a second or more
	longest      time.Duration
	sampled      bool
	standFor     float64 // sends that those of the sample stand for

	endpoints, clients map[string]*Endpoint
	saved, hosts       map[string]int
	meters             map[limit.Service]*meter

	minute         Minute // the present one
	minutes        int
	refusedMinutes int
	worst          *Minute
	series         series
}

func newTraffic(o Options) *traffic {
	return &traffic{
		o: o, endpoints: map[string]*Endpoint{}, clients: map[string]*Endpoint{},
		turned: map[string]int{}, saved: map[string]int{}, hosts: map[string]int{}, meters: map[limit.Service]*meter{}, series: newSeries(),
	}
}

func (t *traffic) take(m *moment) {
	if t.from.IsZero() {
		t.from = m.At
	}
	if m.end().After(t.to) {
		t.to = m.end()
	}
	if !m.Made {
		t.calls++
	}
	t.sends += m.Sends
	if m.Hold >= time.Second {
		t.held++
		t.longest = max(t.longest, m.Hold)
	}
	if m.Rate > 0 && m.Rate < 1 {
		t.sampled = true
		t.standFor += float64(m.Sends) / m.Rate
	} else {
		t.standFor += float64(m.Sends)
	}
	t.refused += m.Refused
	if m.Saved != "" {
		t.saved[m.Saved]++
	}
	if waited[m.Turned] {
		t.turned[m.Turned]++
	}
	if m.Sends == 0 {
		return
	}
	if _, known := t.hosts[m.Host]; m.Host != "" && (known || len(t.hosts) < mostHosts) {
		t.hosts[m.Host] += m.Sends
	}
	note(t.endpoints, m.class(), m)
	name := m.Client
	if _, known := t.clients[name]; !known && len(t.clients) >= mostClients {
		name = otherClients
	}
	note(t.clients, name, m)
	t.count(m)
	meterOf := t.meters[m.route.Service]
	if meterOf == nil {
		meterOf = newMeter(t.o, m.route.Service)
		t.meters[m.route.Service] = meterOf
	}
	meterOf.take(m)
}

func note(table map[string]*Endpoint, name string, m *moment) {
	e := table[name]
	if e == nil {
		e = &Endpoint{Name: name}
		table[name] = e
	}
	e.Sends += m.Sends
	e.Refused += m.Refused
}

// count adds the call to its minute of the clock. A call that comes late in
// the order is counted in the present one.
func (t *traffic) count(m *moment) {
	if at := m.At.Truncate(time.Minute); at.After(t.minute.At) {
		t.closeMinute()
		t.minute = Minute{At: at}
	}
	t.minute.Sends += m.Sends
	t.minute.Refused += m.Refused
}

func (t *traffic) closeMinute() {
	if t.minute.Sends == 0 {
		return
	}
	t.minutes++
	if t.minute.Refused > 0 {
		t.refusedMinutes++
		if t.worst == nil || t.minute.Refused > t.worst.Refused {
			worst := t.minute
			t.worst = &worst
		}
	}
	t.series.add(t.minute)
}

func (t *traffic) report(r *Report) {
	t.closeMinute()
	t.minute = Minute{}
	r.From, r.To, r.Calls, r.Sends = t.from.UTC(), t.to.UTC(), t.calls, t.sends
	r.Held, r.LongestHold = t.held, t.longest
	if t.sampled {
		r.StandFor = int(t.standFor)
	}
	r.Refused, r.RefusedPercent = t.refused, percent(t.refused, t.sends)
	r.RefusedMinutes, r.WorstMinute, r.Minutes = t.refusedMinutes, t.worst, t.minutes
	r.Endpoints, r.Clients = ranked(t.endpoints, t.sends), ranked(t.clients, t.sends)
	r.Saved, r.Turned = byName(t.saved), byName(t.turned)
	for _, host := range slices.SortedFunc(maps.Keys(t.hosts), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.hosts[b], t.hosts[a]), cmp.Compare(a, b))
	}) {
		r.Hosts = append(r.Hosts, Count{cite(host), t.hosts[host]})
	}
	for _, service := range slices.Sorted(maps.Keys(t.meters)) {
		r.Services = append(r.Services, t.meters[service].report())
	}
	slices.SortStableFunc(r.Services, func(a, b Service) int { return cmp.Compare(b.Sends, a.Sends) })
	r.Series, r.Step = t.series.slots, t.series.step
}

// byName lists a table.
func byName(table map[string]int) (list []Count) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		list = append(list, Count{name, table[name]})
	}
	return list
}

func ranked(table map[string]*Endpoint, sends int) []Endpoint {
	rows := make([]Endpoint, 0, len(table))
	for _, e := range table {
		e.Percent = percent(e.Sends, sends)
		rows = append(rows, *e)
	}
	slices.SortFunc(rows, func(a, b Endpoint) int {
		return cmp.Or(cmp.Compare(b.Sends, a.Sends), cmp.Compare(a.Name, b.Name))
	})
	return rows
}

// A meter counts one service's sends by minute against its limit.
type meter struct {
	name    string
	sends   int
	limit   int
	source  string
	fixed   bool // the user said the limit
	minute  Minute
	passed  int // the most of one minute that were not refused
	level   int // of this minute: the most that was used up, by us or others
	busiest Minute
	levels  map[int]int // minutes by level
	near    [3]int      // sends at 80-89, 90-99 and 100 %
}

func newMeter(o Options, s limit.Service) *meter {
	m := &meter{name: string(s), levels: map[int]int{}}
	if s == zendesk.Support && o.Limit > 0 {
		m.limit, m.source, m.fixed = o.Limit, "given", true
		return m
	}
	if o.Plan != zendesk.UnknownPlan {
		for _, rule := range zendesk.Primaries(o.Plan) {
			if rule.Service == s && rule.Window == time.Minute {
				m.limit, m.source = rule.Limit, "plan "+o.Plan.String()
			}
		}
	}
	return m
}

func (t *meter) take(m *moment) {
	if at := m.At.Truncate(time.Minute); at.After(t.minute.At) {
		t.closeMinute()
		t.minute, t.level = Minute{At: at}, 0
	}
	t.sends += m.Sends
	t.minute.Sends += m.Sends
	t.minute.Refused += m.Refused
	t.passed = max(t.passed, t.minute.Sends-t.minute.Refused)
	t.level = max(t.level, t.minute.Sends)
	if len(m.Header) > 0 {
		t.hear(m)
	}
	if t.limit == 0 {
		return
	}
	used := min(t.level, t.limit)
	switch share := used * 100 / t.limit; {
	case share >= 100:
		t.near[2] += m.Sends
	case share >= 90:
		t.near[1] += m.Sends
	case share >= 80:
		t.near[0] += m.Sends
	}
}

// hear reads what the answer says of the service's own limit.
func (t *meter) hear(m *moment) {
	answer := m.audit.provider.Read(m.route, m.Status, m.Header)
	for _, seen := range answer.Readings() {
		if !seen.Rule.Primary || seen.Limit == 0 || seen.Remaining > seen.Limit {
			continue
		}
		if !t.fixed {
			t.limit, t.source = seen.Limit, "stated by answers"
		}
		// A count of the minute before may come with an answer of this one.
		if m.At.Sub(t.minute.At) > 2*time.Second {
			t.level = max(t.level, seen.Limit-seen.Remaining)
		}
	}
}

// allows is the limit as far as it is known: where nobody says it, what has
// been let through in a minute shows that it is no less.
func (t *meter) allows(guess int) int {
	if t.limit > 0 {
		return t.limit
	}
	return max(guess, t.passed)
}

func (t *meter) closeMinute() {
	if t.minute.Sends == 0 {
		return
	}
	if t.minute.Sends > t.busiest.Sends {
		t.busiest = t.minute
	}
	t.levels[t.level]++
}

func (t *meter) report() Service {
	t.closeMinute()
	t.minute = Minute{}
	s := Service{Name: t.name, Sends: t.sends, Limit: t.limit, Source: t.source, Passed: t.passed, Busiest: t.busiest}
	if t.limit == 0 {
		return s
	}
	s.Bands = []Band{{Name: "80-89 %"}, {Name: "90-99 %"}, {Name: "100 %"}}
	for level, minutes := range t.levels {
		switch share := level * 100 / t.limit; {
		case share >= 100:
			s.Bands[2].Minutes += minutes
		case share >= 90:
			s.Bands[1].Minutes += minutes
		case share >= 80:
			s.Bands[0].Minutes += minutes
		}
	}
	for i, n := range t.near {
		s.Bands[i].Sends = n
	}
	return s
}
