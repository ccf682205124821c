package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/flyballhq/flyball/flight"
	"github.com/flyballhq/flyball/limit"
)

// When a job is looked at: first when it may have ended, then ever less often.
// A job of one item takes 1 to 6 s, one of a hundred 3 to 16 s (section 5.2 of
// the facts).
const (
	firstLook  = time.Second
	lookByItem = 40 * time.Millisecond
	firstGap   = 2 * time.Second
	lastGap    = 15 * time.Second
	nearGap    = time.Second // jobs due within it are looked at together

	// unseenLife is how long a job may be unknown: a fresh id answers 404 for
	// a moment.
	unseenLife = time.Minute
	// longestJob is how long a job is waited for by callers who would wait for
	// ever: its data are kept for a day, and none was seen to take minutes.
	longestJob = time.Hour
	maxTrouble = 5 // polls in a row that fail
)

// A poller reads the status of all jobs of one credential that somebody waits
// for, in one send for all of them. It runs while there is one.
type poller struct {
	*transport
	writer limit.BulkWriter
	key    key
	like   *http.Request // where to, and with which header

	// Guarded by the merger's lock:
	jobs    map[string]*job
	changed chan struct{}
	cancel  context.CancelFunc // of the poll under way
}

// A job is one that is waited for.
type job struct {
	id       string
	call     *limit.Call // in whose name
	patience time.Time   // zero: for ever
	begun    time.Time
	due      time.Time // of the next look
	gap      time.Duration
	done     chan struct{}
	report   limit.JobReport // valid when done is closed
	err      error           // likewise
}

// due is when a job of so many items may have ended.
func firstDue(now time.Time, items int) time.Time {
	return now.Add(firstLook + time.Duration(items)*lookByItem)
}

// await blocks until the job has ended, or ctx has, or the job's patience.
func (t *transport) await(ctx context.Context, like *http.Request, call *limit.Call, id string, items int, patience time.Time) (limit.JobReport, error) {
	now := time.Now()
	j := &job{
		id: id, call: call, patience: patience, begun: now,
		due: firstDue(now, items), gap: firstGap, done: make(chan struct{}),
	}
	limitOfAll := now.Add(longestJob)
	if !patience.IsZero() && patience.Before(limitOfAll) {
		limitOfAll = patience
	}
	p := t.enlist(j, like)
	defer p.leave(j)
	timer := time.NewTimer(time.Until(limitOfAll))
	defer timer.Stop()
	select {
	case <-j.done:
		return j.report, j.err
	case <-timer.C:
		return j.report, fmt.Errorf("the job has not ended after %s: %w", time.Since(now).Round(time.Second), context.DeadlineExceeded)
	case <-ctx.Done():
		return j.report, context.Cause(ctx)
	}
}

// enlist adds a job to those of its credential.
func (t *transport) enlist(j *job, like *http.Request) *poller {
	k := pollKey(like)
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pollers[k]
	if p == nil {
		p = &poller{transport: t, writer: t.writer, key: k, like: like, jobs: map[string]*job{}, changed: make(chan struct{}, 1)}
		t.pollers[k] = p
		go p.run()
	}
	p.jobs[j.id] = j
	p.look()
	return p
}

// pollKey is the same for jobs that one send can read.
func pollKey(req *http.Request) key {
	bare := &http.Request{Host: req.Host, URL: req.URL, Header: http.Header{}}
	for _, name := range []string{"Authorization", "Cookie", "X-On-Behalf-Of"} {
		if values, has := req.Header[name]; has {
			bare.Header[name] = values
		}
	}
	return keyOf(bare, &limit.Call{}, "jobs")
}

// look makes the poller look at its jobs again. The caller holds the lock.
func (p *poller) look() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// leave takes out a job that nobody waits for any more.
func (p *poller) leave(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.jobs[j.id] == j {
		delete(p.jobs, j.id)
	}
	if len(p.jobs) == 0 && p.cancel != nil {
		p.cancel()
	}
	p.look()
}

// run polls until no job is left.
func (p *poller) run() {
	trouble := 0
	for {
		next, ok := p.next(time.Now())
		if !ok {
			return
		}
		if wait := time.Until(next); wait > 0 {
			p.pause(wait)
			continue
		}
		switch jobs, err := p.poll(); {
		case err == nil:
			trouble = 0
		case trouble == maxTrouble-1, final(err):
			p.fail(jobs, err)
			trouble = 0
		default:
			trouble++
		}
	}
}

func (p *poller) pause(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.changed:
	}
}

// next is when the next look is due. Without a job the poller is forgotten.
func (p *poller) next(now time.Time) (next time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.jobs) == 0 {
		delete(p.pollers, p.key)
		return now, false
	}
	first := true
	for _, j := range p.jobs {
		if first || j.due.Before(next) {
			next, first = j.due, false
		}
	}
	return next, true
}

// poll looks at the jobs once, at those that are due first if there are too
// many for one send, and returns those it looked at.
func (p *poller) poll() (jobs []*job, err error) {
	now := time.Now()
	p.mu.Lock()
	jobs = make([]*job, 0, len(p.jobs))
	for _, j := range p.jobs {
		jobs = append(jobs, j)
	}
	slices.SortFunc(jobs, func(a, b *job) int { return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.id, b.id)) })
	jobs = jobs[:min(len(jobs), limit.MaxJobsRead)]
	if len(jobs) == 0 {
		p.mu.Unlock()
		return nil, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.mu.Unlock()
	defer cancel()
	reports, wait, err := p.read(ctx, jobs)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cancel = nil
	p.take(now, time.Now().Add(wait), jobs, reports, err)
	return jobs, err
}

// read makes the one send. A panic below is an error of all.
func (p *poller) read(ctx context.Context, jobs []*job) (reports []limit.JobReport, wait time.Duration, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = &flight.Panic{Value: fault, Stack: debug.Stack()}
		}
	}()
	req, call := p.request(ctx, jobs)
	resp, err := p.transport.next.RoundTrip(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	text, err := whole(resp)
	switch {
	case err != nil:
		return nil, 0, err
	case resp.StatusCode == http.StatusNotFound: // too fresh
		return nil, 0, nil
	case resp.StatusCode == http.StatusOK:
		return p.writer.JobReports(text), 0, nil
	}
	said := p.Provider.Read(&call.Route, resp.StatusCode, resp.Header)
	return nil, said.RetryAfter, &pollError{resp.StatusCode}
}

// request is the read of these jobs' status, as urgent as the most urgent of
// those who wait, and as patient as the most patient.
func (p *poller) request(ctx context.Context, jobs []*job) (*http.Request, *limit.Call) {
	lead, ids := jobs[0], make([]string, len(jobs))
	patience := lead.patience
	for i, j := range jobs {
		ids[i] = j.id
		if j.call.Class.Urgency() > lead.call.Class.Urgency() {
			lead = j
		}
		patience = later(patience, j.patience)
	}
	path, query := p.writer.JobsRead(ids)
	req := reading(p.like, path, query)
	call := lead.call.Shared(ctx)
	call.Arrived, call.Deadline, call.Batch, call.For = time.Now(), patience, false, limit.Merged
	call.Route = p.Provider.Route(req)
	return req.WithContext(limit.WithCall(ctx, call)), call
}

// later is the later of two ends of patience; zero is never.
func later(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if b.After(a) {
		return b
	}
	return a
}

// reading is a GET like req, of another path.
func reading(req *http.Request, path, query string) *http.Request {
	r := req.Clone(context.Background())
	r.Method, r.Body, r.GetBody, r.ContentLength = http.MethodGet, nil, nil, 0
	r.URL.Path, r.URL.RawQuery = path, query
	delete(r.Header, "Content-Type")
	delete(r.Header, "Content-Length")
	r.Header.Set("Accept-Encoding", "gzip")
	return r
}

// take notes what a look at now came to, and when the next is due. The caller
// holds the lock.
func (p *poller) take(now, earliest time.Time, jobs []*job, reports []limit.JobReport, err error) {
	known := make(map[string]*limit.JobReport, len(reports))
	for i := range reports {
		known[reports[i].ID] = &reports[i]
	}
	for _, j := range jobs {
		report := known[j.id]
		switch {
		case report != nil && report.Ended:
			p.end(j, *report, nil)
		case err == nil && report == nil && now.Sub(j.begun) > unseenLife:
			p.end(j, limit.JobReport{}, errors.New("the account knows of no such job"))
		default:
			if !j.due.After(now.Add(nearGap)) {
				j.due, j.gap = now.Add(j.gap), min(j.gap*3/2, lastGap)
			}
			if j.due.Before(earliest) {
				j.due = earliest
			}
		}
	}
}

// end hands a job over. The caller holds the lock.
func (p *poller) end(j *job, report limit.JobReport, err error) {
	if p.jobs[j.id] != j {
		return // its caller has left
	}
	delete(p.jobs, j.id)
	j.report, j.err = report, err
	close(j.done)
}

// fail ends the jobs of a poll that failed. Those that came meanwhile were no
// part of it: their callers may be more patient.
func (p *poller) fail(jobs []*job, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, j := range jobs {
		p.end(j, limit.JobReport{}, fmt.Errorf("read the job's status: %w", err))
	}
}

type pollError struct{ status int }

func (e *pollError) Error() string { return fmt.Sprintf("the account answered %d", e.status) }

// final reports whether another poll would come to the same.
func final(err error) bool {
	if poll, ok := errors.AsType[*pollError](err); ok {
		return poll.status/100 == 4 && poll.status != http.StatusTooManyRequests
	}
	_, refused := errors.AsType[*limit.WaitError](err)
	return refused
}
