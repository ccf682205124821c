package gateway

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"
)

// cutGrace is how long calls that were cut have to be told so.
const cutGrace = time.Second

// idle is how long a client's connection is kept between two calls. It is
// longer than clients keep theirs, so that they rarely use one just closed.
const idle = 2 * time.Minute

// Draining reports whether the gateway is shutting down. It is then no longer
// ready, and answers new calls with 503 "draining".
func (g *Gateway) Draining() bool { return g.flights.isDraining() }

// Serve serves calls that come in on l until ctx ends, then drains: new calls
// are answered 503 at once, those under way have [Options].DrainTimeout to
// end. What is left after that is cut, and the error, a [*CutError], says what
// it was; nil means that every call ended by itself. Serve closes l. It is
// called once for each Gateway.
func (g *Gateway) Serve(ctx context.Context, l net.Listener) error {
	server := g.server()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		_ = server.Close()
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	err := g.drain(server)
	if broken := <-failed; err == nil && !errors.Is(broken, http.ErrServerClosed) {
		err = fmt.Errorf("serve on %s: %w", l.Addr(), broken)
	}
	return err
}

// server returns the HTTP server for g. It has no WriteTimeout and no
// ReadTimeout: a hold and a long export would run into them. Each read and
// write has its own deadline instead.
func (g *Gateway) server() *http.Server {
	return &http.Server{
		Handler:           g,
		ReadHeaderTimeout: g.opts.Stall,
		IdleTimeout:       idle,
		// Twice what is allowed, so that the answer can say what was wrong.
		MaxHeaderBytes: 2 * g.opts.MaxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout:  g.opts.Stall,
			PingTimeout:      g.opts.Stall,
			WriteByteTimeout: g.opts.Stall,
		},
		ErrorLog: log.New(lineLog{g.opts.Log, "connection failed"}, "", 0),
	}
}

// drain lets the calls under way end. The listener stays open meanwhile, so
// that a call that comes is told to try again instead of finding nobody.
func (g *Gateway) drain(server *http.Server) error {
	server.SetKeepAlivesEnabled(false)
	bound := time.NewTimer(g.opts.DrainTimeout)
	defer bound.Stop()
	var cut []*call
	select {
	case <-g.flights.drain():
	case <-bound.C:
		cut = g.flights.cut()
	}
	grace, cancel := context.WithTimeout(context.Background(), cutGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		_ = server.Close()
	}
	if len(cut) == 0 {
		return nil
	}
	err := newCutError(cut, g.opts.DrainTimeout)
	for _, c := range err.Calls {
		g.opts.Log.Warn("call cut", "method", c.Method, "path", c.Path, "client", c.Client, "after", short(c.Age))
	}
	return err
}

// A CutError names the calls that were cut because they outlasted the drain.
// Whether the account carried them out is not known.
type CutError struct {
	Bound time.Duration // how long they were given
	Calls []CutCall
}

// A CutCall is one call that was cut.
type CutCall struct {
	Method, Path, Client string        // Path without anything that could be a secret
	Age                  time.Duration // since it came in
}

func newCutError(cut []*call, bound time.Duration) *CutError {
	err := &CutError{Bound: bound}
	for _, c := range cut {
		err.Calls = append(err.Calls, CutCall{
			Method: c.method, Path: scrub(c.path), Client: scrub(c.ask.Client),
			Age: time.Since(c.began).Round(time.Millisecond),
		})
	}
	return err
}

func (e *CutError) Error() string {
	first := e.Calls[0]
	return fmt.Sprintf("drain: %d calls still running after %s were cut, the first one %s %s of %s; look at what they did before sending them again, or drain longer",
		len(e.Calls), e.Bound, first.Method, first.Path, first.Client)
}

// Listen opens a TCP listener on address, such as "127.0.0.1:4290". The error
// says what to do about it.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err == nil {
		return l, nil
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return nil, fmt.Errorf("listen on %s: %w; choose another address, or port 0 for any free one", address, err)
}
