package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/gateway/links"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// An Address is HOST:PORT to listen on.
type Address string

// UnmarshalText reads an address. Every interface must be said: an empty host
// is refused.
func (a *Address) UnmarshalText(text []byte) error {
	host, port, err := net.SplitHostPort(string(text))
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("%s is not HOST:PORT (write 127.0.0.1:4290, or 127.0.0.1:0 for any free port)", quote(text))
	}
	if host == "" {
		return fmt.Errorf("%s names no host (write 127.0.0.1:%s, or 0.0.0.0:%s to be reached from other machines)", quote(text), port, port)
	}
	*a = Address(text)
	return nil
}

func (a Address) String() string { return string(a) }

// loopback reports whether only this machine reaches a.
func (a Address) loopback() bool {
	host, _, _ := net.SplitHostPort(string(a))
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// A URL is an http or https address without a credential.
type URL string

// UnmarshalText reads a URL.
func (u *URL) UnmarshalText(text []byte) error {
	v, err := url.Parse(string(text))
	switch {
	case err == nil && v.User != nil, err != nil && strings.Contains(string(text), "@"):
		return errors.New("the URL holds a credential, and secrets have no place here (clients send their own: write https://HOST)")
	case err != nil || v.Host == "" || v.Scheme != "http" && v.Scheme != "https":
		return fmt.Errorf("%s is not a URL (write https://zendesk.example.com)", quote(text))
	case v.RawQuery != "" || v.Fragment != "":
		return fmt.Errorf("%s has a query or a fragment (write https://zendesk.example.com)", quote(text))
	}
	*u = URL(text)
	return nil
}

func (u URL) String() string { return string(u) }

// URL returns u parsed, nil for none.
func (u URL) URL() *url.URL {
	if u == "" {
		return nil
	}
	v, err := url.Parse(string(u))
	if err != nil {
		return nil // UnmarshalText has read it once
	}
	return v
}

// A Host is a name, with or without a port, by which clients know a listener.
type Host string

// UnmarshalText reads a host.
func (h *Host) UnmarshalText(text []byte) error {
	name := strings.TrimSpace(string(text))
	if name == "" || strings.ContainsAny(name, "/@? *\"\\") {
		return fmt.Errorf("%s is not a host (write zendesk.example.com or zendesk.example.com:8443)", quote(text))
	}
	*h = Host(name)
	return nil
}

func (h Host) String() string { return string(h) }

// A Peer is an address or a network.
type Peer netip.Prefix

// UnmarshalText reads a peer.
func (p *Peer) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	prefix, err := netip.ParsePrefix(s)
	if addr, aerr := netip.ParseAddr(s); err != nil && aerr == nil && addr.Zone() == "" {
		prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	if err != nil {
		return fmt.Errorf("%s is neither an address nor a network (write 10.0.0.7 or 10.0.0.0/8)", quote(text))
	}
	*p = Peer(prefix)
	return nil
}

func (p Peer) String() string { return netip.Prefix(p).String() }

// A PageOrigin is a web origin whose pages may call, as browsers write it.
type PageOrigin string

// UnmarshalText reads an origin.
func (o *PageOrigin) UnmarshalText(text []byte) error {
	plain, err := gateway.ParseOrigin(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	*o = PageOrigin(plain)
	return nil
}

func (o PageOrigin) String() string { return string(o) }

// A LinkMode is navigation, all or off.
type LinkMode string

// UnmarshalText reads a mode.
func (m *LinkMode) UnmarshalText(text []byte) error {
	if _, err := links.ParseMode(string(text)); err != nil {
		return fmt.Errorf("%s is not navigation, all or off", quote(text))
	}
	*m = LinkMode(text)
	return nil
}

func (m LinkMode) String() string { return string(m) }

// A Status is 429, 503 or 504.
type Status int

// UnmarshalText reads a status.
func (s *Status) UnmarshalText(text []byte) error {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout} {
		if string(text) == strconv.Itoa(status) {
			*s = Status(status)
			return nil
		}
	}
	return fmt.Errorf("%s is not 429, 503 or 504", quote(text))
}

func (s Status) String() string { return strconv.Itoa(int(s)) }

// A LogFormat is text or json; "" is text on a terminal and json elsewhere.
type LogFormat string

// UnmarshalText reads a format.
func (f *LogFormat) UnmarshalText(text []byte) error {
	if s := string(text); s != "text" && s != "json" {
		return fmt.Errorf("%s is neither text nor json", quote(text))
	}
	*f = LogFormat(text)
	return nil
}

func (f LogFormat) String() string { return string(f) }

// A File is the path of a file. One in the configuration file is relative to
// the folder which that is in.
type File string

// UnmarshalText reads a path.
func (f *File) UnmarshalText(text []byte) error {
	if len(text) == 0 || strings.ContainsAny(string(text), "\x00\n") {
		return fmt.Errorf("%s is not the name of a file", quote(text))
	}
	*f = File(text)
	return nil
}

func (f File) String() string { return string(f) }

// A Secret is never shown.
type Secret string

// UnmarshalText reads a secret.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(strings.TrimSpace(string(text)))
	return nil
}

// String does not tell.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(set, not shown)"
}

// GoString does not tell either.
func (s Secret) GoString() string { return s.String() }

// A Plan is a Zendesk plan's name, "" when it is not known.
type Plan string

// UnmarshalText reads a plan.
func (p *Plan) UnmarshalText(text []byte) error {
	plan, err := zendesk.ParsePlan(string(text))
	if err != nil {
		return err
	}
	*p = ""
	if plan != zendesk.UnknownPlan {
		*p = Plan(plan.String())
	}
	return nil
}

func (p Plan) String() string { return string(p) }

// perMinute is what the plan allows, 0 when it is not known.
func (p Plan) perMinute() int {
	plan, err := zendesk.ParsePlan(string(p))
	if err != nil {
		return 0 // UnmarshalText has read it once
	}
	return plan.PerMinute()
}

// A Class is interactive, normal or bulk, "" when nothing was said.
type Class string

// UnmarshalText reads a class.
func (c *Class) UnmarshalText(text []byte) error {
	switch s := string(text); s {
	case "interactive", "normal", "bulk":
		*c = Class(s)
		return nil
	}
	return fmt.Errorf("%s is not interactive, normal or bulk", quote(text))
}

func (c Class) String() string { return string(c) }

// Limit returns the class in the vocabulary of package limit; false when
// nothing was said.
func (c Class) Limit() (limit.Class, bool) {
	switch c {
	case "interactive":
		return limit.Interactive, true
	case "bulk":
		return limit.Bulk, true
	}
	return limit.Normal, c == "normal"
}

func (c Class) urgency() int {
	class, _ := c.Limit()
	return class.Urgency()
}

// A Leave is allow, or "" when nothing was said.
type Leave string

// UnmarshalText reads a leave.
func (l *Leave) UnmarshalText(text []byte) error {
	if s := string(text); s != "allow" {
		return fmt.Errorf("%s is not allow (leave the key out where calls are not to be merged unasked)", quote(text))
	}
	*l = "allow"
	return nil
}

func (l Leave) String() string { return string(l) }

// A Name is what an account or a client is called, in logs and metrics too: at
// most 64 letters of printable ASCII.
type Name string

// UnmarshalText reads a name.
func (n *Name) UnmarshalText(text []byte) error {
	if !printable(string(text)) || len(text) > 64 || strings.TrimSpace(string(text)) != string(text) {
		return fmt.Errorf("%s is not a name of 1 to 64 printable ASCII letters", quote(text))
	}
	*n = Name(text)
	return nil
}

func (n Name) String() string { return string(n) }

func printable(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// A Hash is the SHA-256 of an Authorization header in hexadecimal, or its
// first 8 digits or more.
type Hash string

// UnmarshalText reads a hash.
func (h *Hash) UnmarshalText(text []byte) error {
	s := strings.ToLower(string(text))
	if _, err := hex.DecodeString(s + s); err != nil || len(s) < 8 || len(s) > 64 {
		// It may be the credential itself, so it is not repeated.
		return errors.New("this is not 8 to 64 hexadecimal digits (write the first 8 digits after \"credential\" in the gateway's log, or: printf %s \"$AUTHORIZATION\" | sha256sum)")
	}
	*h = Hash(s)
	return nil
}

func (h Hash) String() string { return string(h) }
