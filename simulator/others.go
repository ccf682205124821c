package simulator

import (
	"math/rand/v2"
	"time"
)

// others are the account's other consumers: Poisson arrivals whose rate is 0.3,
// 1 or 1.7 times its mean, changing about six times a window. They are worked out
// when somebody looks, so they need no goroutine.
type others struct {
	mean   float64 // arrivals a nanosecond; 0 is nobody
	lull   float64 // mean length of one rate, nanoseconds
	factor float64
	at     float64 // nanoseconds since began
	turn   float64 // when the rate changes
	next   float64
	began  time.Time
	rng    *rand.Rand
}

func newOthers(o Options, limit int, began time.Time) *others {
	x := &others{
		mean:  o.Others * float64(limit) / float64(o.Window),
		lull:  float64(o.Window) / 6,
		began: began,
		rng:   rand.New(rand.NewPCG(o.Seed, uint64(streamOthers))),
	}
	if x.mean > 0 {
		x.change()
		x.advance()
	}
	return x
}

func (x *others) change() {
	x.factor = []float64{0.3, 1, 1.7}[x.rng.IntN(3)]
	x.turn = x.at + x.rng.ExpFloat64()*x.lull
}

// advance finds the next arrival. A candidate past the change of rate is drawn
// again from there, which a Poisson process allows.
func (x *others) advance() {
	for {
		x.next = x.at + x.rng.ExpFloat64()/(x.mean*x.factor)
		if x.next <= x.turn {
			x.at = x.next
			return
		}
		x.at = x.turn
		x.change()
	}
}

// until calls arrive for each arrival up to now, in order.
func (x *others) until(now time.Time, arrive func(at time.Time)) {
	if x.mean == 0 {
		return
	}
	for limit := float64(now.Sub(x.began)); x.next <= limit; x.advance() {
		arrive(x.began.Add(time.Duration(x.next)))
	}
}
