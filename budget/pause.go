package budget

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/flyballhq/flyball/limit"
)

const (
	// leastWait is the floor of every wait that the server asks for: zero is
	// real (a reset rounded down) and would be a tight loop.
	leastWait = time.Second
	// jitter is added to a pause, never taken from it.
	jitter = 250 * time.Millisecond
)

// A pause is what a 429 leaves on a bucket.
type pause struct {
	pauseUntil instant
	halfOpen   bool    // one send tries before the rest follow
	refusals   int     // pauses in a row
	refused    int     // 429s in all
	doubtedAt  instant // when a refusal's wait was last not taken at its word
	cause      string
}

func (p *pause) blocks(now instant) (until instant, why limit.Reason) {
	if now < p.pauseUntil {
		return p.pauseUntil, limit.Paused
	}
	return 0, ""
}

// refuse pauses for the wait that a refusal sent at t0 asks for, longer after
// refusals in a row, and never shorter. One volley counts as one refusal.
func (p *pause) refuse(now, t0 instant, wait time.Duration, text string, rnd *rand.Rand) {
	p.refused++
	if t0 >= p.pauseUntil {
		p.refusals++
	}
	backoff := time.Duration(rnd.Float64() * math.Exp2(float64(min(p.refusals, 12)-1)) * float64(time.Second))
	p.stop(now+max(wait, leastWait, min(backoff, wait+time.Minute))+p.shake(rnd), text)
}

func (p *pause) shake(rnd *rand.Rand) time.Duration {
	return time.Duration(rnd.Int64N(int64(jitter)))
}

func (p *pause) stop(until instant, text string) {
	p.pauseUntil = max(p.pauseUntil, until)
	p.halfOpen = true
	p.cause = text
}

// reopen ends the half-open state: a send made after the pause was answered
// by something other than a refusal or a failure.
func (p *pause) reopen(t0 instant, status int) {
	if t0 >= p.pauseUntil && status != 429 && status < 500 {
		p.halfOpen, p.refusals, p.cause = false, 0, ""
	}
}
