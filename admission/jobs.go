package admission

import (
	"io"
	"net/http"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// jobsPeek bounds the body that is kept to read job statuses from: a hundred
// finished jobs with their results.
const jobsPeek = 1 << 20

// watchJobs reads what an answer says of background jobs as it passes by.
func (s *send) watchJobs(resp *http.Response) {
	resp.Body = &jobReader{ReadCloser: resp.Body, controller: s.Controller, route: &s.call.Route}
}

type jobReader struct {
	io.ReadCloser
	controller *Controller
	route      *limit.Route
	kept       []byte
	told       bool
}

func (r *jobReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if len(r.kept)+n <= jobsPeek {
		r.kept = append(r.kept, p[:n]...)
	}
	if err == io.EOF {
		r.tell()
	}
	return n, err
}

func (r *jobReader) Close() error {
	r.tell()
	return r.ReadCloser.Close()
}

func (r *jobReader) tell() {
	if r.told {
		return
	}
	r.told = true
	if jobs := r.controller.provider.Jobs(r.route, r.kept); len(jobs) > 0 {
		r.controller.jobs(jobs)
	}
	r.kept = nil
}

func (c *Controller) jobs(jobs []limit.Job) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if line := c.queue.Line(c.account.Jobs(now, jobs)); line != nil {
		c.queue.Delay(line, now)
	}
	c.serve(now, nil)
}
