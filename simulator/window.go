package simulator

import "time"

// window is where an instant lies in the windows of a rule. They start at
// multiples of their length since the Unix epoch, the UTC clock's minutes among
// them (1,235 of 1,283 recorded answers; the rest are a second off) [ZP], unless
// the options ask for others, see oddity.
type window struct {
	start, end int64 // Unix nanoseconds
	epoch      int64 // the window the counter believes in, see skewed
	down       bool  // the time to its end is stated rounded down
}

func windowAt(now time.Time, length time.Duration) window {
	at, l := now.UnixNano(), int64(length)
	index := at / l
	return window{start: index * l, end: (index + 1) * l, epoch: 2 * index}
}

// skewed moves the counter's restart off the clock's boundary, as recorded: it
// restarts early and once more on the boundary (remaining 699 with reset 1), or
// late (an old remaining with reset 60). Even epochs are the clock's windows, an
// odd one the stretch between an early restart and the boundary. The reset goes
// on following the clock.
func (w window) skewed(now time.Time, skew time.Duration, seed uint64) window {
	length := w.end - w.start
	most := min(int64(skew), length/4)
	if most <= 0 {
		return w
	}
	at := now.UnixNano()
	if late := offset(seed, streamSkew, w.start, most); late > 0 && at-w.start < late {
		w.epoch -= 2
	} else if early := -offset(seed, streamSkew, w.end, most); early > 0 && w.end-at <= early {
		w.epoch++
	}
	return w
}

// offset is a seeded distance for a boundary, from -most to most.
func offset(seed uint64, s stream, boundary, most int64) int64 {
	u := unit(seed, s, uint64(boundary))
	return int64((2*u - 1) * float64(most))
}

// secondsLeft is the time to the window's end in seconds: rounded up, at least 1,
// or where the account rounds down, cut off, at least 0.
func (w window) secondsLeft(at int64) int {
	if w.down {
		return max(int((w.end-at)/int64(time.Second)), 0)
	}
	return max(int((w.end-at+int64(time.Second)-1)/int64(time.Second)), 1)
}
