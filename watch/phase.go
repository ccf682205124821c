package watch

import (
	"slices"
	"time"
)

// phase is how far the account's clock is ahead of ours, as its resets tell. A
// reset of n whole seconds says that the window ends in more than n-1 and at
// most n seconds, so each answer bounds the offset from both sides. Answers near
// a boundary may be wrong by one second [observed-headers 3]: the offset is
// where most bounds agree, not where all do.
type phase struct {
	window time.Duration
	bounds []bound // the latest
	ahead  time.Duration
	unsure time.Duration // either way
}

type bound struct{ low, high time.Duration }

const mostBounds = 32

func newPhase(window time.Duration) phase {
	return phase{window: window, unsure: min(time.Second, window/30)}
}

func (p *phase) hear(r Reading) {
	high := -(r.Reset - time.Second) - sinceEpoch(r.Asked)
	low := -r.Reset - sinceEpoch(r.Answered)
	width := high - low
	if width >= p.window/2 {
		return // a whole second says nothing of so short a window
	}
	// Offsets that differ by a window are the same: take the one nearest to
	// what is believed.
	middle := fold(low+width/2-p.ahead, p.window) + p.ahead
	p.bounds = append(p.bounds, bound{middle - width/2, middle + width/2})
	if n := len(p.bounds); n > mostBounds {
		p.bounds = p.bounds[n-mostBounds:]
	}
	p.settle()
}

// settle finds the offset that most bounds allow.
func (p *phase) settle() {
	edges := make([]time.Duration, 0, 2*len(p.bounds))
	for _, b := range p.bounds {
		edges = append(edges, b.low, b.high)
	}
	slices.Sort(edges)
	most := 0
	var best bound
	for i := range len(edges) - 1 {
		middle, n := edges[i]+(edges[i+1]-edges[i])/2, 0
		for _, b := range p.bounds {
			if b.low <= middle && middle <= b.high {
				n++
			}
		}
		if n > most {
			most, best = n, bound{edges[i], edges[i+1]}
		}
	}
	p.ahead = fold(best.low+(best.high-best.low)/2, p.window)
	p.unsure = (best.high - best.low) / 2
}

// span is when, by the account's clock, something happened that by ours lies
// between two times.
func (p *phase) span(from, to time.Time) (time.Time, time.Time) {
	return from.Add(p.ahead - p.doubt()), to.Add(p.ahead + p.doubt())
}

// doubt is how near to a boundary it cannot be told which window counted: the
// servers of an account disagree by up to a second of a minute
// [observed-headers 3].
func (p *phase) doubt() time.Duration { return p.unsure + p.window/50 }

// fold brings d into half a window either way.
func fold(d, window time.Duration) time.Duration {
	d %= window
	switch {
	case d > window/2:
		return d - window
	case d < -window/2:
		return d + window
	}
	return d
}

func sinceEpoch(t time.Time) time.Duration { return time.Duration(t.UnixNano()) }

// trips are the latest calls' durations.
type trips []time.Duration

func (t *trips) add(d time.Duration) {
	*t = append(*t, d)
	if n := len(*t); n > 20 {
		*t = (*t)[n-20:]
	}
}

func (t trips) longest() time.Duration {
	if len(t) == 0 {
		return 0
	}
	return slices.Max(t)
}
