package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// soonest keeps a computed wake-up from spinning.
const soonest = 5 * time.Millisecond

// pacing decides by what is left: nothing below the reserve for others, and
// what remains spread over the rest of the window after a first burst.
func (b *window) pacing(now instant, cost int, crowded bool) (due, until instant, why limit.Reason) {
	b.earn(now, crowded)
	tl := max(0, b.cl-now)
	rate := b.othersRate()
	ahead := rate * min(300*time.Millisecond, b.w/30).Seconds()
	have := b.left()
	free := float64(have) - spread(rate, tl, b.others.z) - ahead
	if have < min(cost, b.limit) {
		return 0, b.ch, limit.Spent
	}
	if free <= 0 {
		return 0, b.wake(now, rate, float64(have)-ahead), limit.Reserved
	}
	pace := b.pace(tl, free)
	due = max(b.next, now-3*pace) + pace*time.Duration(cost)
	if now < due && b.ahead < float64(cost) {
		return 0, due, limit.Paced
	}
	return due, 0, ""
}

// pace is the time between sends: what is left of the window over what is
// left of the budget, and never faster than burstCap times the limit's rate.
func (b *window) pace(tl time.Duration, free float64) time.Duration {
	early, tail := min(500*time.Millisecond, b.w/25), min(time.Second, b.w/30)
	even := time.Duration(float64(max(tl-early, tail)) / max(1, free))
	return max(even, b.w/time.Duration(b.limit)/burstCap)
}

// wake is when the reserve for others will have shrunk below free. It is
// half-way there, for the forecast shrinks meanwhile.
func (b *window) wake(now instant, rate, free float64) instant {
	open := b.cl - min(frees(rate, b.others.z, free), b.w)
	return min(b.ch, max(now+(open-now)/2, now+soonest))
}

// earn lets the burst grow while nobody waits: a fifth of the limit a window.
func (b *window) earn(now instant, crowded bool) {
	most := float64(b.limit) / 5
	if !crowded && now > b.earnedAt {
		b.ahead = min(most, b.ahead+most*float64(now-b.earnedAt)/float64(b.w))
	}
	b.earnedAt = now
}
