package zendesk

import (
	"bytes"
	"encoding/json"

	"github.com/flyballhq/flyball/limit"
)

// maxJobs bounds how many jobs are read out of one answer.
const maxJobs = 1000

type jobStatus struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// ended reports whether the status is a last one. "killed" is in older pages
// and in three clients.
func (j jobStatus) ended() bool {
	return j.Status == "completed" || j.Status == "failed" || j.Status == "killed"
}

// Jobs reads job statuses out of an answer's body, and out of TooManyJobs the
// jobs that are running. It returns nil when it finds none.
func (p *Provider) Jobs(_ *limit.Route, body []byte) []limit.Job {
	if !bytes.Contains(body, []byte(`"job_status`)) && !bytes.Contains(body, []byte(`"current_job_ids"`)) {
		return nil
	}
	var answer struct {
		One     jobStatus   `json:"job_status"`
		Many    []jobStatus `json:"job_statuses"`
		Current []string    `json:"current_job_ids"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil
	}
	var jobs []limit.Job
	for _, j := range append([]jobStatus{answer.One}, answer.Many...) {
		if j.ID != "" && len(jobs) < maxJobs {
			jobs = append(jobs, limit.Job{ID: j.ID, Ended: j.ended()})
		}
	}
	for _, id := range answer.Current {
		if id != "" && len(jobs) < maxJobs {
			jobs = append(jobs, limit.Job{ID: id})
		}
	}
	return jobs
}
