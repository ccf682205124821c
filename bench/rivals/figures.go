package rivals

import (
	"slices"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// figures are what runs came to; those of several seeds add up.
type figures struct {
	runs          int
	calls         int // by our callers, each counted once
	callerRefused int // times that a caller saw a refusal
	sends         int
	refused       int // 429s to us
	others        int
	othersRefused int
	took          int // our admitted sends in whole windows
	free          int // what others left of them
	peak          int // most sends within a second, of the worst run
	waits         []time.Duration
	makespan      time.Duration
	bound         time.Duration // the least makespan that harms nobody
	endpoint      []int         // worst refusals by an endpoint's limit: its first window, later ones
	share         []int         // bulk calls answered, by client
	pool          []simulator.Window
	start         time.Time
}

// count reads one run's figures off the ledger and the callers.
func count(c *callers, l simulator.Ledger, start, end time.Time) figures {
	f := figures{
		runs: 1, calls: int(c.calls.Load()), callerRefused: int(c.refused.Load()),
		sends: l.Sends, refused: l.Refused(), others: l.Others, othersRefused: l.OthersRefused,
		peak: peak(l.Requests), waits: c.took, makespan: end.Sub(start),
		pool: l.WindowsOf("account"), start: start,
	}
	for _, w := range f.pool {
		if !w.Start.Before(start) && !w.Start.Add(w.Length).After(end) {
			f.took += w.Admitted
			f.free += max(0, w.Limit-w.Others)
		}
	}
	for name := range c.scenario.sim.Limits {
		f.endpoint = worst(l.WindowsOf(name))
	}
	for i := range c.done {
		f.share = append(f.share, int(c.done[i].Load()))
	}
	return f
}

// peak is the most sends within any second.
func peak(requests []simulator.Request) (most int) {
	first := 0
	for i, r := range requests {
		for r.At.Sub(requests[first].At) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// worst is the number of refusals in the first window, and the most in a later one.
func worst(windows []simulator.Window) []int {
	most := []int{0, 0}
	for i, w := range windows {
		most[min(i, 1)] = max(most[min(i, 1)], w.Refused)
	}
	return most
}

// leastMakespan is the time that the backlog takes when others and interactive
// calls come first and bulk has the rest of each window at once. The windows are
// those of a run without bulk.
func leastMakespan(idle figures, backlog int) time.Duration {
	for _, w := range idle.pool {
		backlog -= max(0, w.Limit-w.Others-w.Admitted)
		if backlog <= 0 {
			return max(w.Start.Sub(idle.start), time.Second)
		}
	}
	return 0
}

// add puts another seed's figures to these.
func (f *figures) add(g figures) {
	f.runs += g.runs
	f.calls += g.calls
	f.callerRefused += g.callerRefused
	f.sends += g.sends
	f.refused += g.refused
	f.others += g.others
	f.othersRefused += g.othersRefused
	f.took += g.took
	f.free += g.free
	f.peak = max(f.peak, g.peak)
	f.waits = append(f.waits, g.waits...)
	f.makespan += g.makespan
	f.bound += g.bound
	f.endpoint = combine(f.endpoint, g.endpoint, func(a, b int) int { return max(a, b) })
	f.share = combine(f.share, g.share, func(a, b int) int { return a + b })
}

func combine(a, b []int, by func(a, b int) int) []int {
	if a == nil {
		return slices.Clone(b)
	}
	for i := range b {
		a[i] = by(a[i], b[i])
	}
	return a
}

func (f figures) per1k() float64 { return 1000 * ratio(f.refused, f.calls) }

func (f figures) callerPer1k() float64 { return 1000 * ratio(f.callerRefused, f.calls) }

func (f figures) harm() float64 { return 100 * ratio(f.othersRefused, f.others) }

func (f figures) used() float64 { return 100 * ratio(f.took, f.free) }

// wait is a quantile of the interactive calls' time.
func (f figures) wait(q float64) time.Duration {
	if len(f.waits) == 0 {
		return 0
	}
	slices.Sort(f.waits)
	return f.waits[min(len(f.waits)-1, int(q*float64(len(f.waits))))]
}

func ratio(a, b int) float64 { return float64(a) / float64(max(1, b)) }
