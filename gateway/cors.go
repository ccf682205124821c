package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// preflightAge is how long a browser may remember that it may call: the most
// that Chromium keeps.
const preflightAge = "7200"

// The bounds of the request headers that a preflight may ask for.
const (
	manyAsked = 64
	longAsked = 64
)

// allowedMethods are the methods that the account knows.
const allowedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"

// exposed are the headers that a page may read besides those about limits.
var exposed = []string{
	"Retry-After", "Server-Timing", "Cache-Status", refusedHeader, "Flyball-Merged", "Preference-Applied", "Proxy-Status",
	"Age", "Etag", "Link", "Location", "X-Request-Id",
}

// A visit is what a browser says of a call that a page of another origin
// makes. The zero value is a call of no page, or of one that is not listed.
type visit struct {
	page   string // the origin, when it is listed
	varies bool   // some origins are listed: answers depend on who asks
	keep   bool   // what the account says of other origins is left alone
}

func (g *Gateway) visitOf(r *http.Request) visit {
	v := visit{varies: len(g.opts.Origins) > 0, keep: g.opts.Untouched}
	if values := r.Header["Origin"]; len(values) == 1 && slices.Contains(g.opts.Origins, values[0]) {
		v.page = values[0]
	}
	return v
}

// introduce says in an answer's header which page may read it. What the
// account says of that is taken out: it speaks of its own address, and to
// every page there is.
func (v visit) introduce(h http.Header) {
	if v.keep {
		return
	}
	theirs := h["Access-Control-Expose-Headers"]
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			delete(h, name)
		}
	}
	if v.varies && !slices.ContainsFunc(h["Vary"], namesOrigin) {
		h["Vary"] = append(slices.Clip(h["Vary"]), "Origin")
	}
	if v.page != "" {
		h["Access-Control-Allow-Origin"] = []string{v.page}
		h["Access-Control-Expose-Headers"] = []string{exposing(h, theirs)}
	}
}

// namesOrigin reports whether a Vary header covers Origin.
func namesOrigin(value string) bool {
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.TrimSpace(name); name == "*" || strings.EqualFold(name, "Origin") {
			return true
		}
	}
	return false
}

// exposing lists the headers of an answer that its page may read: ours, those
// that the account exposes, and all that speak of limits.
func exposing(h http.Header, theirs []string) string {
	names := slices.Clone(exposed)
	for name := range h {
		if aboutLimits(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names[len(exposed):])
	for _, list := range theirs {
		for name := range strings.SplitSeq(list, ",") {
			name = strings.TrimSpace(name)
			has := func(n string) bool { return strings.EqualFold(n, name) }
			if name != "*" && isToken(name) && !slices.ContainsFunc(names, has) {
				names = append(names, name)
			}
		}
	}
	return strings.Join(names, ", ")
}

// aboutLimits reports whether a header states a limit, in any of the spellings
// that there were: x-rate-limit, ratelimit-limit, zendesk-ratelimit-NAME.
func aboutLimits(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "ratelimit") || strings.Contains(name, "rate-limit")
}

// isPreflight reports whether a browser asks, before a call, whether its page
// may make it.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header["Origin"] != nil && r.Header["Access-Control-Request-Method"] != nil
}

// preflight answers a browser's question without a send.
func (g *Gateway) preflight(a *answer, r *http.Request) {
	h := a.Header()
	a.visit.introduce(h)
	a.visit = visit{keep: true}
	h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	if asked := askedHeaders(r.Header["Access-Control-Request-Headers"]); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Allow-Methods", allowedMethods)
	h.Set("Access-Control-Max-Age", preflightAge)
	// Chromium asks so before a public page may call a private address, such as
	// this machine's loopback.
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	a.WriteHeader(http.StatusNoContent)
	a.finish()
}

// askedHeaders are the request headers that a page may send, of those that its
// browser names: what an intermediary says of a call is not a page's to say.
func askedHeaders(values []string) string {
	var names []string
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			name = strings.ToLower(strings.TrimSpace(name))
			ours := strings.HasPrefix(name, "x-forwarded-") || name == "forwarded" || name == "via" || name == "cookie"
			if len(names) < manyAsked && len(name) <= longAsked && isToken(name) && !ours {
				names = append(names, name)
			}
		}
	}
	return strings.Join(names, ", ")
}

func isToken(s string) bool {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	}
	return s != "" && strings.IndexFunc(s, odd) < 0
}

// inspectPage returns the refusal of a page's call that is not to be made, or
// nil. A page calls with a token of its own: what a browser adds by itself
// would let any page act in the name of whoever looks at it.
func (g *Gateway) inspectPage(r *http.Request, v visit) *refusal {
	if v.keep {
		return nil
	}
	if isPreflight(r) && v.page == "" {
		return &refusal{
			status: http.StatusForbidden, Error: "FlyballOriginNotAllowed",
			Description: fmt.Sprintf("pages of %s may not call through this gateway; list their origin with --allow-origin, or under cors.origins", ascii(cut(r.Header.Get("Origin"), 200))),
		}
	}
	if v.page == "" || r.Method == http.MethodOptions {
		return nil
	}
	scheme, _, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	what := ""
	switch {
	case r.Header["Cookie"] != nil:
		what = "cookies"
	case scheme != "" && !strings.EqualFold(scheme, "Bearer"):
		what = "an Authorization of type " + ascii(cut(scheme, 20))
	default:
		return nil
	}
	return &refusal{
		status: http.StatusForbidden, Error: "FlyballPageNeedsBearer",
		Description: fmt.Sprintf("a page of %s called with %s; Zendesk takes pages' calls with an OAuth token only: send Authorization: Bearer TOKEN, and no cookies (credentials: \"omit\"); the call was not sent", v.page, what),
	}
}

// cut returns at most the first n bytes of s.
func cut(s string, n int) string { return s[:min(n, len(s))] }
