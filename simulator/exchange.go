package simulator

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/flyballhq/flyball/simulator/desk"
)

// answer is what goes back to the caller.
type answer struct {
	status int
	head   *headers
	body   []byte
	stream func(io.Writer) error // writes the body in its stead
	slow   time.Duration         // spread the body over this time
	cut    Cut                   // break the connection; CutBody in the body, else at once
}

// handle is the life of one request inside the account, on a socket and in
// virtual time alike. The decision falls after 40 % of the latency. A caller that
// leaves before it changes nothing: the request has arrived and is worked on at
// once; the answer then has no reader.
func (s *Simulator) handle(ctx context.Context, c *call) answer {
	if isControl(c.path) {
		return s.control(c)
	}
	st, r, f := s.arrive(c)
	latency := s.latency.at(s.o.Seed, c.n)
	before := latency * 2 / 5
	_ = pause(ctx, before)
	a := s.decide(st, c, r, &f)
	s.finish(&a, c, r.decided, latency)
	f.spoil(a.head.h, s.names)
	a.slow = f.SlowBody
	_ = pause(ctx, latency-before+f.Delay)
	return a
}

// pause waits for d, or until the context ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// maxPath is how much of a path the raw log keeps.
const maxPath = 512

// arrive writes the request into the raw log and finds the faults that strike it.
func (s *Simulator) arrive(c *call) (*state, *record, Fault) {
	path := c.path
	if c.query != "" {
		path += "?" + c.query
	}
	method := c.method
	if c.head {
		method = http.MethodHead
	}
	r := &record{method: method, path: path[:min(len(path), maxPath)], service: c.service}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state
	r.arrived = s.now()
	st.seq++
	c.n = st.seq
	st.journal.arrive(r)
	return st, r, strike(st.faults, c, s.o.Seed)
}

// decide lets the call pass or refuses it, does the work, and completes its
// record.
func (s *Simulator) decide(st *state, c *call, r *record, f *Fault) answer {
	now, v, jobs := s.admit(st, c, f)
	a, changed := s.work(st, c, f, v, jobs, now)
	if v.refused == nil && a.status >= http.StatusBadRequest {
		v.freeSlot()
	}
	if !s.o.BareRefusals || a.status != http.StatusTooManyRequests {
		a.head.limits(s.names, c.service, v)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.decided, r.status, r.cut = now, a.status, a.cut != ""
	r.changed = sum(changed)
	switch {
	case v.refused != nil:
		r.cause = v.refused.rule.name
	case a.status == http.StatusTooManyRequests:
		r.cause = causeFault
	}
	r.draws = buckets(v.draws)
	if v.refused == nil && c.match.Job && f.works() {
		st.starting--
	}
	return a
}

// causeFault is the cause of a refusal that no limit asked for.
const causeFault = "fault"

func buckets(draws []drawn) []counted {
	list := make([]counted, len(draws))
	for i, d := range draws {
		list[i] = counted{bucket{d.rule, d.key}, d.window.start, d.window.end}
	}
	return list
}

// works reports whether the fault leaves the work to be done.
func (f *Fault) works() bool { return f.Status == 0 && f.Cut != CutBefore }

// admit asks the limiter. A call that a fault refuses with 429 is charged like
// any refused call.
func (s *Simulator) admit(st *state, c *call, f *Fault) (time.Time, verdict, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	st.catchUp(now)
	if f.Status == http.StatusTooManyRequests {
		return now, st.limits.look(c, now), nil
	}
	if !c.match.Job {
		return now, st.limits.decide(c, now, 0), nil
	}
	running := st.desk.Jobs(now)
	v := st.limits.decide(c, now, len(running)+st.starting)
	if v.refused == nil && f.works() {
		st.starting++
	}
	return now, v, running
}

// work makes the answer.
func (s *Simulator) work(st *state, c *call, f *Fault, v verdict, jobs []string, now time.Time) (answer, []desk.Change) {
	switch {
	case v.refused != nil:
		rule, wait := v.refused.rule, v.refused.retryAfter(now)
		return refuse(rule.body, rule.name, strconv.Itoa(wait), jobs, jobClass(c)), nil
	case f.Cut == CutBefore:
		return answer{cut: CutBefore, head: newHeaders(nil)}, nil
	case f.Status != 0:
		w := st.limits.usual(v, now, s.o.Window)
		a := f.answer(w.secondsLeft(now.UnixNano()), time.Unix(0, w.end))
		a.cut = f.Cut
		return a, nil
	}
	a, changed := serve(st.desk, c, f, now)
	a.cut = f.Cut
	return a, changed
}

// serve hands an admitted call to whoever knows its endpoint.
func serve(d *desk.Desk, c *call, f *Fault, now time.Time) (answer, []desk.Change) {
	if c.match.Known {
		r := d.Serve(now, desk.Request{
			Method: c.method, Path: c.path, RawQuery: c.query, Header: c.header, Body: c.body, Origin: c.origin,
			Fault: f.job(),
		})
		return answer{status: r.Status, head: newHeaders(r.Header), body: r.Body, stream: r.Stream}, r.Changed
	}
	if a, ok := elsewhere(c); ok {
		return a, nil
	}
	return notSimulated(c), nil
}

// notSimulated answers an endpoint that the simulator lacks.
func notSimulated(c *call) answer {
	return jsonAnswer(http.StatusNotImplemented, `{"error":"NotSimulated","description":`+
		strconv.Quote(c.method+" "+c.path+" is not simulated; flyball sim --list-endpoints lists what is")+`}`)
}

func jsonAnswer(status int, body string) answer {
	s := newHeaders(nil)
	s.set("Content-Type", kindJSON)
	return answer{status: status, head: s, body: []byte(body)}
}
