package zendesk

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/limit"
)

func TestJobsAreReadInEveryShape(t *testing.T) {
	for body, want := range map[string][]limit.Job{
		`{"job_status":{"id":"V3-a","url":"https://acme.zendesk.com/api/v2/job_statuses/V3-a.json","total":null,"progress":null,"status":"queued","message":null,"results":null}}`: {{ID: "V3-a"}},
		`{"job_status":{"id":"b","status":"working","progress":7,"results":[{"id":1,"status":"Created"}]}}`:                                                                        {{ID: "b"}},
		`{"job_status":{"id":"c","status":"completed","results":{"success":true}}}`:                                                                                                {{ID: "c", Ended: true}},
		`{"job_statuses":[{"id":"d","status":"failed"},{"id":"e","status":"killed"},{"id":"f","status":"queued"}],"count":3}`:                                                      {{ID: "d", Ended: true}, {ID: "e", Ended: true}, {ID: "f"}},
		bodyE: {{ID: "0123456789abcdef0123456789abcdef"}},
		`{"job_status":{"id":"g","status":"new word"}}`: {{ID: "g"}},
		`{"tickets":[{"id":1,"status":"open"}]}`:        nil,
		`{"status":"failed","errors":[{"code":"x"}]}`:   nil,
		`{"job_status":{"status":"completed"}}`:         nil,
		`{"job_status":{"id":"h","status":"completed"`:  nil,
		`{"job_status":{"id":17,"status":"completed"}}`: nil,
		`"job_status"`: nil,
		``:             nil,
		`[{"job_status":{"id":"i","status":"completed"}`:  nil,
		`{"job_statuses":null,"job_status":"not a thing"`: nil,
	} {
		if got := New(Team).Jobs(nil, []byte(body)); !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", body, got, want)
		}
	}
}

func TestJobsReadFromOneAnswerAreBounded(t *testing.T) {
	many := make([]string, 3*maxJobs)
	for i := range many {
		many[i] = fmt.Sprintf(`{"id":"%d","status":"completed"}`, i)
	}
	body := `{"job_statuses":[` + strings.Join(many, ",") + `]}`
	if got := New(Team).Jobs(nil, []byte(body)); len(got) != maxJobs {
		t.Errorf("%d jobs are read", len(got))
	}
}
