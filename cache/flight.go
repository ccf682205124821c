package cache

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/flyballhq/flyball/flight"
	"github.com/flyballhq/flyball/limit"
)

// A sharedSend is one GET under way. The call that began it leads; who asks
// for the same while it lasts may join. One that nobody joins runs as its
// leader's own call would, and its body streams past untouched.
type sharedSend struct {
	*transport
	question
	slot   uint64
	began  uint64    // the moment of the history when it began
	ends   time.Time // the leader's patience: no send of it starts later
	ctx    sendContext
	cancel context.CancelCauseFunc
	unhook func() bool // ends the watch over the leader's context; nil without one

	// The layer's lock guards:
	open       bool // it stands in the table and may be joined
	callers    int  // those who wait for it or read it
	leaderLeft bool
	handed     bool          // the leader has the answer, or is about to take it
	body       *body         // while an answer is captured
	ended      chan struct{} // made by who first waits for it
	over       bool          // came is valid

	came outcome
}

// An outcome is what a flight came to for those who joined it.
type outcome struct {
	entry *Entry // the whole answer
	err   error
	again bool // it failed for its leader's sake only: ask again
	alone bool // it cannot be shared: send, and wait for nobody
}

// A sendContext is the leader's context for what it carries, but it ends only
// when the last caller has left.
type sendContext struct {
	context.Context
	own context.Context
}

func (c *sendContext) Done() <-chan struct{} { return c.own.Done() }

func (c *sendContext) Err() error {
	if c.own.Err() == nil {
		return nil
	}
	if errors.Is(context.Cause(c.own), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return context.Canceled
}

func (c *sendContext) Value(key any) any {
	if own := c.own.Value(key); own != nil {
		return own // the standard library asks for its own contexts so
	}
	return c.Context.Value(key)
}

// enter joins the flight that is under way for the same, or begins one.
func (t *transport) enter(q question) (f *sharedSend, leads bool) {
	slot := slotOf(q.req, q.rule != nil)
	patience := q.call.Patience(q.req.Context())
	t.mu.Lock()
	if f = t.flights[slot]; f != nil && f.takes(&q, patience) {
		f.callers++
		began := f.began
		t.mu.Unlock()
		if !t.history.outdated(began, t.holds(&q)) {
			return f, false
		}
		t.mu.Lock()
		f.shut()
		t.mu.Unlock()
		f.leave(context.Canceled)
		t.mu.Lock()
	}
	f = &sharedSend{transport: t, question: q, slot: slot, ends: patience, open: true, callers: 1}
	f.began = t.history.moment()
	if !t.NoCoalescing {
		t.flights[slot] = f
	}
	t.mu.Unlock()
	return f, true
}

// slack is how much longer than its own patience a call may find itself
// waiting with another: calls made at once arrive in any order.
const slack = time.Second

// takes reports whether a call may join. While the send is held it takes only
// calls of its leader's own client: another's would lose its turn among the
// clients. The caller holds the layer's lock.
func (f *sharedSend) takes(q *question, patience time.Time) bool {
	if !f.open || f.callers == 0 || f.rule != q.rule || !q.ask.plain() || !same(f.req, q.req, q.rule != nil) {
		return false
	}
	if f.body != nil || f.call.OnWire() && !q.call.NoWait {
		return true
	}
	if !patience.IsZero() {
		patience = patience.Add(slack)
	}
	return f.call.Client == q.call.Client && q.call.MayJoin(&limit.Call{Class: f.call.Class, Deadline: f.ends}, patience)
}

// shut takes the flight out of the table. The caller holds the layer's lock.
func (f *sharedSend) shut() {
	f.open = false
	if f.transport.flights[f.slot] == f {
		delete(f.transport.flights, f.slot)
	}
}

// leave counts a caller out. When it was the last, what is under way ends.
func (f *sharedSend) leave(cause error) {
	f.mu.Lock()
	f.callers--
	last := f.callers == 0
	if last {
		f.shut()
	}
	f.mu.Unlock()
	if last && f.cancel != nil {
		f.cancel(cause)
	}
}

// leaderLeaves counts the leader out, once, and reports whether somebody is
// left.
func (f *sharedSend) leaderLeaves(cause error) (others bool) {
	f.mu.Lock()
	first := !f.leaderLeft
	f.leaderLeft = true
	f.mu.Unlock()
	if first {
		f.leave(cause)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.callers > 0
}

// lead makes the send. It runs on the leader's goroutine where the leader
// cannot leave, or stays although it might; otherwise on one of its own, so
// that it outlives the leader.
func (f *sharedSend) lead() (*http.Response, error) {
	ctx := f.req.Context()
	own, cancel := context.WithCancelCause(context.Background())
	f.cancel, f.ctx = cancel, sendContext{ctx, own}
	out := f.out.WithContext(&f.ctx)
	if ctx.Done() == nil {
		return f.run(out)
	}
	f.unhook = context.AfterFunc(ctx, func() { f.leaderLeaves(context.Cause(ctx)) })
	if f.call.Stays {
		return f.run(out)
	}
	return f.runApart(ctx, out)
}

// apart makes the send one of a call and a header of its own: the leader's are
// its caller's again as soon as it leaves.
func (f *sharedSend) apart(ctx context.Context, out *http.Request) *http.Request {
	shared := f.call.Shared(ctx)
	shared.Deadline, shared.Spare = f.call.Deadline, f.call.Spare
	f.mu.Lock()
	f.call = shared
	f.mu.Unlock()
	out = out.WithContext(limit.WithCall(&f.ctx, shared))
	out.Header = out.Header.Clone()
	return out
}

// runApart waits for the send as long as the leader's context lasts.
func (f *sharedSend) runApart(ctx context.Context, out *http.Request) (*http.Response, error) {
	leader := f.call
	out = f.apart(ctx, out)
	var resp *http.Response
	var err error
	headed := make(chan struct{})
	f.workers.run(func() {
		defer close(headed)
		defer func() {
			if fault := recover(); fault != nil {
				resp, err = nil, asPanic(fault)
			}
		}()
		resp, err = f.run(out)
		if !f.hand() && resp != nil {
			_ = resp.Body.Close()
		}
	})
	select {
	case <-headed:
		leader.Carried(f.call)
		return resp, raised(err)
	case <-ctx.Done():
	}
	if f.leaderLeaves(context.Cause(ctx)) && f.hand() {
		f.call.Detach()
		return nil, ctx.Err()
	}
	<-headed // nobody else waits, so it ends at once; or it has ended
	leader.Carried(f.call)
	if err == nil {
		_ = resp.Body.Close()
		return nil, ctx.Err()
	}
	return nil, raised(err)
}

// hand settles who has the answer when the leader leaves as it comes: the one
// who calls first need not care for it.
func (f *sharedSend) hand() (first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first = !f.handed
	f.handed = true
	return first
}

// run makes the send and lands it.
func (f *sharedSend) run(out *http.Request) (*http.Response, error) {
	landed := false
	defer func() {
		if !landed { // a panic passes to the leader; who joined gets it too
			fault := recover()
			if fault == nil { // the goroutine is being ended
				f.settle(outcome{again: true})
				return
			}
			f.settle(outcome{err: asPanic(fault)})
			panic(fault)
		}
	}()
	resp, err := f.next.RoundTrip(out)
	if f.spare && broken(resp, err) {
		resp, err = f.repeat(out, resp)
	}
	resp, err = f.land(resp, err)
	landed = true
	return resp, err
}

// broken reports whether a send that would not wait met a fault, which such a
// send is not repeated after.
func broken(resp *http.Response, err error) bool {
	if err != nil {
		_, limited := errors.AsType[*limit.WaitError](err)
		return !limited
	}
	return resp.StatusCode >= 500
}

// repeat makes the send as one that may wait.
func (f *sharedSend) repeat(out *http.Request, resp *http.Response) (*http.Response, error) {
	if resp != nil {
		_ = resp.Body.Close()
	}
	f.call.NoWait, f.call.Spare = false, false
	return f.next.RoundTrip(out)
}

// asPanic makes an error of what a goroutine panicked with.
func asPanic(fault any) error {
	if p, ok := fault.(*flight.Panic); ok {
		return p
	}
	return &flight.Panic{Value: fault, Stack: debug.Stack()}
}

// raised lets pass what must end the handler of each call: the rest is an
// error.
func raised(err error) error {
	if p, ok := errors.AsType[*flight.Panic](err); ok && p.Value == any(http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	return err
}

// settle tells those who joined what came of it.
func (f *sharedSend) settle(o outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shut()
	if f.over {
		return
	}
	f.over, f.came = true, o
	if f.ended != nil {
		close(f.ended)
	}
}

// wait blocks a caller who joined until it is known what came of the send, or
// until deadline (zero: never) finds the send held again.
func (f *sharedSend) wait(ctx context.Context, deadline time.Time) (outcome, error) {
	ended := f.ending()
	var expired <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		expired = timer.C
	}
	for {
		select {
		case <-ended:
			f.leave(context.Canceled)
			return f.came, nil
		case <-ctx.Done():
			f.leave(context.Cause(ctx))
			return outcome{}, ctx.Err()
		case <-expired:
			if f.held() {
				f.leave(context.Canceled)
				return outcome{alone: true}, nil
			}
			expired = time.After(slack)
		}
	}
}

// ending is closed when it is known what came of the send. It sees to it that
// a body that is captured is read at the server's pace.
func (f *sharedSend) ending() <-chan struct{} {
	f.mu.Lock()
	if f.ended == nil {
		f.ended = make(chan struct{})
		if f.over {
			close(f.ended)
		}
	}
	ended, capturing := f.ended, f.body
	f.mu.Unlock()
	if capturing != nil && capturing.hold() {
		go capturing.pump()
	}
	return ended
}

// held reports whether the send waits for leave.
func (f *sharedSend) held() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.body == nil && !f.call.OnWire()
}
