package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A learning is how a counter that the server does not state, or states with
// another span than the catalogue, is found out.
type learning struct {
	hits, misses int  // successes of this window with and without the header
	refusedNow   bool // a refusal fell into this window
	clean        int  // full windows without a refusal, in a row
	patience     int  // how many of those before the limit is tried higher
	step         int  // by how much it was raised last, 0 since a refusal

	lastEnd instant       // end of the last window observed
	span    time.Duration // its distance from the one before, seen once
	beyond  int           // readings in a row whose reset lies beyond the window
}

// grow tries a limit that no header confirms higher after windows that ended
// full and clean, for some accounts are not held to it, and one may have been
// learned of a burst that met something else. Each time it goes up by twice as
// much as the last; a refusal starts at one again and doubles how many windows.
func (b *window) grow() {
	if !b.governs() || b.refusedNow || b.dark+b.lost+b.limit/20 < b.limit {
		return // what holds nobody back is not learned by being passed
	}
	if b.clean++; b.clean > b.patience {
		b.step = max(1, 2*b.step)
		b.limit += b.step
		b.clean = 0
		b.source = limit.Learned
	}
}

// learnLimit takes what was answered in this window as the limit of a counter
// that refused without saying one.
func (b *window) learnLimit(answered int) {
	b.limit = max(1, answered)
	b.min = min(b.min, b.limit)
	b.source = limit.Learned
	b.refusedNow = true
	b.clean, b.step = 0, 0
	b.patience = min(2*b.patience+1, 63)
}

// learnSpan notes the end of an observed window. Two ends at the same
// distance, other than the rule's, are the real span.
func (b *window) learnSpan(end instant) {
	span := (end - b.lastEnd).Round(time.Second)
	first := b.lastEnd == 0
	b.lastEnd = end
	if first || span < time.Second || near(span, b.w) {
		return
	}
	if b.w > 0 && span > b.w && near(span.Round(b.w), span) {
		return // whole windows without an observation
	}
	if near(span, b.span) {
		b.w = span
	}
	b.span = span
}

func near(a, b time.Duration) bool { return (a - b).Abs() <= 1200*time.Millisecond }
