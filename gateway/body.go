package gateway

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// slowest is how fast a client must send a body on average, in bytes a second.
const slowest = 4 << 10

// A body is a client's request body with bounds: on its size, and on how long
// the client may take over it.
type body struct {
	io.ReadCloser
	answer *answer
	began  time.Time
	armed  time.Time // the deadline in force
	left   int64     // bytes that may still come
	limit  int64
	read   int64
	err    *atomic.Pointer[error] // where the reason for an early end is left
}

// guardBody puts bounds on the body of r. What breaks them ends the body with
// an error, which c keeps.
func (g *Gateway) guardBody(a *answer, r *http.Request, c *call) io.ReadCloser {
	if !a.hasBody {
		return r.Body
	}
	b := &body{ReadCloser: r.Body, answer: a, began: c.began, left: g.opts.MaxBodyBytes, limit: g.opts.MaxBodyBytes, err: &c.bodyErr}
	b.arm()
	return b
}

// Read reads on, until the deadline that what has come so far has earned.
func (b *body) Read(p []byte) (int, error) {
	b.arm()
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if b.left -= int64(n); b.left < 0 {
		n, err = 0, &http.MaxBytesError{Limit: b.limit}
	}
	switch {
	case errors.Is(err, io.EOF):
		// The server now watches the connection for a client that leaves;
		// a deadline left standing would look like one.
		_ = b.answer.control.SetReadDeadline(time.Time{})
	case err != nil:
		b.err.CompareAndSwap(nil, &err)
	}
	return n, err
}

// arm moves the deadline on, by whole seconds to spare system calls.
func (b *body) arm() {
	due := b.began.Add(b.answer.stall + time.Duration(b.read/slowest)*time.Second)
	if due.After(b.armed) {
		b.armed = due
		_ = b.answer.control.SetReadDeadline(due)
	}
}
