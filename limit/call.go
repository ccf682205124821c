package limit

import (
	"context"
	"sync/atomic"
	"time"
)

// A Class says how urgent a call is. The zero value is [Normal].
type Class uint8

// The classes.
const (
	Normal      Class = iota // what nobody labelled
	Interactive              // a person is waiting
	Bulk                     // an export, a sync, a backfill
)

func (c Class) String() string {
	switch c {
	case Interactive:
		return "interactive"
	case Bulk:
		return "bulk"
	default:
		return "normal"
	}
}

// Urgency orders the classes: the more urgent, the greater.
func (c Class) Urgency() int {
	switch c {
	case Interactive:
		return 2
	case Bulk:
		return 0
	default:
		return 1
	}
}

// A Call is one request of a client on its way through the layers. The front
// door makes it, puts it into the request's context, and every layer below
// reads it there. Only the goroutine that carries the call writes to it.
type Call struct {
	Route  Route
	Client string // who calls, "" when unknown
	Class  Class
	// Labelled says that somebody chose the class. A call that nobody labelled
	// may be treated as more urgent when its client asks for little.
	Labelled bool
	Weight   float64 // the client's share beside others'; 0 means 1
	Arrived  time.Time
	// Deadline is when the caller's patience ends: no send of this call starts
	// after it, and a wait that would pass it is refused at once. Zero means
	// that only the context ends the wait.
	Deadline time.Time
	// NoWait says that the call is refused rather than held at all.
	NoWait bool
	// Spare says that there is another answer at hand: a refusal to send is
	// no event then, and counts against nobody.
	Spare bool
	// Stays says that the caller waits until [http.RoundTripper] returns even
	// when its context has ended, as a server's handler may.
	Stays bool
	// Batch says that the caller allows its call to be merged with others.
	Batch bool
	// For is what the call's sends are made to save, in place of many.
	For Cause
	// Seal, if set, gives each send its request once it has leave.
	Seal Seal

	// Written on the way:

	Seq      uint64        // order of arrival, given at the first admission and kept by retries
	Tag      float64       // fair share of its client so far: the smaller goes first
	As       Class         // the class it is treated as, after its client's share of urgent calls
	SavedBy  Cause         // why it cost no send of its own
	shared   bool          // nobody's own: see Shared
	late     bool          // the latest send left after the caller had
	Sends    int           // requests that reached the wire
	Held     time.Duration // how long it waited for admission in all
	HeldFor  Hold          // what held it the longest
	Upstream time.Duration // from the last send to its first byte
	Refused  uint32        // of Sends, those that the server refused for a limit's sake

	kept    uint32 // sends that had left when the caller left; the caller's own
	onWire  uint32 // atomic, as the next
	leaves  uint32 // sends that have left, and leftAlone; plain, for a call that is not carried yet may be copied
	carrier carrier
}

// leftAlone is set in leaves once the caller has left a call that goes on.
const leftAlone = 1 << 31

// OnWire says whether a send of the call is at the server now, and not held.
func (c *Call) OnWire() bool { return atomic.LoadUint32(&c.onWire) != 0 }

// Leaves notes that a send leaves for the server, and Returned that it is
// over.
func (c *Call) Leaves() {
	c.late = atomic.AddUint32(&c.leaves, 1)&leftAlone != 0
	atomic.StoreUint32(&c.onWire, 1)
}

// Returned ends what [Call.Leaves] began.
func (c *Call) Returned() { atomic.StoreUint32(&c.onWire, 0) }

// Detach is called when the caller has left a call whose send goes on for
// others: the context that carries the call shows no value of its caller's
// any more.
func (c *Call) Detach() { c.kept = atomic.OrUint32(&c.leaves, leftAlone) }

// Detached reports whether the call goes on without its caller, which then may
// read no more of it than [Call.Apart] shows.
func (c *Call) Detached() bool { return atomic.LoadUint32(&c.leaves)&leftAlone != 0 }

// Apart returns what was asked for in a call that goes on without its caller,
// with the sends that had been made when the caller left.
func (c *Call) Apart() *Call {
	return &Call{
		Route: c.Route, Client: c.Client, Class: c.Class, Labelled: c.Labelled, Weight: c.Weight,
		Arrived: c.Arrived, Deadline: c.Deadline, NoWait: c.NoWait, Stays: c.Stays, Batch: c.Batch,
		Sends: int(c.kept),
	}
}

// Orphan reports whether the send under way, or the last one, was made in no
// one caller's call: for a shared call, or after its caller had left. Such
// sends are in no caller's figures. It is for the goroutine that carries the
// call.
func (c *Call) Orphan() bool { return c.shared || c.late }

// A Hold is one wait for admission.
type Hold struct {
	Bucket Key
	Reason Reason
	For    time.Duration
}

type callKey struct{}

// A carrier is the context of one call. It is part of the call, so that
// carrying it costs no memory of its own.
type carrier struct {
	context.Context
	call *Call
}

func (c *carrier) Value(key any) any {
	if key == (callKey{}) {
		return c.call
	}
	if c.call.Detached() {
		return nil
	}
	return c.Context.Value(key)
}

// WithCall returns a context that carries call. A call is carried once.
func WithCall(ctx context.Context, call *Call) context.Context {
	call.carrier = carrier{ctx, call}
	return &call.carrier
}

// CallFrom returns the call that ctx carries, or nil.
func CallFrom(ctx context.Context) *Call {
	call, _ := ctx.Value(callKey{}).(*Call)
	return call
}

// Value returns a value of the context that carries the call, nil where there
// is none: in a call that is shared, or that its caller has left.
func (c *Call) Value(key any) any {
	if c.carrier.Context == nil {
		return nil
	}
	return c.carrier.Value(key)
}
