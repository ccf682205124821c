package batch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/batch"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// A desk answers jobs over tickets: each ends when it is told to.
type desk struct {
	mu    sync.Mutex
	jobs  map[string][]uint64
	ended map[string]bool
	polls []limit.Call // as they were made
	alone []string     // paths of the single calls

	refuse func(*limit.Call) error // of a poll, if set; nil lets it go

	conflict uint64 // the ticket that somebody else changes meanwhile
}

func (d *desk) RoundTrip(req *http.Request) (*http.Response, error) {
	call := limit.CallFrom(req.Context())
	if call != nil && call.Seal != nil {
		if req = call.Seal(req); req == nil {
			return nil, context.Canceled
		}
	}
	if req.Body != nil {
		defer req.Body.Close()
	}
	if d.refuse != nil && strings.HasSuffix(req.URL.Path, "/job_statuses/show_many") {
		if err := d.refuse(call); err != nil {
			return nil, err
		}
	}
	time.Sleep(100 * time.Millisecond)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch path := req.URL.Path; {
	case strings.HasSuffix(path, "/update_many"):
		var body struct{ Tickets []struct{ ID uint64 } }
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
			return nil, err
		}
		id := fmt.Sprintf("V3-%d", len(d.jobs))
		for _, item := range body.Tickets {
			d.jobs[id] = append(d.jobs[id], item.ID)
		}
		return reply(200, d.status(id, "job_status", false)), nil
	case strings.HasSuffix(path, "/job_statuses/show_many"):
		d.polls = append(d.polls, *call)
		var list []string
		for id := range strings.SplitSeq(req.URL.Query().Get("ids"), ",") {
			list = append(list, d.status(id, "", d.ended[id]))
		}
		return reply(200, `{"job_statuses":[`+strings.Join(list, ",")+`]}`), nil
	case strings.HasSuffix(path, "/tickets/show_many"):
		return account(req), nil
	}
	d.alone = append(d.alone, req.URL.Path)
	_, err := io.Copy(io.Discard, req.Body)
	return reply(200, `{"ticket":{"alone":true}}`), err
}

func (d *desk) status(id, name string, ended bool) string {
	text := fmt.Sprintf(`{"id":%q,"status":"working","results":null}`, id)
	if ended {
		var results []string
		for _, item := range d.jobs[id] {
			if item == d.conflict {
				results = append(results, fmt.Sprintf(`{"id":%d,"success":false,"error":"TicketUpdateFailed","details":"Safe Update prevented the update"}`, item))
				continue
			}
			results = append(results, fmt.Sprintf(`{"id":%d,"action":"update","status":"Updated","success":true}`, item))
		}
		text = fmt.Sprintf(`{"id":%q,"status":"completed","results":[%s]}`, id, strings.Join(results, ","))
	}
	if name != "" {
		return fmt.Sprintf(`{%q:%s}`, name, text)
	}
	return text
}

func (d *desk) end(ids ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		d.ended[id] = true
	}
}

func newDesk(t *testing.T) (*desk, http.RoundTripper) {
	t.Helper()
	merger, err := batch.New(batch.Options{Provider: zendesk.New(zendesk.UnknownPlan)})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{jobs: map[string][]uint64{}, ended: map[string]bool{}}
	return d, merger.Layer()(d)
}

// update changes one ticket.
func update(ctx context.Context, through http.RoundTripper, id int, credential string, call limit.Call) (int, error) {
	req, err := http.NewRequest(http.MethodPut, fmt.Sprintf("https://acme.zendesk.com/api/v2/tickets/%d.json", id), strings.NewReader(`{"ticket":{"subject":"x"}}`))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+credential)
	call.Arrived, call.Batch, call.Route = time.Now(), true, zendesk.New(zendesk.UnknownPlan).Route(req)
	resp, err := through.RoundTrip(req.WithContext(limit.WithCall(ctx, &call)))
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func TestPollsAreAsUrgentAndAsPatientAsThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, through := newDesk(t)
		start := time.Now()
		var group sync.WaitGroup
		wave := func(first int, call limit.Call) {
			for i := range 11 {
				group.Go(func() {
					if status, err := update(t.Context(), through, first+i, "one", call); status != 200 {
						t.Errorf("ticket %d: %d, %v", first+i, status, err)
					}
				})
			}
		}
		wave(100, limit.Call{Class: limit.Bulk, Deadline: start.Add(time.Hour)})
		wave(200, limit.Call{Class: limit.Interactive, Deadline: start.Add(time.Minute)})
		time.AfterFunc(10*time.Second, func() { d.end("V3-0", "V3-1") })
		group.Wait()
		if len(d.jobs) != 2 || len(d.polls) == 0 || len(d.polls) > 4 {
			t.Fatalf("%d jobs, %d polls", len(d.jobs), len(d.polls))
		}
		for i, poll := range d.polls {
			if poll.Class != limit.Interactive || !poll.Deadline.Equal(start.Add(time.Hour)) || poll.For != limit.Merged || poll.Batch {
				t.Errorf("poll %d: %s, until %s, for %s", i, poll.Class, poll.Deadline.Sub(start), poll.For)
			}
		}
	})
}

func TestJobsOfAnotherCredentialAreReadApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, through := newDesk(t)
		var group sync.WaitGroup
		for i := range 22 {
			group.Go(func() {
				if status, err := update(t.Context(), through, 100+i, []string{"one", "two"}[i%2], limit.Call{}); status != 200 {
					t.Errorf("ticket %d: %d, %v", 100+i, status, err)
				}
			})
		}
		time.AfterFunc(time.Second, func() { d.end("V3-0", "V3-1") })
		group.Wait()
		if len(d.jobs) != 2 || len(d.polls) != 2 {
			t.Errorf("%d jobs, %d polls, want two of each", len(d.jobs), len(d.polls))
		}
	})
}

// A poll that is held for longer than its callers wait says nothing to those
// whose job came while it was held.
func TestAPollThatIsGivenUpIsGivenUpByThoseItWasFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, through := newDesk(t)
		d.refuse = func(call *limit.Call) error {
			if call.Deadline.IsZero() {
				return nil
			}
			time.Sleep(time.Until(call.Deadline.Add(-time.Second)))
			return &limit.WaitError{Reason: limit.Queued}
		}
		var group sync.WaitGroup
		end := time.Now().Add(20 * time.Second)
		for i := range 11 {
			group.Go(func() {
				if _, err := update(t.Context(), through, 100+i, "one", limit.Call{Deadline: end}); err != nil {
					t.Errorf("ticket %d: %v", 100+i, err)
				}
			})
		}
		time.Sleep(5 * time.Second)
		for i := range 11 {
			group.Go(func() {
				if status, err := update(t.Context(), through, 200+i, "one", limit.Call{}); status != 200 {
					t.Errorf("ticket %d: %d, %v", 200+i, status, err)
				}
			})
		}
		time.AfterFunc(30*time.Second, func() { d.end("V3-1") })
		group.Wait()
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, path := range d.alone {
			if strings.HasPrefix(path, "/api/v2/tickets/2") {
				t.Errorf("%s was made again", path)
			}
		}
	})
}

func TestTheWriteAfterOneWhoseCallerLeftWaitsForItsJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, through := newDesk(t)
		var group sync.WaitGroup
		for i := range 11 {
			group.Go(func() {
				bounded, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				ctx := t.Context()
				if i > 0 {
					ctx = bounded
				}
				_, _ = update(ctx, through, 100+i, "one", limit.Call{})
			})
			synctest.Wait() // number 0 goes alone, number 10 is the job's last
		}
		stays := func() { // so that the job is waited for
			_, _ = update(t.Context(), through, 111, "one", limit.Call{})
		}
		group.Go(stays)
		time.Sleep(3 * time.Second)
		start := time.Now()
		time.AfterFunc(20*time.Second, func() { d.end("V3-0") })
		status, err := update(t.Context(), through, 110, "one", limit.Call{Deadline: start.Add(time.Minute)})
		if took := time.Since(start); status != 200 || err != nil || took < 20*time.Second {
			t.Errorf("%d, %v after %s, want it after the job", status, err, took)
		}
		group.Wait()
	})
}

// Single updates do not fail because somebody else was faster; items of a job
// do.
func TestAnItemThatLostARaceGoesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, through := newDesk(t)
		d.conflict = 105
		var group sync.WaitGroup
		for i := range 11 {
			group.Go(func() {
				if status, err := update(t.Context(), through, 100+i, "one", limit.Call{}); status != 200 {
					t.Errorf("ticket %d: %d, %v", 100+i, status, err)
				}
			})
			synctest.Wait()
		}
		d.end("V3-0")
		group.Wait()
		if got := fmt.Sprint(d.alone); got != "[/api/v2/tickets/100.json /api/v2/tickets/105.json]" {
			t.Errorf("went alone: %s, want the first and the one that lost", got)
		}
	})
}

func TestAFewWritesGoAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, through := newDesk(t)
		start := time.Now()
		var group sync.WaitGroup
		for i := range 5 {
			group.Go(func() {
				if status, err := update(t.Context(), through, 100+i, "one", limit.Call{}); status != 200 {
					t.Errorf("ticket %d: %d, %v", 100+i, status, err)
				}
			})
		}
		group.Wait()
		if took := time.Since(start); len(d.jobs) != 0 || took > 150*time.Millisecond {
			t.Errorf("%d jobs for five writes, after %s", len(d.jobs), took)
		}
	})
}

func TestAWriteThatMayNotWaitIsNotHeldBehindAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, through := newDesk(t)
		var group sync.WaitGroup
		for i := range 11 {
			group.Go(func() { _, _ = update(t.Context(), through, 100+i, "one", limit.Call{}) })
		}
		time.Sleep(time.Second)
		refused := 0
		for i := range 11 {
			_, err := update(t.Context(), through, 100+i, "one", limit.Call{NoWait: true})
			if refusal, ok := err.(*limit.WaitError); ok && refusal.Reason == limit.Queued && refusal.RetryAt.After(time.Now()) {
				refused++
			}
			late := limit.Call{Deadline: time.Now().Add(time.Second)}
			if i == 1 {
				before := time.Now()
				if _, err := update(t.Context(), through, 101, "one", late); err != nil && time.Since(before) != time.Second {
					t.Errorf("gave up after %s: %v", time.Since(before), err)
				}
			}
		}
		if refused != 10 {
			t.Errorf("%d of the ten writes behind the job's items were refused", refused)
		}
		d.end("V3-0")
		group.Wait()
		if status, err := update(t.Context(), through, 101, "one", limit.Call{NoWait: true}); status != 200 {
			t.Errorf("after the job: %d, %v", status, err)
		}
	})
}
