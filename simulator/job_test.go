package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	manyPath = "/api/v2/tickets/create_many"
	manyBody = `{"tickets":[{"subject":"a","comment":{"body":"a"}},{"subject":"b","comment":{"body":"b"}}]}`
)

// TestThirtyJobsAtOnce: the thirty-first is refused with the ids of those that
// run, and may start when one has ended.
func TestThirtyJobsAtOnce(t *testing.T) {
	lag := func(int) time.Duration { return 20 * time.Second }
	simulate(t, Options{Latency: Fixed(0), JobLag: lag}, func(t *testing.T, s *Simulator, c client) {
		until(0)
		for n := 29; n >= 0; n-- {
			r, body := c.read(c.send("POST", manyPath, manyBody))
			if r.StatusCode != 200 || !strings.Contains(body, `"queued"`) {
				t.Fatalf("%d jobs to go: %d %s", n, r.StatusCode, body)
			}
			wantHeaders(t, r, "Zendesk-Ratelimit-Inflight-Jobs", fmt.Sprintf("total=30; remaining=%d; resets=60", n))
		}
		r, body := c.read(c.send("POST", manyPath, manyBody))
		var refusal struct {
			Error         string
			CurrentJobIDs []string `json:"current_job_ids"`
		}
		if err := json.Unmarshal([]byte(body), &refusal); err != nil || r.StatusCode != 429 || refusal.Error != "TooManyJobs" || len(refusal.CurrentJobIDs) != 30 {
			t.Fatalf("%d %s", r.StatusCode, body)
		}
		wantHeaders(t, r, "Retry-After", "60", "Zendesk-Ratelimit-Inflight-Jobs", "total=30; remaining=0; resets=60", "X-Rate-Limit-Remaining", "670")
		if r, _ := c.get("/api/v2/job_statuses/" + refusal.CurrentJobIDs[0]); r.StatusCode != 200 {
			t.Errorf("polling a job: %d", r.StatusCode)
		}
		pass(20 * time.Second)
		if r, body = c.read(c.send("POST", manyPath, manyBody)); r.StatusCode != 200 {
			t.Errorf("after the jobs: %d %s", r.StatusCode, body)
		}
		l := s.Ledger()
		if l.RefusedBy("inflight-jobs") != 1 || l.Changed["ticket create"] != 60 {
			t.Errorf("refusals %+v, changed %v", l.Refusals, l.Changed)
		}
		pass(time.Minute)
		if l = s.Ledger(); l.Changed["ticket create"] != 62 {
			t.Errorf("a minute later: %v", l.Changed)
		}
	})
}

// TestBulkCallThatFailsTakesNoSlot: 101 items are refused at once, without a job.
func TestBulkCallThatFailsTakesNoSlot(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0)}, func(t *testing.T, s *Simulator, c client) {
		items := strings.Repeat(`{"comment":{"body":"x"}},`, 101)
		r, body := c.read(c.send("POST", manyPath, `{"tickets":[`+strings.TrimSuffix(items, ",")+`]}`))
		if r.StatusCode != 400 {
			t.Fatalf("%d %s", r.StatusCode, body)
		}
		wantHeaders(t, r, "Zendesk-Ratelimit-Inflight-Jobs", "total=30; remaining=30; resets=60")
	})
}

func TestJobLimitIsHeldAtOneInstant(t *testing.T) {
	simulate(t, Options{}, func(t *testing.T, s *Simulator, c client) {
		done := make(chan int)
		for range 64 {
			go func() {
				r, err := c.try(t.Context(), "POST", manyPath, manyBody)
				if err != nil {
					t.Error(err)
					done <- 0
					return
				}
				_ = r.Body.Close()
				done <- r.StatusCode
			}()
		}
		seen := map[int]int{}
		for range 64 {
			seen[<-done]++
		}
		if seen[200] != 30 || seen[429] != 34 {
			t.Errorf("%v", seen)
		}
	})
}

func TestJobLimitCanBeSetOrOff(t *testing.T) {
	for _, test := range []struct {
		limit Limit
		taken int
	}{{Limit{N: 2}, 2}, {Limit{Off: true}, 40}} {
		simulate(t, Options{Latency: Fixed(0), Limits: map[string]Limit{"inflight-jobs": test.limit}}, func(t *testing.T, s *Simulator, c client) {
			taken := 0
			for range 40 {
				if r, _ := c.read(c.send("POST", manyPath, manyBody)); r.StatusCode == 200 {
					taken++
				}
			}
			if taken != test.taken {
				t.Errorf("%+v: %d jobs taken", test.limit, taken)
			}
		})
	}
}

// TestJobsGoWrongAsTold: the faults of jobs reach the job that the struck
// request starts, and no other.
func TestJobsGoWrongAsTold(t *testing.T) {
	faults := make([]Fault, 2)
	for i, spec := range []string{"items=1,nth=1,path=*create_many,results=id", "unseen=30s,nth=2,path=*create_many"} {
		f, err := ParseFault(spec)
		if err != nil {
			t.Fatal(err)
		}
		faults[i] = f
	}
	simulate(t, Options{Latency: Fixed(0), Faults: faults}, func(t *testing.T, s *Simulator, c client) {
		status := func() string {
			_, body := c.read(c.send("POST", manyPath, manyBody))
			var job struct {
				Status struct{ ID string } `json:"job_status"`
			}
			if err := json.Unmarshal([]byte(body), &job); err != nil {
				t.Fatal(err)
			}
			pass(20 * time.Second)
			r, body := c.get("/api/v2/job_statuses/" + job.Status.ID)
			return fmt.Sprint(r.StatusCode, " ", body)
		}
		if got := status(); !strings.Contains(got, `"completed"`) || strings.Count(got, "TicketCreateFailed") != 1 || strings.Contains(got, "index") {
			t.Errorf("first job: %s", got)
		}
		if got := status(); !strings.HasPrefix(got, "404") {
			t.Errorf("second job: %s", got)
		}
		if got := status(); !strings.Contains(got, `"completed"`) || strings.Contains(got, "TicketCreateFailed") {
			t.Errorf("third job: %s", got)
		}
	})
}
