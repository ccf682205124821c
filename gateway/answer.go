package gateway

import (
	"net/http"
	"strconv"
	"time"
)

// An answer is the way back to one client. Every write has a deadline of its
// own: a download may last for hours, but a client that takes nothing for
// stall is cut off.
type answer struct {
	http.ResponseWriter
	control http.ResponseController
	stall   time.Duration
	hasBody bool // the request has a body
	// perWrite is set for HTTP/2, where a deadline ends the stream also while
	// nothing is being written, so it must be lifted after each write.
	perWrite bool
	renewed  time.Time
	begun    bool  // the header has gone out
	status   int   // of that header
	sent     int64 // bytes of the body that have gone out
	owed     int64 // bytes of the body still to come, negative when not known
	visit    visit // of the page that calls, if one does
}

func newAnswer(w http.ResponseWriter, r *http.Request, stall time.Duration) answer {
	return answer{
		ResponseWriter: w,
		control:        *http.NewResponseController(w),
		stall:          stall,
		hasBody:        r.Body != nil && r.Body != http.NoBody,
		perWrite:       r.ProtoMajor >= 2,
	}
}

// WriteHeader sends the status, or an informational one of several.
func (a *answer) WriteHeader(status int) {
	if status < http.StatusOK {
		a.arm()
		a.ResponseWriter.WriteHeader(status)
		a.disarm()
		return
	}
	h := a.Header()
	a.begun, a.status, a.owed = true, status, contentLength(h)
	a.visit.introduce(h)
	// An answer without a type goes out without one: net/http would guess.
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil
	}
	a.ResponseWriter.WriteHeader(status) // leaves with the body's first piece
}

// Write sends p in pieces of a buffer's size, so that a slow client has time for
// each.
func (a *answer) Write(p []byte) (sent int, err error) {
	for len(p) > bufferSize && err == nil {
		var n int
		n, err = a.write(p[:bufferSize])
		sent, p = sent+n, p[n:]
	}
	if err != nil {
		return sent, err
	}
	n, err := a.write(p)
	return sent + n, err
}

// write sends a piece of the body, within stall. A piece that is not the last
// goes out at once; the last one leaves together with what the server adds, so
// that a small answer is one system call.
func (a *answer) write(p []byte) (int, error) {
	a.arm()
	n, err := a.ResponseWriter.Write(p)
	a.sent += int64(n)
	if a.owed -= int64(n); a.owed > 0 && err == nil {
		err = a.control.Flush()
	}
	a.disarm()
	return n, err
}

func contentLength(h http.Header) int64 {
	if values := h["Content-Length"]; len(values) == 1 {
		if n, err := strconv.ParseInt(values[0], 10, 64); err == nil {
			return n
		}
	}
	return -1
}

// FlushError sends what is buffered, within stall.
func (a *answer) FlushError() error {
	a.arm()
	err := a.control.Flush()
	a.disarm()
	return err
}

// Unwrap lets [http.ResponseController] find the server's writer.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// finish makes room for what the server still writes after the handler: the
// last chunk and the trailers.
func (a *answer) finish() {
	if !a.perWrite {
		a.arm()
	}
}

// arm gives the next write its time. Renewing when half of it is gone saves a
// system timer per write and costs at most that half.
func (a *answer) arm() {
	now := time.Now()
	if !a.perWrite && now.Sub(a.renewed) < a.stall/2 {
		return
	}
	a.renewed = now
	// A writer that knows no deadlines, as in tests, has none.
	_ = a.control.SetWriteDeadline(now.Add(a.stall))
}

func (a *answer) disarm() {
	if a.perWrite {
		_ = a.control.SetWriteDeadline(time.Time{})
	}
}
