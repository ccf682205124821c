package gateway

import (
	"context"
	"net/http"
	"net/http/httputil"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A Gateway serves calls to one account. Its methods may be called at once.
type Gateway struct {
	opts      Options
	clients   *clients
	flights   *flights
	strangers strangers
	turners   *turners
	proxy     *httputil.ReverseProxy
	kept      keeper // nil when the transport keeps nothing
	buffers   buffers
}

// New returns a gateway, or an error that names the option that is wrong.
func New(opts Options) (*Gateway, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gateway{opts: opts, clients: newClients(opts.MaxClients), flights: newFlights()}
	if g.turners, err = newTurners(opts); err != nil {
		return nil, err
	}
	g.kept, _ = opts.Transport.(keeper)
	g.proxy = newProxy(g)
	return g, nil
}

// Clients returns the names of the callers seen lately, the latest first.
func (g *Gateway) Clients() []string { return g.clients.names() }

// InFlight returns how many calls are being served now, held ones included.
func (g *Gateway) InFlight() int { return g.flights.count() }

// A call is one request being served, and the context that it is served in.
type call struct {
	context.Context
	method, path string // for logs: path is scrubbed when it is written
	ask          Ask
	began        time.Time
	cancel       context.CancelCauseFunc // nil as long as nothing is waited for but the client
	prev, next   *call                   // of the calls being served
	client       context.Context         // done when the client has left
	turner       *turner                 // of links in the answer, nil to leave them
	receipt      limit.Receipt
	refused      string // why the gateway answered itself
	cut          bool   // the answer broke off
	bodyErr      atomic.Pointer[error]
}

// gone reports whether the client has left.
func (c *call) gone() bool { return c.client.Err() != nil }

type callKey struct{}

// Value returns the call itself under its key.
func (c *call) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

func callFrom(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// ServeHTTP serves one call: it blocks until the answer has been handed over
// or the caller has left. It panics with [http.ErrAbortHandler], as the proxy
// of net/http does, when an answer breaks off in the middle, so that no client
// takes half a body for a whole one.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	both := &struct {
		answer
		call
	}{
		newAnswer(w, r, g.opts.Stall),
		call{Context: r.Context(), method: r.Method, path: r.URL.Path, began: time.Now(), client: r.Context()},
	}
	a, c := &both.answer, &both.call
	if a.visit = g.visitOf(r); a.visit.page != "" && isPreflight(r) {
		g.preflight(a, r) // it is no call
		return
	}
	defer g.served(a, c, r)
	defer g.recovered(a, c)

	r.Body = g.guardBody(a, r, c)
	no := g.inspect(r)
	if no == nil {
		no = g.inspectPage(r, a.visit)
	}
	if no != nil {
		name, configured := caller(r, g.opts.Decide(r))
		if !configured {
			name = shown(name)
		}
		c.ask.Client = name
		g.decline(a, c, no)
		return
	}
	c.ask = g.read(r)
	if g.opts.OnServed != nil {
		c.ask.Receipt = &c.receipt
	}
	if !g.flights.begin(c) {
		g.decline(a, c, drainingNow())
		return
	}
	defer g.flights.end(c)
	g.pass(a, r, c)
}

// pass hands a call that may be served to the proxy.
func (g *Gateway) pass(a *answer, r *http.Request, c *call) {
	c.turner = g.turner(r)
	ctx := g.opts.Label(c, c.ask)
	if !g.passKept(ctx, a, r, c) {
		g.passOn(ctx, a, r, c)
	}
	a.finish()
}

// passOn has the proxy serve a call with ctx, which leads to c.
func (g *Gateway) passOn(ctx context.Context, a *answer, r *http.Request, c *call) {
	var cancel context.CancelCauseFunc
	c.Context, cancel = context.WithCancelCause(c.client)
	g.flights.cuts(c, cancel)
	defer cancel(nil)
	defer g.noteStall(c)
	g.proxy.ServeHTTP(a, r.WithContext(ctx))
}
