package budget

import "time"

// An instant is a time on the local monotonic clock, since the account's
// first use. Wall clocks step; windows must not.
type instant = time.Duration

// never is later than any instant.
const never = instant(1<<63 - 1)

// A clock is what answers have told of the server's clock: server time in
// nanoseconds since 1970 is the instant plus something in [lo, hi].
type clock struct {
	known  bool
	lo, hi int64
}

// hear narrows the clock by an answer stamped date (whole seconds, cut off)
// somewhere between t0 and t1. Estimates that contradict each other mean that
// a clock has moved: the newer one wins.
func (c *clock) hear(date time.Time, t0, t1 instant) {
	if date.IsZero() {
		return
	}
	stamp := date.UnixNano()
	lo, hi := stamp-int64(t1), stamp+int64(time.Second)-int64(t0)
	if c.known && lo <= c.hi && hi >= c.lo {
		c.lo, c.hi = max(c.lo, lo), min(c.hi, hi)
		return
	}
	*c = clock{known: true, lo: lo, hi: hi}
}

// width is how much the clock is in doubt.
func (c *clock) width() time.Duration { return time.Duration(c.hi - c.lo) }

// end returns the interval in which the clock-aligned window of length w that
// holds now ends.
func (c *clock) end(now instant, w time.Duration) (lo, hi instant) {
	mid := int64(now) + c.lo + (c.hi-c.lo)/2
	return c.local(mid - mod(mid, int64(w)) + int64(w))
}

// nearest returns the interval of the window boundary nearest to at.
func (c *clock) nearest(at instant, w time.Duration) (lo, hi instant) {
	mid := int64(at) + c.lo + (c.hi-c.lo)/2 + int64(w)/2
	return c.local(mid - mod(mid, int64(w)))
}

// local returns when the server's clock shows unix nanoseconds.
func (c *clock) local(unix int64) (lo, hi instant) {
	return instant(unix - c.hi), instant(unix - c.lo)
}

func mod(a, b int64) int64 {
	if m := a % b; m >= 0 {
		return m
	}
	return a%b + b
}
