package rivals

import (
	"fmt"
	"strings"
)

// A bar is what flyball is held to in a scenario. Zero fields ask nothing.
type bar struct {
	refused   float64 // most 429s to us per 1,000 calls
	used      float64 // least share of what others left, percent
	p99       float64 // most seconds, interactive
	harm      float64 // most of the others' calls refused, percent
	harmAdded float64 // the same, in points above a run without bulk
	peak      float64 // most sends in one second, in limit / window
	first     int     // most refusals of an endpoint's first window
	later     int     // and of a later one
	share     float64 // most percent that a client is off its equal share
}

// asked are the bar's parts in words.
func (b bar) asked() string {
	var parts []string
	add := func(on bool, format string, v any) {
		if on {
			parts = append(parts, fmt.Sprintf(format, v))
		}
	}
	add(b.refused > 0, "429s <= %g", b.refused)
	add(b.used > 0, "used >= %g", b.used)
	add(b.p99 > 0, "p99 <= %g s", b.p99)
	add(b.harm > 0, "others <= %g %%", b.harm)
	add(b.harmAdded > 0, "others <= no bulk + %g", b.harmAdded)
	add(b.peak > 0, "peak <= %g L/W", b.peak)
	add(b.first > 0, "first window <= %d", b.first)
	add(b.later > 0, "later ones <= %d", b.later)
	add(b.share > 0, "shares within %g %%", b.share)
	return strings.Join(parts, ", ")
}

// missed lists what the figures miss of the bar, "" for nothing.
func (b bar) missed(r result) string {
	var parts []string
	add := func(missed bool, what string) {
		if missed {
			parts = append(parts, what)
		}
	}
	f := r.figures
	add(b.refused > 0 && f.per1k() > b.refused, "429s")
	add(b.used > 0 && f.used() < b.used, "used")
	add(b.p99 > 0 && f.wait(0.99).Seconds() > b.p99, "p99")
	add(b.harm > 0 && f.harm() > b.harm, "others")
	add(b.harmAdded > 0 && f.harm() > r.idle.harm()+b.harmAdded, "others")
	add(b.peak > 0 && float64(f.peak) > r.mostPeak(b.peak), "peak")
	add(b.first > 0 && f.endpoint[0] > b.first, "first window")
	add(b.later > 0 && f.endpoint[1] > b.later, "later windows")
	add(b.share > 0 && f.unequal() > b.share, "shares")
	return strings.Join(parts, ", ")
}

// mostPeak is the bar for the peak: what nobody labelled may have a burst of a
// fifth of the limit besides.
func (r result) mostPeak(times float64) float64 {
	limit := float64(r.scenario.limit())
	most := times * limit / r.scenario.window().Seconds()
	if r.policy.label == nil {
		most += limit / 5
	}
	return most
}

// unequal is how many percent a client is off its equal share.
func (f figures) unequal() (most float64) {
	total := 0
	for _, n := range f.share {
		total += n
	}
	for _, n := range f.share {
		off := 100 * (float64(n)*float64(len(f.share))/float64(max(1, total)) - 1)
		most = max(most, off, -off)
	}
	return most
}
