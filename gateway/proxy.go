package gateway

import (
	"errors"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// newProxy returns the proxy that g serves calls with.
func newProxy(g *Gateway) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:       g.aim,
		Transport:     sender{g},
		FlushInterval: lateHeader,
		BufferPool:    &g.buffers,
		ErrorHandler:  g.fail,
		ErrorLog:      log.New(lineLog{g.opts.Log, "answer cut short"}, "", 0),
	}
}

// lateHeader is how long the header of an answer whose length the account
// announced waits for the body's first piece, and a piece with turned links for
// the next. Of other answers each piece is sent on at once, as the
// proxy does with them by itself; of those whose length is still known,
// [answer.Write] sees to it.
const lateHeader = 5 * time.Millisecond

// aim points a request at the upstream. Path and query go out byte for byte,
// also where Go's parsing would tidy them.
func (g *Gateway) aim(pr *httputil.ProxyRequest) {
	out := pr.Out
	out.URL.Scheme, out.URL.Host = g.opts.Upstream.Scheme, g.opts.Upstream.Host
	out.Host = g.opts.Upstream.Host
	out.URL.RawQuery = pr.In.URL.RawQuery
	out.URL.Opaque = opaquePath(pr.In)
	// Filled by the server when the body has been read; a copy would stay
	// empty.
	out.Trailer = pr.In.Trailer
	strip(out.Header, g.opts.Untouched)
}

// opaquePath returns the path that the client wrote, when URL would write it
// in another way (a bare "|", say), else "". A path of two slashes cannot be
// said that way; URL escapes it, which means the same.
func opaquePath(r *http.Request) string {
	raw, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(raw, "/") || strings.HasPrefix(raw, "//") || raw == r.URL.EscapedPath() {
		return ""
	}
	return raw
}

// origin returns scheme and host of u.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// sender is the transport as the proxy sees it: it looks through each answer
// on its way back.
type sender struct{ g *Gateway }

func (s sender) RoundTrip(out *http.Request) (*http.Response, error) {
	resp, err := s.g.opts.Transport.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		_ = resp.Body.Close()
		return nil, errSwitched
	}
	c := callFrom(out.Context())
	announced := resp.ContentLength
	if resp.Body != http.NoBody {
		resp.Body = watch(resp.Body, s.g.opts.UpstreamStall, c)
	}
	// Links are turned as this call asked for them, whatever request the
	// transport made of it.
	resp.Request = out
	s.g.tidy(c, resp)
	if c.turner != nil {
		c.turner.Dress(resp)
	}
	if resp.ContentLength < 0 {
		// An announced body is no stream, though its length has changed: the
		// proxy need not send on each piece by itself. Clients hear only of
		// the length in the header, which is gone.
		resp.ContentLength = announced
	}
	return resp, nil
}

// errSwitched: nobody asked for another protocol, see [Gateway.inspect].
var errSwitched = errors.New("invalid answer: 101 to a call that asked for no upgrade")

// bufferSize is one copy's buffer: the size of a large page's TLS record pair.
const bufferSize = 32 << 10

// buffers is a pool of copy buffers.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return p[:]
	}
	return new([bufferSize]byte)[:]
}

func (b *buffers) Put(p []byte) { b.pool.Put((*[bufferSize]byte)(p)) }
