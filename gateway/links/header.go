package links

import (
	"net/http"
	"slices"
	"strings"
)

// headers rewrites Location and the addresses in Link. Content-Location stays:
// it names what was sent, and no client follows it.
func (r *Rewriter) headers(h http.Header) {
	replace(h, "Location", func(v string) string {
		to, _ := r.address(v)
		return to
	})
	replace(h, "Link", r.link)
}

// replace puts what by makes of a header's values in their place. The old ones
// stay as they are, for they may be others' as well.
func replace(h http.Header, name string, by func(string) string) {
	for i, v := range h[name] {
		if to := by(v); to != v {
			h[name] = slices.Clone(h[name])
			h[name][i] = to
		}
	}
}

// link rewrites the addresses of one Link header (RFC 8288): those in angle
// brackets at the start of a link-value. What cannot be read stays as it is,
// and so does all that follows it.
func (r *Rewriter) link(v string) string {
	var b strings.Builder
	done := 0
	for at := 0; at < len(v); {
		at += len(v[at:]) - len(strings.TrimLeft(v[at:], " \t,"))
		if at == len(v) || v[at] != '<' {
			break
		}
		end := strings.IndexByte(v[at:], '>')
		if end < 0 {
			break
		}
		if to, ok := r.address(v[at+1 : at+end]); ok {
			b.WriteString(v[done : at+1])
			b.WriteString(to)
			done = at + end
		}
		at += end + 1
		at += nextLinkValue(v[at:])
	}
	if done == 0 {
		return v
	}
	b.WriteString(v[done:])
	return b.String()
}

// nextLinkValue is how far the comma that ends these parameters is: the first
// one outside a quoted string.
func nextLinkValue(params string) int {
	quoted := false
	for i := 0; i < len(params); i++ {
		switch c := params[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			return i
		}
	}
	return len(params)
}
