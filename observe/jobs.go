package observe

import (
	"encoding/json"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// How long a made-up job takes: jobs of one item were seen to take 1 to 6 s,
// of fifty 4 to 13 s, of a hundred 3 to 16 s (section 5.2 of the facts).
const (
	jobLasts     = 2 * time.Second
	itemLasts    = 100 * time.Millisecond
	forgetJob    = time.Hour // nobody waits longer for one
	madeUpPrefix = "observed-"
	// firstMadeUp is the first id of an object that was not really made. It
	// has no more digits than ids may.
	firstMadeUp = 900_000_000_000_000_000
)

// jobs are those that nobody really started. The zero value is ready.
type jobs struct {
	mu     sync.Mutex
	of     map[string]*job
	begun  uint64
	madeUp uint64
}

// A job is single writes that governing would have merged, and what really
// came of each.
type job struct {
	form    *limit.WriteForm
	ids     []uint64  // of the items
	members []*record // nil where that is not known
	began   time.Time
}

// begin starts the job that a send asks for in place of writes like r.
func (o *Observer) begin(now time.Time, r *record, query string, body []byte) (id string) {
	j := &job{form: r.write, began: now}
	for _, item := range itemsOf(r.write, query, body) {
		j.ids = append(j.ids, item.ID)
		j.members = append(j.members, o.live.take(writeName(r.write, item.ID, item.JSON, r.route.Credential)))
	}
	return o.jobs.add(now, j)
}

// itemsOf reads the items of a call for many.
func itemsOf(form *limit.WriteForm, query string, body []byte) (items []limit.WriteItem) {
	if form.Verb == limit.Deletes {
		for _, id := range idsIn(query) {
			items = append(items, limit.WriteItem{ID: id})
		}
		return items
	}
	var asked map[string][]json.RawMessage
	if json.Unmarshal(body, &asked) != nil {
		return nil
	}
	for _, text := range asked[form.Many] {
		var named struct {
			ID uint64 `json:"id"`
		}
		_ = json.Unmarshal(text, &named) // a creation has none
		items = append(items, limit.WriteItem{ID: named.ID, JSON: text})
	}
	return items
}

func (all *jobs) add(now time.Time, j *job) (id string) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.of == nil {
		all.of = map[string]*job{}
	}
	for id, old := range all.of {
		if now.Sub(old.began) > forgetJob {
			delete(all.of, id)
		}
	}
	all.begun++
	id = madeUpPrefix + strconv.FormatUint(all.begun, 10)
	all.of[id] = j
	return id
}

// report is what the account would say of a job. One that is not known, or not
// any more, has ended.
func (all *jobs) report(now time.Time, id string) map[string]any {
	all.mu.Lock()
	defer all.mu.Unlock()
	j := all.of[id]
	switch {
	case j == nil:
		return map[string]any{"id": id, "status": "completed"}
	case !j.ended(now):
		return map[string]any{"id": id, "status": "working"}
	}
	delete(all.of, id)
	results := make([]map[string]any, len(j.ids))
	for i := range j.ids {
		results[i] = j.result(i)
		if id, ok := results[i]["id"]; ok && id == uint64(0) {
			all.madeUp++
			results[i]["id"] = firstMadeUp + all.madeUp
		}
	}
	return map[string]any{"id": id, "status": "completed", "results": results}
}

// ended reports whether the job's time is over and all that it did is known.
func (j *job) ended(now time.Time) bool {
	if now.Sub(j.began) < jobLasts+time.Duration(len(j.ids))*itemLasts {
		return false
	}
	for _, r := range j.members {
		if r != nil && !r.ended() {
			return false
		}
	}
	return true
}

// result is one entry of the job's results. An object that was made, and of
// which nothing is known, has the id 0.
func (j *job) result(i int) map[string]any {
	r := j.members[i]
	said := map[string]any{"index": i, "id": j.ids[i]}
	if j.form.Verb == limit.Creates {
		said["id"] = made(r)
	} else {
		said["success"] = true
	}
	if r == nil || !r.denied() {
		return said
	}
	if j.form.Verb == limit.Creates {
		delete(said, "id")
	}
	said["success"], said["error"], said["details"] = false, "Failed", http.StatusText(r.status)
	return said
}

// denied reports whether the account refused the call for what it asked, and
// would have refused it as an item of a job.
func (r *record) denied() bool {
	switch r.status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return r.err == nil && !r.refused && r.status/100 == 4
}

// made is the id of the object that a call created, 0 when it is not known.
func made(r *record) uint64 {
	if r == nil || r.err != nil {
		return 0
	}
	id, err := strconv.ParseUint(strings.TrimSuffix(path.Base(r.header.Get("Location")), ".json"), 10, 64)
	if err != nil {
		return 0
	}
	return id
}
