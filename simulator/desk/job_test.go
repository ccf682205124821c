package desk

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// run starts a job and returns it at its end.
func (d *desktop) run(method, target, body string) object {
	d.t.Helper()
	job := d.want(200, method, target, body).object("job_status")
	d.now = d.now.Add(time.Minute)
	return d.get("/api/v2/job_statuses/" + job["id"].(string) + ".json").object("job_status")
}

func TestJobGoesFromQueuedOverWorkingToCompleted(t *testing.T) {
	d := newDesk(t, Options{JobLag: func(items int) time.Duration { return time.Duration(items) * 4 * time.Second }})
	job := d.want(200, "POST", "/api/v2/tickets/create_many.json", `{"tickets":[{"comment":{"body":"a"}},{"comment":{"body":"b"}},{"comment":{"body":"c"}}]}`).object("job_status")
	id := job["id"].(string)
	if len(id) != len("V3-")+32 || job["url"] != origin+"/api/v2/job_statuses/"+id+".json" || job["job_type"] != "Bulk Create Ticket" {
		t.Errorf("job %v", job)
	}
	for _, step := range []struct {
		after            time.Duration
		status, progress string
		tickets          int
	}{{0, "queued", "<nil>", 250}, {3, "working", "0", 250}, {6, "working", "1", 251}, {10, "working", "2", 252}, {12, "completed", "3", 253}} {
		d.now = noon.Add(step.after * time.Second)
		if running := d.Jobs(d.now); slices.Contains(running, id) == (step.status == "completed") {
			t.Errorf("after %ds the running jobs are %v", step.after, running)
		}
		job = d.get("/api/v2/job_statuses/" + id).object("job_status")
		if step.after == 0 {
			continue // the start has its own test: the answer to the create
		}
		if job["status"] != step.status || fmt.Sprint(job["progress"]) != step.progress {
			t.Errorf("after %ds: %v", step.after, job)
		}
		if n := d.get("/api/v2/tickets/count").object("count")["value"]; n != float64(step.tickets) {
			t.Errorf("after %ds: %v tickets, want %d", step.after, n, step.tickets)
		}
		if finished := job["results"] != nil; finished != (step.status == "completed") {
			t.Errorf("after %ds: results %v", step.after, job["results"])
		}
	}
	if job["message"] != "Completed at 2026-11-23 12:00:12 +0000" {
		t.Errorf("message %v", job["message"])
	}
	ids := map[uint64]bool{}
	for i, r := range job.list("results") {
		ids[r.id()] = true
		if r["index"] != float64(i) || r["account_id"] == nil || len(r) != 3 {
			t.Errorf("result %d: %v", i, r)
		}
	}
	if len(ids) != 3 {
		t.Errorf("ids %v", ids)
	}
}

func TestNewJobIsQueuedAndEmpty(t *testing.T) {
	d := newDesk(t, Options{JobLag: func(int) time.Duration { return 0 }})
	job := d.want(200, "DELETE", "/api/v2/tickets/destroy_many?ids=1,2", "").object("job_status")
	if job["status"] != "queued" || job["progress"] != nil || job["message"] != nil || job["results"] != nil || job["total"] != 2.0 || job["job_type"] != "Bulk Update Ticket" {
		t.Errorf("new job: %v", job)
	}
}

func TestResultsHaveEveryRecordedShape(t *testing.T) {
	d := newDesk(t, Options{})
	org := d.get("/api/v2/organizations").list("organizations")[0]
	orgID, taken := org.id(), d.get("/api/v2/organizations").list("organizations")[1]["name"]
	userID := d.get("/api/v2/users").list("users")[5].id()
	for _, c := range []struct {
		method, target, body, status string
		keys                         []string // of the first result, sorted
		second                       string   // error of the second result
	}{
		{"POST", "/api/v2/tickets/create_many", `{"tickets":[{"comment":{"body":"a"}},{"subject":"no comment"}]}`, "completed", []string{"account_id", "id", "index"}, "TicketCreateFailed"},
		{"POST", "/api/v2/tickets/create_many", `{"tickets":[{"subject":"no comment"}]}`, "failed", []string{"details", "error", "index"}, ""},
		{"POST", "/api/v2/imports/tickets/create_many", `{"tickets":[{"comments":[{"value":"a"},{"value":"b"}],"created_at":"2020-01-01T00:00:00Z"}]}`, "completed", []string{"account_id", "id", "index"}, ""},
		{"PUT", "/api/v2/tickets/update_many?ids=1,999999", `{"ticket":{"additional_tags":["zz"]}}`, "completed", []string{"action", "id", "status", "success"}, "TicketUpdateFailed"},
		{"PUT", "/api/v2/tickets/update_many", `{"tickets":[{"id":2,"subject":"x"},{"id":3,"status":"odd"}]}`, "completed", []string{"action", "id", "status", "success"}, "TicketUpdateFailed"},
		{"DELETE", "/api/v2/tickets/destroy_many?ids=4,999999", "", "completed", []string{"action", "id", "status", "success"}, "TicketUpdateFailed"},
		{"PUT", "/api/v2/tickets/mark_many_as_spam?ids=5", "", "completed", []string{"action", "id", "status", "success"}, ""},
		{"POST", "/api/v2/tickets/6/merge", `{"ids":[7],"target_comment":"in","source_comment":"out"}`, "completed", []string{"action", "id", "status", "success"}, ""},
		{"POST", "/api/v2/users/create_many", `{"users":[{"name":"A"},{"name":""}]}`, "completed", []string{"id", "status"}, "UserCreateFailed"},
		{"POST", "/api/v2/users/create_or_update_many", `{"users":[{"email":"admin@example.com","notes":"x"},{"name":"B","email":"nonsense"}]}`, "completed", []string{"id", "status"}, "UserCreateFailed"},
		{"PUT", fmt.Sprintf("/api/v2/users/update_many?ids=%d,1", userID), `{"user":{"notes":"x"}}`, "completed", []string{"action", "id", "status", "success"}, "UserUpdateFailed"},
		{"DELETE", fmt.Sprintf("/api/v2/users/destroy_many?ids=%d", userID), "", "completed", []string{"action", "id", "status", "success"}, ""},
		{"POST", "/api/v2/organizations/create_many", fmt.Sprintf(`{"organizations":[{"name":"New"},{"name":%q}]}`, taken), "completed", []string{"id", "status"}, "OrganizationCreateFailed"},
		{"PUT", "/api/v2/organizations/update_many", fmt.Sprintf(`{"organizations":[{"id":%d,"notes":"n"},{"id":%d,"name":%q}]}`, orgID, orgID, taken), "completed", []string{"action", "id", "status", "success"}, "OrganizationUpdateFailed"},
		{"DELETE", fmt.Sprintf("/api/v2/organizations/destroy_many?ids=%d", orgID), "", "completed", []string{"action", "id", "status", "success"}, ""},
	} {
		if !Find(c.method, strings.SplitN(c.target, "?", 2)[0]).Job {
			t.Errorf("%s %s must be known as a job", c.method, c.target)
		}
		job := d.run(c.method, c.target, c.body)
		results := job.list("results")
		if job["status"] != c.status || len(results) == 0 {
			t.Errorf("%s: %v", c.target, job)
			continue
		}
		var keys []string
		for k := range results[0] {
			keys = append(keys, k)
		}
		if slices.Sort(keys); !slices.Equal(keys, c.keys) {
			t.Errorf("%s: result %v", c.target, results[0])
		}
		if c.second != "" && (results[1]["error"] != c.second || results[1]["index"] != 1.0 || results[1]["details"] == "") {
			t.Errorf("%s: second result %v", c.target, results[1])
		}
		if c.status == "failed" && job["progress"] != 0.0 {
			t.Errorf("%s: a failed job shows progress 0: %v", c.target, job)
		}
	}
	if tags := d.get("/api/v2/tickets/1").object("ticket")["tags"]; !strings.Contains(fmt.Sprint(tags), "zz") {
		t.Errorf("additional_tags were lost: %v", tags)
	}
	if got := d.get("/api/v2/tickets/7").object("ticket"); got["status"] != "closed" {
		t.Errorf("merged ticket: %v", got["status"])
	}
}

func TestAdditionalTagsCountOnlyInTheFormForIDs(t *testing.T) {
	d := newDesk(t, Options{})
	d.run("PUT", "/api/v2/tickets/update_many", `{"tickets":[{"id":1,"additional_tags":["zz"]}]}`)
	d.want(200, "PUT", "/api/v2/tickets/1", `{"ticket":{"additional_tags":["zz"]}}`)
	if tags := fmt.Sprint(d.get("/api/v2/tickets/1").object("ticket")["tags"]); strings.Contains(tags, "zz") {
		t.Errorf("tags %s", tags)
	}
}

func TestBulkUpdateSparesWhatChangedSinceItWasQueued(t *testing.T) {
	d := newDesk(t, Options{JobLag: func(int) time.Duration { return 30 * time.Second }})
	job := d.want(200, "PUT", "/api/v2/tickets/update_many?ids=1", `{"ticket":{"subject":"bulk"}}`).object("job_status")
	d.now = d.now.Add(5 * time.Second)
	d.want(200, "PUT", "/api/v2/tickets/1", `{"ticket":{"subject":"agent"}}`)
	d.now = d.now.Add(time.Minute)
	job = d.get("/api/v2/job_statuses/" + job["id"].(string)).object("job_status")
	if r := job.list("results")[0]; r["error"] != "TicketUpdateFailed" || d.get("/api/v2/tickets/1").object("ticket")["subject"] != "agent" {
		t.Errorf("result %v", r)
	}
}

func TestJobsChangesComeWithTheNextReply(t *testing.T) {
	d := newDesk(t, Options{})
	body := `{"tickets":[{"subject":"s","comment":{"body":"b"}},{"subject":"s","comment":{"body":"b"}}]}`
	if r := d.do("POST", "/api/v2/tickets/create_many", body); len(r.Changed) != 0 {
		t.Errorf("nothing has changed yet: %v", r.Changed)
	}
	d.now = d.now.Add(time.Minute)
	d.Jobs(d.now)
	r := d.do("GET", "/api/v2/tickets/1", "")
	if want := []string{"ticket create false", "ticket create true"}; !slices.Equal(changes(r), want) {
		t.Errorf("changed %v, want %v", changes(r), want)
	}
	if r = d.do("GET", "/api/v2/tickets/1", ""); len(r.Changed) != 0 {
		t.Errorf("reported twice: %v", r.Changed)
	}
}

func TestJobLimitRefusesWithTheRunningJobs(t *testing.T) {
	d := newDesk(t, Options{JobLimit: 2})
	for range 2 {
		d.want(200, "DELETE", "/api/v2/users/destroy_many?ids=1", "")
	}
	r := d.do("DELETE", "/api/v2/users/destroy_many?ids=1", "")
	o := parse(t, r.Body)
	if r.Status != 429 || o["error"] != "TooManyJobs" || len(o["current_job_ids"].([]any)) != 2 || r.Header.Get("Retry-After") != "60" {
		t.Errorf("third job: %d %s", r.Status, r.Body)
	}
	if o["description"] != "Too many UserBulkUpdateJobV2 jobs are currently queued or running. Try again later." {
		t.Errorf("description %v", o["description"])
	}
	if d.now = d.now.Add(time.Minute); len(d.Jobs(d.now)) != 0 {
		t.Errorf("jobs never end: %v", d.Jobs(d.now))
	}
	d.want(200, "DELETE", "/api/v2/users/destroy_many?ids=1", "")
}

func TestFreshJobMayBeUnseen(t *testing.T) {
	d := newDesk(t, Options{JobUnseen: 2 * time.Second})
	id := d.want(200, "DELETE", "/api/v2/users/destroy_many?ids=1", "").object("job_status")["id"].(string)
	d.want(404, "GET", "/api/v2/job_statuses/"+id, "")
	if n := len(d.get("/api/v2/job_statuses/show_many?ids=" + id).list("job_statuses")); n != 0 {
		t.Errorf("show_many sees it")
	}
	d.now = d.now.Add(2 * time.Second)
	d.get("/api/v2/job_statuses/" + id)
}

func TestJobsAreListedNewestFirstForOneDay(t *testing.T) {
	d := newDesk(t, Options{})
	var ids []string
	for range 3 {
		ids = append(ids, d.want(200, "DELETE", "/api/v2/users/destroy_many?ids=1", "").object("job_status")["id"].(string))
		d.now = d.now.Add(time.Minute)
	}
	list := d.get("/api/v2/job_statuses?page[size]=2").list("job_statuses")
	if len(list) != 2 || list[0]["id"] != ids[2] || list[1]["id"] != ids[1] {
		t.Errorf("list %v, made %v", list, ids)
	}
	if many := d.get("/api/v2/job_statuses/show_many?ids=" + strings.Join(ids, ",")).list("job_statuses"); len(many) != 3 {
		t.Errorf("show_many: %v", many)
	}
	d.now = d.now.Add(25 * time.Hour)
	d.want(404, "GET", "/api/v2/job_statuses/"+ids[0], "")
}
