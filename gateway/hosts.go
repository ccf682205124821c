package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// turner returns what turns the links in the answer to r, nil if they stay as
// they are.
func (g *Gateway) turner(r *http.Request) *turner {
	if g.opts.Untouched {
		return nil
	}
	if g.turners.public != nil {
		return g.turners.public
	}
	b, ok := g.linkBase(r)
	if !ok {
		return nil
	}
	t, err := g.turners.to(b)
	if err != nil {
		g.opts.Log.Warn("links left alone", "error", scrub(err.Error()))
	}
	return t
}

// linkBase returns the address that links in the answer to r begin with, if
// there is one to give. It never repeats a Host that anybody could have made
// up: a link is followed with the caller's credential.
func (g *Gateway) linkBase(r *http.Request) (base, bool) {
	host, scheme := r.Host, "http"
	if r.TLS != nil {
		scheme = "https"
	}
	known := g.known(host, r)
	if g.trusted(r.RemoteAddr) {
		if proto := lastOf(r.Header["X-Forwarded-Proto"]); proto == "http" || proto == "https" {
			scheme = proto
		}
		if fwd := lastOf(r.Header["X-Forwarded-Host"]); fwd != "" {
			host, known = fwd, g.knownForwarded(fwd)
		}
	}
	if known {
		return base{scheme, host}, true
	}
	return g.localBase(r)
}

// localBase is the address that a call came in on: right, if not what the
// client calls it.
func (g *Gateway) localBase(r *http.Request) (base, bool) {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return base{}, false
	}
	g.strangers.warn(g.opts.Log, r.Host)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return base{scheme, local.String()}, true
}

// known reports whether host names this gateway: loopback, listed, or the
// address that the call came in on.
func (g *Gateway) known(host string, r *http.Request) bool {
	name, ok := hostname(host)
	if !ok {
		return false
	}
	return loopback(name) || g.listed(host, name) || isLocal(name, r)
}

// knownForwarded reports whether the Host that a trusted peer forwards may be
// used: peers pass on what clients send, so a list, where there is one, holds
// for them too.
func (g *Gateway) knownForwarded(host string) bool {
	name, ok := hostname(host)
	return ok && (len(g.opts.AllowedHosts) == 0 || g.listed(host, name))
}

func (g *Gateway) listed(host, name string) bool {
	for _, allowed := range g.opts.AllowedHosts {
		if strings.EqualFold(allowed, host) || strings.EqualFold(strings.Trim(allowed, "[]"), name) {
			return true
		}
	}
	return false
}

// trusted reports whether the peer at remote is one whose forwarded headers
// are believed.
func (g *Gateway) trusted(remote string) bool {
	if len(g.opts.TrustedPeers) == 0 {
		return false
	}
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	for _, prefix := range g.opts.TrustedPeers {
		if prefix.Contains(peer.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// hostname returns the name in a Host header, without port and brackets, or
// false when the header is not "name" or "name:port" at all.
func hostname(host string) (string, bool) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "0"
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil || name == "" {
		return "", false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return name, true
	}
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_')
	}
	return name, strings.IndexFunc(name, odd) < 0
}

func loopback(name string) bool {
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Unmap().IsLoopback()
	}
	name = strings.ToLower(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

func isLocal(name string, r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	addr, err := netip.ParseAddr(name)
	return ok && err == nil && addr.Unmap() == local.AddrPort().Addr().Unmap()
}

// lastOf returns the last element of a list header: the one that the nearest
// proxy has added.
func lastOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	list := values[len(values)-1]
	return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
}
