package simulator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxBody is the longest request body taken: Zendesk's attachments end at 50 MB.
const maxBody = 64 << 20

// ServeHTTP is the account on a socket. A cut connection is closed without an
// answer, or in the middle of one.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuseBody(w, err)
		return
	}
	c := s.newCall(r, originOf(r))
	c.body = body
	a := s.handle(r.Context(), c)
	if a.cut == CutBefore || a.cut == CutAfter {
		hangUp(w)
		return
	}
	s.answerSocket(r.Context(), w, c, &a)
}

// refuseBody answers a request whose body never came whole: it did not reach the
// account.
func refuseBody(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		status = http.StatusRequestEntityTooLarge
	}
	http.Error(w, http.StatusText(status), status)
}

// originOf is where the request was sent to, for absolute links.
func originOf(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2 has no hijacking; this resets the stream
		panic(http.ErrAbortHandler)
	}
	_ = conn.Close()
}

func (s *Simulator) answerSocket(ctx context.Context, w http.ResponseWriter, c *call, a *answer) {
	h := w.Header()
	for k, values := range a.head.h {
		h[s.live(k)] = values
	}
	if n := a.length(c.head); n >= 0 && a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		h.Set("Content-Length", strconv.FormatInt(n, 10))
	}
	w.WriteHeader(a.status)
	if err := a.write(ctx, w); errors.Is(err, errCut) {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// live is a header's name as Zendesk sends it: limit headers in lower case.
func (s *Simulator) live(key string) string {
	if strings.Contains(key, "Rate") && strings.Contains(key, "imit") {
		return strings.ToLower(key)
	}
	return key
}
