package batch

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxAnswer is the longest answer for many that is taken apart, unpacked.
const maxAnswer = 32 << 20

// whole reads an answer's body, unpacked.
func whole(resp *http.Response) ([]byte, error) {
	body := io.Reader(resp.Body)
	switch coding := strings.ToLower(resp.Header.Get("Content-Encoding")); coding {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = unpacked
	default:
		return nil, fmt.Errorf("answer is encoded as %q, which was not asked for", coding)
	}
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err == nil && len(text) > maxAnswer {
		err = fmt.Errorf("answer is longer than %d bytes", maxAnswer)
	}
	return text, err
}

// single is the answer for one object out of the answer for many.
func single(resp *http.Response, one string, object json.RawMessage, req *http.Request) *http.Response {
	text := make([]byte, 0, len(object)+len(one)+5)
	text = append(append(append(text, `{"`...), one...), `":`...)
	text = append(append(text, object...), '}')
	answer := copied(resp, text, req)
	for _, name := range notShared {
		delete(answer.Header, name)
	}
	answer.Header["Cache-Status"] = append(answer.Header["Cache-Status"], "flyball; fwd=miss; collapsed; detail=merged")
	return answer
}

// notShared are the headers of an answer for many that say something about
// that answer only.
var notShared = []string{"Etag", "Last-Modified", "Link", "Set-Cookie"}

// copied is resp with this body, as the answer to req.
func copied(resp *http.Response, text []byte, req *http.Request) *http.Response {
	own := *resp
	own.Header = resp.Header.Clone()
	if own.Header == nil {
		own.Header = http.Header{}
	}
	delete(own.Header, "Content-Encoding")
	delete(own.Header, "Transfer-Encoding")
	own.Header["Content-Length"] = []string{strconv.Itoa(len(text))}
	own.Body, own.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	own.TransferEncoding, own.Trailer, own.Uncompressed = nil, nil, false
	own.Request = req
	return &own
}
