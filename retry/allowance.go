package retry

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	span      = 60 // seconds that the retry budget looks back
	leastSpan = 10 // repeats that a span always allows
	share     = 10 // sends that allow one repeat
	lump      = 16 // sends counted before the clock is read
)

// An allowance is the retry budget: over a minute at most one repeat for
// every ten sends, and never under ten. It keeps a server in trouble from
// being asked three times as often by everybody. The zero value is ready.
type allowance struct {
	total atomic.Uint64 // sends ever

	mu      sync.Mutex
	counted uint64 // of total, those that are in seconds
	seconds [span]second
}

// A second counts what happened in one second of the clock.
type second struct {
	unix           int64
	sends, repeats int
}

// sent counts a send. The clock is read once for every few, since reading it
// is most of the cost.
func (a *allowance) sent() {
	if a.total.Add(1)%lump == 0 {
		a.mu.Lock()
		a.foldAt(time.Now())
		a.mu.Unlock()
	}
}

// takeAt charges a repeat at now, or reports false when there is no room.
func (a *allowance) takeAt(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	current := a.foldAt(now)
	sends, repeats := 0, 0
	for i := range a.seconds {
		if s := &a.seconds[i]; s.unix > now.Unix()-span {
			sends += s.sends
			repeats += s.repeats
		}
	}
	if repeats >= max(leastSpan, sends/share) {
		return false
	}
	current.repeats++
	return true
}

// foldAt moves the sends not yet counted into the second of now.
func (a *allowance) foldAt(now time.Time) *second {
	unix := now.Unix()
	s := &a.seconds[uint64(unix)%span]
	if s.unix != unix {
		*s = second{unix: unix}
	}
	total := a.total.Load()
	s.sends += int(total - a.counted)
	a.counted = total
	return s
}
