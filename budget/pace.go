package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// soonest keeps a computed wake-up from spinning.
const soonest = 5 * time.Millisecond

// pacing decides by what is left: nothing below the reserve for others and for
// the classes above, and what remains spread over the rest of the window after
// a first burst. An interactive send may use what is kept for others, and is
// not paced: a person is waiting.
func (b *window) pacing(now instant, cost int, ask Ask) (due, until instant, why limit.Reason) {
	have := b.left() - b.keptFree()
	if have < min(cost, b.limit) {
		if b.left() >= cost {
			return 0, b.ch, limit.Reserved
		}
		return 0, b.ch, limit.Spent
	}
	if ask.Class == limit.Interactive {
		return 0, 0, ""
	}
	b.earn(now, ask.Crowded)
	kept := b.reserve(now, ask.Class)
	tl := max(0, b.cl-now)
	free := float64(have) - kept.at(tl)
	if free <= 0 {
		return 0, b.again(now, b.wake(now, kept, have)), limit.Reserved
	}
	pace := b.pace(tl, free)
	due = max(b.next, now-3*pace) + pace*time.Duration(cost)
	if now < due && (ask.Class != limit.Normal || b.ahead < float64(cost)) {
		return 0, b.again(now, due), limit.Paced
	}
	return due, 0, ""
}

// reserve is what a send of class leaves: to the others, and in a service's
// own counter to our own calls of the classes above.
func (b *window) reserve(now instant, class limit.Class) reserve {
	others := b.othersRate() * b.regulation.Politeness
	kept := reserve{others: others, z: b.others.z, ahead: others * min(300*time.Millisecond, b.w/30).Seconds()}
	if b.rule.Primary {
		kept.ours = b.demand.above(class, max(0, now-b.start()), b.w)
	}
	return kept
}

// pace is the time between sends: what is left of the window over what is
// left of the budget, and never faster than the burst allows.
func (b *window) pace(tl time.Duration, free float64) time.Duration {
	early, tail := min(500*time.Millisecond, b.w/25), min(time.Second, b.w/30)
	even := time.Duration(float64(max(tl-early, tail)) / max(1, free))
	return max(even, b.fastest())
}

// fastest is the least time between sends.
func (b *window) fastest() time.Duration {
	return time.Duration(float64(b.w) / float64(b.limit) / b.regulation.Burst)
}

// keptFree is what is never used of a service's own limit.
func (b *window) keptFree() int {
	if !b.rule.Primary {
		return 0
	}
	return b.regulation.kept(b.limit)
}

// wake is when the reserve will have shrunk below what is left. It is
// half-way there, for the forecast shrinks meanwhile.
func (b *window) wake(now instant, kept reserve, have int) instant {
	open := b.cl - min(kept.frees(float64(have)), b.w)
	return min(b.ch, max(now+(open-now)/2, now+soonest))
}

// again is when to ask again what a forecast holds until an instant. What is
// expected of others and of the classes above falls as long as none of it
// comes, and no answer tells of that when nothing is sent.
func (b *window) again(now, until instant) instant {
	return min(until, now+max(b.w/30, soonest))
}

// earn lets the burst grow while nobody waits: a fifth of the limit a window.
func (b *window) earn(now instant, crowded bool) {
	most := float64(b.limit) / 5
	if !crowded && now > b.earnedAt {
		b.ahead = min(most, b.ahead+most*float64(now-b.earnedAt)/float64(b.w))
	}
	b.earnedAt = now
}
