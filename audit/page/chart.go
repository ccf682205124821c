package page

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/flyballhq/flyball/audit"
)

// The chart is a dozen lines and no library: the one chosen elsewhere costs the
// program 2 MB, see docs/decisions/audit.md.
const (
	wide   = 960
	high   = 280
	left   = 56 // room for the figures of the axis
	right  = 12
	top    = 36 // room for the legend
	bottom = 28
	points = 480 // of a line: more would be less than two pixels each
)

// A chart draws lines over time in one scale.
type chart struct {
	strings.Builder
	n   int     // points of a line
	max float64 // the scale's end
}

// overTime draws the calls of the busiest minute of each stretch of time
// against the limit, and the refusals.
func overTime(r *audit.Report) string {
	slots, step := thin(r.Series, r.Step)
	limit, most := supportLimit(r), 1
	for _, s := range slots {
		most = max(most, s.Peak, s.Refused)
	}
	if limit < 20*most { // a limit far above would press the lines flat
		most = max(most, limit)
	}
	c := chart{n: len(slots)}
	fmt.Fprintf(&c, `<svg viewBox="0 0 %d %d" font-size="12" fill="var(--ink)">`, wide, high)
	c.scale(float64(most))
	c.times(slots, step, r.To.Sub(r.From))
	c.line("sent", func(i int) int { return slots[i].Peak })
	c.line("bad", func(i int) int { return slots[i].Refused })
	c.legend(0, "sent", "calls, in the busiest minute")
	c.legend(1, "bad", "refused with 429, all of them")
	if limit > 0 && float64(limit) <= c.max {
		fmt.Fprintf(&c, `<path d="M%d %.1fH%d" stroke="var(--edge)" stroke-dasharray="6 4" fill="none"/>`, left, c.y(float64(limit)), wide-right)
		c.legend(2, "edge", fmt.Sprintf("limit, %s a minute", grouped(limit)))
	}
	c.WriteString("</svg>")
	return c.String()
}

func (c *chart) x(i int) float64 {
	return left + float64(wide-left-right)*float64(i)/float64(max(1, c.n-1))
}

func (c *chart) y(v float64) float64 { return top + (high-top-bottom)*(1-v/c.max) }

// scale draws the lines of round figures up to at least most.
func (c *chart) scale(most float64) {
	step := math.Pow(10, math.Floor(math.Log10(most)))
	for _, part := range []float64{0.2, 0.5, 1} {
		if most/(step*part) <= 6 {
			step *= part
			break
		}
	}
	step = max(1, step)
	c.max = math.Ceil(most/step) * step
	for v := 0.0; v <= c.max; v += step {
		fmt.Fprintf(c, `<path d="M%d %.1fH%d" stroke="var(--faint)"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`,
			left, c.y(v), wide-right, left-8, c.y(v)+4, grouped(int(v)))
	}
}

// times writes eight times below.
func (c *chart) times(slots []audit.Slot, step, span time.Duration) {
	const most = 8
	every := max(1, (len(slots)+most-1)/most)
	for i := 0; i < len(slots); i += every {
		fmt.Fprintf(c, `<text x="%.1f" y="%d">%s</text>`, c.x(i), high-8, stamp(slots[i].At, step, span))
	}
}

func (c *chart) line(colour string, value func(i int) int) {
	c.WriteString(`<path fill="none" stroke-width="1.5" stroke-linejoin="round" stroke="var(--` + colour + `)" d="`)
	for i := range c.n {
		fmt.Fprintf(c, "%c%.1f %.1f", "ML"[min(i, 1)], c.x(i), c.y(float64(value(i))))
	}
	c.WriteString(`"/>`)
}

func (c *chart) legend(place int, colour, text string) {
	x := left + place*280
	fmt.Fprintf(c, `<path d="M%d 14h22" stroke-width="3" stroke="var(--%s)"/><text x="%d" y="18">%s</text>`, x, colour, x+30, text)
}

// supportLimit is the limit of the Support API, 0 when it is unknown.
func supportLimit(r *audit.Report) int {
	for _, s := range r.Services {
		if s.Name == "support" {
			return s.Limit
		}
	}
	return 0
}

// thin fills the gaps of a series and joins slots until they fit the chart.
func thin(series []audit.Slot, step time.Duration) ([]audit.Slot, time.Duration) {
	if len(series) == 0 {
		return nil, step
	}
	first, last := series[0].At, series[len(series)-1].At
	for last.Sub(first)/step >= points {
		step *= 2
	}
	first = first.Truncate(step)
	slots := make([]audit.Slot, last.Sub(first)/step+1)
	for i := range slots {
		slots[i].At = first.Add(time.Duration(i) * step)
	}
	for _, s := range series {
		slot := &slots[s.At.Sub(first)/step]
		slot.Sends += s.Sends
		slot.Refused += s.Refused
		slot.Peak = max(slot.Peak, s.Peak)
	}
	if len(slots) == 1 { // a line needs two
		slots = append(slots, audit.Slot{At: first.Add(step)})
	}
	return slots, step
}

// stamp writes a time for the axis of a span.
func stamp(at time.Time, step, span time.Duration) string {
	switch {
	case step >= 24*time.Hour:
		return at.Format("2 Jan")
	case span > 24*time.Hour:
		return at.Format("Mon 2 15:04")
	}
	return at.Format("15:04")
}
