package batch

import (
	"errors"
	"net/http"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/flight"
	"github.com/flyballhq/flyball/limit"
)

// Layer returns the layer that merges calls. A request whose context carries
// no [limit.Call] passes untouched, and so does one that cannot be merged.
func (m *Merger) Layer() func(next http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return &transport{Merger: m, next: next}
	}
}

type transport struct {
	*Merger
	next http.RoundTripper
}

// RoundTrip makes one call, alone or with others. Without an answer it fails
// as the layer below does, or with the context's error.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	call := limit.CallFrom(req.Context())
	if call == nil {
		return t.next.RoundTrip(req)
	}
	way, id := t.merging(req, call)
	if way == nil && !writesObject(req, call) {
		return t.next.RoundTrip(req)
	}
	m := &member{req: req, call: call, path: req.URL.Path, id: id, patience: call.Patience(req.Context())}
	w, writing := way.(*writes)
	m.turn = t.order.take(req, call, writing)
	defer func() { m.turn.end() }()
	if writing {
		w.transport = t
		merges, err := w.read(m)
		if err != nil {
			return nil, err
		}
		if !merges {
			way = nil
		}
	}
	if err := m.turn.wait(req, call); err != nil {
		closeBody(m.req)
		return nil, err
	}
	if way == nil {
		return t.next.RoundTrip(m.req)
	}
	return t.merge(m, way)
}

// merge makes a call that may be merged.
func (t *transport) merge(m *member, way merging) (*http.Response, error) {
	k := keyOf(m.req, m.call, way.kind())
	for ; m.rounds < maxRounds; m.rounds++ {
		g, lone := t.enter(k, m, way)
		if g == nil {
			return t.alone(m, lone)
		}
		if err := g.wait(m); err != nil {
			return nil, raise(err)
		}
		switch o := m.outcome; o.fate {
		case answered:
			m.settle(g)
			return o.resp, o.err
		case alone:
			return t.alone(m, t.begin(k))
		case again:
		}
		m.outcome = outcome{}
	}
	return t.alone(m, t.begin(k))
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// raise hands on a panic that means "abort" and returns any other as an error.
func raise(err error) error {
	if fault, ok := errors.AsType[*flight.Panic](err); ok && fault.Value == http.ErrAbortHandler { //nolint:errorlint // net/http knows the value itself alone
		panic(http.ErrAbortHandler)
	}
	return err
}

// enter finds m its place: a group, or none when it goes alone.
func (t *transport) enter(k key, m *member, way merging) (*group, *lone) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.line(k)
	if t.avoids(now, k) {
		return nil, t.lone(l)
	}
	step, g := l.place(now, m)
	if step == join && g.admit(m) {
		return g, nil
	}
	if step == goAlone {
		return nil, t.lone(l)
	}
	return t.gather(now, l, m, way), nil
}

// line returns the key's line. The caller holds the lock.
func (m *Merger) line(k key) *line {
	l := m.lines[k]
	if l == nil {
		if l, m.spare = m.spare, nil; l == nil {
			l = &line{}
		}
		l.key = k
		m.lines[k] = l
	}
	return l
}

// tidy forgets a line that has nothing in it. The caller holds the lock.
func (m *Merger) tidy(l *line) {
	if l.idle() {
		delete(m.lines, l.key)
		m.spare = l
	}
}

// A lone is a call that goes alone, as its line sees it.
type lone struct {
	*Merger
	line  *line
	outer limit.Seal
	leave bool
}

// begin counts a call that goes alone.
func (m *Merger) begin(k key) *lone {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lone(m.line(k))
}

// lone counts a call that goes alone. The caller holds the lock.
func (m *Merger) lone(l *line) *lone {
	l.busy++
	l.held++
	return &lone{Merger: m, line: l}
}

// alone makes m's call on its own goroutine.
func (t *transport) alone(m *member, l *lone) (*http.Response, error) {
	m.renew()
	l.outer, m.call.Seal = m.call.Seal, l.seal
	defer l.end(m.call)
	return t.next.RoundTrip(m.req)
}

// seal notes that the call has leave.
func (l *lone) seal(req *http.Request) *http.Request {
	if !l.leave {
		l.leave = true
		l.mu.Lock()
		l.line.held--
		l.mu.Unlock()
	}
	if l.outer != nil {
		return l.outer(req)
	}
	return req
}

func (l *lone) end(call *limit.Call) {
	call.Seal = l.outer
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line.ended(!l.leave)
	l.tidy(l.line)
}

// settle notes in m's call what became of the group that answered it, which
// has ended.
func (m *member) settle(g *group) {
	m.call.Answered(g.call)
	m.call.Held = min(m.call.Held, time.Since(m.call.Arrived))
	if m.outcome.saved {
		g.Sink.Emit(event.Event{Kind: event.Saved, At: time.Now(), Call: m.call, Cause: limit.Merged})
	}
}
