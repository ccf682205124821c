package watch

import (
	"cmp"
	"time"
)

// MostCalls is how many calls of our own an account sees in any window at most.
const MostCalls = 6

// Options tunes a [Watch].
type Options struct {
	// Window is the span of the account's limit; 0 is a minute.
	Window time.Duration
	// State is what an earlier watch of the account had learned; the zero value
	// is nothing.
	State State
}

// A Watch is what is known of one account. It is not safe for concurrent use.
type Watch struct {
	window time.Duration
	s      State
	phase  phase
	trips  trips
	limit  int
	open   minute
	until  time.Time // no call before
	sent   []time.Time
	slot   int // the next look at the open minute
	looks  looks
	told   int64 // spikes that ended before were settled
	shown  int64 // the last minute that Ended returned
	hidden []string
}

// minute is the one under way.
type minute struct {
	index   int64
	points  []point
	ours    int
	refused int
	full    bool
	suspect bool // it is over the usual already
}

// point is how much of the limit was used at an instant of the account's clock.
type point struct {
	at         time.Time
	used, ours int
}

func (m *minute) used() int {
	used := 0
	for _, p := range m.points {
		used = max(used, p.used)
	}
	return used
}

// New returns a watch that begins now.
func New(o Options, now time.Time) *Watch {
	w := &Watch{window: cmp.Or(o.Window, time.Minute), s: o.State}
	w.phase = newPhase(w.window)
	if w.s.Tokens == nil {
		w.s.Tokens = map[string]*Token{}
	}
	if w.s.Since.IsZero() {
		w.s.Since = now
	}
	w.open.index = w.index(now.Add(w.phase.ahead))
	w.told, w.shown = w.open.index, w.open.index-1
	w.looks.routine = now
	return w
}

// index numbers the account's windows.
func (w *Watch) index(at time.Time) int64 {
	n, d := at.UnixNano(), int64(w.window)
	i := n / d
	if n%d < 0 {
		i--
	}
	return i
}

// start is when a window begins by the account's clock; local makes our clock's
// time of it.
func (w *Watch) start(index int64) time.Time { return time.Unix(0, index*int64(w.window)).UTC() }

func (w *Watch) local(at time.Time) time.Time { return at.Add(-w.phase.ahead) }

// Sent takes in that a call of our own leaves.
func (w *Watch) Sent(at time.Time) {
	w.Advance(at)
	w.open.ours++
	w.s.Calls++
	w.sent = append(w.sent, at)
	if n := len(w.sent); n > 2*MostCalls {
		w.sent = w.sent[n-2*MostCalls:]
	}
}

// Advance brings the watch up to now: minutes that have passed end.
func (w *Watch) Advance(now time.Time) {
	if at := w.index(now.Add(w.phase.ahead)); at > w.open.index {
		w.turn(at)
	}
}

// Ended returns the minutes that have ended since it was last asked, oldest
// first, without those of which nothing is known.
func (w *Watch) Ended() []Minute {
	i := len(w.s.Minutes)
	for i > 0 && w.s.Minutes[i-1].Index > w.shown {
		i--
	}
	w.shown = w.open.index - 1
	return w.s.Minutes[i:]
}

// End is when the minute under way ends, by our clock.
func (w *Watch) End() time.Time { return w.local(w.start(w.open.index + 1)) }

// turn ends the minute under way and begins another.
func (w *Watch) turn(to int64) {
	w.end()
	w.open = minute{index: to}
	w.slot = 0
	if n := len(w.s.Spikes); n > 0 && w.s.Spikes[n-1].Last == to-1 {
		w.looks.wanted = true // while last uses still fall into it
	}
}
