package cache

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// A Cache answers calls without a send. Make one with [New] and close it.
type Cache struct{ layer *layer }

// New returns a cache. o has passed [Options.Check].
func New(o Options, s Seams) *Cache {
	keeper, _ := s.Provider.(limit.Keeper)
	return &Cache{&layer{
		Options: o.withDefaults(), Seams: s, keeper: keeper, workers: newWorkers(),
		rules: o.rules(s.Provider), flights: map[uint64]*sharedSend{},
	}}
}

// Layer returns the layer. Its transports share the store, the sends under way
// and what was written, and may be used by many goroutines at once. A request
// whose context carries no [limit.Call] passes untouched.
func (c *Cache) Layer() func(next http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return &transport{layer: c.layer, next: next}
	}
}

// Close ends the goroutines that the cache keeps. The store is its maker's to
// close; calls under way end by themselves, and later ones are answered still.
func (c *Cache) Close() { c.layer.workers.close() }

type layer struct {
	Options
	Seams
	keeper  limit.Keeper // nil when the provider is none
	rules   map[string]*Rule
	workers *workers
	history history
	puts    atomic.Uint64 // entries put since the start
	doubted atomic.Int64  // what was stored by then, in Unix ns, is of no use
	extra   atomic.Int64  // bytes kept beside entries, see [Dresser]

	mu      sync.Mutex
	flights map[uint64]*sharedSend
}

type transport struct {
	*layer
	next http.RoundTripper
}

// RoundTrip answers req out of the store, with another call's answer, or with
// a send of its own.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	call := limit.CallFrom(req.Context())
	if call == nil {
		return t.next.RoundTrip(req)
	}
	switch req.Method {
	case http.MethodGet, http.MethodHead, "":
	default:
		return t.write(req, call)
	}
	if req.Body != nil && req.Body != http.NoBody || req.Header["Upgrade"] != nil {
		return t.next.RoundTrip(req)
	}
	resp, err := t.read(req, call)
	if err == nil && call.Route.Job == limit.ReportsJob {
		t.watch(resp, call)
	}
	return resp, err
}

func (t *transport) read(req *http.Request, call *limit.Call) (*http.Response, error) {
	if rule := t.rules[call.Route.Class]; rule != nil && !partial(req.Header) {
		return t.readKept(req, call, rule)
	}
	if req.Method == http.MethodHead || t.NoCoalescing {
		return t.next.RoundTrip(req)
	}
	ask := askOf(req.Header)
	if ask.noStore {
		return t.next.RoundTrip(req)
	}
	return t.share(question{req: req, out: req, call: call, ask: ask})
}

// partial reports whether a request asks for a part of the answer, or on a
// condition that only the server can tell.
func partial(h http.Header) bool {
	for _, name := range [...]string{"Range", "If-Range", "If-Match", "If-Unmodified-Since"} {
		if h[name] != nil {
			return true
		}
	}
	return h["If-Modified-Since"] != nil && h["If-None-Match"] == nil
}

// A question is one GET and what is known for it.
type question struct {
	req  *http.Request // as it came
	out  *http.Request // as it is sent
	call *limit.Call
	ask  ask
	rule *Rule // nil: its answer is not kept

	header http.Header // becomes a hit's, nil for one of its own

	key      string
	entry    *Entry // stale; nil when there is none
	ttl      time.Duration
	vary     bool // an entry was there, for other headers
	confirms bool // out asks whether entry still holds
	spare    bool // entry may stand in if the limits hold the send back
}

// share answers with the send that is under way for the same, or begins one.
func (t *transport) share(q question) (*http.Response, error) {
	for {
		f, leads := t.enter(q)
		if leads {
			return f.lead()
		}
		resp, again, err := t.join(f, &q)
		if !again {
			return resp, err
		}
	}
}

// join waits for another call's answer. again says that it was none for this
// one.
func (t *transport) join(f *sharedSend, q *question) (resp *http.Response, again bool, err error) {
	ctx := q.req.Context()
	came, err := f.wait(ctx, q.call.Deadline)
	switch {
	case err != nil:
		return nil, false, err
	case came.again:
		return nil, true, nil
	case came.alone, came.entry != nil && !came.entry.suits(q.req.Header):
		resp, err = t.next.RoundTrip(q.req)
		return resp, false, err
	case came.err != nil:
		return nil, false, raised(came.err)
	}
	q.call.Answered(f.call)
	now := time.Now()
	t.Sink.Emit(event.Event{Kind: event.Saved, At: now, Call: q.call, Cause: limit.Coalesced, Status: came.entry.Status})
	status := statusCollapsed
	if q.entry != nil {
		status = statusShared
	}
	return t.answer(q, came.entry, status, now), false, nil
}

// holds names what the answer depends on.
func (t *layer) holds(q *question) []string {
	if t.keeper == nil {
		return []string{t.Account}
	}
	return t.named(t.keeper.Holds(make([]string, 0, 8), &q.call.Route, q.req.URL))
}

// named sets the account before tags.
func (t *layer) named(tags []string) []string {
	for i, tag := range tags {
		tags[i] = t.Account + " " + tag
	}
	return tags
}
