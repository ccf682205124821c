package observe

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// longBody bounds what is copied of an answer that says what a background job
// is doing; a page of jobs fits.
const longBody = 64 << 10

// A record is what really became of one call. It is written before done is
// closed, and read only.
type record struct {
	id                  string
	method, path, query string
	route               limit.Route
	began               time.Time
	object              uint64           // that it reads or writes alone
	read                *limit.ReadForm  // nil when it is not a read of one object
	write               *limit.WriteForm // nil when it is not a write of one object
	asked               *tee             // its request's body, nil when that is not kept
	name                string           // in the register; under its lock

	done     chan struct{}
	took     time.Duration // from the send to the answer's header
	err      error         // no answer came
	left     bool          // for its caller left
	status   int
	header   http.Header
	readings []limit.Reading
	refused  bool // for a limit's sake
	said     keep // the answer's body, as far as it is kept

	tries atomic.Int32
}

// sent notes that the base's RoundTrip has returned.
func (r *record) sent(err error) {
	if r != nil {
		r.asked.answered(err)
	}
}

// fail notes that no answer came. A nil record notes nothing.
func (r *record) fail(err error, took time.Duration, left bool) {
	if r == nil {
		return
	}
	r.err, r.took, r.left = err, took, left
	close(r.done)
}

// answer notes an answer, whose body may be watched as it streams past.
func (r *record) answer(resp *http.Response, said *limit.Answer, refused bool, took time.Duration) {
	if r == nil {
		return
	}
	r.status, r.header, r.took, r.refused = resp.StatusCode, resp.Header.Clone(), took, refused
	if r.header == nil {
		r.header = http.Header{}
	}
	r.readings = append(r.readings, said.Readings()...)
	if r.said.most == 0 || resp.StatusCode/100 != 2 || resp.Body == nil || resp.ContentLength > int64(r.said.most) {
		r.said.letGo()
		close(r.done)
		return
	}
	resp.Body = &copied{ReadCloser: resp.Body, to: r, length: resp.ContentLength}
}

// body is the answer's, nil when it was not kept.
func (r *record) body() []byte {
	text, all := r.said.bytes()
	if !all {
		return nil
	}
	return text
}

// ended reports whether the real call has.
func (r *record) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// letGo gives back the room of the bodies: the trial has ended.
func (r *record) letGo() {
	r.said.letGo()
	if r.asked != nil {
		r.asked.keep.letGo()
	}
}

// A copied body leaves a bounded copy in its record.
type copied struct {
	io.ReadCloser
	to     *record
	length int64 // negative when not known
	read   int64
	over   bool
}

func (c *copied) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if c.over {
		return n, err
	}
	c.to.said.add(p[:n])
	c.read += int64(n)
	switch {
	case err == io.EOF, c.read == c.length:
		c.end()
	case err != nil:
		c.to.said.letGo()
		c.end()
	}
	return n, err
}

func (c *copied) Close() error {
	c.end()
	return c.ReadCloser.Close()
}

func (c *copied) end() {
	if !c.over {
		c.over = true
		close(c.to.done)
	}
}
