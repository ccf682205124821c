package elide

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// respond answers with an object, in the form that a single read has.
func respond(req *http.Request, one string, object []byte, age time.Duration) *http.Response {
	text := make([]byte, 0, len(object)+len(one)+6)
	text = append(append(append(text, `{"`...), one...), `":`...)
	text = append(append(text, object...), '}')
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Content-Type":   {"application/json; charset=utf-8"},
			"Content-Length": {strconv.Itoa(len(text))},
			"Cache-Status":   {"flyball; hit; detail=elided"},
			"Age":            {strconv.FormatInt(int64(age/time.Second), 10)},
		},
		Body: io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text)), Request: req,
	}
}

// state makes room for the limit headers that [limit.Keeper.Restate] fills: it
// says anew what a header says, and an answer of our own says nothing yet.
func state(h http.Header, now limit.Standing) {
	if now.Limit > 0 {
		for _, name := range [...]string{"X-Rate-Limit", "X-Rate-Limit-Remaining", "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"} {
			h[name] = []string{""}
		}
	}
}
