package budget

import "time"

// silence is how long a gate waits for its probe's answer before one more
// probe may go: a lost probe must not shut a bucket for good.
const silence = 2 * time.Second

// A gate lets few sends through while a bucket's state is in doubt. It counts
// only sends admitted since it closed: slow exports that were in flight
// before must not freeze the account.
type gate struct {
	generation uint32
	probes     int     // sends admitted since the gate closed and not yet answered
	probedAt   instant // when the latest of them went
}

// close starts a new doubt: sends admitted before no longer count.
func (g *gate) close() {
	g.generation++
	g.probes = 0
}

// lets reports whether one more send may pass with n allowed at once and, if
// not, when one more may go for want of an answer.
func (g *gate) lets(n int, now instant) (ok bool, until instant) {
	if g.probes < n || now >= g.probedAt+silence {
		return true, 0
	}
	return false, g.probedAt + silence
}

func (g *gate) enter(now instant) uint32 {
	g.probes++
	g.probedAt = now
	return g.generation
}

func (g *gate) leave(generation uint32) {
	if generation == g.generation && g.probes > 0 {
		g.probes--
	}
}
