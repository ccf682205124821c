package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A sample is when and how one send was answered.
type sample struct {
	t0, t1  instant // headers written, first byte back
	date    time.Time
	status  int
	counted bool
	cost    int
}

func (s *sample) succeeded() bool { return s.status >= 200 && s.status < 300 }

// A doubt is a reading that we and the forecast cannot explain. It is
// believed once a send made later says the same.
type doubt struct {
	on    bool
	value int
	t0    instant
	ups   int // later readings in a row above what a window allows
}

// hear takes in what an answer said of this bucket. Order of arrival does not
// matter: within a window only the smallest remaining counts.
func (b *window) hear(s *sample, r *limit.Reading) {
	b.hits++
	if !b.hearLimit(r) {
		return
	}
	reset, ok := resetOf(s, r, b.w)
	if !ok {
		if b.heard && b.open && !b.stale {
			b.confirmed = true // nothing better will come
			b.settle(s, r.Remaining)
			return
		}
		reset = b.w // the first answer opens the window
	}
	b.hearRounding(r)
	cl, ch := s.t0+reset-time.Second, s.t1+reset // the server rounds up
	if b.down {
		cl, ch = cl+time.Second, ch+time.Second
	}
	switch {
	case !b.heard || b.stale || !b.open:
		b.heard, b.stale = true, false
		b.open, b.cl, b.ch = true, cl, ch
		b.first(s, r.Remaining)
	case b.nearBoundary(s):
		b.hearNearBoundary(s, reset, r.Remaining)
	case s.t1-s.t0 > b.w/4:
		b.settle(s, r.Remaining)
	default:
		b.place(s, cl, ch, r.Remaining)
	}
}

// hearLimit takes the stated limit: at once when it is the first, else when a
// changed value is seen twice in a row. It reports whether the reading is of use.
func (b *window) hearLimit(r *limit.Reading) bool {
	if r.Limit <= 0 {
		return b.limit > 0
	}
	if r.HasReset && r.Reset > b.w+max(1200*time.Millisecond, b.w/8) { // less is a window a little longer than the others
		if b.beyond++; b.beyond >= 2 || b.w <= 0 {
			b.w = usualSpan(r.Reset) // said twice: one stray reset must not stretch a minute to an hour
		}
	} else {
		b.beyond = 0
	}
	if b.w <= 0 {
		b.w = time.Minute // every endpoint header on record counts over the clock minute
	}
	if b.source != limit.FromHeader || b.limit <= 0 || r.Limit == b.offered {
		if b.heard {
			b.min += r.Limit - b.limit
		}
		b.limit, b.source = r.Limit, limit.FromHeader
	}
	b.offered = r.Limit
	return true
}

// hearRounding finds out which way the server rounds the time to the window's
// end: up, as in every recording, until it says zero, which only rounding down
// gives. A whole window, said in its first second, only rounding up gives.
func (b *window) hearRounding(r *limit.Reading) {
	switch {
	case !r.HasReset:
	case r.Reset == 0 && !b.down:
		b.down = true
		b.cl, b.ch = b.cl+time.Second, b.ch+time.Second
	case r.Reset >= b.w && b.down:
		b.down = false
		b.cl, b.ch = b.cl-time.Second, b.ch-time.Second
	}
}

// usualSpan is the shortest common span that a reset fits into.
func usualSpan(reset time.Duration) time.Duration {
	for _, w := range []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, time.Hour, 24 * time.Hour} {
		if reset <= w {
			return w
		}
	}
	return reset
}

// resetOf is the time to the window's end as stated or, for services that
// state none, as the server's own clock implies.
func resetOf(s *sample, r *limit.Reading, w time.Duration) (time.Duration, bool) {
	if r.HasReset {
		return r.Reset, true
	}
	if s.date.IsZero() || w < time.Second {
		return 0, false
	}
	return w - time.Duration(mod(s.date.UnixNano(), int64(w))), true
}

// first opens the first window seen.
func (b *window) first(s *sample, remaining int) {
	b.begin(s.t1)
	b.min, b.minAt, b.readAt = min(remaining, b.limit), s.t1, s.t1
	b.confirmed = true
	b.count(s)
	elapsed := max(time.Second, s.t1-b.start())
	b.others = forecast{rate: float64(b.othersSeen()) / elapsed.Seconds(), z: calmest}
	b.ahead = max(0, float64(b.min)-spread(b.others.rate, b.cl-s.t1, calmest)) / 5
	b.learnSpan((b.cl + b.ch) / 2)
}

func (b *window) nearBoundary(s *sample) bool {
	return s.t1 > b.cl-b.guard() || s.t0 < b.ch-b.w+b.guard()
}

// hearNearBoundary never opens a window, confirms one or believes a rise: the
// count and the reset may be of two windows. What it cannot believe is dark,
// for an answer that is forgotten is a send too many.
func (b *window) hearNearBoundary(s *sample, reset time.Duration, remaining int) {
	if s.t0 >= b.ch-b.w+b.guard() && s.t1 < b.cl && reset < b.w/2 && remaining < b.min {
		b.settle(s, remaining)
		return
	}
	b.darken(s)
}

// place finds out whether the reading is of this window, a newer or an older one.
func (b *window) place(s *sample, cl, ch instant, remaining int) {
	d := (cl+ch)/2 - (b.cl+b.ch)/2
	switch {
	case d > b.w/2:
		b.finish((b.cl + b.ch) / 2)
		b.cl, b.ch = cl, ch
		b.begin(s.t1)
		b.minAt = b.start()
	case d < -b.w/2 && s.t0 < b.rolledAt:
		return // left over from the last window
	case d < -b.w/2:
		b.cl, b.ch = cl, ch // we turned it too early
		b.min, b.minAt, b.readAt, b.ours = min(remaining, b.limit), s.t1, s.t1, 0
	case cl <= b.ch && ch >= b.cl:
		b.cl, b.ch = max(b.cl, cl), min(b.ch, ch)
	default:
		b.cl, b.ch = cl, ch
	}
	if !b.confirmed {
		b.confirmed = true
		b.learnSpan((b.cl + b.ch) / 2)
	}
	b.settle(s, remaining)
}

// settle takes a reading of this window into min and ours.
func (b *window) settle(s *sample, remaining int) {
	b.readAt = max(b.readAt, s.t1)
	b.lower(s, remaining)
	b.count(s)
	if b.min > 0 {
		b.recent.note(b.othersSeen(), s.t1, b.w/20)
	}
}

func (b *window) count(s *sample) {
	if s.t0 > b.lostAt {
		b.lost = 0
	}
	if !s.counted {
		return
	}
	b.ours += s.cost
	if s.t0 >= b.countedAt && s.t0 >= b.darkAt {
		b.ours += b.dark
		b.dark = 0
	}
	b.countedAt = max(b.countedAt, s.t0)
}

// lower believes a smaller remaining when it can be explained or is said
// twice, and a greater one when it is said three times in a row.
func (b *window) lower(s *sample, remaining int) {
	remaining = min(remaining, b.limit)
	switch {
	case remaining < b.min && b.explains(s, remaining):
		b.believe(s, remaining)
	case remaining < b.min:
		if !b.doubt.on {
			b.doubt = doubt{on: true, value: remaining, t0: s.t0}
			b.close()
		}
	default:
		if s.t0 > b.doubt.t0 {
			b.doubt.on = false
		}
		b.rise(s, remaining)
	}
}

func (b *window) believe(s *sample, remaining int) {
	if remaining <= 0 {
		b.emptyAt = min(s.t1, b.recent.spends(b.minAt, b.min))
	}
	b.min, b.minAt = remaining, s.t1
	if s.t0 > b.doubt.t0 {
		b.doubt.on = false
	}
	b.doubt.ups = 0
}

// explains reports whether we, the forecast of others and some slack account
// for the fall to remaining, or a later send confirms an earlier doubt.
func (b *window) explains(s *sample, remaining int) bool {
	fall := float64(b.min - remaining)
	known := float64(b.busy+b.dark+b.lost+s.cost) + spread(b.othersRate(), s.t1-b.minAt, 4) + max(2, float64(b.limit)/100)
	if fall <= known || s.status == 429 {
		return true
	}
	return b.doubt.on && s.t0 > b.doubt.t0 && float64(remaining) <= float64(b.doubt.value)+known
}

// rise believes a higher remaining once three sends made after the smallest
// was learned agree on it: the limit was raised, or the low value was bogus.
func (b *window) rise(s *sample, remaining int) {
	if s.t0 <= b.minAt || remaining <= b.min {
		return
	}
	if b.doubt.ups++; b.doubt.ups >= 3 {
		b.min, b.minAt = remaining, s.t1
		b.doubt.ups = 0
	}
}

// miss takes in an answer that did not speak of this bucket.
func (b *window) miss(s *sample) {
	if s.succeeded() {
		b.misses++
	}
	if b.heard {
		b.darken(s)
		return
	}
	b.deaf++
	if s.status == 429 && !b.own {
		return // a silent counter that refuses is not known to charge for it
	}
	b.aim(s.t1)
	b.darken(s)
	if b.refusedNow && b.source == limit.Learned {
		b.limit = max(b.limit, b.dark) // answered beside the refusal
	}
}

// darken counts an answer whose effect on the counter cannot be read.
func (b *window) darken(s *sample) {
	if !s.counted {
		return
	}
	if !b.heard && b.answeredBefore(s) {
		return
	}
	b.dark += s.cost
	b.darkAt = max(b.darkAt, s.t1)
}

// answeredBefore reports whether the answer's own Date puts it into a window
// that is over.
func (b *window) answeredBefore(s *sample) bool {
	return !s.date.IsZero() && s.t0 < b.rolledAt && b.clk.known &&
		instant(s.date.UnixNano()+int64(time.Second)-b.clk.lo) <= b.start()
}

// lose charges a send that died without an answer: the server may have
// counted it.
func (b *window) lose(now instant, cost int) {
	b.lost += cost
	b.lostAt = now
}
