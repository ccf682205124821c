package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// answer is a reply before its headers are made.
type answer struct {
	status   int
	body     []byte
	etag     string // computed from the body if empty
	cache    string // Cache-Control; the usual one if empty
	kind     string // Content-Type; JSON if empty
	location string
	bare     bool // neither ETag nor Cache-Control
	header   http.Header
	stream   func(io.Writer) error
	length   int64 // of the stream
	changed  []Change
	reason   string // of a refusal, in words, for a job's result
}

// Cache-Control as recorded (zendesk-facts 7).
const (
	cacheUsual   = "max-age=0, private, must-revalidate"
	cacheNone    = "no-cache"
	cacheUser    = "max-age=5, private"
	cacheOrgList = "max-age=30, private"
	cacheSearch  = "max-age=10, private"

	kindJSON = "application/json; charset=utf-8"
)

func ok(body []byte) answer { return answer{status: http.StatusOK, body: body} }

func created(location string, body []byte) answer {
	return answer{status: http.StatusCreated, body: body, location: location}
}

func noContent() answer { return answer{status: http.StatusNoContent} }

// finish makes the reply: headers, weak ETag, 304, and no body for HEAD.
func (a answer) finish(r Request) Reply {
	reply := Reply{Status: a.status, Body: a.body, Stream: a.stream, Changed: a.changed}
	h := a.headers()
	if !a.bare && a.stream == nil && (a.status == http.StatusOK || a.status == http.StatusCreated) {
		if a.etag == "" {
			a.etag = etagOf(a.body)
		}
		h["Etag"] = []string{a.etag}
		if get := r.Method == http.MethodGet || r.Method == http.MethodHead; get && matches(r.Header, a.etag) {
			delete(h, "Content-Type")
			reply.Status, reply.Body = http.StatusNotModified, nil
		}
	}
	if r.Method == http.MethodHead && reply.Status != http.StatusNotModified {
		if a.stream == nil {
			h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
		}
		reply.Body, reply.Stream = nil, nil
	}
	reply.Header = h
	return reply
}

func (a *answer) headers() http.Header {
	h := a.header
	if h == nil {
		h = make(http.Header, 5)
	}
	if len(a.body) > 0 || a.stream != nil {
		h["Content-Type"] = []string{kindJSON}
		if a.kind != "" {
			h["Content-Type"] = []string{a.kind}
		}
	}
	if a.stream != nil {
		h["Content-Length"] = []string{strconv.FormatInt(a.length, 10)}
	}
	if a.location != "" {
		h["Location"] = []string{a.location}
	}
	if !a.bare {
		h["Cache-Control"] = []string{a.cacheControl()}
	}
	return h
}

func (a *answer) cacheControl() string {
	switch {
	case a.status >= 400 || a.status == http.StatusNoContent:
		return cacheNone
	case a.cache != "":
		return a.cache
	}
	return cacheUsual
}

// etagOf is the tag recorded answers had: the first 32 hex digits of the
// body's SHA-256 (zendesk-facts 7).
func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	tag := append(make([]byte, 0, 36), `W/"`...)
	tag = hex.AppendEncode(tag, sum[:16])
	return string(append(tag, '"'))
}

func matches(h http.Header, etag string) bool {
	for _, line := range h["If-None-Match"] {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimSpace(tag)
			if tag == "*" || strings.TrimPrefix(tag, "W/") == etag[len("W/"):] {
				return true
			}
		}
	}
	return false
}

// encode is json.Marshal for values that cannot fail.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("desk: " + err.Error()) // a value of ours that JSON cannot hold: a bug, found by any test of the endpoint
	}
	return b
}

// quote appends a string as JSON.
func quote(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return append(b, encode(s)...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
