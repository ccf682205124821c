package limit

import (
	"context"
	"net/http"
	"time"
)

// A Cause is why a call cost no send of its own. The zero value is [NotSaved].
type Cause uint8

// The causes.
const (
	NotSaved  Cause = iota
	Cached          // answered from the cache, fresh
	Stale           // answered from the cache, stale, for the limits held the call back
	Coalesced       // answered by another's send for the same
	Merged          // answered by one send for many
	Elided          // a write that would have changed nothing

	Causes = iota // how many there are, NotSaved included
)

func (c Cause) String() string {
	switch c {
	case Cached:
		return "cache"
	case Stale:
		return "stale"
	case Coalesced:
		return "coalesced"
	case Merged:
		return "merged"
	case Elided:
		return "elided"
	default:
		return "none"
	}
}

// A Saving is what one cause has saved since the start.
type Saving struct {
	Cause Cause
	Calls int // calls answered so
	// Sends is what they would have cost, less what was sent in their place:
	// a hundred reads merged into one send saved 99.
	Sends int
}

// A Seal gives the request of a send that has leave, on the goroutine that
// carries the call: a merged call takes in siblings until then. It gets the
// request as it stands and returns it, or a changed copy with the same
// context. nil takes the send back, uncharged: nobody wants it any more.
type Seal func(*http.Request) *http.Request

// Patience is when the caller stops waiting, zero when it never does: the
// call's deadline or the context's, whichever comes first.
func (c *Call) Patience(ctx context.Context) time.Time {
	end, ok := ctx.Deadline()
	if !ok || !c.Deadline.IsZero() && c.Deadline.Before(end) {
		return c.Deadline
	}
	return end
}

// Shared returns a call to be made for c, and perhaps for others besides: by
// the same client, on the same route, as urgent and as patient. Nothing has
// happened to it yet. ctx is c's.
func (c *Call) Shared(ctx context.Context) *Call {
	return &Call{
		Route: c.Route, Client: c.Client, Class: c.Class, Labelled: c.Labelled, Weight: c.Weight,
		Arrived: c.Arrived, Deadline: c.Patience(ctx), NoWait: c.NoWait, Batch: c.Batch,
		shared: true,
	}
}

// MayJoin reports whether c, which waits until patience (zero: for ever), may
// wait for shared instead of a send of its own: shared is as urgent, and is
// not given up later than c. What c may not wait for at all it does not join.
func (c *Call) MayJoin(shared *Call, patience time.Time) bool {
	if c.NoWait || shared.Class.Urgency() < c.Class.Urgency() {
		return false
	}
	return patience.IsZero() || !shared.Deadline.IsZero() && !shared.Deadline.After(patience)
}

// Carried notes in c what happened to the shared call that was made in its
// place, which has ended.
func (c *Call) Carried(by *Call) {
	c.Seq, c.Tag, c.As, c.Sends = by.Seq, by.Tag, by.As, by.Sends
	c.Answered(by)
}

// Answered notes in c what happened to the shared call that answered it,
// which has ended.
func (c *Call) Answered(by *Call) {
	c.Held, c.HeldFor, c.Upstream = by.Held, by.HeldFor, by.Upstream
}
