package simulator

import "time"

// guard is a rule with the calls it is for.
type guard struct {
	rule     *rule
	patterns []pattern
}

// limiter counts calls against the account's rules. It is not safe for
// concurrent use; the Simulator's mutex guards it.
type limiter struct {
	services map[string]*rule   // by name; absent where switched off
	guards   map[string][]guard // by method and path family
	jobs     *rule              // nil where switched off
	seed     uint64
	skew     time.Duration
	odd      oddity
	charge   bool // refused calls too
}

func newLimiter(o Options) *limiter {
	p, _ := findPlan(o.Plan)
	l := &limiter{
		services: make(map[string]*rule), guards: make(map[string][]guard),
		seed: o.Seed, skew: o.BoundarySkew, odd: oddityOf(o), charge: o.ChargeRefused,
	}
	for _, e := range serviceLimits(p, o) {
		if r := e.build(p, o); r != nil {
			l.services[r.name] = r
		}
	}
	for _, e := range endpointLimits() {
		if r := e.build(p, o); r != nil {
			l.guard(r, e.on)
		}
	}
	l.jobs = jobLimit().build(p, o)
	return l
}

// guard files a rule under each method and family it is for.
func (l *limiter) guard(r *rule, on []string) {
	filed := make(map[string]guard)
	for _, text := range on {
		p := parsePattern(text)
		methods := []string{p.method}
		if p.method == "*" {
			methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
		}
		for _, m := range methods {
			at := m + p.route.family()
			filed[at] = guard{r, append(filed[at].patterns, p)}
		}
	}
	for at, g := range filed {
		l.guards[at] = append(l.guards[at], g)
	}
}

// drawn is one bucket a call draws on, as it stood after the decision.
type drawn struct {
	rule      *rule
	key       key
	window    window
	remaining int
	resets    int
}

// verdict is the limiter's answer to one call.
type verdict struct {
	draws   []drawn // the service's first, if it has one
	refused *drawn  // the bucket that was full; nil if the call may pass
}

// decide charges a call to every bucket it draws on, or refuses it if one is
// full: the account's first, then in the catalogue's order (which comes first in
// truth is unknown). running is the number of background jobs, for a call that
// starts one.
func (l *limiter) decide(c *call, now time.Time, running int) verdict {
	v := verdict{draws: l.draws(c, now)}
	if c.match.Job && l.jobs != nil {
		v.draws = append(v.draws, l.jobSlot(now, running))
	}
	for i := range v.draws {
		if d := &v.draws[i]; d.full() {
			v.refused = d
			break
		}
	}
	l.settle(v, now, v.refused == nil || l.charge)
	return v
}

// look reads the buckets of a call that something else refuses.
func (l *limiter) look(c *call, now time.Time) verdict {
	v := verdict{draws: l.draws(c, now)}
	l.settle(v, now, l.charge)
	return v
}

// jobSlot is the bucket of background jobs: it counts jobs, not requests, and
// always says that it resets in 60 s [RL].
func (l *limiter) jobSlot(now time.Time, running int) drawn {
	return drawn{rule: l.jobs, window: windowAt(now, l.jobs.window), remaining: max(l.jobs.n-running, 0), resets: 60}
}

// freeSlot gives back the slot of a call that started no job after all.
func (v verdict) freeSlot() {
	for i := range v.draws {
		if v.draws[i].rule.concurrent {
			v.draws[i].remaining++
		}
	}
}

func (d *drawn) full() bool {
	switch {
	case d.rule.uncounted:
		return false
	case d.rule.concurrent:
		return d.remaining == 0
	}
	return d.rule.counter(d.key, d.window).used+d.rule.cost > d.rule.n
}

// settle charges the buckets, if asked to, and reads what is left of each.
func (l *limiter) settle(v verdict, now time.Time, charge bool) {
	for i := range v.draws {
		d := &v.draws[i]
		if d.rule.concurrent {
			if v.refused == nil {
				d.remaining--
			}
			continue
		}
		at := d.rule.counter(d.key, d.window)
		if charge && !d.rule.uncounted {
			at.used += d.rule.cost
		}
		d.remaining = max(d.rule.n-at.used, 0)
		d.resets = d.window.secondsLeft(d.readAt(now))
	}
}

// readAt is when a bucket's reset is read: an endpoint's is read a little before
// the account's, so that its rounding differs now and then by a second (42 and
// 43 in one recorded answer [ZP]).
func (d *drawn) readAt(now time.Time) int64 {
	const apart = 20 * time.Millisecond
	if d.rule.service || d.rule.window <= time.Second {
		return now.UnixNano()
	}
	return max(now.Add(-apart).UnixNano(), d.window.start)
}

// draws lists the buckets of a call.
func (l *limiter) draws(c *call, now time.Time) []drawn {
	draws := make([]drawn, 0, 2)
	if r := l.services[c.service.limit]; r != nil {
		draws = append(draws, l.draw(r, key{}, now))
	}
	for _, g := range l.guards[c.method+c.route.family()] {
		for i := range g.patterns {
			id, ok := g.patterns[i].matches(c.method, &c.route)
			if ok && (g.rule.when == nil || g.rule.when(c)) {
				draws = append(draws, l.draw(g.rule, g.rule.keyOf(c, id), now))
				break
			}
		}
	}
	return draws
}

func (l *limiter) draw(r *rule, k key, now time.Time) drawn {
	w := l.windowOf(r, k, now)
	if l.skew > 0 && !l.odd.opened {
		w = w.skewed(now, l.skew, l.seed)
	}
	return drawn{rule: r, key: k, window: w}
}

// windowOf is the window of a rule's bucket at an instant.
func (l *limiter) windowOf(r *rule, k key, now time.Time) (w window) {
	switch {
	case l.odd.opened:
		w = r.openedWindow(k, now.UnixNano(), &l.odd)
	case l.odd.jitter > 0:
		w = l.odd.windowAt(now, r.window)
	default:
		w = windowAt(now, r.window)
	}
	w.down = l.odd.down
	return w
}

// usual is the window by which an answer that no bucket made counts: the
// service's of the call, else the account's.
func (l *limiter) usual(v verdict, now time.Time, length time.Duration) window {
	if len(v.draws) > 0 && v.draws[0].rule.service {
		return v.draws[0].window
	}
	w := windowAt(now, length)
	w.down = l.odd.down
	return w
}

// other charges one call of another consumer to the account.
func (l *limiter) other(now time.Time) otherCall {
	call := otherCall{at: now}
	r := l.services[limitAccount]
	if r == nil {
		return call
	}
	d := l.draw(r, key{}, now)
	at := r.counter(d.key, d.window)
	call.refused = at.used >= r.n
	if !call.refused || l.charge {
		at.used++
	}
	call.start, call.end = d.window.start, d.window.end
	return call
}
