package observe

import (
	"math"
	"time"
)

// perDoubling is how many classes of holds there are from one length to twice
// that: quantiles are right within 5 %.
const perDoubling = 16

// holds counts how long calls were held, from a millisecond to a day.
type holds struct {
	n       [27*perDoubling + 1]int
	total   int
	longest time.Duration
}

func (h *holds) count(d time.Duration) {
	i := int(math.Log2(max(1, float64(d)/float64(time.Millisecond))) * perDoubling)
	h.n[min(i, len(h.n)-1)]++
	h.total++
	h.longest = max(h.longest, d)
}

// quantile is how long the call at q of calls was held; those not held count
// as 0.
func (h *holds) quantile(q float64, calls int) time.Duration {
	at := int(math.Ceil(q*float64(calls))) - (calls - h.total)
	if at <= 0 {
		return 0
	}
	for i, n := range h.n {
		if at -= n; at <= 0 {
			d := time.Duration(math.Exp2((float64(i)+0.5)/perDoubling) * float64(time.Millisecond))
			return min(d, h.longest)
		}
	}
	return h.longest
}
