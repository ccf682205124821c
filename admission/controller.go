package admission

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/queue"
)

// Options tunes a controller. Provider is required.
type Options struct {
	Provider limit.Provider
	Budget   budget.Options
	// MaxWaiting bounds the calls held at once; more are refused. Default 10,000.
	MaxWaiting int
	Sink       event.Sink // nil tells nobody
}

// A Controller governs the sends to one account. Its methods may be called by
// many goroutines at once.
type Controller struct {
	provider   limit.Provider
	maxWaiting int
	sink       event.Sink

	mu      sync.Mutex
	account *budget.Account
	queue   queue.Queue[*waiter]
	timer   *time.Timer
	seq     uint64
	crowded map[limit.Key]time.Time // when a line was last said to be too long
	closed  bool
}

// New returns a controller of an account of which nothing is known yet. It
// starts no goroutine; [Controller.Close] stops its timer.
func New(o Options) *Controller {
	return &Controller{
		provider:   o.Provider,
		maxWaiting: cmp.Or(o.MaxWaiting, 10_000),
		sink:       o.Sink,
		account:    budget.New(o.Budget),
		crowded:    map[limit.Key]time.Time{},
	}
}

// Close refuses every held call and every later one. Sends under way end by
// themselves.
func (c *Controller) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
	}
	now := time.Now()
	for c.queue.Len() > 0 {
		for line := range c.queue.Lines {
			w := line.Head().Value
			c.dismiss(w, w.refusal(now, budget.Bound{Bucket: line.Key, Wait: time.Second, Reason: limit.Closed}))
			break
		}
	}
}

// Snapshot describes every bucket now.
func (c *Controller) Snapshot() limit.Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.account.Snapshot(time.Now())
	snap.Waiting = c.queue.Len()
	for i := range snap.Buckets {
		snap.Buckets[i].Held = c.queue.Line(snap.Buckets[i].Key).Len()
	}
	return snap
}

// Check refuses a call that cannot be admitted in time, before its body has
// been read. A nil error promises nothing.
func (c *Controller) Check(ctx context.Context, call *limit.Call) error {
	now := time.Now()
	w := waiter{call: call, patience: patience(ctx, call)}
	c.mu.Lock()
	refusal := c.refuses(now, &w)
	c.mu.Unlock()
	if refusal != nil {
		c.gaveUp(now, call, refusal)
		return refusal
	}
	return nil
}

// refuses decides by the bound that cannot be beaten: what only might not fit
// is tried.
func (c *Controller) refuses(now time.Time, w *waiter) *limit.WaitError {
	if c.closed {
		return w.refusal(now, budget.Bound{Wait: time.Second, Reason: limit.Closed})
	}
	if w.patience.IsZero() {
		return nil
	}
	best := c.account.Best(now, &w.call.Route, func(key limit.Key) int { return c.queue.Line(key).Len() })
	if best.Wait > 0 && now.Add(best.Wait).After(w.patience) {
		return w.refusal(now, best)
	}
	return nil
}

// patience is when the caller stops waiting, zero when it never does.
func patience(ctx context.Context, call *limit.Call) time.Time {
	end, ok := ctx.Deadline()
	if !ok || !call.Deadline.IsZero() && call.Deadline.Before(end) {
		return call.Deadline
	}
	return end
}

// serve lets go what may go: the lines that are due and those of the given
// buckets, the earliest arrival first. The caller holds the lock.
func (c *Controller) serve(now time.Time, grant *budget.Grant) {
	var open []*queue.Line[*waiter]
	if grant != nil && c.queue.Len() > 0 {
		for key := range grant.Buckets {
			if line := c.queue.Line(key); line != nil {
				open = append(open, line)
			}
		}
	}
	for {
		line := c.first(now, &open)
		if line == nil {
			break
		}
		c.try(now, line, &open)
	}
	c.wakeAt(now)
}

// first takes the line whose head arrived first among those worth trying.
func (c *Controller) first(now time.Time, open *[]*queue.Line[*waiter]) *queue.Line[*waiter] {
	best := c.queue.Due(now)
	for _, line := range *open {
		if line.Len() > 0 && (best == nil || line.Before(best)) {
			best = line
		}
	}
	return best
}

// try asks for the line's head: it goes, stays, or moves to the line of
// another bucket.
func (c *Controller) try(now time.Time, line *queue.Line[*waiter], open *[]*queue.Line[*waiter]) {
	it := line.Head()
	w := it.Value
	v := c.account.Admit(now, &w.call.Route, true, &w.grant)
	if v.OK {
		c.queue.Remove(it)
		w.done(now, nil)
		return
	}
	if v.Bucket != line.Key {
		w.turn(now, v)
		c.queue.Move(it, v.Bucket, v.Until)
		c.dismissHopeless(now, c.queue.Line(v.Bucket), v)
		return
	}
	w.hold.Reason = v.Reason
	c.queue.Delay(line, v.Until)
	for i, other := range *open {
		if other == line {
			*open = append((*open)[:i], (*open)[i+1:]...)
			break
		}
	}
	c.dismissHopeless(now, line, v)
}

// dismissHopeless refuses those who cannot outwait a pause.
func (c *Controller) dismissHopeless(now time.Time, line *queue.Line[*waiter], v budget.Verdict) {
	if v.Reason != limit.Paused {
		return
	}
	var hopeless []*waiter
	for it := range line.All {
		if p := it.Value.patience; !p.IsZero() && v.Until.After(p) {
			hopeless = append(hopeless, it.Value)
		}
	}
	for _, w := range hopeless {
		c.dismiss(w, w.refusal(now, budget.Bound{Bucket: v.Bucket, Wait: v.Until.Sub(now), Reason: v.Reason}))
	}
}

func (c *Controller) dismiss(w *waiter, err *limit.WaitError) {
	c.queue.Remove(w.item)
	w.done(time.Now(), err)
}

// wakeAt sets the one timer for the line that is due next.
func (c *Controller) wakeAt(now time.Time) {
	next, ok := c.queue.Next()
	switch {
	case !ok || c.closed:
		if c.timer != nil {
			c.timer.Stop()
		}
	case c.timer == nil:
		c.timer = time.AfterFunc(next.Sub(now), c.tick)
	default:
		c.timer.Reset(next.Sub(now))
	}
}

func (c *Controller) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.serve(time.Now(), nil)
	}
}
