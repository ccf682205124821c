package cache

import (
	"io"
	"net/http"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// write passes a write on, and forgets what it may have changed before its
// caller hears of it.
func (t *transport) write(req *http.Request, call *limit.Call) (*http.Response, error) {
	ended := false
	defer func() {
		if !ended { // a panic passes; what was written is not known
			t.wrote(req, call)
		}
	}()
	resp, err := t.next.RoundTrip(req)
	ended = true
	if err == nil && changedNothing(resp.StatusCode) || err != nil && call.Sends == 0 {
		return resp, err
	}
	tags := t.wrote(req, call)
	if err == nil && call.Route.Job == limit.StartsJob && resp.StatusCode/100 == 2 {
		t.expect(resp, call, tags)
	}
	return resp, err
}

// changedNothing reports whether a status says that the server refused the
// write as it stood. Others may tell that the object has changed or gone.
func changedNothing(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden,
		http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusLengthRequired, http.StatusRequestEntityTooLarge,
		http.StatusRequestURITooLong, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusTooManyRequests:
		return true
	}
	return false
}

// wrote forgets what a write may have changed, for all credentials.
func (t *transport) wrote(req *http.Request, call *limit.Call) []string {
	tags := []string{t.Account}
	if t.keeper != nil {
		tags = t.named(t.keeper.Touches(make([]string, 0, 8), &call.Route, req.Method, req.URL))
	}
	t.forget(tags, call)
	return tags
}

// forget drops what the tags name. If the store cannot, all that it holds from
// before is doubted: it may be well again before its entries have expired.
func (t *transport) forget(tags []string, call *limit.Call) {
	t.history.wrote(tags)
	if t.rules == nil {
		return
	}
	if err := t.Store.Drop(tags...); err != nil {
		t.doubted.Store(time.Now().UnixNano())
		t.failed(call, "drop", err)
	}
}

// jobMemory is the longest job answer whose statuses are read, and
// jobPatience how long a job of which nothing more is heard is taken to run.
const (
	jobMemory   = 1 << 20
	jobPatience = 10 * time.Minute
)

// expect reads which jobs a bulk write has started: until they are seen to
// have ended, nothing that they may change is kept.
func (t *transport) expect(resp *http.Response, call *limit.Call, tags []string) {
	token := t.history.start(tags, time.Now().Add(jobPatience))
	resp.Body = &heard{ReadCloser: resp.Body, told: func(body []byte) {
		t.history.rename(token, t.Provider.Jobs(&call.Route, body))
	}}
}

// watch reads which jobs have ended: what they changed is forgotten then.
func (t *transport) watch(resp *http.Response, call *limit.Call) {
	if resp.Body == nil || !t.history.expects() {
		return
	}
	route := call.Route
	resp.Body = &heard{ReadCloser: resp.Body, told: func(body []byte) {
		for _, job := range t.Provider.Jobs(&route, body) {
			if !job.Ended {
				continue
			}
			if tags, ok := t.history.finish(job.ID); ok {
				t.forget(tags, nil)
			}
		}
	}}
}

// A heard is a body that is listened to as it passes by.
type heard struct {
	io.ReadCloser
	kept []byte
	told func(body []byte)
	done bool
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	if len(h.kept)+n <= jobMemory {
		h.kept = append(h.kept, p[:n]...)
	}
	if err == io.EOF {
		h.tell()
	}
	return n, err
}

func (h *heard) Close() error {
	h.tell()
	return h.ReadCloser.Close()
}

func (h *heard) tell() {
	if !h.done {
		h.done = true
		h.told(h.kept)
		h.kept = nil
	}
}
