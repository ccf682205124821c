package observe

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// sameMoment is by how much a trial's send may be later than the real one and
// still be taken for it: then clock and countdowns are right as they stand.
const sameMoment = 50 * time.Millisecond

// A stage is the base of the governed transport: it sends nothing, and answers
// as the account would have.
type stage struct{ *Observer }

// RoundTrip takes as long as the real answer took.
func (s stage) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, now := req.Context(), time.Now()
	rec, _ := s.records.Load(req.RemoteAddr)
	r, _ := rec.(*record) // nil for flyball's own, such as a look at a job
	own := r != nil && req.Method == r.method && req.URL.Path == r.path && req.URL.RawQuery == r.query
	said, err := consume(req, own)
	if err != nil {
		return nil, err
	}
	route := s.provider.Route(req)
	p, wait, fits := s.ledger.tries(now, &route)
	if r != nil {
		if err := await(ctx, now, r); err != nil {
			return nil, err
		}
	}
	switch {
	case !fits:
		return s.tooMany(req, wait), nil
	case own || r != nil && r.status == http.StatusUnauthorized: // whatever it asks for
		return s.replay(req, now, p, r)
	}
	return s.madeUp(req, now, p, r, said)
}

// consume reads what a trial sends, and keeps it if it is a call for many: of
// its own body nobody asks any more.
func consume(req *http.Request, own bool) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close()
	if own {
		_, err := io.Copy(io.Discard, req.Body)
		return nil, err
	}
	return io.ReadAll(req.Body)
}

// await waits for the real answer, and then until the trial's own, which
// takes as long, would have come.
func await(ctx context.Context, from time.Time, r *record) error {
	select {
	case <-r.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	left := time.Until(from.Add(r.took))
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// replay answers with what was recorded. What a second try would have met
// nobody knows; it is taken to succeed, as is a send that was refused because
// more were made than the account allows: a governed one comes in its time.
func (s stage) replay(req *http.Request, from time.Time, p *passage, r *record) (*http.Response, error) {
	first := r.tries.Add(1) == 1
	switch {
	case r.err != nil && first && !r.left:
		return nil, r.err
	case r.err != nil:
		//nolint:nilerr // it is the real call's: a second try is taken to succeed
		return response(req, http.StatusOK, http.Header{"Cache-Control": {"no-store"}}, nil), nil
	case r.refused && first && !s.overused(r):
		return response(req, r.status, r.header.Clone(), nil), nil
	}
	header := s.restated(from, p, r, true)
	if r.refused || r.status >= 500 && !first {
		header.Del("Cache-Control") // a refusal's: what the answer would have said is not known
		return response(req, http.StatusOK, header, nil), nil
	}
	return response(req, r.status, header, r.body()), nil
}

// overused reports whether a real refusal came of too many sends: a counter
// that the account states, or that is counted here, was used up.
func (s stage) overused(r *record) bool {
	for _, said := range r.readings {
		if said.Remaining == 0 {
			return true
		}
	}
	return len(r.readings) == 0 && s.ledger.full(time.Now(), &r.route)
}

// restated is the record's header as it would read in the trial's answer. That
// of another call states only the limits that the call draws on.
func (s stage) restated(from time.Time, p *passage, r *record, own bool) http.Header {
	header := r.header.Clone()
	now := time.Now()
	same := from.Sub(r.began) <= sameMoment
	if !same {
		header.Del("Date")
	}
	s.provider.RestateEach(&r.route, header, func(rule *limit.Rule) limit.Standing {
		if rule.Kind != limit.Window {
			return limit.Standing{}
		}
		key := rule.KeyFor(r.route.Object, r.route.Credential)
		if !own && !p.drewOn(key) {
			return limit.Standing{}
		}
		standing := s.ledger.standing(now, key, p)
		for _, said := range r.readings {
			if same && said.Rule == rule && said.HasReset {
				standing.Reset = said.Reset
			}
		}
		return standing
	})
	return header
}

// tooMany is the 429 that a trial's send would have met.
func (s stage) tooMany(req *http.Request, wait time.Duration) *http.Response {
	header := http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(wait.Seconds())))}, "Cache-Control": {"no-store"}}
	return response(req, http.StatusTooManyRequests, header, []byte(`{"error":"APIRateLimitExceeded"}`))
}

func response(req *http.Request, status int, header http.Header, body []byte) *http.Response {
	header.Del("Content-Length")
	header.Del("Transfer-Encoding")
	if body == nil {
		header.Del("Content-Encoding")
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
}
