package admission

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/queue"
)

// A waiter is one call that asks for leave to send.
type waiter struct {
	call     *limit.Call
	grant    budget.Grant
	patience time.Time // zero: only the context ends the wait
	usage    *usage    // its client's, while it waits or is under way
	left     time.Time // when it got leave: the send leaves at once
	*parked            // nil unless it was held, as few are
}

// A parked is what a waiter needs while it is held.
type parked struct {
	item  *queue.Item[*waiter]
	ready chan *limit.WaitError // one value: nil is leave to send
	since time.Time             // when the present hold began
	hold  limit.Hold            // the present hold

	before   time.Duration // how long the call was held for earlier sends
	counted  bool          // as demand of its class
	answered bool          // ready has been sent to, or nobody listens any more
}

// acquire blocks until the call may make one send, which is then charged to
// w.grant, or returns why it may not: a *limit.WaitError, or the context's
// error.
func (c *Controller) acquire(ctx context.Context, w *waiter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := time.Now()
	w.patience = w.call.Patience(ctx)
	if !w.call.NoWait && !w.call.Deadline.IsZero() && now.After(w.call.Deadline) {
		held := w.call.HeldFor
		refusal := w.refusal(now, budget.Bound{Bucket: cmp.Or(held.Bucket, serviceBucket(w.call)), Wait: time.Second, Reason: cmp.Or(held.Reason, limit.Queued)})
		c.gaveUp(now, w.call, refusal)
		return refusal
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return w.refusal(now, budget.Bound{Wait: time.Second, Reason: limit.Closed})
	}
	first := c.enter(now, w)
	if c.queue.Len() > 0 {
		c.serve(now, c.before(now, w)) // nobody overtakes
	}
	v := c.ask(now, w, w.call.As, first)
	if v.OK {
		w.left = now
		c.goes(w, w.call.As)
		c.mu.Unlock()
		c.emit(event.Event{Kind: event.Admitted, At: now, Call: w.call})
		return nil
	}
	refusal := c.park(now, w, v)
	if refusal == nil {
		w.counted = !first || v.Counted
	}
	var crowd *event.Event
	var eta time.Duration
	if refusal != nil {
		if first && w.call.Spare {
			c.neverCame(w)
		}
		w.exit()
	} else {
		crowd = c.crowd(now, w, v.Bucket)
		eta = c.eta(now, w, v.Bucket)
	}
	c.mu.Unlock()
	if refusal != nil {
		c.gaveUp(now, w.call, refusal)
		return refusal
	}
	c.emit(event.Event{Kind: event.Held, At: now, Call: w.call, Bucket: v.Bucket, Reason: v.Reason, Until: v.Until, ETA: eta})
	if crowd != nil {
		c.emit(*crowd)
	}
	return c.wait(ctx, w)
}

// eta is how long a waiter is likely to wait for the bucket: told, never a
// reason to refuse. The caller holds the lock.
func (c *Controller) eta(now time.Time, w *waiter, key limit.Key) time.Duration {
	if c.sink == nil {
		return 0
	}
	return c.account.Expect(now, key, w.call.As, c.queue.Line(key).Ahead(rankOf(w.call)))
}

// serviceBucket is what every send of the call draws on.
func serviceBucket(call *limit.Call) (key limit.Key) {
	if draws := call.Route.Draws(); len(draws) > 0 {
		key = call.Route.KeyOf(draws[0])
	}
	return key
}

// before yields the lines that stand between the waiter and its leave: what it
// draws on as far as earlier calls wait for it, or a starved one has its turn.
func (c *Controller) before(now time.Time, w *waiter) iter.Seq[limit.Key] {
	return func(yield func(limit.Key) bool) {
		for key := range c.account.Buckets(now, &w.call.Route) {
			if line := c.queue.Line(key); line != nil && (line.Head().Rank().Before(rankOf(w.call)) || c.owes(now, line)) && !yield(key) {
				return
			}
		}
	}
}

// park puts the waiter into the line of the bucket that blocks it, unless it
// cannot be served in time. The caller holds the lock.
func (c *Controller) park(now time.Time, w *waiter, v budget.Verdict) *limit.WaitError {
	blocked := budget.Bound{Bucket: v.Bucket, Wait: v.Until.Sub(now), Reason: v.Reason}
	if w.call.NoWait {
		return w.refusal(now, blocked)
	}
	if c.queue.Len() >= c.maxWaiting {
		return w.refusal(now, budget.Bound{Bucket: v.Bucket, Wait: max(blocked.Wait, time.Second), Reason: limit.QueueFull})
	}
	if refusal := c.refuses(now, w); refusal != nil {
		c.giveBack(w.usage, w.call)
		return refusal
	}
	w.parked = &parked{ready: make(chan *limit.WaitError, 1), since: now, before: w.call.Held, hold: limit.Hold{Bucket: v.Bucket, Reason: v.Reason}}
	if line := c.queue.Line(v.Bucket); line != nil && v.Reason == limit.Paced {
		w.hold.Reason = limit.Queued
	}
	w.item = c.queue.Push(v.Bucket, now, v.Until, rankOf(w.call), w)
	c.wakeAt(now)
	return nil
}

// wait sleeps until the waiter has leave, is refused, or loses patience.
func (c *Controller) wait(ctx context.Context, w *waiter) error {
	if !w.call.Deadline.IsZero() {
		defer time.AfterFunc(time.Until(w.call.Deadline), func() { c.expire(w) }).Stop()
	}
	select {
	case refusal := <-w.ready:
		return c.finish(w, refusal)
	case <-ctx.Done():
		return c.abandon(w, ctx.Err())
	}
}

func (c *Controller) finish(w *waiter, refusal *limit.WaitError) error {
	now := time.Now()
	if refusal != nil {
		c.gaveUp(now, w.call, refusal)
		return refusal
	}
	w.left = now
	c.emit(event.Event{Kind: event.Admitted, At: now, Call: w.call, Wait: w.call.Held - w.before, Bucket: w.call.HeldFor.Bucket, Reason: w.call.HeldFor.Reason})
	return nil
}

// expire refuses a waiter whose patience has ended, unless it has its answer
// already. Leave that came at the same moment is used.
func (c *Controller) expire(w *waiter) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !w.answered {
		w.done(now, c.giveUp(now, w))
	}
}

// abandon takes a waiter out of the queue whose context ended. Leave that came
// at the same moment is given back.
func (c *Controller) abandon(w *waiter, cause error) error {
	now := time.Now()
	c.mu.Lock()
	if w.answered {
		refusal := <-w.ready
		if refusal != nil {
			c.mu.Unlock()
			return c.finish(w, refusal)
		}
		w.exit()
		c.account.Refund(now, &w.grant)
		c.serve(now, w.grant.Buckets)
		c.mu.Unlock()
		c.emit(event.Event{Kind: event.Left, At: now, Call: w.call, Err: cause})
		return cause
	}
	bucket := w.hold.Bucket
	refusal := c.giveUp(now, w)
	w.turn(now, budget.Verdict{})
	w.answered = true // by its context: its timer may have gone off meanwhile
	c.mu.Unlock()
	if !errors.Is(cause, context.DeadlineExceeded) {
		c.emit(event.Event{Kind: event.Left, At: now, Call: w.call, Wait: w.call.Held, Bucket: bucket, Reason: w.call.HeldFor.Reason, Err: cause})
		return cause
	}
	refusal.Err = cause
	c.gaveUp(now, w.call, refusal)
	return refusal
}

// giveUp takes a waiter out of the queue and says why it was not sent. The
// caller holds the lock.
func (c *Controller) giveUp(now time.Time, w *waiter) *limit.WaitError {
	c.leave(w)
	best := c.account.Best(now, &w.call.Route, c.quotas[w.call.Client].bucket, func(limit.Key) int { return 0 })
	c.serve(now, c.account.Buckets(now, &w.call.Route)) // others may have stood behind it
	best.Bucket, best.Reason, best.Wait = w.hold.Bucket, w.longestReason(now), max(best.Wait, time.Second)
	return w.refusal(now, best)
}

// longestReason is why the waiter was held the longest, the present hold
// included.
func (w *waiter) longestReason(now time.Time) limit.Reason {
	if now.Sub(w.since) >= w.call.HeldFor.For {
		return w.hold.Reason
	}
	return w.call.HeldFor.Reason
}

// turn ends the present hold and begins one for another bucket.
func (w *waiter) turn(now time.Time, v budget.Verdict) {
	w.hold.For = now.Sub(w.since)
	w.call.Held += w.hold.For
	if w.hold.For >= w.call.HeldFor.For {
		w.call.HeldFor = w.hold
	}
	w.since, w.hold = now, limit.Hold{Bucket: v.Bucket, Reason: v.Reason}
}

// done hands the waiter its answer. The caller holds the lock.
func (w *waiter) done(now time.Time, refusal *limit.WaitError) {
	w.turn(now, budget.Verdict{})
	w.answered = true
	w.ready <- refusal
}

func (w *waiter) refusal(now time.Time, b budget.Bound) *limit.WaitError {
	e := &limit.WaitError{
		Class: w.call.Route.Class, Bucket: b.Bucket, Limit: b.Limit, Window: b.Window,
		Reason: b.Reason, Wait: b.Wait, RetryAt: now.Add(b.Wait),
	}
	if !w.patience.IsZero() {
		e.Patience = max(0, w.patience.Sub(w.call.Arrived))
	}
	return e
}
