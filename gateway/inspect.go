package gateway

import (
	"fmt"
	"net/http"
	"strings"
)

// inspect returns the refusal of a request that no account could serve
// through a gateway, or nil.
func (g *Gateway) inspect(r *http.Request) *refusal {
	switch {
	case r.Method == http.MethodConnect:
		return &refusal{
			status: http.StatusMethodNotAllowed, close: true, Error: "FlyballNoTunnels",
			Description: "this is a gateway, not an HTTP proxy; use its address as the base URL instead of setting HTTPS_PROXY to it",
		}
	case wantsUpgrade(r.Header):
		return &refusal{
			status: http.StatusNotImplemented, close: true, Error: "FlyballNoUpgrade",
			Description: fmt.Sprintf("flyball does not pass on protocol upgrades (%s asked for): connect to %s directly for those", ascii(r.Header.Get("Upgrade")), g.opts.Upstream.Host),
		}
	case headerBytes(r) > g.opts.MaxHeaderBytes:
		return &refusal{
			status: http.StatusRequestHeaderFieldsTooLarge, close: true, Error: "FlyballHeaderTooLarge",
			Description: fmt.Sprintf("the request's line and header are larger than %d bytes; the call was not sent; look for a cookie or an identifier list that grows", g.opts.MaxHeaderBytes),
		}
	case r.ContentLength > g.opts.MaxBodyBytes:
		return bodyTooLarge(g.opts.MaxBodyBytes)
	}
	return nil
}

// wantsUpgrade reports whether a client asks for another protocol. An offer
// of HTTP/2 is not meant: Java's client makes it with its first call to
// everybody, and does without when it is passed over.
func wantsUpgrade(h http.Header) bool {
	upgrade := h["Upgrade"]
	if len(upgrade) == 0 {
		return false
	}
	for _, value := range upgrade {
		if !strings.EqualFold(strings.TrimSpace(value), "h2c") {
			return true
		}
	}
	delete(h, "Upgrade")
	delete(h, "Http2-Settings")
	return false
}

// headerBytes returns the size of a request's line and header as they came,
// near enough.
func headerBytes(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Host) + len("  HTTP/1.1\r\nHost: \r\n\r\n")
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + len(": \r\n")
		}
	}
	return n
}
