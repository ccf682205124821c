package budget

import (
	"slices"

	"github.com/flyballhq/flyball/limit"
)

type routeKey struct{ class, shape string }

// A route is what is known of one kind of call: the shared counters it draws
// on, and how it has been answered.
type route struct {
	draws []draw // counters shared by the account, the primary one last
	byOne []rule // rules that count each object or credential apart

	inFlight int
	answers  int

	minute   int64 // the server's minute of the latest answer
	answered int   // successes in that minute

	refusedObject uint64
	refusedAt     instant
}

type draw struct {
	b    *window
	cost int
}

type rule struct {
	*limit.Rule
	cost int
}

// walks reports whether one more send fits while the route's own limit is
// unknown: a route is walked into, not rushed, for a silent limit refuses
// everything that is in flight when it is met.
func (r *route) walks() bool {
	return r.inFlight < 4+r.answers/10 || r.limited()
}

// limited reports whether the route has a stated or learned limit of its own.
func (r *route) limited() bool {
	for _, d := range r.draws {
		if !d.b.rule.Primary && d.b.governs() {
			return true
		}
	}
	return false
}

// note counts an answer for the learning of a silent limit.
func (r *route) note(s *sample) {
	r.answers++
	if s.date.IsZero() {
		return
	}
	minute := s.date.Unix() / 60
	if minute != r.minute {
		r.minute, r.answered = minute, 0
	}
	if s.succeeded() {
		r.answered += s.cost
	}
}

func (r *route) add(b *window, cost int) {
	for _, d := range r.draws {
		if d.b == b {
			return
		}
	}
	// The primary counter stays last: a call that its own endpoint blocks
	// then waits for that, not in the whole account's line.
	r.draws = append([]draw{{b, cost}}, r.draws...)
}

func (a *Account) route(now instant, r *limit.Route) *route {
	key := routeKey{r.Class, r.Shape}
	if rt := a.routes[key]; rt != nil {
		return rt
	}
	rt := &route{}
	a.routes[key] = rt
	for _, d := range r.Draws() {
		a.draw(now, rt, r.KeyOf(d), d)
	}
	return rt
}

func (a *Account) draw(now instant, rt *route, key limit.Key, d limit.Draw) {
	cost := max(1, d.Cost)
	switch {
	case d.Rule.Kind == limit.Object || key.Object != 0 || key.Credential != 0:
		rt.byOne = append(rt.byOne, rule{d.Rule, cost})
	case d.Rule.Kind == limit.Slots:
		a.slotsFor(key, d.Rule)
	case d.Rule.Kind == limit.Window:
		rt.add(a.window(now, key, d.Rule), cost)
	}
}

func (a *Account) window(now instant, key limit.Key, r *limit.Rule) *window {
	b := a.windows[key]
	if b == nil {
		b = a.newWindow(key, r, now)
		if r.Primary && a.options.Window > 0 {
			b.w = a.options.Window
		}
		a.windows[key] = b
		if b.rule.Primary {
			a.primaries = append(a.primaries, b)
		}
	}
	return b
}

// link ties a counter that a header named to the route whose answer named it.
func (a *Account) link(now instant, rt *route, r *limit.Route, reading *limit.Reading, s *sample) {
	rule0 := reading.Rule
	key := rule0.KeyFor(r.Object, r.Credential)
	switch {
	case rule0.Kind == limit.Slots:
		a.slotsFor(key, rule0).hear(now, reading)
	case rule0.Kind == limit.Pause:
	case key.Object != 0 || key.Credential != 0 || rule0.Kind == limit.Object:
		if rule0.Scope == limit.Unknown && a.shared(rule0, r, reading) {
			key.Object = 0
			a.linkWindow(now, rt, key, reading, s)
			return
		}
		rt.addByOne(rule0, s.cost)
		a.objects.get(now, key, rule0).hear(now, reading)
	default:
		a.linkWindow(now, rt, key, reading, s)
	}
}

func (a *Account) linkWindow(now instant, rt *route, key limit.Key, reading *limit.Reading, s *sample) {
	b := a.window(now, key, reading.Rule)
	if len(rt.draws) < limit.MaxDraws {
		rt.add(b, s.cost)
	}
	b.hear(s, reading)
}

func (r *route) addByOne(one *limit.Rule, cost int) {
	for _, have := range r.byOne {
		if have.ID == one.ID && have.Service == one.Service {
			return
		}
	}
	if len(r.byOne) < limit.MaxDraws {
		r.byOne = append(r.byOne, rule{one, cost})
	}
}

// widen stops counting a limit apart for each object.
func (r *route) widen(one *limit.Rule) {
	r.byOne = slices.DeleteFunc(r.byOne, func(have rule) bool { return same(have.Rule, one) })
}

// A sighting is the last reading of a limit whose scope nobody states.
type sighting struct {
	object    uint64
	remaining int
	shared    int
}

// maxSightings bounds the limits known from a header only.
const maxSightings = 256

// shared reports whether a limit of unknown scope has been seen to count two
// objects down together.
func (a *Account) shared(one *limit.Rule, r *limit.Route, reading *limit.Reading) bool {
	seen, known := a.sightings[one.ID]
	if !known && len(a.sightings) >= maxSightings {
		return false
	}
	if known && seen.object != r.Object {
		if step := seen.remaining - reading.Remaining; step >= 1 && step <= 4 {
			seen.shared++
		} else {
			seen.shared = 0 // one counter falls with every answer
		}
	}
	seen.object, seen.remaining = r.Object, reading.Remaining
	a.sightings[one.ID] = seen
	return seen.shared >= 2
}
