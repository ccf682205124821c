package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// LongestItem is the longest body of a write that is merged, in bytes.
const LongestItem = 16 << 10

const (
	// leastWrites is from how many on a job costs less than its items alone:
	// it is asked for, polled two or three times, and read back.
	leastWrites = 6
	// pressedWindow is how long writes gather while others of theirs are held.
	pressedWindow = time.Second
)

// writes merges writes of one kind into one background job.
type writes struct {
	*transport
	form *limit.WriteForm
	sent *http.Request // the request that was made for its members, nil before
}

func (w *writes) kind() string { return w.form.Class }

func (w *writes) bounds() bounds {
	return bounds{least: leastWrites, most: w.form.Most, window: w.WriteWindow, pressed: pressedWindow}
}

func (w *writes) draft(first *http.Request) *http.Request {
	req := first.Clone(context.Background())
	req.Method, req.Body, req.GetBody, req.ContentLength = w.form.Method, nil, nil, 0
	req.URL.Path, req.URL.RawQuery, req.URL.ForceQuery = w.form.Path, "", false
	delete(req.Header, "Content-Length")
	req.Header.Set("Accept-Encoding", "gzip")
	if w.form.Verb == limit.Deletes {
		delete(req.Header, "Content-Type")
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func (w *writes) seal(req *http.Request, members []*member) *http.Request {
	if len(members) == 1 {
		return nil // a job for one costs more
	}
	query, body := w.writer.BulkWrite(w.form, items(members))
	sealed := req.WithContext(req.Context())
	u := *req.URL
	u.RawQuery = query
	sealed.URL, sealed.Body = &u, http.NoBody
	if body != nil {
		sealed.Body, sealed.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		sealed.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	w.sent = sealed
	return sealed
}

func items(members []*member) []limit.WriteItem {
	list := make([]limit.WriteItem, len(members))
	for i, m := range members {
		list[i] = m.item
	}
	return list
}

// read takes in the body of a write. It reports false when the call goes
// alone: its request is whole again then.
func (w *writes) read(m *member) (bool, error) {
	body, rest, err := head(m.req)
	if err != nil {
		return false, err
	}
	m.req = m.req.WithContext(m.req.Context())
	if rest != nil {
		m.req.Body, m.req.GetBody = rest, nil
		return false, nil
	}
	m.body = body
	m.renew()
	var ok bool
	m.item, ok = w.writer.WriteItem(w.form, m.id, body)
	return ok, nil
}

// renew gives the member's request its body again.
func (m *member) renew() {
	body := m.body
	if body == nil {
		return
	}
	m.req.Body, m.req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	m.req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
}

// head reads a body of at most LongestItem bytes whole. Of a longer one it
// returns all of it as rest.
func head(req *http.Request) (body []byte, rest io.ReadCloser, err error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil, nil
	}
	if req.ContentLength > LongestItem {
		return nil, req.Body, nil
	}
	body, err = io.ReadAll(io.LimitReader(req.Body, LongestItem+1))
	if err != nil {
		req.Body.Close()
		return nil, nil, fmt.Errorf("read the body of %s %s: %w", req.Method, req.URL.Path, err)
	}
	if len(body) <= LongestItem {
		return body, nil, req.Body.Close()
	}
	return nil, struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), req.Body), req.Body}, nil
}

// finish follows the job to its end.
func (w *writes) finish(ctx context.Context, call *limit.Call, members []*member, resp *http.Response, err error) {
	if err != nil {
		w.failed(call, members, err)
		return
	}
	text, err := whole(resp)
	resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		w.refused(call, members, resp, text)
	case resp.StatusCode/100 == 4: // there is no job: they go alone
	case resp.StatusCode/100 != 2:
		w.lost(members, "", fmt.Errorf("the account answered %d", resp.StatusCode))
	case err != nil:
		w.lost(members, "", err)
	default:
		w.follow(ctx, call, members, resp, text)
	}
}

// failed says what an error of the send means to each member. A wait that was
// too long left nothing behind; of another error nobody knows.
func (w *writes) failed(call *limit.Call, members []*member, err error) {
	refusal, held := errors.AsType[*limit.WaitError](err)
	switch {
	case w.sent == nil && !held: // it was never asked for: they go alone
	case !held:
		w.lost(members, "", err)
	case refusal.Bucket != call.Route.PauseKey() && !w.fullOfJobs(call, refusal.Bucket):
		refuse(call, members, refusal)
	}
}

// fullOfJobs reports whether the bucket counts running jobs: a single call
// does not draw on it.
func (w *writes) fullOfJobs(call *limit.Call, bucket limit.Key) bool {
	for _, d := range call.Route.Draws() {
		if d.Rule.Kind == limit.Slots && call.Route.KeyOf(d) == bucket {
			return true
		}
	}
	return false
}

// refused hands a 429 on as reads do, unless it is about jobs: then the
// members go alone.
func (w *writes) refused(call *limit.Call, members []*member, resp *http.Response, text []byte) {
	said := w.Provider.Refusal(&call.Route, resp.StatusCode, resp.Header, text)
	if said.Rule != nil && said.Rule.Kind == limit.Slots {
		return
	}
	handOn(w.Provider, call, members, resp, text)
}

// lost is for a job that may have been made, and whose answer was lost: what
// may be done twice goes alone, the rest is told that nobody knows.
func (w *writes) lost(members []*member, job string, err error) {
	for _, m := range members {
		w.unknown(m, job, err)
	}
}

func (w *writes) unknown(m *member, job string, err error) {
	over := !m.patience.IsZero() && !time.Now().Before(m.patience)
	if refusal, ok := errors.AsType[*limit.WaitError](err); ok && refusal.Reason == limit.Closed {
		over = true // a call that went alone would be told that it was never sent
	}
	if !m.item.Adds && !over {
		return // it goes alone
	}
	m.outcome = outcome{fate: answered, err: &UncertainError{Method: m.req.Method, Path: m.path, Job: job, Err: err}}
}

// An UncertainError says that a write became part of a background job, and
// that it is not known what came of it: it may have been done. It is not sent
// again, for it would then perhaps be done twice.
type UncertainError struct {
	Method, Path string
	Job          string // the job's id, "" when not even that is known
	Err          error  // why nothing is known
}

func (e *UncertainError) Error() string {
	job := "a job"
	if e.Job != "" {
		job = "job " + e.Job
	}
	return fmt.Sprintf("flyball: %s %s was made part of %s, and may have been done: %v; look before sending it again", e.Method, e.Path, job, e.Err)
}

// Unwrap returns why nothing is known.
func (e *UncertainError) Unwrap() error { return e.Err }

// follow waits for the job that the answer names, and answers each member.
func (w *writes) follow(ctx context.Context, call *limit.Call, members []*member, resp *http.Response, text []byte) {
	reports := w.writer.JobReports(text)
	if len(reports) != 1 {
		w.lost(members, "", errors.New("the answer names no job"))
		return
	}
	report := reports[0]
	patience := mostPatient(members)
	if !report.Ended {
		var err error
		if report, err = w.await(ctx, w.sent, call, report.ID, len(members), patience); err != nil {
			w.lost(members, reports[0].ID, err)
			return
		}
	}
	list := items(members)
	outcomes, loose := w.writer.Outcomes(w.form, list, &report, nil)
	objects, back := w.readBack(ctx, call, outcomes, loose, patience) //nolint:bodyclose // readBack does
	if len(loose) > 0 {
		outcomes, _ = w.writer.Outcomes(w.form, list, &report, objects)
	}
	if back == nil {
		back = resp
	}
	for i, m := range members {
		switch o := outcomes[i]; {
		case !o.Known:
			w.unknown(m, report.ID, errors.New("the job does not say what came of it"))
		case o.Status == http.StatusConflict:
			// It goes alone: a job's items are always safe updates [TK], which
			// fail when somebody else changed the ticket meanwhile; the caller
			// did not ask for that, and nothing was done.
		default:
			w.answer(m, report.ID, o, objects[o.ID], back)
		}
	}
}

func mostPatient(members []*member) time.Time {
	patience := members[0].patience
	for _, m := range members[1:] {
		patience = later(patience, m.patience)
	}
	return patience
}

// readBack reads the objects that the job changed or made, in one send. What
// it cannot read is missing.
func (w *writes) readBack(ctx context.Context, of *limit.Call, outcomes []limit.WriteOutcome, loose []uint64, patience time.Time) (map[uint64][]byte, *http.Response) {
	ids := slices.Clone(loose)
	for _, o := range outcomes {
		if o.Known && o.Status == 0 && o.ID != 0 {
			ids = append(ids, o.ID)
		}
	}
	if w.form.Verb == limit.Deletes || len(ids) == 0 {
		return nil, nil
	}
	req := reading(w.sent, w.form.Read, "ids="+idList(ids))
	call := of.Shared(ctx)
	call.Arrived, call.Deadline, call.Batch, call.For = time.Now(), patience, false, limit.Merged
	call.Route = w.Provider.Route(req)
	resp, err := w.next.RoundTrip(req.WithContext(limit.WithCall(ctx, call)))
	if err != nil {
		return nil, nil
	}
	defer resp.Body.Close()
	text, err := whole(resp)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, nil
	}
	split, err := split(text, w.form.Many)
	if err != nil {
		return nil, nil
	}
	objects := make(map[uint64][]byte, len(split))
	for id, object := range split {
		objects[id] = object
	}
	return objects, resp
}

// answer gives a member the answer that its own call would have had, as far
// as a job can tell. back is the answer whose limit headers it carries.
func (w *writes) answer(m *member, job string, o limit.WriteOutcome, object []byte, back *http.Response) {
	said := w.writer.WriteAnswer(w.form, o, object)
	resp := copied(back, said.Body, m.req) //nolint:bodyclose // its caller does, as with any answer
	resp.StatusCode, resp.Status = said.Status, fmt.Sprintf("%d %s", said.Status, http.StatusText(said.Status))
	for _, name := range notShared {
		delete(resp.Header, name)
	}
	if said.Body == nil {
		resp.Body = http.NoBody
		delete(resp.Header, "Content-Type")
		delete(resp.Header, "Content-Length")
	} else {
		resp.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	if said.Location != "" {
		resp.Header.Set("Location", said.Location)
	}
	resp.Header.Set("Flyball-Merged", w.merged(job, o, object))
	m.outcome = outcome{fate: answered, resp: resp, saved: true}
}

// merged is the header that says how the call was made, and what its answer
// lacks: update_many; job="V3-1"; lacks="audit".
func (w *writes) merged(job string, o limit.WriteOutcome, object []byte) string {
	text := w.form.Path[strings.LastIndexByte(w.form.Path, '/')+1:] + "; job=" + strconv.Quote(job)
	var lacks []string
	if o.Status == 0 && w.form.Verb != limit.Deletes {
		if w.form.Lacks != "" {
			lacks = append(lacks, w.form.Lacks)
		}
		if object == nil {
			lacks = append(lacks, w.form.One)
		}
	}
	if len(lacks) > 0 {
		text += "; lacks=" + strconv.Quote(strings.Join(lacks, " "))
	}
	return text
}
