package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/gateway/links"
)

// BenchmarkPassing measures a call through the gateway beside one through a
// bare tuned ReverseProxy, over sockets, one connection. The transport is the
// same, so what differs is what the gateway adds.
func BenchmarkPassing(b *testing.B) {
	kinds := map[string]string{
		"2KB text":   strings.Repeat("x", 2048),
		"2KB JSON":   `{"tickets":["` + strings.Repeat("x", 2000) + `"],"next_page":null}`,
		"256KB JSON": `{"tickets":["` + strings.Repeat("some words of a ticket ", 11<<10) + `"],"next_page":null}`,
	}
	for name, body := range kinds {
		kind := "text/plain"
		if strings.Contains(name, "JSON") {
			kind = "application/json"
		}
		account := parseB(b, serveB(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, body)
		})))
		base := gateway.Base(account)
		b.Run(name+"/bare", func(b *testing.B) { fetchB(b, serveB(b, bareB(account, base)), len(body)) })
		for _, mode := range []links.Mode{links.Off, links.Navigation} {
			g, err := gateway.New(gateway.Options{Upstream: account, Transport: base, RewriteLinks: mode})
			if err != nil {
				b.Fatal(err)
			}
			b.Run(name+"/gateway, links "+mode.String(), func(b *testing.B) { fetchB(b, serveB(b, g), len(body)) })
		}
	}
}

func serveB(b *testing.B, h http.Handler) string {
	s := httptest.NewServer(h)
	b.Cleanup(s.Close)
	return s.URL
}

func parseB(b *testing.B, text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	return u
}

// bareB is the tuned proxy of net/http and nothing else.
func bareB(account *url.URL, base http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:       func(pr *httputil.ProxyRequest) { pr.SetURL(account) },
		Transport:     base,
		FlushInterval: -1,
		BufferPool:    &poolB{},
	}
}

type poolB struct{ pool sync.Pool }

func (p *poolB) Get() []byte {
	if b, ok := p.pool.Get().(*[32 << 10]byte); ok {
		return b[:]
	}
	return make([]byte, 32<<10)
}

func (p *poolB) Put(b []byte) { p.pool.Put((*[32 << 10]byte)(b)) }

func fetchB(b *testing.B, address string, size int) {
	b.ReportAllocs()
	b.SetBytes(int64(size))
	for b.Loop() {
		resp, err := http.Get(address + "/api/v2/tickets.json")
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}
