package observe

import (
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
	tried  int       // trials' sends
}

func newLedger(provider *zendesk.Provider, account string, window time.Duration) *ledger {
	l := &ledger{provider: provider, account: budget.New(budget.Options{Name: account, Window: window}), counters: make(map[limit.Key]*counter)}
	l.slack = 1500 * time.Millisecond
	if window > 0 {
		l.slack = min(l.slack, window/4)
	}
	return l
}

func (l *ledger) snapshot() limit.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.account.Snapshot(time.Now())
}

// at returns a limit's counter, turned to the window that now is in. The
// caller holds the lock, as of all below that are not exported by a comment.
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
		c.turn++
		c.ends, c.others, c.real, c.tried = ends, 0, 0, 0
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
	l.account.Charge(now, route, &p.grant)
	for _, d := range route.Draws() {
		if d.Rule.Kind == limit.Window {
			key := route.KeyOf(d)
			c := l.at(now, key)
			c.real += d.Cost
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
}

// heard notes a real answer. It takes the lock.
func (l *ledger) heard(now time.Time, call *limit.Call, p *passage, answer *limit.Answer, refusal *limit.Refusal) (budget.Blame, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	blame, refused := l.account.Observe(now, p.at, now, &p.grant, answer, refusal)
	if refused {
		for _, m := range p.marks {
			if c := l.counters[m.key]; c != nil && c.turn == m.turn && c.real > 0 {
				c.real--
			}
		}
	}
	for _, r := range answer.Readings() {
		if r.Rule.Kind != limit.Window || r.Limit <= 0 {
			continue
		}
		key := r.Rule.KeyFor(call.Route.Object, call.Route.Credential)
		c := l.at(now, key)
		c.limit = r.Limit
		nth, same := p.markOf(key, c)
		if !same && nth == 0 && !refused { // known by its header alone
			c.real++
			nth, same = c.real, true
		}
		if same && !refused {
			c.others = max(c.others, r.Limit-r.Remaining-nth)
		}
	}
	return blame, refused
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
		if c := l.at(now, route.KeyOf(d)); c.limit > 0 && c.others+c.tried+d.Cost > c.limit {
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
	return limit.Standing{Limit: c.limit, Left: max(0, c.limit-c.others-nth), Reset: max(0, c.ends.Sub(now))}
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
