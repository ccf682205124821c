package flyball_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

// numbered are ids 1 to n.
func numbered(n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = i + 1
	}
	return ids
}

// withFaults runs n writes at once against an account with these faults.
func withFaults(t *testing.T, c change, n int, look func(a *account, got []reply), faults ...simulator.Fault) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 11, simulator.Options{Limit: 2500, Faults: faults}, governedBy(flyball.Options{}))
		look(a, c.through(t, a.client, numbered(n), n))
	})
}

func TestWritesGoAloneWhenTheirJobCannotBeMade(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"too many jobs": {Path: "*update_many", Status: 429, Body: simulator.BodyJobs, RetryAfter: "90"},
		"503":           {Path: "*update_many", Status: 503},
		"500":           {Path: "*update_many", Status: 500},
		"cut before":    {Path: "*update_many", Cut: simulator.CutBefore},
		"cut after":     {Path: "*update_many", Cut: simulator.CutAfter},
		"cut within":    {Path: "*update_many", Cut: simulator.CutBody},
		"job failed":    {Path: "*update_many", Job: simulator.JobFailed},
		"unreadable":    {Path: "*job_statuses*", Status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			withFaults(t, ticketUpdate, 41, func(a *account, got []reply) {
				for i, r := range got {
					if r.status != 200 || at(r.value, "ticket", "subject") != fmt.Sprintf("new %d", i) {
						t.Errorf("write %d: %d, %v, %v", i, r.status, r.err, r.value)
					}
				}
				if l := a.Ledger(); l.Sends < 41 {
					t.Errorf("%d sends for 41 writes that go alone", l.Sends)
				}
			}, fault)
		})
	}
}

func TestAJobThatIsForbiddenIsNoRefusalOfItsItems(t *testing.T) {
	for _, status := range []int{400, 403, 404, 413, 422} {
		synctest.Test(t, func(t *testing.T) {
			forbidding := func(t *testing.T, base http.RoundTripper) http.RoundTripper {
				return governedBy(flyball.Options{})(t, roundTripper(func(req *http.Request) (*http.Response, error) {
					resp, err := base.RoundTrip(req)
					if err == nil && req.URL.Path == "/api/v2/tickets/create_many" {
						resp.StatusCode = status
					}
					return resp, err
				}))
			}
			a := newAccount(t, 12, simulator.Options{Limit: 700, JobLag: func(int) time.Duration { return 24 * time.Hour }}, forbidding)
			for i, r := range ticketCreate.through(t, a.client, nil, 21) {
				if r.status != 201 || at(r.value, "ticket", "subject") != fmt.Sprintf("new %d", i) {
					t.Errorf("%d for the job, creation %d: %d, %v", status, i, r.status, r.err)
				}
			}
		})
	}
}

// Behaviour D1: a creation whose job may have been made is not sent again; its caller is told that nobody knows.
func TestACreationIsNotSentAgainWhenItsJobIsLost(t *testing.T) {
	check := func(t *testing.T, fault simulator.Fault, by way) (found string) {
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t, 13, simulator.Options{Limit: 2500, Tickets: 10, Faults: []simulator.Fault{fault}}, by)
			got := ticketCreate.through(t, a.client, nil, 41)
			time.Sleep(time.Minute)
			done := ticketCreate.done(t, &http.Client{Transport: a.RoundTripper()}, nil, 41)
			for i, r := range got {
				uncertain, ok := errors.AsType[*flyball.UncertainError](r.err)
				switch {
				case r.status == 201:
				case !ok:
					found = fmt.Sprintf("creation %d: %d, %v, want an error that says it may be done; ", i, r.status, r.err)
				case uncertain.Method != "POST" || uncertain.Path != "/api/v2/tickets":
					found = fmt.Sprintf("creation %d: %+v; ", i, uncertain)
				}
				if r.status == 201 && !done[i] {
					found += fmt.Sprintf("creation %d is not done; ", i)
				}
			}
			if l := a.Ledger(); l.DuplicateWrites != 0 {
				found += fmt.Sprintf("%d tickets are there twice", l.DuplicateWrites)
			}
		})
		return found
	}
	faults := map[string]simulator.Fault{
		"cut after":    {Path: "*create_many", Cut: simulator.CutAfter},
		"cut within":   {Path: "*create_many", Cut: simulator.CutBody},
		"unreadable":   {Path: "*job_statuses*", Status: 500},
		"job failed":   {Path: "*create_many", Job: simulator.JobFailed},
		"not to trace": {Path: "*create_many", Results: simulator.ResultForm("id+shuffled")},
	}
	for name, fault := range faults {
		if found := check(t, fault, governedBy(flyball.Options{})); found != "" {
			t.Errorf("%s: %s", name, found)
		}
	}
	// The twin sends its calls singly when the job's answer is lost.
	twin := func(t *testing.T, base http.RoundTripper) http.RoundTripper {
		through := governedBy(flyball.Options{})(t, base)
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			body, err := req.GetBody()
			if req.Method == http.MethodGet || err != nil {
				return through.RoundTrip(req)
			}
			resp, err := through.RoundTrip(req)
			if _, lost := errors.AsType[*flyball.UncertainError](err); lost {
				again := req.Clone(context.WithoutCancel(req.Context()))
				again.Body = body
				return base.RoundTrip(again)
			}
			return resp, err
		})
	}
	if found := check(t, faults["cut after"], twin); found == "" {
		t.Error("the check finds nothing on the faulty twin either")
	} else {
		t.Logf("the twin: %s", found)
	}
}

func TestAJobThatNeverEndsIsGivenUpWithItsCallers(t *testing.T) {
	for _, c := range []change{ticketUpdate, ticketCreate} {
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t, 14, simulator.Options{Limit: 700, Faults: []simulator.Fault{{Path: "*_many", Method: c.method, Job: simulator.JobStuck}}}, governedBy(flyball.Options{}))
			start := time.Now()
			var uncertain atomic.Int64
			workers(41, 41, func(i int) {
				ctx := flyball.WithMaxWait(flyball.WithBatch(t.Context()), 30*time.Second)
				r := write(ctx, a.client, c.method, c.path(i, numbered(41)), c.of(i))
				if _, ok := errors.AsType[*flyball.UncertainError](r.err); ok {
					uncertain.Add(1)
				} else if r.status/100 != 2 {
					t.Errorf("write %d: %d, %v", i, r.status, r.err)
				}
			})
			if n := uncertain.Load(); n != 40 {
				t.Errorf("%d writes are uncertain, want all 40 of the job", n)
			}
			if took := time.Since(start); took > 31*time.Second {
				t.Errorf("given up after %s, want 30s", took)
			}
			polls := 0
			for _, r := range a.Ledger().Requests {
				if r.Path[:len("/api/v2/job")] == "/api/v2/job" {
					polls++
				}
			}
			if polls < 3 || polls > 8 {
				t.Errorf("%d polls in 30 s", polls)
			}
			before := a.Ledger().Sends
			time.Sleep(10 * time.Minute)
			if after := a.Ledger().Sends; after != before {
				t.Errorf("%d sends after everybody has left", after-before)
			}
		})
	}
}

func TestWhoLeavesAJobLeavesItToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 15, simulator.Options{Limit: 700}, governedBy(flyball.Options{}))
		workers(41, 41, func(i int) {
			ctx := flyball.WithBatch(t.Context())
			left := i > 0 && i%2 == 0
			if left {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Second)
				defer cancel()
			}
			r := write(ctx, a.client, "PUT", ticketUpdate.path(i, numbered(41)), ticketUpdate.of(i))
			if left != errors.Is(r.err, context.DeadlineExceeded) || !left && at(r.value, "ticket", "subject") != fmt.Sprintf("new %d", i) {
				t.Errorf("write %d: %d, %v", i, r.status, r.err)
			}
		})
		if n := a.Ledger().Changed["ticket update"]; n != 41 {
			t.Errorf("%d updates were done, want 41: those who left too", n)
		}
	})
}

func TestATransportThatClosesSaysThatAJobIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var transport *flyball.Transport
		a := newAccount(t, 17, simulator.Options{Limit: 700}, merging(&transport))
		time.AfterFunc(2*time.Second, func() { transport.Close() })
		uncertain := 0
		for _, r := range ticketUpdate.through(t, a.client, numbered(41), 41) {
			if _, ok := errors.AsType[*flyball.UncertainError](r.err); ok {
				uncertain++
			}
		}
		if uncertain != 40 {
			t.Errorf("%d of the job's 40 callers were told", uncertain)
		}
	})
}

func TestWhenAllHaveLeftNobodyPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, 16, simulator.Options{Limit: 700}, governedBy(flyball.Options{}))
		workers(41, 41, func(i int) {
			ctx, cancel := context.WithTimeout(flyball.WithBatch(t.Context()), 2*time.Second)
			defer cancel()
			write(ctx, a.client, "PUT", ticketUpdate.path(i, numbered(41)), ticketUpdate.of(i))
		})
		time.Sleep(time.Hour)
		if n := a.Ledger().Sends; n != 2 {
			t.Errorf("%d sends, want the first update and one job", n)
		}
	})
}
