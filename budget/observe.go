package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A Blame says which bucket a refusal was put down to.
type Blame struct {
	Bucket  limit.Key
	Until   time.Time // no send on it goes before
	Learned int       // the limit learned from the refusal, 0 when none was
}

// Observe ends a grant with the server's answer: t0 is when the request's
// headers were written, t1 when the first byte came back. refusal is nil
// unless the server refused for a limit's sake; then what was blamed is
// returned.
func (a *Account) Observe(now, t0, t1 time.Time, g *Grant, answer *limit.Answer, refusal *limit.Refusal) (Blame, bool) {
	t := a.at(now)
	s := sample{t1: min(a.at(t1), t), date: answer.Date, status: answer.Status, counted: answer.Counted, cost: 1}
	s.t0 = min(a.at(t0), s.t1) // an answer that came before its question was whole
	a.clk.hear(answer.Date, s.t0, s.t1)
	refused := refusal != nil && refusal.Limit && !refusal.Permanent
	if refused {
		s.status = 429 // or its older clothes
	}
	a.end(t, g)
	a.read(t, g, answer, &s)
	g.route.note(&s)
	if !refused {
		return Blame{}, false
	}
	return a.blame(t, g, &s, answer, refusal), true
}

// read takes the answer's readings into the buckets that the grant drew on,
// and ties those it did not know of to the route.
func (a *Account) read(t instant, g *Grant, answer *limit.Answer, s *sample) {
	var known [limit.MaxDraws]bool
	readings := answer.Readings()
	for i := range g.windows {
		c := &g.windows[i]
		s.cost = int(c.cost)
		c.b.reopen(s.t0, s.status)
		if j := find(readings, c.b.rule); j >= 0 && c.b.rule.Kind == limit.Window {
			known[j] = true
			c.b.hear(s, &readings[j])
		} else {
			c.b.miss(s)
		}
	}
	a.missPauses(g, s)
	if g.slots != nil {
		g.slots.reopen(s.t0, s.status)
		if !s.succeeded() {
			g.slots.giveBack()
		}
	}
	for _, c := range g.objects {
		c.o.settle(t, c.cost, s.counted && s.status != 429, &a.clk)
		j := find(readings, c.o.rule)
		switch {
		case j < 0:
		case c.o.rule.Scope == limit.Unknown && a.shared(c.o.rule, g.of, &readings[j]):
			g.route.widen(c.o.rule) // and linked below
		default:
			known[j] = true
			c.o.hear(t, &readings[j])
		}
	}
	s.cost = 1
	for j := range readings {
		if !known[j] {
			a.link(t, g.route, g.of, &readings[j], s)
		}
	}
}

func find(readings []limit.Reading, r *limit.Rule) int {
	for j := range readings {
		if readings[j].Rule == r || readings[j].Rule.ID == r.ID && readings[j].Rule.Service == r.Service {
			return j
		}
	}
	return -1
}

// missPauses counts an answer for the pauses that began while it was under way.
func (a *Account) missPauses(g *Grant, s *sample) {
	if len(a.pauses) == 0 {
		return
	}
	keys := [2]limit.Key{g.of.PauseKey(), walkKey(g.of)}
	for i, key := range keys {
		b := a.pauses[key]
		if b == nil || i == 1 && key == keys[0] || g.draws(b) {
			continue
		}
		b.miss(s)
	}
}

func (g *Grant) draws(b *window) bool {
	for _, c := range g.windows {
		if c.b == b {
			return true
		}
	}
	return false
}
