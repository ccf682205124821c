package watch

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A Repeat is a run of spikes that come again after the same time.
type Repeat struct {
	Every  int64         `json:"every"`     // in windows
	Period time.Duration `json:"period_ns"` // the same, as a time
	// Last and Next are the beginnings of its last spike and of the one expected
	// next.
	Last time.Time `json:"last"`
	Next time.Time `json:"next"`
	// Hits of Due spikes came: those due while nobody watched are in neither.
	Hits int `json:"hits"`
	Due  int `json:"due"`
	// Chance is the most that the probability can be, that spikes at random
	// times look so regular somewhere.
	Chance float64 `json:"chance"`
	Peak   int     `json:"peak"` // the median of its spikes' peaks
	// Looked of the spikes had tokens looked at. Suspects are the tokens last
	// used in them and seldom at other times; Always are those that are used at
	// any time, which neither speaks for them nor against.
	Looked   int       `json:"looked"`
	Suspects []Suspect `json:"suspects"`
	Always   []Suspect `json:"always,omitempty"`

	spikes []int
}

// Periods that programs are run at, in minutes.
var periods = []int64{5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440, 7 * 1440}

const (
	leastHits   = 3
	leastRate   = 2. / 3 // of those due
	mostChance  = 0.05
	latestCount = 500 // spikes that are searched
)

// Repeats finds the spikes that repeat, the shortest period first. A spike
// belongs to one of them at most.
func (w *Watch) Repeats() []Repeat {
	first := max(0, len(w.s.Spikes)-latestCount)
	var free []int
	for i := first; i < len(w.s.Spikes); i++ {
		free = append(free, i)
	}
	var found []Repeat
	for _, period := range periods {
		for {
			r, ok := w.repeat(period, free)
			if !ok {
				break
			}
			free = slices.DeleteFunc(free, func(i int) bool { return slices.Contains(r.spikes, i) })
			w.accuse(&r)
			found = append(found, r)
		}
	}
	return found
}

// repeat finds the spikes of one period that are the least likely by chance.
func (w *Watch) repeat(period int64, free []int) (best Repeat, ok bool) {
	for _, i := range free {
		r := w.comb(period, w.s.Spikes[i].First, free)
		if r.Hits >= leastHits && float64(r.Hits) >= leastRate*float64(r.Due) && r.Chance <= mostChance &&
			(!ok || r.Chance < best.Chance) {
			best, ok = r, true
		}
	}
	return best, ok
}

// comb lays a comb of the period through one spike and counts what it meets.
func (w *Watch) comb(period, through int64, free []int) Repeat {
	loose := min(2, period/15) // minutes early or late
	r := Repeat{Every: period, Period: time.Duration(period) * w.window}
	var peaks []float64
	met := map[int64]bool{}
	first, last, spread := int64(math.MaxInt64), int64(math.MinInt64), int64(0)
	for _, i := range free {
		s := w.s.Spikes[i]
		tooth := nearest(s.First-through, period)
		off := s.First - through - tooth*period
		if abs(off) > loose || met[tooth] {
			continue
		}
		met[tooth] = true
		spread = max(spread, abs(off))
		first, last = min(first, tooth), max(last, tooth)
		r.spikes = append(r.spikes, i)
		peaks = append(peaks, float64(s.Peak))
	}
	if r.Hits = len(met); r.Hits < leastHits {
		return r
	}
	newest := w.s.Spans[len(w.s.Spans)-1].Last
	for tooth := first; through+tooth*period+loose <= newest || tooth <= last; tooth++ {
		if met[tooth] || w.s.watched(through+tooth*period, 0) {
			r.Due++
		}
	}
	each := math.Min(0.5, float64(2*spread+1)*float64(len(free))/float64(max(1, w.s.Watched)))
	r.Chance = math.Min(1, tail(r.Due, r.Hits, each)*float64(period)*float64(len(periods)))
	latest := w.s.Spikes[r.spikes[len(r.spikes)-1]]
	r.Last, r.Next = latest.Start, w.start(through+(last+1)*period)
	r.Peak = int(middle(peaks))
	return r
}

// nearest is the multiple of period that d is nearest to.
func nearest(d, period int64) int64 {
	return int64(math.Floor(float64(d)/float64(period) + 0.5))
}

func abs(n int64) int64 { return max(n, -n) }

// tail is the probability of k or more hits in n tries that succeed with p.
func tail(n, k int, p float64) float64 {
	if k <= 0 {
		return 1
	}
	sum := 0.0
	all, _ := math.Lgamma(float64(n + 1))
	for i := k; i <= n; i++ {
		in, _ := math.Lgamma(float64(i + 1))
		out, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(all - in - out + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return math.Min(1, sum)
}

// A Suspect is a token that was last used in spikes.
type Suspect struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	// In counts the spikes that it was last used in; in Untold others it was used
	// again before anybody looked, so that nothing is known.
	In     int `json:"in"`
	Untold int `json:"untold,omitempty"`
	// Quiet of Looks at other times found it used within the last minute.
	Quiet int `json:"quiet"`
	Looks int `json:"looks"`
}

// always says that the token is used at any time.
func (s Suspect) always() bool { return s.Looks >= leastHits && 2*s.Quiet >= s.Looks }

// accuse sets the tokens beside the spikes of one repeat.
func (w *Watch) accuse(r *Repeat) {
	spikes := make([]Spike, 0, len(r.spikes))
	for _, i := range r.spikes {
		spikes = append(spikes, w.s.Spikes[i])
	}
	r.Looked, r.Suspects, r.Always = w.suspects(spikes, leastRate)
}

// Suspects are the tokens that were last used in one spike, and those of them
// that are used at any time.
func (w *Watch) Suspects(s Spike) (suspects, always []Suspect) {
	_, suspects, always = w.suspects([]Spike{s}, 1)
	return suspects, always
}

func (w *Watch) suspects(spikes []Spike, least float64) (looked int, suspects, always []Suspect) {
	in, untold := map[string]int{}, map[string]int{}
	for _, s := range spikes {
		if !s.Looked {
			continue
		}
		looked++
		for _, key := range s.Used {
			in[key]++
		}
		for _, key := range s.Since {
			untold[key]++
		}
	}
	suspects = []Suspect{}
	for key, n := range in {
		t := w.s.Tokens[key]
		if t == nil {
			continue
		}
		s := Suspect{Key: key, Name: t.Name, In: n, Untold: untold[key], Quiet: t.Quiet, Looks: w.s.QuietLooks}
		switch {
		case s.always():
			always = append(always, s)
		case float64(n) >= least*float64(looked-s.Untold):
			suspects = append(suspects, s)
		}
	}
	order := func(a, b Suspect) int {
		return cmp.Or(cmp.Compare(b.In, a.In), cmp.Compare(a.Quiet, b.Quiet), cmp.Compare(a.Key, b.Key))
	}
	slices.SortFunc(suspects, order)
	slices.SortFunc(always, order)
	return looked, suspects, always
}
