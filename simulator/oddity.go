package simulator

import "time"

// oddity is how windows differ from what recorded traffic shows: each of a
// length of its own, opened by the first call, or stated rounded down.
type oddity struct {
	jitter float64 // most that a window's length is off, as a share of it
	opened bool
	down   bool
	seed   uint64
	// calendars has the present window of each length; jittered windows follow
	// one another, so where one starts takes all before it.
	calendars map[time.Duration]*window
}

func oddityOf(o Options) oddity {
	return oddity{
		jitter: float64(o.WindowJitter) / float64(o.Window), opened: o.OpenedByFirst, down: o.RoundDown, seed: o.Seed,
		calendars: make(map[time.Duration]*window),
	}
}

// length is the length of the window that starts at start.
func (odd *oddity) length(start int64, usual time.Duration) int64 {
	return int64(usual) + offset(odd.seed, streamWindow, start, int64(odd.jitter*float64(usual)))
}

// windowAt is where an instant lies in jittered windows. The first starts on the
// clock. Instants must come in order.
func (odd *oddity) windowAt(now time.Time, usual time.Duration) window {
	w := odd.calendars[usual]
	if w == nil {
		first := windowAt(now, usual)
		w = &window{start: first.start, end: first.start + odd.length(first.start, usual), epoch: 2}
		odd.calendars[usual] = w
	}
	for at := now.UnixNano(); at >= w.end; {
		w.start, w.end = w.end, w.end+odd.length(w.end, usual)
		w.epoch += 2
	}
	return *w
}
