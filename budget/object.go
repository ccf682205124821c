package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// maxObjects is how many objects of one account are counted at once.
const maxObjects = 100_000

// An object counts sends on one ticket, user or organization. It is small,
// for there may be many: no forecast, no pace.
type object struct {
	key           limit.Key
	rule          *limit.Rule
	end           instant
	pauseUntil    instant
	limit         int32
	used, pending int32
	heard         bool
	refused       uint16
	older, newer  *object // by last use
}

func (o *object) ask(now instant, cost int) (until instant, why limit.Reason) {
	if now < o.pauseUntil {
		return o.pauseUntil, limit.Paused
	}
	o.roll(now)
	if o.limit > 0 && (o.heard || o.rule.Mark == limit.Binding) && int(o.used+o.pending)+min(cost, int(o.limit)) > int(o.limit) {
		return max(o.end, now+soonest), limit.Spent
	}
	return 0, ""
}

// spent reports whether our own count explains a refusal.
func (o *object) spent() bool { return o.limit > 0 && o.used+o.pending >= o.limit }

func (o *object) roll(now instant) {
	if o.end != 0 && now >= o.end {
		o.used, o.end = 0, 0
	}
}

// take charges a send. The first in a window opens it: on the server's clock
// where that is known.
func (o *object) take(now instant, cost int, clk *clock) {
	o.roll(now)
	o.pending += int32(cost)
	o.aim(now, clk)
}

func (o *object) aim(now instant, clk *clock) {
	if o.end != 0 {
		return
	}
	if o.end = now + o.span(); clk.known {
		_, o.end = clk.end(now, o.span())
	}
}

func (o *object) span() time.Duration {
	if o.rule.Window <= 0 {
		return time.Minute
	}
	return o.rule.Window
}

// settle ends a send: counted says whether the server charged it.
func (o *object) settle(now instant, cost int, counted bool, clk *clock) {
	o.pending -= int32(cost)
	o.roll(now)
	if counted {
		o.aim(now, clk)
		o.used += int32(cost)
	}
}

func (o *object) hear(now instant, r *limit.Reading) {
	o.heard = true
	o.limit = int32(min(r.Limit, 1<<30))
	if r.HasReset && o.end != 0 && now+r.Reset > o.end+o.span()/2 {
		o.used = 0 // the server's window has turned before ours
	}
	o.used = max(o.used, o.limit-int32(min(r.Remaining, r.Limit, 1<<30)))
	if r.HasReset && r.Reset > 0 {
		o.end = now + r.Reset
	}
}

// fresh reports that nothing was sent in this window yet: the object may be
// one that is just being asked for.
func (o *object) fresh() bool { return o.end == 0 }

func (o *object) idle(now instant) bool {
	return o.pending == 0 && now >= o.pauseUntil && now >= o.end
}

// objects is a bounded set of objects in order of their last use.
type objects struct {
	byKey          map[limit.Key]*object
	oldest, newest *object
	most           int
}

// get returns the object's counter, made if need be. Counters whose window
// has ended go first, then the one idle for the longest.
func (s *objects) get(now instant, key limit.Key, rule *limit.Rule) *object {
	if o := s.byKey[key]; o != nil {
		s.unlink(o)
		s.append(o)
		return o
	}
	s.evict(now)
	o := &object{key: key, rule: rule, limit: int32(min(rule.Limit, 1<<30))}
	if s.byKey == nil {
		s.byKey = map[limit.Key]*object{}
	}
	s.byKey[key] = o
	s.append(o)
	return o
}

// evict looks at the oldest few. Those that cannot go yet, whatever their age,
// step back, so that one slow send does not keep all others.
func (s *objects) evict(now instant) {
	for range 8 {
		o := s.oldest
		if o == nil {
			return
		}
		full := len(s.byKey) >= s.most
		if !full && !o.idle(now) && o.pending == 0 {
			return
		}
		s.unlink(o)
		if o.pending > 0 || o.fresh() && !full {
			s.append(o)
			continue
		}
		delete(s.byKey, o.key)
	}
}

func (s *objects) append(o *object) {
	o.older, o.newer = s.newest, nil
	if s.newest != nil {
		s.newest.newer = o
	} else {
		s.oldest = o
	}
	s.newest = o
}

func (s *objects) unlink(o *object) {
	if o.older != nil {
		o.older.newer = o.newer
	} else {
		s.oldest = o.newer
	}
	if o.newer != nil {
		o.newer.older = o.older
	} else {
		s.newest = o.older
	}
	o.older, o.newer = nil, nil
}
