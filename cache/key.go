package cache

import (
	"crypto/sha256"
	"encoding/base64"
	"hash/maphash"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// idle reports whether a request header changes nothing of the answer's
// meaning: it tells who asks, traces, or is between two hops. Any other
// header, known or not, keeps answers apart.
func idle(name string) bool {
	switch name {
	case "User-Agent", "Cache-Control", "Pragma", "Connection", "Keep-Alive", "Te", "Date", "Dnt", "Priority", "Referer",
		"Via", "Forwarded", "X-Real-Ip", "X-Request-Id", "X-Correlation-Id",
		"Traceparent", "Tracestate", "Baggage", "B3", "Uber-Trace-Id", "Sentry-Trace", "X-Amzn-Trace-Id", "X-Cloud-Trace-Context":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "X-B3-") ||
		strings.HasPrefix(name, "X-Datadog-") || strings.HasPrefix(name, "Sec-")
}

// secret reports whether a header says who may see the answer.
func secret(name string) bool { return name == "Authorization" || name == "Cookie" }

var slotSeed = maphash.MakeSeed()

// slotOf is a hash of what [same] compares.
func slotOf(req *http.Request, kept bool) uint64 {
	u := req.URL
	sum := maphash.String(slotSeed, u.Path)
	if u.RawQuery != "" {
		sum += 3 * maphash.String(slotSeed, u.RawQuery)
	}
	for name, values := range req.Header {
		if idle(name) || len(values) == 0 || kept && conditional(name) {
			continue
		}
		sum += maphash.String(slotSeed, name) ^ 5*maphash.String(slotSeed, values[0])
	}
	return sum
}

// same reports whether two GETs ask for the same: their answers differ by the
// time only. Where answers are kept, conditions are answered out of them.
func same(a, b *http.Request, kept bool) bool {
	return a.URL.Path == b.URL.Path && a.URL.RawQuery == b.URL.RawQuery && a.URL.Opaque == b.URL.Opaque &&
		a.URL.RawPath == b.URL.RawPath && covers(a.Header, b.Header, kept) && covers(b.Header, a.Header, kept)
}

// covers reports whether b has all that a says.
func covers(a, b http.Header, kept bool) bool {
	for name, values := range a {
		if !idle(name) && !(kept && conditional(name)) && !slices.Equal(values, b[name]) {
			return false
		}
	}
	return true
}

// keyOf is the whole normal form of a question. Neither the credential nor
// another header's value can be read from it.
func keyOf(account string, req *http.Request) string {
	names := make([]string, 0, 16)
	for name, values := range req.Header {
		if !idle(name) && !conditional(name) && len(values) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	b := make([]byte, 0, 320)
	b = append(b, "GET "...)
	b = append(b, account...)
	b = appendURL(b, req.URL)
	for _, name := range names {
		b = append(b, '\n')
		b = append(b, name...)
		b = append(b, ':')
		b = appendValues(b, req.Header[name], secret(name))
	}
	return string(b)
}

// conditional reports whether a header is answered out of an entry.
func conditional(name string) bool { return name == "If-None-Match" }

// appendURL appends path and query: as they stand, for what is escaped
// otherwise or ordered otherwise may mean something else.
func appendURL(b []byte, u *url.URL) []byte {
	switch {
	case u.Opaque != "":
		b = append(b, u.Opaque...)
	case u.Path == "":
		b = append(b, '/')
	default:
		b = append(b, u.EscapedPath()...)
	}
	if u.RawQuery != "" {
		b = append(b, '?')
		b = append(b, u.RawQuery...)
	}
	return b
}

// longValue is the longest value that stands in a key as it is.
const longValue = 128

// appendValues appends a header's values so that no two lists read the same.
func appendValues(b []byte, values []string, hide bool) []byte {
	if len(values) == 1 && len(values[0]) <= longValue && !hide && plainText(values[0]) {
		return append(append(b, ' '), values[0]...)
	}
	b = append(b, '#')
	var joined []byte
	for _, v := range values {
		joined = append(append(joined, v...), 0)
	}
	sum := sha256.Sum256(joined)
	return base64.RawStdEncoding.AppendEncode(b, sum[:])
}

func plainText(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
