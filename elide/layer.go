package elide

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// New returns the layer. Its transports share what was seen, and may be used
// by many goroutines at once. A request whose context carries no [limit.Call]
// passes untouched, and all do where o.Within is 0. o has passed
// [Options.Check].
func New(o Options, s Seams) func(next http.RoundTripper) http.RoundTripper {
	comparer, ok := s.Provider.(limit.Comparer)
	if !ok || o.Within <= 0 {
		return func(next http.RoundTripper) http.RoundTripper { return next }
	}
	shared := &layer{Options: o, Seams: s, comparer: comparer, seen: newMemory(cmp.Or(o.Memory, defaultMemory))}
	return func(next http.RoundTripper) http.RoundTripper { return &transport{layer: shared, next: next} }
}

type layer struct {
	Options
	Seams
	comparer limit.Comparer
	seen     *memory
}

type transport struct {
	*layer
	next http.RoundTripper
}

// LongestBody is the longest body of a write that is compared, in bytes, and
// of an answer that is learned from.
const LongestBody = 256 << 10

// jobPatience is how long a job that a write has started is taken to be at
// work.
const jobPatience = time.Hour

// RoundTrip sends req, or answers it if it would change nothing.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	call := limit.CallFrom(req.Context())
	if call == nil || req.URL == nil {
		return t.next.RoundTrip(req)
	}
	form := t.comparer.Compares(req)
	if form != nil && odd(req.Header) {
		form = nil
	}
	switch req.Method {
	case http.MethodGet, "":
		return t.read(req, call, form)
	case http.MethodHead, http.MethodOptions, http.MethodTrace:
		return t.next.RoundTrip(req)
	}
	if form == nil {
		return t.write(req, call, nil)
	}
	req, body, err := t.spooled(req, viewOf(req, form))
	if err != nil {
		return nil, err
	}
	if s := t.same(req, form, body); s != nil {
		return t.answer(req, call, form, s), nil
	}
	return t.write(req, call, form)
}

// same returns the object as it was seen if the write would not change it.
func (t *transport) same(req *http.Request, form *limit.CompareForm, body []byte) *sight {
	if body == nil {
		return nil
	}
	s := t.seen.recall(viewOf(req, form), t.Within, time.Now())
	if s == nil || !changesNothing(form, body, s.object) || !t.seen.still(s, time.Now()) {
		return nil
	}
	return s
}

// spooled returns the request with its body in memory, and the body, if it may
// be compared with what was seen of its object.
func (t *transport) spooled(req *http.Request, v view) (*http.Request, []byte, error) {
	if req.Body == nil || req.Trailer != nil || req.ContentLength <= 0 || req.ContentLength > LongestBody || !isJSON(req.Header) || fresh(req.Header) ||
		t.seen.recall(v, t.Within, time.Now()) == nil {
		return req, nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, LongestBody+1))
	closed := req.Body.Close()
	if err := cmp.Or(err, closed); err != nil {
		return nil, nil, err
	}
	again := req.WithContext(req.Context())
	again.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	again.Body, _ = again.GetBody()
	return again, body, nil
}

// read sends a read, and learns the object that it brings.
func (t *transport) read(req *http.Request, call *limit.Call, form *limit.CompareForm) (*http.Response, error) {
	if form == nil {
		return t.next.RoundTrip(req)
	}
	now := time.Now()
	s := &sight{view: viewOf(req, form), at: now, names: t.names(req, call, form)}
	var quiet bool
	s.turns, quiet = t.seen.turns(s.names, now)
	resp, err := t.next.RoundTrip(req)
	if err == nil && quiet {
		t.learn(req, resp, form, s)
	}
	return resp, err
}

// write sends a write: what it may change is forgotten, and what its own
// answer shows is learned.
func (t *transport) write(req *http.Request, call *limit.Call, form *limit.CompareForm) (resp *http.Response, err error) {
	p := &passage{touched: t.comparer.Touches(make([]string, 0, 8), &call.Route, req.Method, req.URL)}
	p.touched = t.comparer.Spreads(p.touched, &call.Route)
	s := &sight{at: time.Now()}
	if form != nil {
		s.view, s.names = viewOf(req, form), t.names(req, call, form)
		p.names = s.names
	}
	t.seen.begin(p, s.at)
	var working time.Time
	alone := false
	defer func() { // a panic passes; what was written is not known
		s.turns, alone = t.seen.end(p, working, time.Now())
		if err == nil && resp != nil && form != nil && alone && resp.Header["Cache-Status"] == nil {
			t.learn(req, resp, form, s)
		}
	}()
	resp, err = t.next.RoundTrip(req)
	if call.Route.Job == limit.StartsJob {
		working = time.Now().Add(jobPatience)
	}
	return resp, err
}

// names is what the object of a call depends on.
func (t *transport) names(req *http.Request, call *limit.Call, form *limit.CompareForm) []string {
	names := t.comparer.Holds(make([]string, 0, 8), &call.Route, req.URL)
	return append(names, form.Besides...)
}

// answer is what the write would have been answered, had it been sent when the
// object was seen.
func (t *transport) answer(req *http.Request, call *limit.Call, form *limit.CompareForm, s *sight) *http.Response {
	now := time.Now()
	t.Sink.Emit(event.Event{Kind: event.Saved, At: now, Call: call, Cause: limit.Elided, Status: http.StatusOK})
	resp := respond(req, form.One, s.object, now.Sub(s.at))
	var standing limit.Standing
	if t.Standing != nil {
		standing = t.Standing(&call.Route)
	}
	state(resp.Header, standing)
	t.comparer.Restate(&call.Route, resp.Header, standing)
	return resp
}
