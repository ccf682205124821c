package retry

import (
	"cmp"
	"net/http"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// Options tunes the layer. Provider is required; otherwise the zero value is
// the recommended behaviour, and a negative number means none.
type Options struct {
	// Provider reads refusals and Retry-After out of answers. Required.
	Provider limit.Provider
	// Sink is told of each repeat ([event.Retried]); nil tells nobody.
	Sink event.Sink

	// MaxRefused is how many sends of one call the server may refuse before
	// the call is given up; default 8. 1 or less repeats no refused send.
	MaxRefused int
	// Retries is how often one call is repeated after faults; default 2.
	Retries int

	// BodyMemory is the most bytes of one request's body that are kept in
	// memory; a longer body goes to a temporary file. Default 1 MiB.
	BodyMemory int64
	// MemoryBudget bounds the bodies kept in memory, all calls together;
	// default 64 MiB. Past it bodies go to temporary files.
	MemoryBudget int64
	// DiskBudget bounds the temporary files, all calls together; default
	// 1 GiB. Past it a body streams, and its call is not repeated.
	DiskBudget int64
	// TempDir is where temporary files are made; default [os.TempDir]. A file
	// is unlinked as soon as it is open.
	TempDir string

	// Additive names the JSON members that make a PUT add something each
	// time; a PUT whose body holds one is not repeated after a fault. Default
	// "comment" and "safe_update" (docs/decisions/which-writes-are-repeated.md).
	Additive []string
}

func (o Options) withDefaults() Options {
	o.MaxRefused = max(cmp.Or(o.MaxRefused, 8), 1)
	o.Retries = max(cmp.Or(o.Retries, 2), 0)
	o.BodyMemory = max(cmp.Or(o.BodyMemory, 1<<20), 0)
	o.MemoryBudget = max(cmp.Or(o.MemoryBudget, 64<<20), 0)
	o.DiskBudget = max(cmp.Or(o.DiskBudget, 1<<30), 0)
	if o.Additive == nil {
		o.Additive = []string{"comment", "safe_update"}
	}
	return o
}

// New returns the layer. Its transports share one retry budget and one byte
// budget and may be used by many goroutines at once. next blocks until a send
// is admitted and answers with a response, a transport's error, or a
// [*limit.WaitError] when nothing was sent. A request whose context carries no
// [limit.Call] passes untouched.
func New(o Options) func(next http.RoundTripper) http.RoundTripper {
	o = o.withDefaults()
	shared := &layer{
		Options:   o,
		bodies:    newSpool(o),
		allowance: new(allowance),
	}
	return func(next http.RoundTripper) http.RoundTripper {
		return &transport{layer: shared, next: next}
	}
}

type layer struct {
	Options
	bodies    *spool
	allowance *allowance
}

type transport struct {
	*layer
	next http.RoundTripper
}

// RoundTrip sends req until it is answered for good. It does not modify req,
// and whatever happens req's body is closed, at the latest when the transport
// below is done with it.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	call := limit.CallFrom(req.Context())
	if call == nil {
		return t.next.RoundTrip(req)
	}
	body, err := t.bodies.take(req)
	if err != nil {
		return nil, err
	}
	c := course{transport: t, req: req, call: call, body: body}
	if needsKey(req, &call.Route) {
		c.header = withKey(req.Header)
	}
	if body == nil {
		return c.run()
	}
	defer c.finish()
	return c.run()
}
