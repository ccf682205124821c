package admission

import (
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/queue"
)

// Regulate puts another regulation in force, and other quotas by client: what
// is not in them has no bound any more. It holds for the next decision; calls
// that wait keep their places and are served under it at once, and sends under
// way are not touched. What was counted towards a bound that stays counts on.
// An error names the first value that makes no sense; the old ones then stay.
func (c *Controller) Regulate(r budget.Regulation, quotas map[string]budget.Quota) error {
	if err := budget.Check(r, quotas); err != nil {
		return err
	}
	own := named(quotas)
	bounds := make(map[string]budget.Quota, len(own))
	for _, q := range own {
		bounds[q.bucket] = q.Quota
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.quotas = own
	for _, key := range c.account.Regulate(now, r, bounds) {
		c.dissolve(now, key)
	}
	c.serve(now, c.regulated)
	return nil
}

// dissolve moves those who wait for a bucket that is no more to the line of
// their service's own counter. They are tried there in their order, with those
// who are there already.
func (c *Controller) dissolve(now time.Time, bucket limit.Key) {
	line := c.queue.Line(bucket)
	if line == nil {
		return
	}
	waiters := make([]*queue.Item[*waiter], 0, line.Len())
	for it := range line.All {
		waiters = append(waiters, it)
	}
	for _, it := range waiters {
		w := it.Value
		var to limit.Key
		for key := range c.account.Buckets(now, &w.call.Route) {
			to = key // the last is the service's own
		}
		w.turn(now, budget.Verdict{Bucket: to, Reason: limit.Queued})
		c.queue.Move(it, to, now, now)
	}
}

// regulated yields the lines that a regulation has a say in: not those of one
// object or credential, of which there may be many.
func (c *Controller) regulated(yield func(limit.Key) bool) {
	for line := range c.queue.Lines {
		if key := line.Key; key.Object == 0 && key.Credential == 0 && !yield(key) {
			return
		}
	}
}

// A quota is a client's, and the name of the bucket that it fills.
type quota struct {
	budget.Quota
	bucket string
}

func named(quotas map[string]budget.Quota) map[string]quota {
	all := make(map[string]quota, len(quotas))
	for name, q := range quotas {
		all[name] = quota{q, "client " + name}
	}
	return all
}

// ask asks for leave for a waiter's send, in a class. The caller holds the
// lock.
func (c *Controller) ask(now time.Time, w *waiter, class limit.Class, uncounted bool) budget.Verdict {
	ask := budget.Ask{Class: class, Uncounted: uncounted, Crowded: c.queue.Len() > 0}
	if len(c.quotas) > 0 {
		if q, bounded := c.quotas[w.call.Client]; bounded {
			ask.Client, ask.Quota = q.bucket, q.Quota
		}
	}
	return c.account.Admit(now, &w.call.Route, ask, &w.grant)
}
