package usage

import (
	"math/bits"
	"time"
)

// perOctave is into how many buckets each doubling of a hold is divided: the
// middle of one is within 7 % of all it stands for.
const perOctave = 8

// octaves lets holds of up to 2^27 ms, 37 hours, be told apart.
const octaves = 26

// holds counts holds by their length: a histogram whose buckets grow with what
// they hold, as HdrHistogram's do.
type holds [perOctave * octaves]uint32

func (h *holds) count(d time.Duration) { h[place(d)]++ }

// place is the bucket of a hold.
func place(d time.Duration) int {
	ms := uint64(max(0, d.Milliseconds()))
	if ms < perOctave {
		return int(ms)
	}
	octave := bits.Len64(ms) - 4
	return min((octave+1)*perOctave+int(ms>>octave)%perOctave, perOctave*octaves-1)
}

// middle is what a bucket stands for.
func middle(place int) time.Duration {
	if place < perOctave {
		return time.Duration(place)*time.Millisecond + time.Millisecond/2
	}
	octave := place/perOctave - 1
	from := time.Duration(perOctave+place%perOctave) << octave
	return from*time.Millisecond + time.Millisecond<<octave/2
}

func (h *holds) add(g *holds) {
	for i, n := range g {
		h[i] += n
	}
}

// quantile returns the hold at q of all, of which unheld had none.
func (h *holds) quantile(q float64, unheld int64) time.Duration {
	all := max(unheld, 0)
	for _, n := range h {
		all += int64(n)
	}
	if all == 0 {
		return 0
	}
	rank := min(int64(q*float64(all)), all-1) - max(unheld, 0)
	if rank < 0 {
		return 0
	}
	for i, n := range h {
		if rank -= int64(n); rank < 0 {
			return middle(i)
		}
	}
	return 0
}
