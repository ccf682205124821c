package observe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// became is the record of a write of which this has become.
func became(ctx context.Context, o *Observer, method, path, body string, status int, change func(*record)) *record {
	req, _ := http.NewRequestWithContext(ctx, method, "https://acme.zendesk.com"+path, nil)
	r := &record{method: method, path: path, route: o.provider.Route(req), status: status, header: http.Header{}, done: make(chan struct{})}
	r.write, r.object = o.provider.SingleWrite(req)
	r.said.purse = &o.room
	if change != nil {
		change(r)
	}
	o.enter(r, nil)
	o.enter(r, []byte(body))
	close(r.done)
	return r
}

// What the account said of each write is what a job would have said of it as
// an item, as far as the job says it too.
func TestAMadeUpJobEndsAsItsWritesDid(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		change func(*record)
		want   int // the item's refusal, 0 when it was done
	}{
		"done":                  {200, nil, 0},
		"gone":                  {404, nil, 404},
		"invalid":               {422, nil, 422},
		"bad":                   {400, nil, 422},
		"forbidden":             {403, nil, 403},
		"in conflict":           {409, nil, 409},
		"refused by a limit":    {429, func(r *record) { r.refused = true }, 0},
		"a limit's 403":         {403, func(r *record) { r.refused = true }, 0},
		"a fault":               {503, nil, 0},
		"without an answer":     {0, func(r *record) { r.err = errors.New("broken") }, 0},
		"with a wrong password": {401, nil, 0},
	} {
		for _, kind := range []struct{ method, path, item, body string }{
			{"PUT", "/api/v2/tickets/%d", `{"id":%d,"subject":"x"}`, `{"ticket":%s}`},
			{"POST", "/api/v2/tickets", `{"subject":"%d"}`, `{"ticket":%s}`},
			{"POST", "/api/v2/users", `{"name":"a","email":"u%d@example.org"}`, `{"user":%s}`},
			{"DELETE", "/api/v2/organizations/%d", "", ""},
		} {
			t.Run(name+" "+kind.method, func(t *testing.T) {
				o := &Observer{provider: zendesk.New(zendesk.Team)}
				o.room.left.Store(roomForBodies)
				var form *limit.WriteForm
				var like *record
				var items []limit.WriteItem
				for id := uint64(1); id <= 3; id++ { // all but the second are done
					status, change := 200, func(r *record) {
						r.header.Set("Location", fmt.Sprintf("https://acme.zendesk.com/api/v2/tickets/%d.json", 700+id))
					}
					if id == 2 {
						status, change = c.status, c.change
					}
					path, body := kind.path, ""
					if kind.method != "POST" {
						path = fmt.Sprintf(kind.path, id)
					}
					if kind.body != "" {
						body = fmt.Sprintf(kind.body, fmt.Sprintf(kind.item, id))
					}
					like = became(t.Context(), o, kind.method, path, body, status, change)
					form = like.write
					item, ok := o.provider.WriteItem(form, like.object, []byte(body))
					if !ok {
						t.Fatalf("%s is no item", body)
					}
					items = append(items, item)
				}
				query, body := o.provider.BulkWrite(form, items)
				began := time.Now()
				id := o.begin(began, like, query, body)
				if text := string(encoded("job_status", o.jobs.report(began.Add(jobLasts), id))); len(o.provider.JobReports([]byte(text))) != 1 || o.provider.JobReports([]byte(text))[0].Ended {
					t.Fatalf("too soon it says %s", text)
				}
				reports := o.provider.JobReports(encoded("job_status", o.jobs.report(began.Add(jobLasts+3*itemLasts), id)))
				if len(reports) != 1 || !reports[0].Ended || reports[0].ID != id {
					t.Fatalf("it ends with %+v", reports)
				}
				got, _ := o.provider.Outcomes(form, items, &reports[0], nil)
				for i, outcome := range got {
					want := 0
					if i == 1 {
						want = c.want
					}
					if !outcome.Known || outcome.Status != want {
						t.Errorf("item %d: %+v, want status %d", i, outcome, want)
					}
					if kind.method == "POST" && i != 1 && outcome.ID != uint64(701+i) {
						t.Errorf("item %d has made %d, want %d", i, outcome.ID, 701+i)
					}
				}
				if len(o.jobs.of) != 0 {
					t.Errorf("%d jobs are left", len(o.jobs.of))
				}
			})
		}
	}
}

// A job that nobody asks for is forgotten, and one whose writes are not
// answered yet has not ended.
func TestMadeUpJobsAreForgotten(t *testing.T) {
	var all jobs
	now := time.Now()
	first := all.add(now, &job{began: now, ids: []uint64{1}, members: []*record{{done: make(chan struct{})}}})
	if said := all.report(now.Add(time.Minute), first); said["status"] != "working" {
		t.Errorf("%v", said)
	}
	later := now.Add(forgetJob + 1)
	if all.add(later, &job{began: later}); len(all.of) != 1 {
		t.Errorf("%d jobs are kept", len(all.of))
	}
}
