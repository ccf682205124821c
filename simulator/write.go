package simulator

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

// slowSteps is the number of pieces a slow body comes in.
const slowSteps = 10

// write writes the answer's body, slowly or only half of it where a fault says
// so. A cut is reported as errCut.
func (a *answer) write(ctx context.Context, w io.Writer) error {
	length := max(a.length(false), 0)
	if a.slow > 0 {
		w = &slowWriter{ctx, w, a.slow, max(length, 1)}
	}
	if a.cut == CutBody {
		w = &cutWriter{w, length / 2}
	}
	if a.stream != nil {
		return a.stream(w)
	}
	if a.slow == 0 {
		_, err := w.Write(a.body)
		return err
	}
	for step := range slowSteps {
		from, to := len(a.body)*step/slowSteps, len(a.body)*(step+1)/slowSteps
		if _, err := w.Write(a.body[from:to]); err != nil {
			return err
		}
	}
	return nil
}

// slowWriter spreads a body of a known length over a time.
type slowWriter struct {
	ctx    context.Context
	w      io.Writer
	spread time.Duration
	length int64
}

func (s *slowWriter) Write(p []byte) (int, error) {
	share := float64(len(p)) / float64(s.length)
	if err := pause(s.ctx, time.Duration(share*float64(s.spread))); err != nil {
		return 0, err
	}
	n, err := s.w.Write(p)
	if f, ok := s.w.(http.Flusher); ok {
		f.Flush()
	}
	return n, err
}

// cutWriter breaks after so many bytes.
type cutWriter struct {
	w    io.Writer
	left int64
}

func (c *cutWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == nil && n < len(p) {
		err = errCut
	}
	return n, err
}

// length is the body's length as announced: of a stream what its header says, of
// an answer to HEAD what a GET would have, -1 if unknown.
func (a *answer) length(head bool) int64 {
	if a.stream == nil && !head {
		return int64(len(a.body))
	}
	n, err := strconv.ParseInt(a.head.h.Get("Content-Length"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func statusLine(status int) string { return strconv.Itoa(status) + " " + http.StatusText(status) }
