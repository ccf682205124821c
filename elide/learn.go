package elide

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// learn listens to an answer as its caller reads it, and remembers the object
// in it once the body was whole, unless one of the two says that it may not be
// kept. s is the sight without its object.
func (t *transport) learn(req *http.Request, resp *http.Response, form *limit.CompareForm, s *sight) {
	if unstorable(req.Header) || unstorable(resp.Header) {
		return
	}
	if resp.StatusCode != http.StatusOK || resp.Body == nil || resp.ContentLength > LongestBody || !isJSON(resp.Header) {
		return
	}
	packed := strings.ToLower(resp.Header.Get("Content-Encoding"))
	if packed != "" && packed != "gzip" {
		return
	}
	resp.Body = &heard{ReadCloser: resp.Body, length: resp.ContentLength, whole: func(body []byte) {
		if s.object = objectIn(body, form.One, packed == "gzip"); s.object != nil {
			t.seen.learn(s, time.Now())
		}
	}}
}

// objectIn returns the object named one in a body, nil when there is none.
func objectIn(body []byte, one string, packed bool) []byte {
	if packed {
		in, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil
		}
		if body, err = io.ReadAll(io.LimitReader(in, LongestBody+1)); err != nil || len(body) > LongestBody {
			return nil
		}
	}
	var outer map[string]json.RawMessage
	if json.Unmarshal(body, &outer) != nil || len(outer[one]) == 0 || outer[one][0] != '{' {
		return nil
	}
	return bytes.Clone(outer[one]) // and not the whole answer
}

// A heard is a body that is listened to as it passes by.
type heard struct {
	io.ReadCloser
	length int64 // of the whole, negative when not known
	kept   []byte
	whole  func(body []byte) // nil once it was called, or never will be
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	if h.whole == nil {
		return n, err
	}
	h.kept = append(h.kept, p[:n]...)
	switch {
	case err == io.EOF, int64(len(h.kept)) == h.length:
		h.whole(h.kept)
		h.whole, h.kept = nil, nil
	case err != nil, len(h.kept) > LongestBody:
		h.whole, h.kept = nil, nil
	}
	return n, err
}
