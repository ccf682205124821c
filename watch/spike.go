package watch

import (
	"math"
	"slices"
	"time"
)

// A Spike is a run of minutes in which others used far more than before.
type Spike struct {
	First int64     `json:"first"` // windows since the Unix epoch
	Last  int64     `json:"last"`
	Start time.Time `json:"start"`
	Limit int       `json:"limit"`
	Peak  int       `json:"peak"`  // the most that others used in a minute
	Usual int       `json:"usual"` // the median of the minutes before
	Full  bool      `json:"full"`  // nothing was left of the limit
	// Looked says that the tokens were read in it or soon after: Used are those
	// last used in it, Since those used again since, so that it cannot be told.
	Looked bool     `json:"looked"`
	Used   []string `json:"used,omitempty"`
	Since  []string `json:"since,omitempty"`
}

// What counts as a spike. The spread is robust: a few spikes among the minutes
// before change neither the median nor the median deviation by much.
const (
	baseMinutes = 120 // the minutes before that say what is usual
	leastBase   = 10  // so many must be known
	deviations  = 4   // standard deviations, as the median deviation tells them
	leastShare  = 0.1 // of the limit; less is of no interest
	gap         = 2   // minutes between two spikes that are one
)

// usual is the median of what others used in the minutes before, and from where
// on a minute is a spike. It fails while too little is known.
func (w *Watch) usual(before int64) (median, spike float64, ok bool) {
	var others []float64
	for _, m := range slices.Backward(w.s.Minutes) {
		if m.Index < before-baseMinutes {
			break
		}
		others = append(others, float64(m.Others()))
	}
	if len(others) < leastBase {
		return 0, 0, false
	}
	median = middle(others)
	for i, n := range others {
		others[i] = math.Abs(n - median)
	}
	spread := 1.4826 * middle(others)
	return median, median + max(deviations*spread, 6*math.Sqrt(median), leastShare*float64(w.limit)), true
}

func middle(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}

// judge says whether the minute was a spike, by what is certain of it.
func (w *Watch) judge(m *Minute) {
	median, spike, ok := w.usual(m.Index)
	m.Usual = int(math.Round(median))
	if !ok || float64(m.Low-m.Ours) <= spike {
		return
	}
	m.Spike = true
	if n := len(w.s.Spikes); n > 0 && m.Index-w.s.Spikes[n-1].Last <= gap {
		last := &w.s.Spikes[n-1]
		last.Last, last.Peak, last.Full = m.Index, max(last.Peak, m.Others()), last.Full || m.Low >= m.Limit
	} else {
		w.s.Spikes = append(w.s.Spikes, Spike{
			First: m.Index, Last: m.Index, Start: m.Start, Limit: m.Limit,
			Peak: m.Others(), Usual: m.Usual, Full: m.Low >= m.Limit,
		})
	}
	w.blame()
}

// suspect notes that the minute under way is over the usual already, so that
// tokens are read while they tell.
func (w *Watch) suspect() {
	if w.open.suspect {
		return
	}
	if _, spike, ok := w.usual(w.open.index); ok && float64(w.open.used()-w.open.ours) > spike {
		w.open.suspect = true
		w.looks.wanted = true
	}
}

// Settled returns the spikes that have ended since it was last asked and whose
// tokens have been looked at as far as they will be.
func (w *Watch) Settled() []Spike {
	var list []Spike
	upTo := w.open.index - gap - 1
	for _, s := range w.s.Spikes {
		if s.Last >= w.told && s.Last < upTo {
			list = append(list, s)
		}
	}
	w.told = max(w.told, upTo)
	return list
}
