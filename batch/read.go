package batch

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// merging returns the way in which the call can be merged, and the object it
// is about; nil when it cannot or may not be.
func (m *Merger) merging(req *http.Request, call *limit.Call) (merging, uint64) {
	if m.batcher == nil || !m.allowed(call) {
		return nil, 0
	}
	if form, id := m.batcher.SingleRead(req); form != nil && plainRead(req) {
		return &reads{Merger: m, form: form}, id
	}
	if m.writer != nil {
		if form, id := m.writer.SingleWrite(req); form != nil && unconditional(req) {
			return &writes{form: form}, id
		}
	}
	return nil, 0
}

// partial are the headers of calls that ask for less than the whole object as
// it is now, or for another way of sending.
var partial = []string{"If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Range", "Upgrade", "Expect", "Trailer"}

// plainRead reports whether req asks for the whole object, unconditionally.
func plainRead(req *http.Request) bool {
	return (req.Body == nil || req.Body == http.NoBody) && unconditional(req)
}

// unconditional reports whether req is a plain call, with no trailer either.
func unconditional(req *http.Request) bool {
	for _, name := range partial {
		if _, has := req.Header[name]; has {
			return false
		}
	}
	return len(req.Trailer) == 0
}

// reads merges reads of objects of one kind into one read of many.
type reads struct {
	*Merger
	form *limit.ReadForm
	solo bool // one member only: its own call is made
}

func (r *reads) kind() string { return r.form.Class }

func (r *reads) bounds() bounds {
	return bounds{least: leastReads, most: r.form.Most, window: r.ReadWindow}
}

func (r *reads) draft(first *http.Request) *http.Request {
	req := first.Clone(context.Background())
	req.URL.Path, req.URL.RawQuery, req.URL.ForceQuery = r.form.Path, "ids=", false
	req.Header.Set("Accept-Encoding", "gzip") // smaller, and no member's own choice
	return req
}

func (r *reads) seal(req *http.Request, members []*member) *http.Request {
	if r.solo = len(members) == 1; r.solo {
		limit.CallFrom(req.Context()).For = limit.NotSaved
		return aimed(req, members[0].path, "")
	}
	return aimed(req, r.form.Path, "ids="+list(members))
}

// aimed is req with another path and query.
func aimed(req *http.Request, path, query string) *http.Request {
	r := req.WithContext(req.Context())
	u := *req.URL
	u.Path, u.RawQuery = path, query
	r.URL = &u
	return r
}

// list returns the members' ids, each once, separated by commas.
func list(members []*member) string {
	ids := make([]uint64, len(members))
	for i, m := range members {
		ids[i] = m.id
	}
	return idList(ids)
}

// idList returns the ids, each once, separated by commas. It sorts them.
func idList(ids []uint64) string {
	slices.Sort(ids)
	text := make([]byte, 0, len(ids)*12)
	for _, id := range slices.Compact(ids) {
		text = append(strconv.AppendUint(text, id, 10), ',')
	}
	return string(text[:max(0, len(text)-1)])
}

func (r *reads) finish(_ context.Context, call *limit.Call, members []*member, resp *http.Response, err error) {
	if err != nil {
		r.failed(call, members, err)
		return
	}
	defer resp.Body.Close()
	text, err := whole(resp)
	switch {
	case err != nil: // cut, or longer than is kept: they go alone
	case resp.StatusCode == http.StatusTooManyRequests:
		handOn(r.Provider, call, members, resp, text)
	case r.solo:
		members[0].outcome = outcome{fate: answered, resp: copied(resp, text, members[0].req)} //nolint:bodyclose // its caller does, as with any answer
	case resp.StatusCode == http.StatusOK:
		r.share(call, members, resp, text)
	}
}

// failed says what an error of the send means to each member: a wait that was
// too long for the group may not be so for a member with more patience.
func (r *reads) failed(call *limit.Call, members []*member, err error) {
	refusal, ok := errors.AsType[*limit.WaitError](err)
	if ok { // otherwise they go alone
		refuse(call, members, refusal)
	}
}

// refuse tells the members of a wait that was too long; those with more
// patience than the group try again.
func refuse(call *limit.Call, members []*member, refusal *limit.WaitError) {
	for _, m := range members {
		if refusal.Reason != limit.Closed && m.outlasts(call, refusal.RetryAt) {
			m.outcome.fate = again
			continue
		}
		own := *refusal
		own.Method, own.Path, own.Class = m.req.Method, m.path, m.call.Route.Class
		m.outcome = outcome{fate: answered, err: &own}
	}
}

// handOn hands a 429 to the members who cannot wait for what it asks. Those
// who are more patient than the group try again together, and those whom only
// the number of attempts ended go alone: a hundred callers are not refused
// because one send was unlucky. A sole member keeps its refusal: the attempts
// were its own.
func handOn(p limit.Provider, call *limit.Call, members []*member, resp *http.Response, text []byte) {
	said := p.Read(&call.Route, resp.StatusCode, resp.Header)
	retry := time.Now().Add(said.RetryAfter)
	for _, m := range members {
		if m.outlasts(call, retry) {
			m.outcome.fate = again
			continue
		}
		if len(members) > 1 && (m.patience.IsZero() || m.patience.After(retry)) {
			continue
		}
		m.outcome = outcome{fate: answered, resp: copied(resp, text, m.req)} //nolint:bodyclose // its caller does, as with any answer
	}
}

// outlasts reports whether the member is more patient than the group was, and
// waits until then.
func (m *member) outlasts(call *limit.Call, until time.Time) bool {
	if call.Deadline.IsZero() {
		return false
	}
	return m.patience.IsZero() || m.patience.After(call.Deadline) && m.patience.After(until)
}

// share gives each member its object. Members whose object is not there go
// alone: it may be unknown, deleted or forbidden, and only Zendesk can say.
func (r *reads) share(call *limit.Call, members []*member, resp *http.Response, text []byte) {
	objects, err := split(text, r.form.Many)
	if err != nil {
		return
	}
	for _, m := range members {
		if object := objects[m.id]; object != nil {
			m.outcome = outcome{fate: answered, resp: single(resp, r.form.One, object, m.req), saved: true} //nolint:bodyclose // its caller does, as with any answer
		}
	}
}
