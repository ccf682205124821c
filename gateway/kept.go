package gateway

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// A keeper is a transport that can answer without a send. flyball.Transport is
// one.
type keeper interface {
	// Cached answers req, or returns nil when that takes a send. The answer's
	// header is put into header, which is empty.
	Cached(req *http.Request, header http.Header) *http.Response
}

// passKept answers r out of the transport's cache, past the proxy: what the
// proxy does for a send, a hit has no need of. It reports false when nothing
// is kept, and then has done nothing but [strip].
func (g *Gateway) passKept(ctx context.Context, a *answer, r *http.Request, c *call) bool {
	if g.kept == nil || len(a.Header()) > 0 || !passesAsIs(r) {
		return false
	}
	strip(r.Header, false)
	out := r.WithContext(ctx)
	out.URL = &url.URL{
		Scheme: g.opts.Upstream.Scheme, Host: g.opts.Upstream.Host,
		Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery, Opaque: opaquePath(r),
	}
	resp := g.kept.Cached(out, a.Header())
	if resp == nil {
		return false
	}
	resp.Request = out
	defer resp.Body.Close()
	g.dress(c, resp)
	a.WriteHeader(resp.StatusCode)
	if g.copyKept(a, resp.Body) != nil {
		panic(http.ErrAbortHandler) // as the proxy does, see [Gateway.ServeHTTP]
	}
	return true
}

// copyKept writes pieces of a buffer's size, so that a slow client has time
// for each.
func (g *Gateway) copyKept(a *answer, body io.Reader) error {
	if body == http.NoBody {
		return nil
	}
	buffer := g.buffers.Get()
	defer g.buffers.Put(buffer)
	_, err := io.CopyBuffer(onlyWriter{a}, onlyReader{body}, buffer)
	return err
}

// Each hides the ways past a copy's buffer.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

// passesAsIs reports whether r is a GET that the proxy would pass on with the
// header it has, but for what [strip] removes.
func passesAsIs(r *http.Request) bool {
	if r.Method != http.MethodGet || r.ContentLength != 0 || r.URL.User != nil || r.URL.ForceQuery {
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
