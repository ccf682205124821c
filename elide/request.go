package elide

import (
	"crypto/sha256"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/flyballhq/flyball/limit"
)

// viewOf names the object of a request as its sender sees it: by everything in
// the header that may decide who that is or what is shown.
func viewOf(req *http.Request, form *limit.CompareForm) view {
	names := make([]string, 0, 8)
	for name, values := range req.Header {
		if len(values) > 0 && !idle(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	h := sha256.New()
	write := func(parts ...string) {
		for _, part := range parts {
			_, _ = h.Write([]byte(part))
			_, _ = h.Write([]byte{0})
		}
	}
	write(form.One, strings.TrimSuffix(req.URL.Path, ".json"))
	for _, name := range names {
		write(name)
		write(req.Header[name]...)
		write("")
	}
	return view(h.Sum(nil))
}

// idle reports whether a request header neither says who asks nor changes the
// object that is answered. Any other, known or not, keeps views apart.
func idle(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Content-Length", "Content-Type", "Cache-Control", "Pragma", "User-Agent",
		"Connection", "Keep-Alive", "Te", "Date", "Dnt", "Priority", "Referer", "Via", "Forwarded", "X-Real-Ip",
		"X-Request-Id", "X-Correlation-Id", "Idempotency-Key", "Traceparent", "Tracestate", "Baggage", "B3",
		"Uber-Trace-Id", "Sentry-Trace", "X-Amzn-Trace-Id", "X-Cloud-Trace-Context":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "X-B3-") ||
		strings.HasPrefix(name, "X-Datadog-") || strings.HasPrefix(name, "Sec-")
}

// odd reports whether a request asks for more than its method and path say:
// what it reads or writes is then not compared.
func odd(h http.Header) bool {
	for _, name := range [...]string{
		"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range", "Content-Encoding", "Content-Range",
		"Expect", "Origin", "Prefer", "Upgrade", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override",
	} {
		if h[name] != nil {
			return true
		}
	}
	accept := strings.Join(h["Accept"], ",")
	return accept != "" && !strings.Contains(accept, "json") && !strings.Contains(accept, "*/*") && !strings.Contains(accept, "application/*")
}

// isJSON reports whether a body says that it is JSON in UTF-8.
func isJSON(h http.Header) bool {
	kind, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset := parameters["charset"]
	return err == nil && kind == "application/json" && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

// fresh reports whether the caller wants a send: Cache-Control with no-cache,
// no-store or max-age=0.
func fresh(h http.Header) bool {
	said := strings.ToLower(strings.Join(append(h["Cache-Control"], h["Pragma"]...), ","))
	return strings.Contains(said, "no-cache") || strings.Contains(said, "no-store") || strings.Contains(strings.ReplaceAll(said, " ", ""), "max-age=0")
}

// unstorable reports whether the header of a request or an answer says that
// nothing of it may be kept (RFC 9111, 5.2.1.5 and 5.2.2.5).
func unstorable(h http.Header) bool {
	return strings.Contains(strings.ToLower(strings.Join(h["Cache-Control"], ",")), "no-store")
}
