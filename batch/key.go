package batch

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"net/http"
	"slices"

	"github.com/flyballhq/flyball/limit"
)

// A key is the same for calls that one send can answer: of one kind, by one
// credential in one name, as urgent, with the same headers. It is a hash that
// cannot be turned back, so no credential stays in memory for its sake.
type key [sha256.Size]byte

// indifferent are the request headers that do not change an answer: who asks
// with which program, tracing, the way here, and the encoding, which this
// layer chooses. All others are part of the key.
var indifferent = []string{
	"Accept-Encoding", "B3", "Baggage", "Connection", "Content-Length", "Dnt", "Forwarded", "Keep-Alive", "Priority",
	"Request-Id", "Sentry-Trace", "Traceparent", "Tracestate", "Uber-Trace-Id", "User-Agent", "Via",
	"X-Amzn-Trace-Id", "X-B3-Flags", "X-B3-Parentspanid", "X-B3-Sampled", "X-B3-Spanid", "X-B3-Traceid",
	"X-Cloud-Trace-Context", "X-Correlation-Id", "X-Datadog-Parent-Id", "X-Datadog-Sampling-Priority", "X-Datadog-Trace-Id",
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "X-Request-Id",
}

// keyOf returns the call's key: its kind and host, its client, class and
// weight, and every header that may change the answer, credentials and
// X-On-Behalf-Of among them.
func keyOf(req *http.Request, call *limit.Call, kind string) key {
	text := make([]byte, 0, 512)
	text = field(text, kind)
	text = field(text, req.URL.Scheme)
	text = field(text, req.URL.Host)
	text = field(text, req.Host)
	text = field(text, call.Client)
	labelled := byte(0)
	if call.Labelled {
		labelled = 1
	}
	text = append(text, byte(call.Class), labelled)
	text = binary.LittleEndian.AppendUint64(text, math.Float64bits(call.Weight))
	return sha256.Sum256(headers(text, req.Header))
}

func headers(text []byte, h http.Header) []byte {
	var room [24]string
	names := room[:0]
	for name := range h {
		if _, found := slices.BinarySearch(indifferent, name); !found {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		text = field(text, name)
		text = binary.AppendUvarint(text, uint64(len(h[name])))
		for _, value := range h[name] {
			text = field(text, value)
		}
	}
	return text
}

// field appends a string so that no two lists of strings look alike.
func field(text []byte, s string) []byte {
	return append(binary.AppendUvarint(text, uint64(len(s))), s...)
}
