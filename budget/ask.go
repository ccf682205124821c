package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// An Ask says for what a send is asked.
type Ask struct {
	Class limit.Class
	// Uncounted calls were not counted as demand of their class yet. They are
	// once only the service's own counter is between them and their send: what a
	// narrower limit or a quota holds back is none that others leave room for.
	Uncounted bool
	Crowded   bool   // other calls wait
	Client    string // the name of the bucket that Quota fills, such as "client etl"
	Quota     Quota  // what the client may use at most
}

// A demand is what our own calls of each class ask of a service, so that a
// lower class leaves room for what the higher ones are about to send.
type demand struct {
	rate [3]float64 // per second, believed at the window's start, by class
	seen [3]int     // in this window
}

// above is the believed rate of the classes above class.
func (d *demand) above(class limit.Class, elapsed, w time.Duration) float64 {
	switch class {
	case limit.Interactive:
		return 0
	case limit.Normal:
		return d.of(limit.Interactive, elapsed, w)
	default:
		return d.of(limit.Interactive, elapsed, w) + d.of(limit.Normal, elapsed, w)
	}
}

func (d *demand) of(class limit.Class, elapsed, w time.Duration) float64 {
	f := forecast{rate: d.rate[class]}
	return f.posterior(float64(d.seen[class]), elapsed, w)
}

// close ends a window that lasted w.
func (d *demand) close(w time.Duration) {
	for class := range d.rate {
		d.rate[class] = d.of(limit.Class(class), w, w)
		d.seen[class] = 0
	}
}
