package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/gateway"
)

// serveBare is what the gateway is held against: the reverse proxy of the
// standard library, tuned as one would (behaviours I9), and nothing else.
func serveBare(l net.Listener, upstream *url.URL) error {
	proxy := &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport:  gateway.Base(upstream),
		BufferPool: &buffers{},
	}
	return (&http.Server{Handler: proxy}).Serve(l)
}

// buffers is a pool of copy buffers of the size that the gateway uses.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[32 << 10]byte); ok {
		return p[:]
	}
	return new([32 << 10]byte)[:]
}

func (b *buffers) Put(p []byte) { b.pool.Put((*[32 << 10]byte)(p)) }

// longest is what a call may be held for. No limit here asks for a wait; one
// that is held longer ends the run, and the gateway's log says by what.
const longest = 5 * time.Second

// serveGateway is flyball's whole stack as "flyball serve" builds it. held is
// called for each call that had to wait.
func serveGateway(l net.Listener, upstream *url.URL, keeps cache.Options, held func()) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)) // a line there is a finding
	lines := gateway.LogSink(log)
	transport, err := flyball.New(flyball.Options{
		Account: upstream.String(),
		Base:    gateway.Base(upstream),
		Cache:   keeps,
		OnEvent: func(e event.Event) {
			if e.Kind == event.Held {
				held()
			}
			lines(e)
		},
	})
	if err != nil {
		return err
	}
	defer transport.Close()
	g, err := gateway.New(gateway.Options{Upstream: upstream, Transport: transport, Log: log, MaxWait: longest})
	if err != nil {
		return err
	}
	return g.Serve(context.Background(), l)
}
