package desk

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// faulty starts a job with a fault and returns it after so long.
func (d *desktop) faulty(f JobFault, method, target, body string, after time.Duration) object {
	d.t.Helper()
	path, query, _ := strings.Cut(target, "?")
	r := d.Serve(d.now, Request{
		Method: method, Path: path, RawQuery: query, Body: []byte(body), Origin: origin, Fault: f,
		Header: map[string][]string{"Authorization": {"Bearer x"}, "Content-Type": {"application/json"}},
	})
	if r.Status != 200 {
		d.t.Fatalf("%s %s: %d %s", method, target, r.Status, r.Body)
	}
	d.now = d.now.Add(after)
	return d.get("/api/v2/job_statuses/" + parse(d.t, r.Body).object("job_status")["id"].(string)).object("job_status")
}

func updates(n int) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"id":%d,"subject":"new"}`, i+1)
	}
	return `{"tickets":[` + strings.Join(items, ",") + `]}`
}

func TestSingleItemsOfACompletedJobFail(t *testing.T) {
	d := newDesk(t, Options{})
	job := d.faulty(JobFault{Items: 63}, "PUT", "/api/v2/tickets/update_many", updates(100), time.Minute)
	failed := 0
	for i, r := range job.list("results") {
		subject := d.get(fmt.Sprintf("/api/v2/tickets/%d", i+1)).object("ticket")["subject"]
		if r["error"] != nil {
			failed++
			if r["error"] != "TicketUpdateFailed" || r["details"] == "" || r["index"] != float64(i) {
				t.Errorf("failed item %d: %v", i, r)
			}
		}
		if r.id() != uint64(i+1) || (subject == "new") == (r["error"] != nil) {
			t.Errorf("item %d: %v, subject %v", i, r, subject)
		}
	}
	if failed != 63 || job["status"] != "completed" {
		t.Errorf("%d failed, job %v", failed, job["status"])
	}
}

func TestResultsTakeAnyForm(t *testing.T) {
	d := newDesk(t, Options{})
	for _, form := range ResultForms() {
		list := d.faulty(JobFault{Items: 3, Results: form}, "PUT", "/api/v2/tickets/update_many", updates(9), time.Minute).list("results")
		indexed, inOrder := 0, true
		for i, r := range list {
			if index, ok := r["index"].(float64); ok {
				indexed++
				if uint64(index)+1 != r.id() {
					t.Errorf("%s: index and id disagree: %v", form, r)
				}
			}
			inOrder = inOrder && r.id() == uint64(i+1)
		}
		want := map[ResultForm]int{ResultsIndex: 9, ResultsIndexShuffled: 9, ResultsShuffled: 3}[form]
		if indexed != want || inOrder == strings.Contains(string(form), "shuffled") {
			t.Errorf("%s: %d have an index, want %d; in order: %v", form, indexed, want, inOrder)
		}
	}
	users := d.faulty(JobFault{Results: ResultsID}, "POST", "/api/v2/users/create_many", `{"users":[{"name":"","email":"no@example.com"},{"name":"B"}]}`, time.Minute).list("results")
	if users[0]["index"] != nil || users[0]["email"] != "no@example.com" || users[1]["status"] != "Created" {
		t.Errorf("users without index: %v", users)
	}
}

func TestJobFailsAsAWholeOrNeverEnds(t *testing.T) {
	d := newDesk(t, Options{})
	job := d.faulty(JobFault{Failed: true}, "PUT", "/api/v2/tickets/update_many", updates(3), time.Minute)
	if job["status"] != "failed" || job["results"] != nil || job["progress"] != 0.0 || !strings.HasPrefix(job["message"].(string), "Failed at ") {
		t.Errorf("failed job: %v", job)
	}
	job = d.faulty(JobFault{Stuck: true}, "PUT", "/api/v2/tickets/update_many", updates(3), time.Hour)
	if job["status"] != "working" || job["results"] != nil || !slices.Contains(d.Jobs(d.now), job["id"].(string)) {
		t.Errorf("stuck job: %v", job)
	}
	if subject := d.get("/api/v2/tickets/1").object("ticket")["subject"]; subject == "new" {
		t.Error("neither did anything, but ticket 1 has changed")
	}
}
