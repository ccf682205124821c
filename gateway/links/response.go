package links

import (
	"net/http"
	"strconv"
	"strings"
)

// Response rewrites the links of one answer: its Link and Location headers at
// once, its body while it is read. It always returns nil, so that it serves as
// httputil.ReverseProxy.ModifyResponse.
//
// A body whose length the upstream announced, of at most 12 KiB, is read at once
// and keeps an announced length, its new one: in pieces without a length it
// would cost a proxy a third more. Any other body is not read here.
//
// A body is rewritten if it is JSON in plain or gzip form. Then, for HEAD as
// for GET, the headers that would no longer be true are dropped (the upstream's
// Content-Length, digests, Accept-Ranges) and a strong ETag is made weak. 204,
// 205, 206, 304, other media types and other encodings keep body and headers;
// 101 is not touched at all.
//
// resp.Request, where set, is the request the answer is for: its method, and
// its Accept-Encoding as the client sent it. A gzip body for a client that did
// not ask for gzip is passed on plain.
func (r *Rewriter) Response(resp *http.Response) error {
	if r.mode == Off || len(r.prefixes) == 0 || resp.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	r.headers(resp.Header)
	if !mayHoldLinks(resp) {
		return nil
	}
	gzipped, known := encoding(resp.Header)
	if !known {
		return nil
	}
	keepGzip := gzipped && acceptsGzip(resp.Request)
	announced := resp.ContentLength
	dropStale(resp)
	if gzipped && !keepGzip {
		resp.Header.Del("Content-Encoding")
	}
	if resp.Request != nil && resp.Request.Method == http.MethodHead || resp.Body == nil || resp.Body == http.NoBody {
		return nil
	}
	var b *body
	if gzipped {
		b = newGzipBody(r, resp.Body, keepGzip)
	} else {
		b = newPlainBody(r, resp.Body)
	}
	resp.Body = b
	if 0 < announced && announced <= aheadMax {
		if n, known := b.readAhead(); known {
			resp.ContentLength = n
			resp.Header.Set("Content-Length", strconv.FormatInt(n, 10))
		}
	}
	return nil
}

// aheadMax is the largest announced body that is read ahead: small, less room
// for links that grow.
const aheadMax = small * 3 / 4

// mayHoldLinks reports whether a GET of this answer has a whole JSON document.
func mayHoldLinks(resp *http.Response) bool {
	switch code := resp.StatusCode; {
	case code < 200, code == http.StatusNoContent, code == http.StatusResetContent,
		code == http.StatusPartialContent, code == http.StatusNotModified:
		return false
	}
	return resp.ContentLength != 0 && isJSON(resp.Header)
}

func isJSON(h http.Header) bool {
	if len(h["Content-Type"]) != 1 {
		return false
	}
	media, _, _ := strings.Cut(h["Content-Type"][0], ";")
	media = strings.Trim(media, " \t")
	const suffix = "+json"
	return strings.EqualFold(media, "application/json") ||
		len(media) > len(suffix) && strings.EqualFold(media[len(media)-len(suffix):], suffix)
}

// encoding reports whether the body is gzip, and whether it can be read at all.
func encoding(h http.Header) (gzipped, known bool) {
	switch v := h["Content-Encoding"]; {
	case len(v) == 0:
		return false, true
	case len(v) > 1:
		return false, false
	default:
		e := strings.Trim(v[0], " \t")
		gzipped = isGzip(e)
		return gzipped, gzipped || e == "" || strings.EqualFold(e, "identity")
	}
}

func isGzip(coding string) bool {
	return strings.EqualFold(coding, "gzip") || strings.EqualFold(coding, "x-gzip")
}

// acceptsGzip reports whether a client asked for gzip, by name or by "*". One
// that names no encoding might not read it.
func acceptsGzip(req *http.Request) bool {
	if req == nil {
		return true
	}
	wild := false
	for _, line := range req.Header["Accept-Encoding"] {
		for item := range strings.SplitSeq(line, ",") {
			coding, params, _ := strings.Cut(item, ";")
			coding = strings.Trim(coding, " \t")
			if isGzip(coding) {
				return !refused(params)
			}
			wild = wild || coding == "*" && !refused(params)
		}
	}
	return wild
}

// refused reports a weight of zero: q=0, q=0.0 and so on.
func refused(params string) bool {
	name, weight, _ := strings.Cut(params, "=")
	weight = strings.Trim(weight, " \t")
	return strings.EqualFold(strings.Trim(name, " \t"), "q") && weight != "" && strings.Trim(weight, "0.") == ""
}

// dropStale removes what a changed body makes untrue.
func dropStale(resp *http.Response) {
	for _, name := range [...]string{
		"Content-Length", "Accept-Ranges", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest",
	} {
		delete(resp.Header, name)
	}
	resp.ContentLength = -1
	// A weak tag still finds the upstream's 304 by If-None-Match; a strong one
	// would promise bytes we change.
	replace(resp.Header, "Etag", func(tag string) string {
		if strings.HasPrefix(tag, `"`) {
			return "W/" + tag
		}
		return tag
	})
}
