package desk

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	jobLife   = 24 * time.Hour // data are kept one day (zendesk-facts 5.2)
	jobsShown = 100            // the last jobs that can be listed (zendesk-facts 5.2)
)

// work is what kind of job it is.
type work struct {
	name    string // job_type
	class   string // as TooManyJobs names it
	fail    string // error of an item that was made to fail
	message string // while working; %d is the item's number
	create  bool   // fails as a whole if every item fails
	whole   bool   // total and progress are null, results one object
}

// job is a background job. Its items are done when their time has come and
// somebody looks.
type job struct {
	work
	id      string
	number  uint64
	created time.Time // exact
	start   time.Time
	end     time.Time
	items   int
	step    func(item int, at time.Time) outcome
	results []outcome
	bad     int // items that failed
	over    bool

	// Faults:
	failed bool // ends so, with nothing done
	stuck  bool // never ends
	unseen time.Duration
	form   ResultForm
	places []int // where each result is shown
}

// outcome is one item's result; which fields there are depends on the job
// (zendesk-facts 5.2).
type outcome struct {
	Index     *int   `json:"index,omitempty"`
	Action    string `json:"action,omitempty"`
	ID        uint64 `json:"id,omitempty"`
	AccountID uint64 `json:"account_id,omitempty"`
	Status    string `json:"status,omitempty"`
	Success   bool   `json:"success,omitempty"`
	Error     string `json:"error,omitempty"`
	Details   string `json:"details,omitempty"`
	Email     string `json:"email,omitempty"`
	External  string `json:"external_id,omitempty"`
}

func done(action, status string, id uint64) outcome {
	return outcome{Action: action, ID: id, Status: status, Success: true}
}

// failure is an item that could not be done; the job may be completed all the
// same.
func failure(index int, name string, id uint64, why *answer) outcome {
	return outcome{Index: &index, Error: name, ID: id, Details: why.reason}
}

// begin queues a job over so many items. id names the record that an item is
// about; it is nil for creates.
func (c *call) begin(w work, items int, id func(int) uint64, step func(int, time.Time) outcome) answer {
	if limit := c.options.JobLimit; limit > 0 {
		if running := c.running(); len(running) >= limit {
			return tooManyJobs(w.class, limit, running)
		}
	}
	lag := max(0, c.options.JobLag(items))
	c.jobCount++
	j := &job{
		work: w, id: "V3-" + c.token(16), number: c.jobCount, created: c.exact, items: items, step: step,
		start: c.exact.Add(lag / 4), end: c.exact.Add(lag),
	}
	c.spoil(j, id)
	c.forgetJobs()
	c.jobs = append(c.jobs, j)
	return ok(encode(map[string]any{"job_status": c.jobJSON(j, c.exact.Add(-1))})) // always queued at first
}

func tooManyJobs(class string, limit int, running []string) answer {
	a := answer{status: http.StatusTooManyRequests, header: http.Header{
		"Retry-After":                     {"60"},
		"Zendesk-Ratelimit-Inflight-Jobs": {"total=" + strconv.Itoa(limit) + "; remaining=0; resets=60"},
	}}
	a.body = encode(struct {
		Error       string   `json:"error"`
		Description string   `json:"description"`
		IDs         []string `json:"current_job_ids"`
	}{"TooManyJobs", "Too many " + class + " jobs are currently queued or running. Try again later.", running})
	return a
}

func (d *Desk) forgetJobs() {
	for len(d.jobs) > 0 && d.jobs[0].over && (len(d.jobs) >= jobsShown || d.exact.Sub(d.jobs[0].created) > jobLife) {
		d.jobs = d.jobs[1:]
	}
}

// Jobs lists the ids of the jobs that are queued or running, oldest first.
func (d *Desk) Jobs(now time.Time) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.advance(now)
	return d.running()
}

func (d *Desk) running() []string {
	ids := []string{}
	for _, j := range d.jobs {
		if !j.over {
			ids = append(ids, j.id)
		}
	}
	return ids
}

// advance does the items of all jobs that are due, each at its own time.
func (d *Desk) advance(now time.Time) {
	d.exact = now
	for _, j := range d.jobs {
		if !j.over {
			j.advance(now)
		}
	}
}

func (j *job) advance(now time.Time) {
	if j.stuck {
		return
	}
	for !j.failed && len(j.results) < j.items {
		at := j.due(len(j.results))
		if at.After(now) {
			return
		}
		r := j.step(len(j.results), second(at))
		if r.Error != "" {
			j.bad++
		}
		j.results = append(j.results, r)
	}
	j.over = !j.end.After(now)
}

// due is when an item is done: evenly from the start to the end.
func (j *job) due(item int) time.Time {
	return j.start.Add(j.end.Sub(j.start) * time.Duration(item+1) / time.Duration(j.items))
}

type jobJSON struct {
	ID       string  `json:"id"`
	JobType  string  `json:"job_type"`
	URL      string  `json:"url"`
	Total    *int    `json:"total"`
	Progress *int    `json:"progress"`
	Status   string  `json:"status"`
	Message  *string `json:"message"`
	Results  any     `json:"results"`
}

func (c *call) jobJSON(j *job, now time.Time) jobJSON {
	v := jobJSON{ID: j.id, JobType: j.name, URL: c.absolute("/api/v2/job_statuses/" + j.id + ".json"), Status: "queued"}
	if !j.whole {
		v.Total = &j.items
	}
	switch {
	case j.over:
		c.jobEnd(j, &v)
	case !j.start.After(now):
		n := len(j.results)
		v.Status, v.Message = "working", &j.message
		if strings.Contains(j.message, "%d") {
			v.Message = new(fmt.Sprintf(j.message, min(n+1, j.items)))
		}
		if !j.whole {
			v.Progress = &n
		}
	}
	return v
}

func (c *call) jobEnd(j *job, v *jobJSON) {
	word, progress := "Completed", j.items
	v.Status, v.Results = "completed", j.shown()
	if j.failed || j.create && j.bad == j.items {
		v.Status, word, progress = "failed", "Failed", 0
	}
	if j.failed {
		v.Results = nil
	}
	v.Message = new(word + " at " + j.end.UTC().Format("2006-01-02 15:04:05 -0700"))
	if j.whole {
		v.Results = map[string]bool{"success": j.bad == 0 && !j.failed}
		return
	}
	v.Progress = &progress
}

// jobRow puts jobs into pages.
type jobRow struct {
	*job
	c *call
}

func (r jobRow) key() uint64 { return r.number }

func (r jobRow) append(b []byte, _ string) []byte {
	return append(b, encode(r.c.jobJSON(r.job, r.c.exact))...)
}

// seen leaves out the jobs too new to be found.
func (c *call) seen() []jobRow {
	var rows []jobRow
	for _, j := range c.jobs {
		if age := c.exact.Sub(j.created); age >= j.unseen && age <= jobLife {
			rows = append(rows, jobRow{j, c})
		}
	}
	return rows
}

// listJobs sorts by completion, then creation, newest first; what still runs
// comes before.
func listJobs(c *call) answer {
	rows := c.seen()
	rows = rows[max(0, len(rows)-jobsShown):]
	o := order[jobRow]{name: "completed_at,id", desc: true, by: func(r jobRow) int64 {
		if !r.over {
			return math.MaxInt64
		}
		return r.end.Unix()
	}}
	return paginate(c, "job_statuses", o.sort(rows), o, nil)
}

func showJob(c *call) answer {
	for _, r := range c.seen() {
		if r.id == c.args[0] {
			return ok(encode(map[string]any{"job_status": c.jobJSON(r.job, c.exact)}))
		}
	}
	return *notFound()
}

func showManyJobs(c *call) answer {
	ids := strings.Split(c.param("ids"), ",")
	if len(ids) > maxBulk {
		return *tooManyValues()
	}
	found := []jobJSON{}
	for _, r := range c.seen() {
		if slices.Contains(ids, r.id) {
			found = append(found, c.jobJSON(r.job, c.exact))
		}
	}
	return ok(encode(map[string]any{"job_statuses": found}))
}
