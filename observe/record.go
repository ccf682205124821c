package observe

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// longBody bounds what is copied of one answer. Bodies are copied only where
// they say what a background job is doing; a page of jobs fits.
const longBody = 64 << 10

// A record is what really became of one call. It is written before done is
// closed, and read only.
type record struct {
	id                  string
	method, path, query string
	route               limit.Route
	began               time.Time

	done     chan struct{}
	took     time.Duration // from the send to the answer's header
	err      error         // no answer came
	left     bool          // for its caller left
	status   int
	header   http.Header
	readings []limit.Reading
	refused  bool // for a limit's sake
	body     []byte

	tries atomic.Int32
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
	if r.route.Job == limit.NoJob || resp.StatusCode/100 != 2 || resp.Body == nil {
		close(r.done)
		return
	}
	resp.Body = &copied{ReadCloser: resp.Body, to: r}
}

// A copied body leaves a bounded copy in its record.
type copied struct {
	io.ReadCloser
	to    *record
	text  bytes.Buffer
	ended bool
}

func (c *copied) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if room := longBody - c.text.Len(); room > 0 {
		c.text.Write(p[:min(n, room)])
	}
	if err != nil {
		c.end()
	}
	return n, err
}

func (c *copied) Close() error {
	c.end()
	return c.ReadCloser.Close()
}

func (c *copied) end() {
	if !c.ended {
		c.ended, c.to.body = true, c.text.Bytes()
		close(c.to.done)
	}
}

// drain reads a trial's answer to its end, as its caller would.
func drain(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, body)
	_ = body.Close()
}
