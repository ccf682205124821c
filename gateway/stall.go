package gateway

import (
	"context"
	"errors"
	"io"
	"time"
)

// errStalled ends an answer that stopped coming.
var errStalled = errors.New("the account fell silent in the middle of its answer")

// A watched body ends the call when one read of it takes too long.
type watched struct {
	io.ReadCloser
	call  *call
	bound time.Duration
	timer *time.Timer // nil before the first read
}

// watch returns body with a bound on each read, after which the call c ends.
func watch(body io.ReadCloser, bound time.Duration, c *call) io.ReadCloser {
	return &watched{ReadCloser: body, call: c, bound: bound}
}

// Read is timed; a client that takes its time between reads is not.
func (w *watched) Read(p []byte) (int, error) {
	if w.timer == nil {
		w.timer = time.AfterFunc(w.bound, func() { w.call.cancel(errStalled) })
	} else {
		w.timer.Reset(w.bound)
	}
	n, err := w.ReadCloser.Read(p)
	w.timer.Stop()
	return n, err
}

// noteStall writes a line when c ended that way.
func (g *Gateway) noteStall(c *call) {
	if errors.Is(context.Cause(c), errStalled) {
		g.opts.Log.Warn("answer cut short", "method", c.method, "path", scrub(c.path), "client", scrub(c.ask.Client),
			"error", errStalled.Error(), "bound", short(g.opts.UpstreamStall))
	}
}
