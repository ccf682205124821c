package links

import (
	"fmt"
	"net/url"
	"strings"
)

// apiPath is what must follow the origin for an address to be a link into the
// API. Addresses of pages for people (/agent, /hc) do not go through a gateway.
const apiPath = "/api/"

// maxOrigins bounds the origins of one Rewriter: candidates are one bit each.
const maxOrigins = 64

// A Rewriter replaces the upstream's origin in links by the gateway's address.
// It holds no state between answers; any number of goroutines may use one.
// Make one with New.
type Rewriter struct {
	mode     Mode
	prefixes []string // lower-case origin + apiPath
	longest  int      // of prefixes, in bytes
	to       target
}

// target is the address links are given, in the forms it is written in.
type target struct {
	header  string // as in a header
	plain   []byte // inside a JSON string, slashes as they are
	slashed []byte // inside a JSON string, slashes as \/
}

// New makes a Rewriter that turns links which begin with one of the origins
// from, such as https://acme.zendesk.com, into links which begin with to, such
// as http://127.0.0.1:4290 or https://proxy.example/zendesk. An origin matches
// in any letter case, with and without its scheme's default port. At most 64
// forms of origins are held.
func New(from []string, to string, mode Mode) (*Rewriter, error) {
	if mode > Off {
		return nil, fmt.Errorf("make a link rewriter: %s is not known", mode)
	}
	r := &Rewriter{mode: mode}
	for _, origin := range from {
		forms, err := originForms(origin)
		if err != nil {
			return nil, err
		}
		for _, form := range forms {
			r.add(form + apiPath)
		}
	}
	if len(r.prefixes) > maxOrigins {
		return nil, fmt.Errorf("make a link rewriter: %d forms of origins, at most %d: give fewer upstream origins",
			len(r.prefixes), maxOrigins)
	}
	return r.To(to)
}

// To is a Rewriter for the same origins and mode whose links begin with to. It
// is cheap, but a gateway that answers under a few names should keep its own.
func (r *Rewriter) To(to string) (*Rewriter, error) {
	u, err := url.Parse(to)
	if err != nil {
		return nil, fmt.Errorf("rewrite links to %q: %w", to, err)
	}
	if u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("rewrite links to %q: give an address such as https://proxy.example or http://127.0.0.1:4290", to)
	}
	plain := strings.TrimRight(u.String(), "/")
	if strings.ContainsAny(plain, "\"\\<>, ") {
		return nil, fmt.Errorf("rewrite links to %q: the address must hold no quote, bracket, comma or space", to)
	}
	next := *r
	next.to = target{
		header:  plain,
		plain:   []byte(plain),
		slashed: []byte(strings.ReplaceAll(plain, "/", `\/`)),
	}
	return &next, nil
}

func (r *Rewriter) add(prefix string) {
	for _, p := range r.prefixes {
		if p == prefix {
			return
		}
	}
	r.prefixes = append(r.prefixes, prefix)
	r.longest = max(r.longest, len(prefix))
}

// originForms lists the spellings of one origin: with and without the default
// port, for Zendesk's Link header names :443 and its bodies mostly do not.
func originForms(origin string) ([]string, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return nil, fmt.Errorf("rewrite links of %q: %w", origin, err)
	}
	port, known := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	if !known || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("rewrite links of %q: give an origin such as https://acme.zendesk.com", origin)
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, ":")
	if p := u.Port(); p != "" && p != port {
		return []string{u.Scheme + "://" + host}, nil
	}
	host = strings.TrimSuffix(host, ":"+port)
	bare := u.Scheme + "://" + host
	return []string{bare, bare + ":" + port}, nil
}

// address gives text with its origin replaced, if it is a link into the API.
func (r *Rewriter) address(text string) (string, bool) {
	for _, p := range r.prefixes {
		origin := len(p) - len(apiPath)
		if len(text) >= len(p) && strings.EqualFold(text[:origin], p[:origin]) && text[origin:len(p)] == apiPath {
			return r.to.header + text[origin:], true
		}
	}
	return text, false
}
