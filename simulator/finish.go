package simulator

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// finish adds what every answer carries: the headers Zendesk's own machines add
// [ZP], the date, and compression.
//
// The Date is stamped a little after the counter was read: in 3 of 100 recorded
// answers the two fall into different seconds, which 18 % of the usual latency
// reproduces.
func (s *Simulator) finish(a *answer, c *call, decided time.Time, latency time.Duration) {
	h := a.head
	h.set("Date", decided.Add(latency*18/100).UTC().Format(http.TimeFormat))
	id := s.requestID(c.n)
	h.set("X-Request-Id", id)
	h.set("Cf-Ray", id)
	h.set("X-Runtime", strconv.FormatFloat((latency*3/5).Seconds(), 'f', 6, 64))
	for _, f := range fixedHeaders {
		h.h[f.key] = f.value
	}
	h.h["X-Zendesk-Origin-Server"] = originServers[c.service.style]
	if c.n%28 == 1 { // 55 of 1,526 recorded answers
		h.h["Set-Cookie"] = []string{
			"_zendesk_cookie=" + id + "; path=/; secure; HttpOnly",
			"__cfruid=" + id + "; path=/; domain=.zendesk.com; HttpOnly; Secure; SameSite=None",
		}
	}
	if c.head {
		if a.stream == nil && a.status != http.StatusNotModified {
			h.set("Content-Length", strconv.Itoa(len(a.body)))
		}
		a.body, a.stream = nil, nil
		return
	}
	a.compress(c)
}

// fixedHeaders are the same on every answer; their values are shared and never
// written to.
var fixedHeaders = []struct {
	key   string
	value []string
}{
	{"Server", []string{"cloudflare"}},
	{"Cf-Cache-Status", []string{"DYNAMIC"}},
	{"X-Zendesk-Api-Version", []string{"v2"}},
	{"X-Zendesk-Application-Version", []string{"v18385"}},
	{"X-Zendesk-Zorg", []string{"yes"}},
	{"X-Zendesk-Api-Gateway", []string{"yes"}},
}

var originServers = map[style][]string{
	styleFull:  {"classic-app-server-7c9f6d5b8-x2x9k"},
	styleShort: {"help-center-unicorn-5d4c7b9f6-q8w2z"},
	styleNone:  {"zorg-6b8d9f7c5-m4n7p"},
}

func (s *Simulator) requestID(n uint64) string {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], draw(s.o.Seed, streamRequestID, n))
	return hex.EncodeToString(raw[:]) + "-SEA"
}

// smallBody is too short for compression to gain anything.
const smallBody = 256

var gzipWriters = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return w
}}

// takesGzip reports whether a request accepts gzip, which q=0 says it does not.
func takesGzip(h http.Header) bool {
	for _, line := range h["Accept-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			name, weight, _ := strings.Cut(coding, ";")
			if strings.TrimSpace(name) == "gzip" {
				q, weighed := strings.CutPrefix(strings.TrimSpace(weight), "q=")
				return !weighed || strings.Trim(q, "0.") != ""
			}
		}
	}
	return false
}

// compress gzips the body if the caller takes it, as 1,252 of 1,526 recorded
// answers were.
func (a *answer) compress(c *call) {
	if len(a.body) < smallBody || !takesGzip(c.header) || a.head.h["Content-Encoding"] != nil {
		return
	}
	var packed bytes.Buffer
	w := gzipWriters.Get().(*gzip.Writer)
	w.Reset(&packed)
	_, _ = w.Write(a.body) // a Buffer takes everything
	_ = w.Close()
	gzipWriters.Put(w)
	a.body = packed.Bytes()
	a.head.h["Content-Encoding"] = []string{"gzip"}
	delete(a.head.h, "Content-Length")
}
