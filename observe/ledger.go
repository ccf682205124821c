package observe

import (
	"slices"
	"sync"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// manyCounters bounds the counters kept: one for each limit over a window
// that the account states.
const manyCounters = 4096

// A ledger counts twice: the sends that were really made, and those that
// trials made in their place. What others used, which both have in common, is
// what the account counted beyond our real sends.
type ledger struct {
	provider *zendesk.Provider
	window   time.Duration // of the services' own counters, 0 the catalogue's
	slack    time.Duration // by how much two ends of one window may differ

	mu       sync.Mutex
	account  *budget.Account // fed with the real sends and answers
	counters map[limit.Key]*counter
}

// A counter is one limit in its present window.
type counter struct {
	turn   int       // how many windows it has seen
	ends   time.Time // zero when not known
	limit  int       // 0 when not known
	others int       // counted beside our real sends
	real   int       // our real sends, those refused left out
	flying int       // real sends that are not answered yet, of any window
	before int       // of them, those sent before this window: it may count them
	tried  int       // trials' sends

	window time.Duration // 0 when not known
	told   bool          // a real answer of this window told of others
	fullAt time.Time     // when real sends met the end of it first; zero before
	usual  float64       // others' sends in the latest window of which is known
}

// othersAt is how many sends of others the account would have counted by now.
// What they would have sent after our real sends had used the window up nobody
// told: as many as before, in proportion. So they are taken to do in a window
// without a real send.
func (c *counter) othersAt(now time.Time) int {
	began := c.ends.Add(-c.window)
	switch {
	case c.window <= 0 || c.ends.IsZero():
	case !c.told:
		return int(c.usual * float64(now.Sub(began)) / float64(c.window))
	case !c.fullAt.IsZero() && c.fullAt.After(began) && now.After(c.fullAt):
		return int(float64(c.others) * float64(now.Sub(began)) / float64(c.fullAt.Sub(began)))
	}
	return c.others
}

// next is the counter of the window after c.
func (c *counter) next(ends time.Time) counter {
	n := counter{turn: c.turn + 1, ends: ends, limit: c.limit, flying: c.flying, before: c.flying, window: c.window, usual: c.usual}
	if c.told {
		n.usual = float64(c.othersAt(c.ends))
	}
	return n
}

func newLedger(provider *zendesk.Provider, account string, window time.Duration) *ledger {
	l := &ledger{provider: provider, account: budget.New(budget.Options{Name: account, Window: window}), counters: make(map[limit.Key]*counter)}
	l.window, l.slack = window, 1500*time.Millisecond
	if window > 0 {
		l.slack = min(l.slack, window/4)
	}
	return l
}

func (p *passage) drewOn(key limit.Key) bool {
	return slices.ContainsFunc(p.marks, func(m mark) bool { return m.key == key })
}

func (l *ledger) snapshot() limit.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.account.Snapshot(time.Now())
}

// at returns a limit's counter, turned to the window that now is in. The
// caller holds the lock, unless a method says that it takes it.
func (l *ledger) at(now time.Time, key limit.Key) *counter {
	c := l.counters[key]
	if c == nil {
		if len(l.counters) >= manyCounters {
			clear(l.counters)
		}
		c = &counter{}
		l.counters[key] = c
	}
	s := l.account.Standing(now, key)
	if s.Limit > 0 && c.limit > 0 {
		c.limit = s.Limit
	}
	ends := now.Add(s.Reset)
	switch {
	case s.Reset <= 0:
	case c.ends.IsZero():
		c.ends = ends
	case ends.Sub(c.ends) > l.slack:
		*c = c.next(ends)
	case ends.Before(c.ends):
		c.ends = ends
	}
	return c
}

// A mark is one send's place in a counter.
type mark struct {
	key  limit.Key
	turn int
	nth  int
}

// A passage is one send, real or tried, on its way.
type passage struct {
	grant budget.Grant // of a real one
	marks []mark
	at    time.Time
}

func (p *passage) markOf(key limit.Key, c *counter) (nth int, ok bool) {
	for _, m := range p.marks {
		if m.key == key {
			return m.nth, m.turn == c.turn
		}
	}
	return 0, false
}

// sends notes a real send as it leaves. It takes the lock.
func (l *ledger) sends(now time.Time, route *limit.Route) *passage {
	p := &passage{at: now}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.account.Charge(now, route, "", &p.grant)
	for _, d := range route.Draws() {
		if d.Rule.Kind == limit.Window {
			key := route.KeyOf(d)
			c := l.at(now, key)
			c.real += d.Cost
			c.flying++
			p.marks = append(p.marks, mark{key, c.turn, c.real})
		}
	}
	return p
}

// lost notes that a real send was not answered; it stays counted. It takes the
// lock.
func (l *ledger) lost(now time.Time, p *passage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.account.Lose(now, &p.grant)
	l.landed(now, p)
}

// heard notes a real answer. It takes the lock.
func (l *ledger) heard(now time.Time, call *limit.Call, p *passage, answer *limit.Answer, refusal *limit.Refusal) (budget.Blame, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	blame, refused := l.account.Observe(now, p.at, now, &p.grant, answer, refusal)
	l.landed(now, p)
	for _, r := range answer.Readings() {
		if r.Rule.Kind != limit.Window || r.Limit <= 0 {
			continue
		}
		key := r.Rule.KeyFor(call.Route.Object, call.Route.Credential)
		c := l.at(now, key)
		c.limit, c.window = r.Limit, r.Rule.Window
		if r.Rule.Primary && l.window > 0 {
			c.window = l.window
		}
		nth, same := p.markOf(key, c)
		switch {
		case same && refused:
			c.real--
		case !same && !refused && (nth == 0 || c.ends.Sub(now.Add(r.Reset)) < 2*l.slack):
			c.real++ // known by its header alone, or sent before this window that it was counted in
		case !same:
			continue
		}
		// Who was counted before whom is not known: at the most all that are on
		// their way were.
		c.others, c.told = max(c.others, r.Limit-r.Remaining-c.real-c.before), true
		if r.Remaining == 0 && c.fullAt.IsZero() {
			c.fullAt = now
		}
	}
	return blame, refused
}

// landed counts a real send as no longer under way.
func (l *ledger) landed(now time.Time, p *passage) {
	for _, m := range p.marks {
		c := l.at(now, m.key)
		c.flying = max(0, c.flying-1)
		if c.turn != m.turn {
			c.before = max(0, c.before-1)
		}
	}
}

// tries notes a trial's send as it would reach the account, and reports
// whether it would be let in; else until when it would be refused. It takes
// the lock.
func (l *ledger) tries(now time.Time, route *limit.Route) (p *passage, wait time.Duration, ok bool) {
	p = &passage{at: now}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range route.Draws() {
		if d.Rule.Kind != limit.Window {
			continue
		}
		if c := l.at(now, route.KeyOf(d)); c.limit > 0 && c.othersAt(now)+c.tried+d.Cost > c.limit {
			return p, max(time.Second, c.ends.Sub(now)), false
		}
	}
	for _, d := range route.Draws() {
		if d.Rule.Kind == limit.Window {
			key := route.KeyOf(d)
			c := l.at(now, key)
			c.tried += d.Cost
			p.marks = append(p.marks, mark{key, c.turn, c.tried})
		}
	}
	return p, 0, true
}

// standing is what a trial's answer would have said of a limit. It takes the
// lock.
func (l *ledger) standing(now time.Time, key limit.Key, p *passage) limit.Standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.at(now, key)
	if c.limit <= 0 {
		return limit.Standing{}
	}
	nth, same := p.markOf(key, c)
	if !same {
		if nth == 0 {
			c.tried++ // known by its header alone
		}
		nth = c.tried
	}
	return limit.Standing{Limit: c.limit, Left: max(0, c.limit-c.othersAt(now)-nth), Reset: max(0, c.ends.Sub(now))}
}

// full reports whether our real sends have used up a limit that the route
// draws on. It takes the lock.
func (l *ledger) full(now time.Time, route *limit.Route) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range route.Draws() {
		if d.Rule.Kind != limit.Window {
			continue
		}
		if c := l.at(now, route.KeyOf(d)); c.limit > 0 && c.others+c.real >= c.limit {
			return true
		}
	}
	return false
}
