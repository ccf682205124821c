package watch

import (
	"slices"
	"time"
)

// An Ask is what to ask the account for.
type Ask int

const (
	// Limit is any cheap call: its header tells what is left.
	Limit Ask = iota
	// Tokens are the lists of tokens; their headers tell what is left too.
	Tokens
)

// Looks at a minute, as parts of it; the one just before its end is there
// always, the others where the limit is large enough for them to be nothing.
var parts = []struct {
	part  float64
	least int // the limit from which on
}{{1. / 8, 300}, {1. / 2, 100}}

// lastSlot is the look just before the end.
var lastSlot = len(parts)

// Next says when to ask next, and for what, as things stand: what is told in the
// meantime may change it.
func (w *Watch) Next(now time.Time) (time.Time, Ask) {
	w.Advance(now)
	at, ask := w.due(now)
	at = later(at, w.free(w.cost(ask)))
	if at.Before(w.until) {
		at = w.until
	}
	return later(at, now), ask
}

func (w *Watch) due(now time.Time) (time.Time, Ask) {
	if w.looks.wanted && w.affordable(now) {
		return later(now, w.local(w.start(w.open.index)).Add(w.phase.doubt())), Tokens
	}
	for i := w.slot; i <= lastSlot; i++ {
		at := w.slotAt(w.open.index, i)
		if !at.Before(now) && w.worth(i) {
			return at, w.askAt(i, at)
		}
	}
	for i := range parts {
		if w.worth(i) {
			return w.slotAt(w.open.index+1, i), w.askAt(i, w.slotAt(w.open.index+1, i))
		}
	}
	return w.slotAt(w.open.index+1, lastSlot), w.askAt(lastSlot, w.slotAt(w.open.index+1, lastSlot))
}

// Asking tells that what Next said is being asked for now.
func (w *Watch) Asking(now time.Time, ask Ask) {
	w.Advance(now)
	for w.slot <= lastSlot && !w.slotAt(w.open.index, w.slot).After(now) {
		w.slot++
	}
	if ask == Tokens {
		w.looks.wanted = false
		w.looks.routine = now.Add(lookEvery * w.window)
	}
}

func (w *Watch) worth(slot int) bool {
	return slot == lastSlot || w.limit >= parts[slot].least
}

// slotAt is when a minute is looked at, by our clock.
func (w *Watch) slotAt(index int64, slot int) time.Time {
	start := w.local(w.start(index))
	if slot < lastSlot {
		return start.Add(time.Duration(parts[slot].part * float64(w.window)))
	}
	return start.Add(w.window - w.lead())
}

// lead is how long before a minute's end it is read: as late as the answer is
// sure to be of that minute.
func (w *Watch) lead() time.Duration {
	return min(max(w.trips.longest()+w.phase.doubt()+w.window/120, w.window/40), w.window/6)
}

// askAt takes the routine look at the tokens in place of the last reading.
func (w *Watch) askAt(slot int, at time.Time) Ask {
	if slot == lastSlot && !at.Before(w.looks.routine) {
		return Tokens
	}
	return Limit
}

// cost is how many calls it takes.
func (w *Watch) cost(ask Ask) int {
	if ask == Tokens {
		return max(1, w.looks.cost)
	}
	return 1
}

// affordable says that a look now leaves a call for the minute's end.
func (w *Watch) affordable(now time.Time) bool {
	last := w.slotAt(w.open.index, lastSlot)
	spare := 0
	if w.slot <= lastSlot && last.After(now) {
		spare = 1
	}
	return !w.free(w.cost(Tokens) + spare).After(now)
}

// free is when n calls more stay within what we allow ourselves: at most
// [MostCalls] in any window, wherever it begins.
func (w *Watch) free(n int) time.Time {
	n = min(n, MostCalls)
	if i := len(w.sent) + n - MostCalls - 1; i >= 0 {
		return w.sent[i].Add(w.window + w.margin())
	}
	return time.Time{}
}

// margin is for calls that take longer to arrive than those before.
func (w *Watch) margin() time.Duration { return max(w.trips.longest(), w.window/60) }

// Left is how many calls may be made now.
func (w *Watch) Left(now time.Time) int {
	if now.Before(w.until) {
		return 0
	}
	recent := 0
	for _, at := range slices.Backward(w.sent) {
		if now.Sub(at) < w.window+w.margin() {
			recent++
		}
	}
	return max(0, MostCalls-recent)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
