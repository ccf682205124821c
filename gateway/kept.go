package gateway

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/flyballhq/flyball/cache"
)

// A keeper is a transport that can answer without a send. flyball.Transport is
// one.
type keeper interface {
	// Cached answers r, with the wishes in ctx, as by makes the answer, or
	// returns nil when that takes a send. The answer's header is put into
	// header, which is empty.
	Cached(ctx context.Context, r *http.Request, header http.Header, by cache.Dresser) *http.Response
}

// passKept answers r out of the transport's cache, past the proxy: what the
// proxy does for a send, a hit has no need of. It reports false when nothing
// is kept, and then has done nothing but [strip].
func (g *Gateway) passKept(ctx context.Context, a *answer, r *http.Request, c *call) bool {
	if g.kept == nil || len(a.Header()) > 0 || !passesAsIs(r) {
		return false
	}
	strip(r.Header, g.opts.Untouched)
	var by cache.Dresser
	if c.turner != nil {
		by = c.turner
	}
	resp := g.kept.Cached(ctx, r, a.Header(), by)
	if resp == nil {
		return false
	}
	defer resp.Body.Close()
	g.tidy(c, resp)
	a.WriteHeader(resp.StatusCode)
	buffer := g.buffers.Get()
	defer g.buffers.Put(buffer)
	if _, err := io.CopyBuffer(a, resp.Body, buffer); err != nil {
		panic(http.ErrAbortHandler) // as the proxy does, see [Gateway.ServeHTTP]
	}
	return true
}

// passesAsIs reports whether r is a GET that the proxy would pass on with the
// header and the path it has, but for what [strip] removes.
func passesAsIs(r *http.Request) bool {
	if r.Method != http.MethodGet || r.ContentLength != 0 || r.URL.User != nil || r.URL.ForceQuery || opaquePath(r) != "" {
		return false
	}
	for _, name := range [...]string{
		"Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	} {
		if r.Header[name] != nil {
			return false
		}
	}
	for _, value := range r.Header["Connection"] {
		if !strings.EqualFold(value, "keep-alive") && !strings.EqualFold(value, "close") {
			return false
		}
	}
	return true
}
