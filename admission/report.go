package admission

import (
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// often is how often one bucket's line is said to be too long.
const often = time.Minute

func (c *Controller) emit(e event.Event) { c.sink.Emit(e) }

func (c *Controller) gaveUp(now time.Time, call *limit.Call, e *limit.WaitError) {
	if call.Spare {
		return // its caller is answered all the same
	}
	c.emit(event.Event{
		Kind: event.GaveUp, At: now, Call: call, Bucket: e.Bucket, Limit: e.Limit, Window: e.Window,
		Reason: e.Reason, Until: e.RetryAt, Wait: e.Wait,
	})
}

// crowd tells, once a minute, of a line longer than its limit can serve
// within the waiter's patience: no tuning helps there, only a longer wait or
// fewer callers.
func (c *Controller) crowd(now time.Time, w *waiter, key limit.Key) *event.Event {
	if w.patience.IsZero() || now.Before(c.crowded[key].Add(often)) {
		return nil
	}
	bound := c.account.Limit(now, key)
	servable := bound.Servable(w.patience.Sub(now))
	waiting := c.queue.Line(key).Len()
	if servable == 0 || waiting <= servable {
		return nil
	}
	if len(c.crowded) > 1000 {
		clear(c.crowded)
	}
	c.crowded[key] = now
	return &event.Event{
		Kind: event.Crowded, At: now, Call: w.call, Bucket: key, Limit: bound.Limit, Window: bound.Window,
		Wait: w.patience.Sub(now), Waiting: waiting, Servable: servable,
	}
}
