package admission

import (
	"context"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
	"time"
)

// A steps is what the transport below tells of one send as it goes. Its hooks
// are called by the transport's own goroutines, some perhaps after the send
// has ended, so it is never used for another send.
type steps struct {
	hooks httptrace.ClientTrace
	outer *httptrace.ClientTrace // the caller's own, told next; nil without one
	ctx   traced

	conns atomic.Int32 // connections that the transport got for it
	wrote atomic.Int64 // nanoseconds from left to its headers written; 0 = not yet
	heard atomic.Int64 // nanoseconds from left to the answer's first byte
	told  atomic.Bool  // the transport below reports its steps
}

// A traced is the context of one send, below that of its trace. It hides the
// caller's own trace from httptrace, which would join the two by reflection,
// at the price of several sends' decisions; the hooks below pass steps on.
type traced struct {
	context.Context
	send *send
}

type sendKey struct{}

func (c *traced) Value(key any) any {
	if key == (sendKey{}) {
		return c.send
	}
	value := c.Context.Value(key)
	if _, hidden := value.(*httptrace.ClientTrace); hidden {
		return nil
	}
	return value
}

// trace returns a context for the send, through which the transport reports
// its steps. They are not reported to the send that ctx may have been for.
func (s *send) trace(ctx context.Context) context.Context {
	s.outer = httptrace.ContextClientTrace(ctx)
	if before := carried(ctx); before != nil && s.outer == &before.hooks {
		s.outer = before.outer
	}
	if s.outer != nil {
		s.hooks = *s.outer
	}
	s.hooks.GetConn = s.getConn
	s.hooks.GotConn = s.gotConn
	s.hooks.WroteHeaders = s.wroteHeaders
	s.hooks.GotFirstResponseByte = s.gotFirstByte
	s.hooks.Got1xxResponse = s.gotInterim
	s.ctx = traced{ctx, s}
	return httptrace.WithClientTrace(&s.ctx, &s.hooks)
}

// carried returns the send that ctx was made for, or nil.
func carried(ctx context.Context) *send {
	s, _ := ctx.Value(sendKey{}).(*send)
	return s
}

func (s *send) getConn(address string) {
	s.told.Store(true)
	if o := s.outer; o != nil && o.GetConn != nil {
		o.GetConn(address)
	}
}

// gotConn charges what the transport sends again by itself: net/http repeats
// some requests on a new connection without a word.
func (s *send) gotConn(info httptrace.GotConnInfo) {
	if s.conns.Add(1) > 1 && s.wrote.Load() != 0 {
		s.extra()
	}
	if o := s.outer; o != nil && o.GotConn != nil {
		o.GotConn(info)
	}
}

func (s *send) wroteHeaders() {
	s.wrote.Store(s.elapsed())
	if o := s.outer; o != nil && o.WroteHeaders != nil {
		o.WroteHeaders()
	}
}

func (s *send) gotFirstByte() {
	s.heard.Store(s.elapsed())
	if o := s.outer; o != nil && o.GotFirstResponseByte != nil {
		o.GotFirstResponseByte()
	}
}

// gotInterim forgets a first byte that was not the answer's. The answer's own
// is not told, so the answer counts as come when all of its header is there.
func (s *send) gotInterim(status int, header textproto.MIMEHeader) error {
	s.heard.Store(0)
	if o := s.outer; o != nil && o.Got1xxResponse != nil {
		return o.Got1xxResponse(status, header)
	}
	return nil
}

func (s *send) elapsed() int64 { return max(1, int64(time.Since(s.left))) }
func (s *send) t0() time.Time  { return s.left.Add(time.Duration(s.wrote.Load())) }
