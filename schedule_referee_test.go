package flyball_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// An invariant is one of those that a referee holds a run to.
type invariant string

const (
	limits     invariant = "limit"     // no send over a limit that could be known, or before a pause ends
	admissions invariant = "admission" // no send without leave, each leave used once
	answers    invariant = "answer"    // no call lost or answered twice; each answer is its call's own
	bounds     invariant = "bound"     // no wait, and no send, past what a caller allows
	holds      invariant = "hold"      // a hold names gate and instant, and does not outlive it unjudged
	idleness   invariant = "idle"      // alone and without regard for others, no budget is left beside a queue
	counts     invariant = "count"     // what is in flight and what waits is what the wire and the callers say; zero at the end
)

// A finding is one breach of an invariant.
type finding struct {
	of   invariant
	text string
}

func (f finding) String() string { return string(f.of) + ": " + f.text }

// mostFindings of one invariant are enough to see what is wrong.
const mostFindings = 3

// A referee watches one run from outside: what flyball tells of each call, what
// passes over the wire, what callers get, and what snapshots show.
type referee struct {
	*schedule
	sim      *simulator.Simulator
	snapshot func() limit.Snapshot
	poke     chan struct{} // something happened
	stop     chan struct{}

	mu       sync.Mutex
	found    []finding
	plans    []planned
	sends    []*sent
	calls    map[*limit.Call]*called
	held     int                     // calls that are held, as told
	inFlight map[limit.Service]int   // sends on the wire
	pauses   map[limit.Key]pauseSeen // as told
	ours     map[limit.Key]ownSeen   // limits that we set
	knowing
	idling

	refused, steps int
	course         strings.Builder
}

func newReferee(s *schedule, sim *simulator.Simulator) *referee {
	r := &referee{
		schedule: s, sim: sim, poke: make(chan struct{}, 1), stop: make(chan struct{}),
		plans: make([]planned, len(s.calls)), calls: map[*limit.Call]*called{},
		inFlight: map[limit.Service]int{}, pauses: map[limit.Key]pauseSeen{}, ours: map[limit.Key]ownSeen{},
		knowing: knowing{stated: map[string]time.Time{}},
	}
	for i, p := range s.calls {
		r.plans[i].plan = p
	}
	return r
}

// fail notes a breach. The caller holds the lock.
func (r *referee) fail(of invariant, format string, args ...any) {
	known := 0
	for _, f := range r.found {
		if f.of == of {
			known++
		}
	}
	if known < mostFindings {
		at := time.Now().Format("15:04:05.000000 ")
		r.found = append(r.found, finding{of, at + fmt.Sprintf(format, args...)})
	}
}

// note keeps what happened, for whoever repeats one seed with -v. The caller
// holds the lock.
func (r *referee) note(format string, args ...any) {
	if *oneSchedule >= 0 && testing.Verbose() {
		fmt.Fprintf(&r.course, "%s %s\n", time.Now().Format("15:04:05.000"), fmt.Sprintf(format, args...))
	}
}

func (r *referee) nudge() {
	select {
	case r.poke <- struct{}{}:
	default:
	}
}

// A planned is a call as its caller sees it.
type planned struct {
	plan
	start    time.Time
	sends    []*sent
	returned int
}

func (p *planned) begins() { p.start = time.Now() }

func (p *planned) last() *sent {
	if len(p.sends) == 0 {
		return nil
	}
	return p.sends[len(p.sends)-1]
}

// deadline is when the caller's patience ends.
func (p *planned) deadline() (time.Time, bool) {
	return p.start.Add(max(0, p.maxWait)), p.maxWait > 0
}

// leaving is when the caller is gone.
func (p *planned) leaving() (time.Time, bool) {
	if p.timeout <= 0 && p.leaves <= 0 {
		return time.Time{}, false
	}
	end := p.timeout
	if p.leaves > 0 && (end <= 0 || p.leaves < end) {
		end = p.leaves
	}
	return p.start.Add(end), true
}

func (p *planned) gone(now time.Time) bool {
	end, ok := p.leaving()
	return ok && !now.Before(end)
}

// A stage is where a call stands, as events tell.
type stage string

const (
	asks   stage = "asking"
	waits  stage = "held"
	leave  stage = "given leave"
	onWire stage = "on the wire"
)

// A called is a call as events tell of it.
type called struct {
	stage    stage
	deadline time.Time
	noWait   bool
	class    limit.Class // it is treated as
	hold     event.Event // the one it is in
}

// reasons are those that a hold may name.
var reasons = []limit.Reason{
	limit.Cold, limit.Unconfirmed, limit.Doubtful, limit.HalfOpen, limit.Paused,
	limit.Spent, limit.Reserved, limit.Paced, limit.Walking, limit.Queued,
}

// hear takes an event, on the goroutine of the call it tells of.
func (r *referee) hear(e event.Event) {
	defer r.nudge()
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Call == nil {
		return
	}
	c := r.calls[e.Call]
	if c == nil {
		c = &called{stage: asks, deadline: e.Call.Deadline, noWait: e.Call.NoWait}
		r.calls[e.Call] = c
	}
	c.class = e.Call.As
	switch e.Kind {
	case event.Held:
		r.hearHeld(c, e)
	case event.Admitted:
		r.hearAdmitted(c, e)
	case event.GaveUp, event.Left:
		r.moves(c, e, asks, asks, waits)
	case event.Sent, event.Lost:
		r.moves(c, e, asks, onWire)
	case event.Refused:
		r.hearRefused(e)
	default: // moves no call
	}
}

// moves takes a call to the next stage, from one of those it may be in.
func (r *referee) moves(c *called, e event.Event, to stage, from ...stage) {
	if !slices.Contains(from, c.stage) {
		r.fail(admissions, "event %d of a call that is %s", e.Kind, c.stage)
	}
	if c.stage == waits {
		r.held--
	}
	if to == waits {
		r.held++
	}
	c.stage = to
}

func (r *referee) hearHeld(c *called, e event.Event) {
	r.moves(c, e, waits, asks)
	c.hold = e
	r.note("held by %s for %s: %s", e.Bucket, e.Until.Sub(e.At), e.Reason)
	if e.Bucket == (limit.Key{}) || !slices.Contains(reasons, e.Reason) || !e.Until.After(e.At) {
		r.fail(holds, "held by %q for %q until %s", e.Bucket, e.Reason, e.Until.Sub(e.At))
	}
	if c.noWait {
		r.fail(bounds, "a call that does not wait is held by %s: %s", e.Bucket, e.Reason)
	}
}

func (r *referee) hearAdmitted(c *called, e event.Event) {
	r.moves(c, e, leave, asks, waits)
	if !c.deadline.IsZero() && !c.noWait && e.At.After(c.deadline) {
		r.fail(bounds, "leave to send %s after patience ended", e.At.Sub(c.deadline))
	}
	if e.Wait > 0 && (e.Bucket == (limit.Key{}) || e.Reason == "") {
		r.fail(holds, "let go after %s, held by %q for %q", e.Wait, e.Bucket, e.Reason)
	}
}

// A pauseSeen is when a pause was told of, and until when it holds.
type pauseSeen struct{ at, until time.Time }

func (r *referee) hearRefused(e event.Event) {
	r.note("%s paused for %s: %s", e.Bucket, e.Until.Sub(e.At), e.Text)
	if e.Bucket == (limit.Key{}) || !e.Until.After(e.At) {
		r.fail(holds, "refused, blamed on %q until %s", e.Bucket, e.Until.Sub(e.At))
	}
	if seen := r.pauses[e.Bucket]; e.Until.After(seen.until) {
		r.pauses[e.Bucket] = pauseSeen{e.At, e.Until}
	}
}
