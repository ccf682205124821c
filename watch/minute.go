package watch

import (
	"math"
	"time"
)

// A Minute is one window of the account's limit that has ended.
type Minute struct {
	Index int64     `json:"index"` // windows since the Unix epoch
	Start time.Time `json:"start"` // by the account's clock
	Limit int       `json:"limit"`
	// Use is the best estimate of the calls that were counted, ours included;
	// it is between Low, which was read, and High, which it was below unless
	// the end of the minute was much busier than what came before.
	Use  int `json:"use"`
	Low  int `json:"low"`
	High int `json:"high"`
	Ours int `json:"ours"` // calls of our own
	// Refused is how many of ours met a 429.
	Refused int `json:"refused,omitempty"`
	// Usual is the median of the others' use before, and Spike says that this
	// minute was far above it.
	Usual int  `json:"usual"`
	Spike bool `json:"spike,omitempty"`
}

// Others is the estimate of what all others used.
func (m Minute) Others() int { return max(0, m.Use-m.Ours) }

// Share is how much of the limit was used, in percent.
func (m Minute) Share() int {
	if m.Limit == 0 {
		return 0
	}
	return 100 * m.Use / m.Limit
}

// end closes the minute under way; without a reading nothing is known of it.
func (w *Watch) end() {
	o := &w.open
	if o.refused > 0 {
		o.full = true // whatever else was asked, ours was one too many
	}
	if len(o.points) == 0 || w.limit == 0 {
		return
	}
	m := Minute{Index: o.index, Start: w.start(o.index), Limit: w.limit, Ours: o.ours, Refused: o.refused}
	m.Use, m.Low, m.High = o.estimate(m.Start, w.window, w.limit)
	w.judge(&m)
	w.s.count(m)
}

// estimate adds to the last reading what the rest of the minute is likely to
// have brought, at the rate of the part before.
func (o *minute) estimate(start time.Time, window time.Duration, limit int) (use, low, high int) {
	last := o.points[0]
	for _, p := range o.points {
		if p.used >= last.used {
			last = p
		}
	}
	later := o.ours - last.ours
	low = min(limit, last.used)
	if o.full {
		return limit, limit, limit
	}
	from := point{at: start}
	for _, p := range o.points {
		if last.at.Sub(p.at) >= window/4 {
			from = p
		}
	}
	rest := start.Add(window).Sub(last.at)
	passed := max(last.at.Sub(from.at), window/60)
	theirs := max(0, last.used-from.used-(last.ours-from.ours))
	more := float64(theirs) * max(0, rest.Seconds()) / passed.Seconds()
	use = min(limit, low+later+int(math.Round(more)))
	if rest > window/4 {
		return use, low, limit // too long a time unseen
	}
	return use, low, min(limit, low+later+int(math.Ceil(2*more+2*math.Sqrt(more+1))))
}
