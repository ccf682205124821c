package flyball_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

// A change is one write of a test, told apart from the others by its number.
type change struct {
	method, family, body string // the path is the family's, with the number of its record unless it is a creation
}

func (c change) path(n int, ids []int) string {
	if c.method == http.MethodPost {
		return "/api/v2/" + c.family
	}
	return fmt.Sprintf("/api/v2/%s/%d", c.family, ids[n])
}

var (
	ticketUpdate = change{"PUT", "tickets", `{"ticket":{"subject":"new %d"}}`}
	ticketCreate = change{"POST", "tickets", `{"ticket":{"subject":"new %d","comment":{"body":"text"}}}`}
	ticketDelete = change{"DELETE", "tickets", ""}
	userUpdate   = change{"PUT", "users", `{"user":{"notes":"new %d"}}`}
	userCreate   = change{"POST", "users", `{"user":{"name":"new %d","email":"new%[1]d@example.com"}}`}
	orgUpdate    = change{"PUT", "organizations", `{"organization":{"notes":"new %d"}}`}
	orgCreate    = change{"POST", "organizations", `{"organization":{"name":"new %d"}}`}
	orgDelete    = change{"DELETE", "organizations", ""}
)

func (c change) of(n int) string {
	if c.body == "" {
		return ""
	}
	return fmt.Sprintf(c.body, n)
}

// records lists the ids of a family's first n records.
func records(t *testing.T, client *http.Client, family string, n int) (ids []int) {
	t.Helper()
	for page := 1; len(ids) < n; page++ {
		r := fetch(t.Context(), client, fmt.Sprintf("/api/v2/%s?per_page=100&page=%d", family, page))
		list, _ := at(r.value, family).([]any)
		if len(list) == 0 {
			t.Fatalf("%d of %s, want %d: %d, %v", len(ids), family, n, r.status, r.err)
		}
		for _, record := range list {
			ids = append(ids, int(at(record, "id").(float64)))
		}
	}
	return ids
}

// through makes n writes at once and returns what each came to.
func (c change) through(t *testing.T, client *http.Client, ids []int, n int) []reply {
	got := make([]reply, n)
	workers(n, n, func(i int) {
		got[i] = write(flyball.WithBatch(t.Context()), client, c.method, c.path(i, ids), c.of(i))
	})
	return got
}

// faultsOf compares what the callers were told with the account's records.
func (c change) faultsOf(t *testing.T, client *http.Client, ids []int, got []reply, failing int) (fault string) {
	t.Helper()
	failed := 0
	one := strings.TrimSuffix(c.family, "s")
	done := c.done(t, client, ids, len(got))
	for i, r := range got {
		want := map[string]int{"PUT": 200, "POST": 201, "DELETE": 204}[c.method]
		if !done[i] {
			failed, want = failed+1, http.StatusUnprocessableEntity
		}
		if r.err != nil || r.status != want {
			fault = fmt.Sprintf("write %d: %d, %v, %v, want %d", i, r.status, r.err, r.value, want)
		}
		if !done[i] && !strings.Contains(fmt.Sprint(at(r.value, "details", "base")), "made to fail") {
			fault = fmt.Sprintf("write %d: the reason is lost: %v", i, r.value)
		}
		if done[i] && c.method != "DELETE" && !strings.Contains(fmt.Sprint(at(r.value, one)), fmt.Sprintf("new %d", i)) {
			fault = fmt.Sprintf("write %d: not its own object: %v", i, r.value)
		}
	}
	if failed != failing {
		fault = fmt.Sprintf("%d writes are not done, want %d; %s", failed, failing, fault)
	}
	return fault
}

// done says which of n writes the account has carried out.
func (c change) done(t *testing.T, client *http.Client, ids []int, n int) []bool {
	t.Helper()
	done := make([]bool, n)
	if c.method == http.MethodPost {
		for page := 1; ; page++ {
			r := fetch(t.Context(), client, fmt.Sprintf("/api/v2/%s?per_page=100&page=%d", c.family, page))
			list, _ := at(r.value, c.family).([]any)
			for _, record := range list {
				name, _ := at(record, "name").(string)
				if name == "" {
					name, _ = at(record, "subject").(string)
				}
				var i int
				if k, _ := fmt.Sscanf(name, "new %d", &i); k == 1 && i < n {
					done[i] = true
				}
			}
			if len(list) == 0 {
				return done
			}
		}
	}
	one := strings.TrimSuffix(c.family, "s")
	for i := range n {
		r := fetch(t.Context(), client, fmt.Sprintf("/api/v2/%s/%d", c.family, ids[i]))
		mark := fmt.Sprintf("new %d", i)
		done[i] = at(r.value, one, "subject") == mark || at(r.value, one, "notes") == mark || c.method == "DELETE" && r.status == 404
	}
	return done
}

// Behaviour F1: of a completed job in which 63 of 100 items failed, each caller gets the outcome of its own.
func TestSixtyThreeFailuresReachExactlyTheirCallers(t *testing.T) {
	check := func(t *testing.T, c change, form simulator.ResultForm, writes func(change, *testing.T, *account, []int) []reply) (fault string) {
		synctest.Test(t, func(t *testing.T) {
			many := map[string]string{"PUT": "update_many", "POST": "create_many", "DELETE": "destroy_many"}[c.method]
			a := newAccount(t, 5, simulator.Options{
				Limit: 2500, Tickets: 150, Users: 150, Organizations: 150, NoUserWriteSecond: true,
				Faults: []simulator.Fault{{Path: "*" + many, Items: 63, Results: form}},
			}, governedBy(flyball.Options{}))
			bare := &http.Client{Transport: a.RoundTripper()}
			ids := records(t, bare, c.family, 101)
			got := writes(c, t, a, ids)
			fault = c.faultsOf(t, bare, ids, got, 63)
		})
		return fault
	}
	flown := func(c change, t *testing.T, a *account, ids []int) []reply { return c.through(t, a.client, ids, 101) }
	for _, c := range []change{ticketUpdate, ticketCreate, ticketDelete, userUpdate, userCreate, orgUpdate, orgCreate, orgDelete} {
		for _, form := range []simulator.ResultForm{"", "index+shuffled", "id+shuffled"} {
			if c.method == "POST" && c.family == "tickets" && form == "id+shuffled" {
				continue // nothing tells those apart: TestACreationThatCannotBeTraced
			}
			t.Run(fmt.Sprintf("%s %s %s", c.method, c.family, form), func(t *testing.T) {
				if fault := check(t, c, form, flown); fault != "" {
					t.Error(fault)
				}
			})
		}
	}
	if fault := check(t, ticketUpdate, "", completedIsDone); fault == "" {
		t.Error("the check finds nothing on the faulty twin either")
	} else {
		t.Logf("the twin: %s", fault)
	}
}

// completedIsDone is the twin: it makes the job itself, waits until it is
// completed, and takes that for success.
func completedIsDone(c change, t *testing.T, a *account, ids []int) []reply {
	var items []string
	for i := range 100 {
		items = append(items, fmt.Sprintf(`{"id":%d,"subject":"new %d"}`, ids[i], i))
	}
	job := write(t.Context(), a.client, "PUT", "/api/v2/tickets/update_many", `{"tickets":[`+strings.Join(items, ",")+`]}`)
	for at(job.value, "job_status", "status") != "completed" {
		time.Sleep(2 * time.Second)
		job = fetch(t.Context(), a.client, "/api/v2/job_statuses/"+fmt.Sprint(at(job.value, "job_status", "id")))
	}
	got := make([]reply, 100)
	for i := range got {
		got[i] = reply{status: 200, value: map[string]any{"ticket": fmt.Sprintf("new %d", i)}}
	}
	return got
}

// Behaviour F3: a fresh job that answers 404 for a moment is waited for.
func TestAFreshJobIsWaitedFor(t *testing.T) {
	check := func(t *testing.T, writes func(change, *testing.T, *account, []int) []reply) (fault string) {
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t, 6, simulator.Options{
				Limit: 700, Faults: []simulator.Fault{{Path: "*update_many", Unseen: 20 * time.Second}},
				JobLag: func(int) time.Duration { return time.Second },
			}, governedBy(flyball.Options{}))
			bare := &http.Client{Transport: a.RoundTripper()}
			ids := records(t, bare, "tickets", 41)
			got := writes(ticketUpdate, t, a, ids)
			fault = ticketUpdate.faultsOf(t, bare, ids, got, 0)
			if n := a.Ledger().Changed["ticket update"]; n != len(got) {
				fault = fmt.Sprintf("%d updates for %d calls; %s", n, len(got), fault)
			}
		})
		return fault
	}
	if fault := check(t, func(c change, t *testing.T, a *account, ids []int) []reply { return c.through(t, a.client, ids, 41) }); fault != "" {
		t.Error(fault)
	}
	twin := func(c change, t *testing.T, a *account, ids []int) []reply {
		job := write(t.Context(), a.client, "PUT", "/api/v2/tickets/update_many", fmt.Sprintf(`{"tickets":[{"id":%d,"subject":"new 0"}]}`, ids[0]))
		seen := fetch(t.Context(), a.client, "/api/v2/job_statuses/"+fmt.Sprint(at(job.value, "job_status", "id")))
		return []reply{seen} // "there is no such job": the write has failed
	}
	if fault := check(t, twin); fault == "" {
		t.Error("the check finds nothing on the faulty twin either")
	} else {
		t.Logf("the twin: %s", fault)
	}
}

// Behaviour F4: the jobs of one credential are polled together, spaced out, and the polls are charged and counted.
func TestJobsArePolledTogetherAndSpacedOut(t *testing.T) {
	const tickets = 601
	check := func(t *testing.T, merged bool) (fault string) {
		synctest.Test(t, func(t *testing.T) {
			var transport *flyball.Transport
			a := newAccount(t, 7, simulator.Options{Limit: 2500, Tickets: tickets, Latency: usual}, merging(&transport))
			ids := make([]int, tickets)
			for i := range ids {
				ids[i] = i + 1
			}
			if merged {
				for i, r := range ticketUpdate.through(t, a.client, ids, tickets) {
					if r.status != 200 {
						fault = fmt.Sprintf("write %d: %d, %v; ", i, r.status, r.err)
					}
				}
			} else {
				polledOften(t, a, ids)
			}
			l := a.Ledger()
			var polls []time.Time
			jobs := 0
			for _, r := range l.Requests {
				if strings.Contains(r.Path, "update_many") {
					jobs++
				}
				if strings.Contains(r.Path, "job_statuses") {
					polls = append(polls, r.At)
					if r.Status != 200 || len(r.Buckets) == 0 {
						fault += fmt.Sprintf("a poll was answered %d and drew on %v; ", r.Status, r.Buckets)
					}
				}
			}
			for i := 1; i < len(polls); i++ {
				if gap := polls[i].Sub(polls[i-1]); gap < time.Second {
					fault += fmt.Sprintf("poll %d comes %s after the one before; ", i, gap)
				}
			}
			if jobs < 6 || len(polls) > 8 {
				fault += fmt.Sprintf("%d polls for %d jobs; ", len(polls), jobs)
			}
			if n := transport.Snapshot().Sends; n != l.Sends {
				fault += fmt.Sprintf("%d sends were counted of %d; ", n, l.Sends)
			}
			t.Logf("%d jobs, %d polls, %d sends", jobs, len(polls), l.Sends)
		})
		return fault
	}
	if fault := check(t, true); fault != "" {
		t.Error(fault)
	}
	if fault := check(t, false); fault == "" {
		t.Error("the check finds nothing on the faulty twin either")
	}
}

// polledOften is the twin: each job has a loop of its own, of 0.25 s.
func polledOften(t *testing.T, a *account, ids []int) {
	workers(6, 6, func(k int) {
		var items []string
		for i := range 100 {
			items = append(items, fmt.Sprintf(`{"id":%d,"subject":"new"}`, ids[100*k+i]))
		}
		job := write(t.Context(), a.client, "PUT", "/api/v2/tickets/update_many", `{"tickets":[`+strings.Join(items, ",")+`]}`)
		id := fmt.Sprint(at(job.value, "job_status", "id"))
		for at(job.value, "job_status", "status") != "completed" {
			time.Sleep(250 * time.Millisecond)
			job = fetch(t.Context(), a.client, "/api/v2/job_statuses/"+id)
		}
	})
}

// Behaviour F6: more than a hundred writes are split into jobs of at most a hundred.
func TestMoreThanAHundredWritesAreSplit(t *testing.T) {
	check := func(t *testing.T, merged bool) (fault string) {
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t, 8, simulator.Options{Limit: 700, Tickets: 350}, governedBy(flyball.Options{}))
			var items []string
			ids := make([]int, 350)
			for i := range ids {
				ids[i] = i + 1
				items = append(items, fmt.Sprintf(`{"id":%d,"subject":"new %d"}`, i+1, i))
			}
			if merged {
				ticketUpdate.through(t, a.client, ids, len(ids))
			} else {
				write(t.Context(), a.client, "PUT", "/api/v2/tickets/update_many", `{"tickets":[`+strings.Join(items, ",")+`]}`)
			}
			l := a.Ledger()
			if l.Status[400] != 0 || l.Changed["ticket update"] != len(ids) {
				fault = fmt.Sprintf("%v, %d updates of %d", l.Status, l.Changed["ticket update"], len(ids))
			}
		})
		return fault
	}
	if fault := check(t, true); fault != "" {
		t.Error(fault)
	}
	if fault := check(t, false); fault == "" {
		t.Error("the check finds nothing on the faulty twin either")
	}
}
