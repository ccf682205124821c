package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

const (
	// volley is how near two refusals must be to have one cause.
	volley = 2 * time.Second
	// fewest is how many answers before a refusal make it the sign of a limit
	// that nobody states. The smallest such limit on record is 5 a minute.
	fewest = 3
	// maxPauses bounds the routes and objects that a refusal is remembered for.
	maxPauses = 10_000
)

// blame puts a refusal down to the narrowest bucket that explains it: to stop
// the account for one ticket's refusal costs everybody a minute.
func (a *Account) blame(t instant, g *Grant, s *sample, answer *limit.Answer, refusal *limit.Refusal) Blame {
	primary := g.primary()
	if refusal.Rule != nil {
		if blame, ok := a.blameNamed(t, g, s, answer, refusal); ok {
			return blame
		}
	}
	stated := -1
	if primary != nil {
		if j := find(answer.Readings(), primary.rule); j >= 0 {
			stated = answer.Readings()[j].Remaining
		}
	}
	switch {
	case stated > 0:
		return a.blameRoute(t, g, s, answer, refusal)
	case stated == 0, primary != nil && primary.heard && primary.spent():
		return a.stop(t, primary, s, answer, refusal)
	}
	key := routeKey{g.of.Class, g.of.Shape}
	again := a.mysteryAt != 0 && t-a.mysteryAt <= volley && a.mystery != key
	a.mystery, a.mysteryAt = key, t
	if again && primary != nil {
		return a.stop(t, primary, s, answer, refusal)
	}
	return a.blameRoute(t, g, s, answer, refusal)
}

func (g *Grant) primary() *window {
	for _, c := range g.windows {
		if c.b.rule.Primary {
			return c.b
		}
	}
	return nil
}

// blameNamed blames the bucket that the body or a header names.
func (a *Account) blameNamed(t instant, g *Grant, s *sample, answer *limit.Answer, refusal *limit.Refusal) (Blame, bool) {
	for _, c := range g.windows {
		if same(c.b.rule, refusal.Rule) {
			return a.stop(t, c.b, s, answer, refusal), true
		}
	}
	for _, c := range g.objects {
		if same(c.o.rule, refusal.Rule) {
			return a.stopObject(t, c.o, answer), true
		}
	}
	if refusal.Rule.Kind == limit.Slots {
		b := a.slotsFor(refusal.Rule.KeyFor(0, 0), refusal.Rule)
		wait := answer.RetryAfter
		if !answer.HasRetryAfter || wait == 0 {
			wait = slotCheck
		}
		b.pause.refuse(t, s.t0, wait, refusal.Text, a.rnd)
		return Blame{Bucket: b.key, Until: a.time(b.pauseUntil)}, true
	}
	for _, d := range g.route.draws { // its header came with this answer
		if same(d.b.rule, refusal.Rule) {
			return a.stop(t, d.b, s, answer, refusal), true
		}
	}
	return Blame{}, false // another route's limit: it explains nothing here
}

func same(a, b *limit.Rule) bool { return a == b || a.ID == b.ID && a.Service == b.Service }

// blameRoute blames what the route alone draws on: its object when it names
// one, else a documented limit that nobody states, else the route.
func (a *Account) blameRoute(t instant, g *Grant, s *sample, answer *limit.Answer, refusal *limit.Refusal) Blame {
	key := g.of.PauseKey()
	if key.Object != 0 && g.route.refusedAt != 0 && t-g.route.refusedAt <= volley && g.route.refusedObject != key.Object {
		key.Object = 0 // two objects at once: it is the route's limit, not theirs
	}
	g.route.refusedObject, g.route.refusedAt = g.of.Object, t
	if key.Object == 0 {
		for _, c := range g.windows {
			if !c.b.rule.Primary && !c.b.heard && !c.b.own && c.b.governs() && c.b.w >= shortest {
				return a.stop(t, c.b, s, answer, refusal)
			}
		}
	}
	b := a.pauseFor(t, key, g)
	blame := a.stop(t, b, s, answer, refusal)
	if key.Object == 0 {
		blame.Learned = b.limit
	}
	return blame
}

// pauseFor returns the bucket that stands for a refused route or object.
func (a *Account) pauseFor(t instant, key limit.Key, g *Grant) *window {
	if b := a.pauses[key]; b != nil {
		return b
	}
	if len(a.pauses) >= maxPauses {
		a.forgetPauses(t)
	}
	span := time.Minute
	if primary := g.primary(); primary != nil && primary.w >= shortest {
		span = primary.w
	}
	b := a.newWindow(key, &limit.Rule{ID: key.ID, Service: key.Service, Kind: limit.Pause, Window: span, Source: "a refusal that named no limit"}, t)
	if key.Object == 0 {
		b.dark = g.route.answered
	}
	a.pauses[key] = b
	return b
}

// forgetPauses makes room: what is over first, then anything not in flight.
func (a *Account) forgetPauses(t instant) {
	for key, b := range a.pauses {
		if b.busy == 0 && t >= b.pauseUntil {
			delete(a.pauses, key)
		}
	}
	for key, b := range a.pauses {
		if len(a.pauses) < maxPauses {
			return
		}
		if b.busy == 0 {
			delete(a.pauses, key)
		}
	}
}

// silent reports whether the limit has to be learned from refusals. An
// object's is not: which of its calls count is not known.
func (b *window) silent() bool {
	return !b.heard && !b.own && b.w >= shortest && (b.rule.Kind != limit.Pause || b.key.Object == 0)
}

// counts reports whether there may be a counter behind a refusal: one that is
// documented, or one that let some calls pass in this window. A lone refusal
// near the window's end looks like that of a limit of one a minute, and to
// believe it costs a listing a minute for each page.
func (b *window) counts() bool { return b.rule.Kind != limit.Pause || b.dark >= fewest }

// spent reports whether our own count explains a refusal: hardly more is left
// than others take within a second.
func (b *window) spent() bool {
	return b.governs() && float64(b.left()) <= max(2, b.othersRate())
}

// stop pauses a bucket for as long as the server asks, and learns the limit
// of one that the server does not state. Every refusal on record by such a
// limit asked to wait for the end of the clock's window: one that asks for
// something else, or for nothing, has another cause, and teaches nothing. One
// that asks for nothing means the window's end if our own count is spent or it
// is the third in a row, else the shortest pause.
func (a *Account) stop(t instant, b *window, s *sample, answer *limit.Answer, refusal *limit.Refusal) Blame {
	b.aim(t)
	wait := answer.RetryAfter
	if wait == 0 && b.open && b.rule.Kind != limit.Pause && (b.spent() || b.refusals > 1 && s.t0 >= b.pauseUntil) {
		wait = b.ch - t
	} else if b.down && answer.HasRetryAfter {
		wait += time.Second // it is rounded down, as the resets are
	}
	if until, ok := b.skewed(s, wait); ok {
		b.refused++
		if b.refusals == 0 {
			b.refusals, b.doubtedAt = 1, t
		}
		b.pause.stop(max(until, t+leastWait)+b.shake(a.rnd), refusal.Text)
	} else {
		b.pause.refuse(t, s.t0, wait, refusal.Text, a.rnd)
	}
	if b.spent() {
		b.refill, b.refilledAt = true, t
	}
	blame := Blame{Bucket: b.key, Until: a.time(b.pauseUntil)}
	if b.silent() && b.counts() && !(b.refusedNow && b.source == limit.Learned) && wait > 0 && near(b.ch-t, wait) {
		b.learnLimit(b.dark)
		blame.Learned = b.limit
	}
	b.refusedNow = true
	return blame
}

// stopObject pauses one object. As with a window, a refusal that asks for
// nothing means the window's end only if our own count is spent or it is the
// third: an object's window may be ten minutes, and one stray refusal of a
// ticket must not hold it for that.
func (a *Account) stopObject(t instant, o *object, answer *limit.Answer) Blame {
	wait := answer.RetryAfter
	if wait == 0 && (o.spent() || o.refused >= 2) {
		wait = max(0, o.end-t)
	}
	o.refused++
	shake := time.Duration(a.rnd.Int64N(int64(jitter)))
	o.pauseUntil = max(o.pauseUntil, t+max(wait, leastWait)+shake)
	return Blame{Bucket: o.key, Until: a.time(o.pauseUntil)}
}

// skewed recognises a refusal next to a boundary whose Retry-After may be the
// next window's reset: believed, it stops the account for a minute that is
// free. It returns when one probe may find out. A second refusal, of a send
// made after the first was known, is obeyed.
func (b *window) skewed(s *sample, wait time.Duration) (until instant, ok bool) {
	if !b.open || b.refusals > 0 && s.t0 >= b.doubtedAt || wait <= b.w/2 || wait > b.w+time.Second {
		return 0, false
	}
	switch {
	case s.t1 > b.cl-b.guard():
		return b.ch + b.guard(), true
	case s.t0 < b.ch-b.w+b.guard():
		return b.ch - b.w + b.guard(), true
	default:
		return 0, false
	}
}
