package budget

import (
	"math"
	"time"
)

// A forecast is what is believed of the consumers that we do not see.
type forecast struct {
	rate float64 // per second, believed at the window's start
	z    float64 // deviations of the forecast to keep free
}

const (
	calmest = 2 // z when windows do not run dry
	edgiest = 8
)

// spread is how much a consumer of this rate may use within tl, z deviations
// out. Demand comes in bursts, so its variance is taken as twice its mean.
func spread(rate float64, tl time.Duration, z float64) float64 {
	if rate <= 0 || tl <= 0 {
		return 0
	}
	mean := rate * tl.Seconds()
	return mean + z*math.Sqrt(2*mean)
}

// posterior is the rate believed after seen sends of others in elapsed: a
// Gamma-Poisson estimate whose prior weighs a third of a window.
func (f *forecast) posterior(seen float64, elapsed, w time.Duration) float64 {
	prior := w.Seconds() / 3
	return (f.rate*prior + seen) / (prior + elapsed.Seconds())
}

// close ends a window: rate becomes the belief for the next one, and a window
// that ran dry before its end makes the forecast more careful.
func (f *forecast) close(rate float64, dry bool) {
	f.rate = rate
	if dry {
		f.z = min(edgiest, 1.5*f.z)
	} else {
		f.z = max(calmest, 0.95*f.z)
	}
}

// A recent is the others' rate lately, as their calls come in bursts.
type recent struct {
	rate float64 // per second
	seen int     // of others in this window, when last noted
	at   instant
}

// spends is when the others will have used left, from at on.
func (r *recent) spends(at instant, left int) instant {
	if r.rate <= 0 {
		return never
	}
	return at + time.Duration(min(float64(left)/r.rate, 1e6)*float64(time.Second))
}

// note takes in that seen sends of others have been counted in this window;
// what is older than about span no longer counts.
func (r *recent) note(seen int, now instant, span time.Duration) {
	dt := now - r.at
	if dt < 100*time.Millisecond || span <= 0 {
		return // too short for a rate
	}
	weight := 1 - math.Exp(-float64(dt)/float64(span))
	r.rate += weight * (max(0, float64(seen-r.seen))/dt.Seconds() - r.rate)
	r.seen, r.at = seen, now
}

// A reserve is what is kept out of what is left of a window.
type reserve struct {
	others float64 // consumers that we do not see, per second
	z      float64 // how far out their bursts are covered
	ours   float64 // our own calls of higher classes, per second
	ahead  float64 // what the others send while an answer is under way
}

// oursZ is how far out bursts of our own higher classes are covered.
const oursZ = 1.5

// at is the reserve when tl of the window is left.
func (r reserve) at(tl time.Duration) float64 {
	return spread(r.others, tl, r.z) + spread(r.ours, tl, oursZ) + r.ahead
}

// frees returns the time before the window's end at which left suffices for
// the reserve: it shrinks with the time that is left.
func (r reserve) frees(left float64) time.Duration {
	rate := r.others + r.ours
	if rate <= 0 {
		return time.Duration(math.MaxInt64)
	}
	free := left - r.ahead
	if free <= 0 {
		return 0
	}
	c := r.z*math.Sqrt(2*r.others) + oursZ*math.Sqrt(2*r.ours)
	root := (math.Sqrt(c*c+4*rate*free) - c) / (2 * rate)
	return time.Duration(min(root*root, 1e6) * float64(time.Second))
}
