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
	bound time.Duration
	timer *time.Timer
}

// watch returns body with a bound on each read, after which the call c ends.
func watch(body io.ReadCloser, bound time.Duration, c *call) io.ReadCloser {
	timer := time.AfterFunc(bound, func() { c.cancel(errStalled) })
	timer.Stop() // only reads are timed, not a client that takes its time
	return &watched{ReadCloser: body, bound: bound, timer: timer}
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(w.bound)
	n, err := w.ReadCloser.Read(p)
	w.timer.Stop()
	return n, err
}

// noteStall writes a line when the call that ctx belongs to ended that way.
func (g *Gateway) noteStall(ctx context.Context, c *call) {
	if errors.Is(context.Cause(ctx), errStalled) {
		g.opts.Log.Warn("answer cut short", "method", c.method, "path", scrub(c.path), "client", scrub(c.ask.Client),
			"error", errStalled.Error(), "bound", short(g.opts.UpstreamStall))
	}
}
