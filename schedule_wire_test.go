package flyball_test

import (
	"errors"
	"hash"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A wire shows the referee each send before the account sees it, and each
// answer before flyball does.
type wire struct {
	account http.RoundTripper
	*referee
}

// A sent is one send.
type sent struct {
	n         int
	by        *planned
	at        time.Time
	service   limit.Service
	upload    *digest
	answered  time.Time // zero while it is under way
	status    int       // 0 without an answer
	stated    bool      // the answer stated the service's own limit
	body      *digest
	delivered bool
}

// settled reports whether the answer is one to hand to the caller.
func (s *sent) settled() bool {
	return s.status != 0 && s.status != http.StatusTooManyRequests && s.status < 500
}

func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	s := w.leaves(out)
	if s == nil {
		return nil, errors.New("a send of no call")
	}
	resp, err := w.account.RoundTrip(out)
	w.comes(s, out, resp, err)
	return resp, err
}

// leaves judges a send that is about to leave, and marks it.
func (r *referee) leaves(req *http.Request) *sent {
	defer r.nudge()
	r.mu.Lock()
	defer r.mu.Unlock()
	id, err := strconv.Atoi(req.Header.Get(idHeader))
	if err != nil || id < 0 || id >= len(r.plans) {
		r.fail(answers, "%s %s belongs to no call", req.Method, req.URL.Path)
		return nil
	}
	s := &sent{n: len(r.sends), by: &r.plans[id], at: time.Now(), upload: newDigest(req.Body)}
	call := limit.CallFrom(req.Context())
	if c := r.calls[call]; c == nil || c.stage != leave {
		r.fail(admissions, "send %d of call %d left without leave", s.n, id)
	} else {
		c.stage = onWire
	}
	if call != nil {
		s.service = call.Route.Service
		r.judgePauses(s, call)
	}
	r.judgeSend(s, req)
	r.note("send %d of call %d: %s %s", s.n, id, req.Method, req.URL.Path)
	r.sends, s.by.sends = append(r.sends, s), append(s.by.sends, s)
	r.inFlight[s.service]++
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = s.upload
	}
	req.URL.RawQuery = strings.TrimPrefix(req.URL.RawQuery+"&send="+strconv.Itoa(s.n), "&")
	return s
}

// judgeSend holds a send to what its caller asked for, and to its bounds.
func (r *referee) judgeSend(s *sent, req *http.Request) {
	p := s.by
	if req.Method != p.method || req.URL.RequestURI() != p.path {
		r.fail(answers, "call %d asks for %s %s, send %d for %s %s", p.id, p.method, p.path, s.n, req.Method, req.URL.RequestURI())
	}
	if d, ok := p.deadline(); ok && s.at.After(d) {
		r.fail(bounds, "send %d of call %d left %s after its patience ended", s.n, p.id, s.at.Sub(d))
	}
	if end, ok := p.leaving(); ok && s.at.After(end) {
		r.fail(bounds, "send %d of call %d left %s after its caller", s.n, p.id, s.at.Sub(end))
	}
	last := p.last()
	if last == nil {
		return
	}
	if last.answered.IsZero() || last.settled() {
		r.fail(answers, "send %d repeats call %d, which send %d was answered for with %d", s.n, p.id, last.n, last.status)
	}
	refused, faults := 0, 0
	for _, before := range p.sends {
		if before.status == http.StatusTooManyRequests {
			refused++
		} else {
			faults++
		}
	}
	// A 429 that is no limit's is repeated like a fault, one that is not like
	// none; which it was is not for the wire to know.
	if retries := r.retries(); refused+faults > retries+7 || faults > retries {
		r.fail(answers, "send %d repeats call %d after %d refusals and %d faults; %d repeats are allowed", s.n, p.id, refused, faults, retries)
	}
}

func (r *referee) retries() int {
	switch n := r.options.Retries; {
	case n < 0:
		return 0
	case n == 0:
		return 2
	default:
		return n
	}
}

// judgePauses holds a send to the pauses told of before it.
func (r *referee) judgePauses(s *sent, call *limit.Call) {
	keys := []limit.Key{call.Route.PauseKey(), {Service: call.Route.Service, ID: call.Route.Class}}
	for _, d := range call.Route.Draws() {
		keys = append(keys, call.Route.KeyOf(d))
	}
	for _, key := range keys {
		if p := r.pauses[key]; p.at.Before(s.at) && s.at.Before(p.until) {
			r.fail(limits, "send %d of call %d left %s before the pause of %s ends", s.n, s.by.id, p.until.Sub(s.at), key)
		}
	}
}

// comes judges an answer, and marks it.
func (r *referee) comes(s *sent, req *http.Request, resp *http.Response, err error) {
	defer r.nudge()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight[s.service]--
	s.answered = time.Now()
	r.noteAnswer(s, resp, err)
	if err != nil {
		return
	}
	s.status = resp.StatusCode
	if s.by.body != "" && s.upload.text.String() != s.by.body {
		r.fail(answers, "send %d of call %d has the body %q", s.n, s.by.id, s.upload.text.String())
	}
	s.body = newDigest(resp.Body)
	resp.Body = s.body
	resp.Header.Set(sendHeader, strconv.Itoa(s.n))
	r.judgeAnswer(s, req, resp)
}

func (r *referee) noteAnswer(s *sent, resp *http.Response, err error) {
	if err != nil {
		r.note("  to %d: %v", s.n, err)
		return
	}
	n, remaining, _ := accountIn(resp)
	r.note("  to %d: %d, %d of %d remain, Date %s, Retry-After %s", s.n, resp.StatusCode, remaining, n, resp.Header.Get("Date"), resp.Header.Get("Retry-After"))
}

// A digest keeps a sum, or the text, of a body that passes.
type digest struct {
	io.ReadCloser
	sum   hash.Hash64
	text  strings.Builder
	whole bool
}

func newDigest(body io.ReadCloser) *digest { return &digest{ReadCloser: body, sum: fnv.New64a()} }

func (d *digest) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	d.sum.Write(p[:n])
	if d.text.Len() < 1000 {
		d.text.Write(p[:n])
	}
	d.whole = d.whole || err == io.EOF
	return n, err
}
