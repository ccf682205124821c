package admission

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// refusalPeek is how much of a refusing answer's body is read to find out
// what it blames.
const refusalPeek = 4 << 10

// Layer returns the layer that holds each send until it may go. A request
// whose context carries no [limit.Call] passes untouched.
func (c *Controller) Layer() func(next http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return &transport{Controller: c, next: next}
	}
}

type transport struct {
	*Controller
	next http.RoundTripper
}

// Begin returns a context that carries call and, ready to be made, its first
// send: the request is then copied once for both. Later sends, and those of a
// call that was not begun here, cost one copy more each.
func (c *Controller) Begin(ctx context.Context, call *limit.Call) context.Context {
	return c.newSend(call).trace(limit.WithCall(ctx, call))
}

// RoundTrip sends req once, when it may go, and hands its answer on. Without
// leave to send it returns a [*limit.WaitError] or the context's error.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	call := limit.CallFrom(ctx)
	if call == nil {
		return t.next.RoundTrip(req)
	}
	s := carried(ctx)
	if s == nil || s.used || s.Controller != t.Controller || s.call != call {
		s = t.newSend(call)
		req = req.WithContext(s.trace(ctx))
	}
	s.used = true
	if err := t.acquire(ctx, &s.waiter); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		var refusal *limit.WaitError
		if errors.As(err, &refusal) {
			refusal.Method, refusal.Path = req.Method, req.URL.Path
		}
		return nil, err
	}
	if call.Seal != nil {
		sealed := call.Seal(req)
		if sealed == nil {
			return nil, s.takeBack(req)
		}
		req = sealed
		s.becomes(req)
	}
	return s.roundTrip(req, t.next)
}

// takeBack gives up a leave that nobody wants any more.
func (s *send) takeBack(req *http.Request) error {
	now := time.Now()
	s.mu.Lock()
	s.exit()
	s.account.Refund(now, &s.grant)
	s.serve(now, s.grant.Buckets)
	s.mu.Unlock()
	if req.Body != nil {
		req.Body.Close()
	}
	s.emit(event.Event{Kind: event.Left, At: now, Call: s.call, Wait: s.call.Held, Err: context.Canceled})
	return context.Canceled
}

// becomes charges the send as what it turned out to be: one for many that has
// a sole member left is that member's own.
func (s *send) becomes(req *http.Request) {
	route := s.provider.Route(req)
	if route.Class == s.call.Route.Class {
		return
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	freed := slices.Collect(s.grant.Buckets)
	s.account.Refund(now, &s.grant)
	s.call.Route = route
	s.account.Charge(now, &s.call.Route, s.quotas[s.call.Client].bucket, &s.grant)
	s.serve(now, slices.Values(freed))
}

// A send is one request on the wire. Its times are written by the transport's
// own goroutines.
type send struct {
	*Controller
	waiter
	steps
	used bool // it was tried for
	over bool // its end is known
}

func (c *Controller) newSend(call *limit.Call) *send {
	s := &send{Controller: c}
	s.call = call
	return s
}

func (s *send) roundTrip(req *http.Request, next http.RoundTripper) (*http.Response, error) {
	s.call.Sends++
	s.call.Leaves()
	defer s.call.Returned()
	defer func() {
		if !s.over { // a panic below passes; what it held is given back
			s.lost(errors.New("the transport panicked"))
		}
	}()
	resp, err := next.RoundTrip(req)
	if err != nil {
		s.lost(err)
		return nil, err
	}
	s.answered(resp)
	return resp, nil
}

func (s *send) unsent(err error) bool {
	if s.told.Load() {
		return s.wrote.Load() == 0
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func (s *send) extra() {
	now := time.Now()
	var grant budget.Grant
	s.mu.Lock()
	s.account.Charge(now, &s.call.Route, s.quotas[s.call.Client].bucket, &grant)
	s.account.Lose(now, &grant)
	s.mu.Unlock()
	s.emit(event.Event{Kind: event.Extra, At: now, Call: s.call})
}

// lost ends a send that was not answered. What provably never left is not
// charged.
func (s *send) lost(err error) {
	s.over = true
	now := time.Now()
	s.mu.Lock()
	s.exit()
	unsent := s.unsent(err)
	if unsent {
		s.call.Sends--
		s.account.Refund(now, &s.grant)
	} else {
		s.account.Lose(now, &s.grant)
	}
	s.serve(now, s.grant.Buckets)
	s.mu.Unlock()
	s.emit(event.Event{Kind: event.Lost, At: now, Call: s.call, Took: now.Sub(s.left), Err: err, Unsent: unsent})
}

// answered tells the budget what came back and lets go whom that frees.
func (s *send) answered(resp *http.Response) {
	now := time.Now()
	t0, t1 := s.t0(), now
	if heard := s.heard.Load(); heard != 0 {
		t1 = s.left.Add(time.Duration(heard))
	}
	s.call.Upstream = t1.Sub(t0)
	answer := s.provider.Read(&s.call.Route, resp.StatusCode, resp.Header)
	var refusal *limit.Refusal
	if answer.Refused {
		read := s.provider.Refusal(&s.call.Route, resp.StatusCode, resp.Header, peek(resp))
		refusal = &read
	}
	s.over = true // not before: the body, too, is the transport's
	s.mu.Lock()
	s.exit()
	blame, refused := s.account.Observe(now, t0, t1, &s.grant, &answer, refusal)
	s.serve(now, s.grant.Buckets)
	s.mu.Unlock()
	if resp.StatusCode/100 == 2 && s.call.Route.Job != limit.NoJob {
		s.watchJobs(resp)
	}
	s.emit(event.Event{Kind: event.Sent, At: now, Call: s.call, Status: resp.StatusCode, Took: t1.Sub(t0)})
	if refused {
		s.call.Refused++
		s.emit(event.Event{Kind: event.Refused, At: now, Call: s.call, Bucket: blame.Bucket, Until: blame.Until, Status: resp.StatusCode, Text: refusal.Text})
	}
	if blame.Learned > 0 {
		s.emit(event.Event{Kind: event.Learned, At: now, Call: s.call, Bucket: blame.Bucket, Limit: blame.Learned})
	}
}

// peek reads the beginning of the body and leaves the body whole.
func peek(resp *http.Response) []byte {
	head, err := io.ReadAll(io.LimitReader(resp.Body, refusalPeek))
	rest := io.Reader(resp.Body)
	if err != nil {
		rest = failing{err}
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), rest), resp.Body}
	return head
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
