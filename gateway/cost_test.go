package gateway_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/gateway"
)

// BenchmarkServing is a call without a network: the gateway on flyball's
// transport, and a reverse proxy that does nothing else. The difference is
// what flyball adds to a call in process.
func BenchmarkServing(b *testing.B) {
	upstream, _ := url.Parse("https://acme.zendesk.com")
	bare := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream) }, Transport: instant{}, BufferPool: &oneBuffer{}}
	b.Run("bare", func(b *testing.B) { serveTo(b, bare) })
	transport, err := flyball.New(flyball.Options{Account: "acme", Base: instant{}, OnEvent: gateway.LogSink(slog.New(slog.DiscardHandler))})
	if err != nil {
		b.Fatal(err)
	}
	defer transport.Close()
	for _, on := range []struct {
		name string
		base http.RoundTripper
	}{{"gateway alone", instant{}}, {"gateway on flyball", transport}} {
		g, err := gateway.New(gateway.Options{Upstream: upstream, Transport: on.base, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(on.name, func(b *testing.B) { serveTo(b, g) })
	}
}

// A oneBuffer is a pool for one call at a time.
type oneBuffer [32 << 10]byte

func (b *oneBuffer) Get() []byte { return b[:] }
func (*oneBuffer) Put([]byte)    {}

// instant answers at once, as an account with a limit that is never reached.
type instant struct{}

func (instant) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		ContentLength: 2, Body: io.NopCloser(strings.NewReader("{}")),
		Header: http.Header{
			"Content-Type": {"text/plain"}, "Content-Length": {"2"}, "Vary": {"Accept-Encoding"}, "Server": {"cloudflare"},
			"X-Rate-Limit": {"100000000"}, "X-Rate-Limit-Remaining": {"99999999"},
			"Ratelimit-Limit": {"100000000"}, "Ratelimit-Remaining": {"99999999"}, "Ratelimit-Reset": {"30"},
		},
	}, nil
}

// A sink is a response writer that keeps nothing.
type sink struct{ header http.Header }

func (s sink) Header() http.Header            { return s.header }
func (sink) WriteHeader(int)                  {}
func (sink) Write(p []byte) (int, error)      { return len(p), nil }
func (sink) FlushError() error                { return nil }
func (sink) SetWriteDeadline(time.Time) error { return nil }

func serveTo(b *testing.B, h http.Handler) {
	req, _ := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://127.0.0.1:8080/api/v2/tickets/17.json", nil)
	req.RequestURI, req.RemoteAddr = "/api/v2/tickets/17.json", "127.0.0.1:5000"
	req.Header.Set("Authorization", "Basic YWdlbnRAYWNtZS5jb20vdG9rZW46c2VjcmV0")
	req.Header.Set("User-Agent", "client/1.0")
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(sink{http.Header{}}, req)
	}
}
