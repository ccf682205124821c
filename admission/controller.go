package admission

import (
	"cmp"
	"context"
	"iter"
	"slices"
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
	// Quotas bounds clients by name; who is not in it has no bound.
	Quotas map[string]budget.Quota
	Sink   event.Sink // nil tells nobody
}

// A Controller governs the sends to one account. Its methods may be called by
// many goroutines at once.
type Controller struct {
	provider   limit.Provider
	maxWaiting int
	sink       event.Sink

	mu      sync.Mutex
	quotas  map[string]quota
	account *budget.Account
	queue   queue.Queue[*waiter]
	open    []*queue.Line[*waiter] // those worth trying, within serve
	timer   *time.Timer
	seq     uint64
	fair    [2]queue.Fair // by shareOf
	clients map[client]*usage
	light   usage                   // of all light clients together
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
		quotas:     named(o.Quotas),
		account:    budget.New(o.Budget),
		crowded:    map[limit.Key]time.Time{},
		clients:    map[client]*usage{},
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
			c.dismiss(now, w, budget.Verdict{Bucket: line.Key, Until: now.Add(time.Second), Reason: limit.Closed})
			break
		}
	}
}

// Snapshot describes every bucket now.
func (c *Controller) Snapshot() limit.Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	snap := c.account.Snapshot(now)
	snap.Waiting = c.queue.Len()
	for i := range snap.Buckets {
		b := &snap.Buckets[i]
		if b.Held = c.queue.Line(b.Key).Len(); b.Held > 0 || b.Left == 0 {
			b.Wait = c.account.Expect(now, b.Key, limit.Normal, b.Held)
		}
	}
	for line := range c.queue.Lines {
		snap.Lines = append(snap.Lines, limit.Line{
			Key: line.Key, Held: line.Len(), Reason: line.Head().Value.hold.Reason, Until: line.Until(),
		})
	}
	return snap
}

// Check refuses a call that cannot be admitted in time, before its body has
// been read. A nil error promises nothing.
func (c *Controller) Check(ctx context.Context, call *limit.Call) error {
	now := time.Now()
	w := waiter{call: call, patience: call.Patience(ctx)}
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
	best := c.account.Best(now, &w.call.Route, c.quotas[w.call.Client].bucket, func(key limit.Key) int { return c.ahead(w.call, key) })
	if best.Wait > 0 && now.Add(best.Wait).After(w.patience) {
		return w.refusal(now, best)
	}
	return nil
}

// ahead is how many calls go before this one in a bucket's line at the least:
// those of its own client, for others may have had their share.
func (c *Controller) ahead(call *limit.Call, key limit.Key) int {
	waiting := c.queue.Line(key).Len()
	if waiting == 0 || call.As == limit.Interactive || call.Seq == 0 {
		return 0
	}
	return min(waiting, c.fair[shareOf(call.As)].Ahead(call.Tag, call.Weight))
}

// serve lets go what may go: the lines that are due and those that may have
// come open, the earliest arrival first. The caller holds the lock.
func (c *Controller) serve(now time.Time, open iter.Seq[limit.Key]) {
	c.open = c.open[:0]
	if open != nil && c.queue.Len() > 0 {
		c.reopen(open)
	}
	for {
		line := c.first(now)
		if line == nil {
			break
		}
		c.try(now, line)
	}
	c.wakeAt(now)
}

// reopen adds the buckets' lines to those worth trying.
func (c *Controller) reopen(buckets iter.Seq[limit.Key]) {
	for key := range buckets {
		if line := c.queue.Line(key); line != nil && !slices.Contains(c.open, line) {
			c.open = append(c.open, line)
		}
	}
}

// first takes the line whose head arrived first among those worth trying.
// With a line that is due go the lines its head could overtake: what held
// their heads may have given way since they were asked.
func (c *Controller) first(now time.Time) *queue.Line[*waiter] {
	if due := c.queue.Due(now); due != nil && !slices.Contains(c.open, due) {
		c.open = append(c.open, due)
		c.reopen(c.before(now, due.Head().Value))
	}
	var best *queue.Line[*waiter]
	for _, line := range c.open {
		if line.Len() > 0 && (best == nil || line.Before(best)) {
			best = line
		}
	}
	return best
}

// try asks for the line's head: it goes, stays, or moves to the line of
// another bucket.
func (c *Controller) try(now time.Time, line *queue.Line[*waiter]) {
	it, class := c.next(now, line)
	w := it.Value
	v := c.askAgain(now, w, class)
	if !v.OK && v.Bucket == line.Key && class != w.call.As {
		// A starved call's turn that does not fit must not hold those that it
		// would have passed. What another bucket holds goes there, and leaves
		// the turn to the next.
		it = line.Head()
		w = it.Value
		class = w.call.As
		v = c.askAgain(now, w, class)
	}
	switch {
	case v.OK:
		c.goes(w, class)
		c.queue.Served(it, now)
		c.queue.Remove(it)
		w.done(now, nil)
		c.reopen(w.grant.Buckets) // who stands behind it may follow
	case v.Bucket == line.Key:
		w.hold.Reason = v.Reason
		later := v.Reason == limit.Paused && v.Until.After(line.Until())
		c.postpone(line, v.Until)
		if later {
			c.dismissHopeless(now, line, v)
		}
		if head := line.Head(); head != nil {
			head.Value.hold.Reason = v.Reason
		}
	case hopeless(w, v):
		c.dismiss(now, w, v)
	default:
		w.turn(now, v)
		c.queue.Move(it, v.Bucket, now, v.Until)
		// Everybody in a narrow line draws on the service's counter too. One
		// of them stands there for all: were they to change lines together,
		// each send would cost as much as the line is long.
		if v.Whole && line.Len() > 0 {
			c.postpone(line, v.Until)
		}
	}
}

// next is who is to be tried in a line, and the class to judge it as.
func (c *Controller) next(now time.Time, line *queue.Line[*waiter]) (*queue.Item[*waiter], limit.Class) {
	return line.Next(now, func() time.Duration { return c.starves(now, line.Key) })
}

// owes reports whether it is a starved call's turn in a line.
func (c *Controller) owes(now time.Time, line *queue.Line[*waiter]) bool {
	it, class := c.next(now, line)
	return class != it.Value.call.As
}

// goes notes that a waiter has leave, judged as a class, and whom it passes.
func (c *Controller) goes(w *waiter, as limit.Class) {
	c.fair[shareOf(w.call.As)].Served(w.call.Tag)
	if c.queue.Len() == 0 {
		return
	}
	for key := range w.grant.Buckets {
		if line := c.queue.Line(key); line != nil {
			line.Pass(rankOf(w.call), as)
		}
	}
}

// askAgain asks for leave for one that is held.
func (c *Controller) askAgain(now time.Time, w *waiter, class limit.Class) budget.Verdict {
	v := c.ask(now, w, class, !w.counted)
	w.counted = w.counted || v.Counted
	return v
}

// postpone takes a line out of those worth trying.
func (c *Controller) postpone(line *queue.Line[*waiter], until time.Time) {
	c.queue.Delay(line, until)
	if i := slices.Index(c.open, line); i >= 0 {
		c.open = slices.Delete(c.open, i, i+1)
	}
}

// hopeless reports whether a waiter cannot outwait a pause.
func hopeless(w *waiter, v budget.Verdict) bool {
	return v.Reason == limit.Paused && !w.patience.IsZero() && v.Until.After(w.patience)
}

// dismissHopeless refuses those who cannot outwait a pause.
func (c *Controller) dismissHopeless(now time.Time, line *queue.Line[*waiter], v budget.Verdict) {
	var gone []*waiter
	for it := range line.All {
		if hopeless(it.Value, v) {
			gone = append(gone, it.Value)
		}
	}
	for _, w := range gone {
		c.dismiss(now, w, v)
	}
}

func (c *Controller) dismiss(now time.Time, w *waiter, v budget.Verdict) {
	c.leave(w)
	w.done(now, w.refusal(now, budget.Bound{Bucket: v.Bucket, Wait: v.Until.Sub(now), Reason: v.Reason}))
}

// leave takes a waiter out of the queue unsent.
func (c *Controller) leave(w *waiter) {
	c.giveBack(w.usage, w.call)
	w.exit()
	c.queue.Remove(w.item)
}

// starves is how long a lane waits in a bucket's line before it gets a share
// all the same: two windows.
func (c *Controller) starves(now time.Time, key limit.Key) time.Duration {
	if bound := c.account.Limit(now, key); bound.Window > 0 {
		return 2 * bound.Window
	}
	return 2 * time.Minute
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
