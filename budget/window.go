package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

const (
	// idleWindows is after how many windows without use a bucket is cold.
	idleWindows = 5
	// deafAnswers is after how many answers without its header a primary
	// bucket counts by itself.
	deafAnswers = 3
	// burstCap is how many times faster than limit/w a bucket may be spent.
	burstCap = 2.0
	// forgetAfter is how long a learned limit outlives its last use.
	forgetAfter = time.Hour
)

// A window is one counter of the server over a span of time, as far as it can
// be known from outside. left() is a proof: every send of ours that the
// server counted after the observation behind min is still in busy, lost or
// dark.
type window struct {
	key        limit.Key
	own        bool // a limit that we set
	aligned    bool // its minutes are the server's
	regulation *Regulation
	clk        *clock // the account's
	rule       *limit.Rule
	w          time.Duration
	limit      int
	source     limit.Source
	heard      bool // the server states this counter in headers
	deaf       int  // answers without its header before the first with one

	min       int     // smallest remaining believed in this window
	minAt     instant // when it was learned
	readAt    instant // when the last reading of this window came
	busy      int     // ours sent, headers not yet back
	lost      int     // ours that died after the send
	dark      int     // ours counted without a believable header since min
	ours      int     // ours the server counted in this window
	lostAt    instant
	darkAt    instant // arrival of the latest dark answer
	countedAt instant // latest send already in ours

	open      bool // an end is known
	cl, ch    instant
	down      bool    // the server rounds the time to the window's end down
	confirmed bool    // this window has been observed
	stale     bool    // not used for so long that it is cold again
	rolledAt  instant // when we turned the window by the clock

	others   forecast
	recent   recent
	emptyAt  instant // when nothing was left any more
	harm     float64 // others' calls refused for want of budget, estimated
	demand   demand  // ours, of a primary counter
	next     instant // the paced slot taken last
	ahead    float64 // sends that may go ahead of the pace
	earnedAt instant

	pause
	refill     bool    // a refusal made the rest of this window unknown
	refilledAt instant // when it did
	gate
	doubt doubt
	learning
	short short

	offered int // a changed limit seen once
	usedAt  instant
}

func (a *Account) newWindow(key limit.Key, rule *limit.Rule, now instant) *window {
	b := &window{
		key: key, rule: rule, clk: &a.clk, regulation: &a.options.Regulation,
		w: rule.Window, limit: rule.Limit, source: limit.Documented,
	}
	if b.limit == 0 {
		b.source = limit.NotYetKnown
	}
	b.others.z = calmest
	b.min = b.limit
	b.usedAt, b.earnedAt = now, now
	return b
}

// governs reports whether the bucket holds anybody back: the server has
// stated it, a refusal has taught it, or it is documented for every plan.
func (b *window) governs() bool {
	switch {
	case b.limit <= 0 || b.w <= 0:
		return false
	case b.heard || b.source == limit.Learned:
		return true
	case b.rule.Primary:
		return b.deaf >= deafAnswers
	default:
		return b.rule.Mark == limit.Binding
	}
}

// cold reports whether the service must be asked by one probe first.
func (b *window) cold() bool {
	if !b.rule.Primary || b.rule.Silent {
		return false
	}
	return b.stale || !b.heard && b.deaf < deafAnswers
}

func (b *window) left() int { return b.min - b.busy - b.lost - b.dark }

func (b *window) start() instant { return (b.cl+b.ch)/2 - b.w }

// guard is the time around a boundary in which remaining and reset may belong
// to different windows.
func (b *window) guard() time.Duration { return min(1500*time.Millisecond, b.w/8) }

// roll turns the window by the clock, in whole windows, in closed form.
func (b *window) roll(now instant, clk *clock) {
	if !b.open || now < b.ch || b.w <= 0 {
		return
	}
	turns := (now-b.ch)/b.w + 1
	b.finish(b.ch)
	if b.source == limit.Learned && now-b.usedAt > forgetAfter {
		b.limit, b.source = b.rule.Limit, limit.Documented
	}
	b.cl += turns * b.w
	b.ch += turns * b.w
	if b.ch-b.cl < b.guard() { // more doubt than that helps nobody
		b.cl -= 50 * time.Millisecond
		b.ch += 50 * time.Millisecond
	}
	if !b.heard && clk.known {
		b.cl, b.ch = clk.nearest((b.cl+b.ch)/2, b.w)
	}
	b.begin(now)
	b.rolledAt = now
	b.confirmed = false
	b.close()
	if now-b.usedAt > idleWindows*b.w && b.rule.Primary && b.heard {
		b.stale = true
	}
}

// reset follows a pause inside a window: what is left is unknown, so it is
// taken as full behind one probe.
func (b *window) reset(now instant) {
	b.refill = false
	if b.rolledAt < b.refilledAt {
		b.begin(now)
		b.confirmed = false
	}
	b.close()
}

// begin starts a full window.
func (b *window) begin(now instant) {
	b.min, b.minAt, b.readAt = b.limit, now, now
	b.ours, b.dark, b.lost = 0, 0, 0
	b.doubt = doubt{}
	b.recent.seen, b.recent.at = 0, now
	b.hits, b.misses, b.refusedNow = 0, 0, false
}

// finish draws the conclusions of a window that ends at end.
func (b *window) finish(end instant) {
	b.demand.close(b.w)
	if b.heard {
		dry := b.min <= 0 && b.minAt < end-time.Second
		b.harm += b.othersRefused(end)
		b.others.close(b.othersRate(), dry)
		b.unlink()
		return
	}
	if !b.own {
		b.grow()
	}
}

// othersSeen is how many sends of others the server counted in this window.
func (b *window) othersSeen() int {
	return max(0, b.limit-b.min-b.ours-b.busy-b.lost-b.dark)
}

// othersRate is the present belief of the others' sends per second.
func (b *window) othersRate() float64 {
	if !b.heard || !b.open {
		return 0
	}
	return b.others.posterior(float64(b.othersSeen()), max(0, b.countedUntil()-b.start()), b.w)
}

// countedUntil is how far into the window others could be seen: once nothing
// remained they were refused, and the server counts no refusals.
func (b *window) countedUntil() instant {
	if b.min <= 0 {
		return b.minAt
	}
	return b.readAt
}

// othersRefused is how many calls of others met an empty window, as far as it
// lasted until end: their rate times the time at zero.
func (b *window) othersRefused(end instant) float64 {
	rate := b.recent.rate // a window runs dry in a burst, and the burst goes on
	if !b.rule.Primary || rate <= 0 {
		return 0
	}
	empty := b.emptyAt
	if b.min > 0 {
		empty = b.recent.spends(b.readAt, b.min)
	}
	return rate * max(0, end-empty).Seconds()
}

// unlink forgets a header that answers no longer carry: five successes in a
// window without it, and none with it.
func (b *window) unlink() {
	if b.rule.Primary || b.hits > 0 || b.misses < 5 {
		return
	}
	b.heard, b.limit, b.source = false, b.rule.Limit, limit.Documented
}

// ask decides whether a send of cost may go now. With why empty it may, and
// due is its place in the pace (0: it is not paced); else it may not before until.
func (b *window) ask(now instant, cost int, ask Ask, clk *clock) (due, until instant, why limit.Reason) {
	b.roll(now, clk)
	if until, why = b.pause.blocks(now); why != "" {
		return 0, until, why
	}
	if b.refill {
		b.reset(now)
	}
	if n, why := b.gated(); why != "" {
		if why == limit.Unconfirmed && ask.Class == limit.Interactive {
			n++
		}
		if ok, until := b.gate.lets(n, now); !ok {
			return 0, until, why
		}
	}
	if !b.governs() || b.cold() {
		return now, 0, ""
	}
	if b.w < shortest {
		return b.short.ask(now, b, clk)
	}
	return b.pacing(now, cost, ask)
}

// gated says how many unanswered sends the bucket's doubts allow, and which
// doubt that is; "" when there is none.
func (b *window) gated() (n int, why limit.Reason) {
	switch {
	case b.cold():
		return 1, limit.Cold
	case b.halfOpen:
		return 1, limit.HalfOpen
	case b.doubt.on:
		return 1, limit.Doubtful
	case b.heard && !b.confirmed && b.w >= shortest:
		return 2, limit.Unconfirmed
	default:
		return 0, ""
	}
}

// take charges a send that ask let go. It returns the gate's generation and
// whether the send is a probe.
func (b *window) take(now, due instant, cost int) (generation uint32, probe bool) {
	b.busy += cost
	b.usedAt = now
	if !b.heard && !b.rule.Primary {
		b.aim(now)
	}
	if n, _ := b.gated(); n > 0 {
		generation, probe = b.gate.enter(now), true
	}
	if !b.governs() {
		return generation, probe
	}
	switch {
	case b.w < shortest:
		b.short.take(now, b)
	case due == 0: // interactive sends take no place in the pace
	case now < due:
		b.ahead -= float64(cost)
	default:
		b.next = due
	}
	return generation, probe
}

// aim gives a counter that the server does not state its window: on the
// server's clock where that is known, else from now.
func (b *window) aim(now instant) {
	if b.open || b.w <= 0 {
		return
	}
	b.open, b.cl, b.ch = true, now+b.w, now+b.w
	if b.clk.known {
		b.cl, b.ch = b.clk.end(now, b.w)
	}
}
