package zendesk_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

var provider = zendesk.New(zendesk.UnknownPlan)

// formOf is the form of a single write such as "PUT tickets/1".
func formOf(t testing.TB, call string) *limit.WriteForm {
	t.Helper()
	method, path, _ := strings.Cut(call, " ")
	req, err := http.NewRequest(method, "https://acme.zendesk.com/api/v2/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	form, _ := provider.SingleWrite(req)
	if form == nil {
		t.Fatalf("%s has no form for many", call)
	}
	return form
}

func itemsOf(t testing.TB, form *limit.WriteForm, bodies ...string) []limit.WriteItem {
	t.Helper()
	items := make([]limit.WriteItem, len(bodies))
	for i, body := range bodies {
		id := uint64(0)
		if form.Verb != limit.Creates {
			id = uint64(i + 1)
		}
		if form.Verb != limit.Deletes {
			body = fmt.Sprintf(`{%q:%s}`, form.One, body)
		}
		item, ok := provider.WriteItem(form, id, []byte(body))
		if !ok {
			t.Fatalf("%s: not taken: %s", form.Class, body)
		}
		items[i] = item
	}
	return items
}

// matched writes outcomes as "0:done 7, 1:404 RecordNotFound, 2:?".
func matched(outcomes []limit.WriteOutcome) string {
	var parts []string
	for i, o := range outcomes {
		switch {
		case !o.Known:
			parts = append(parts, fmt.Sprintf("%d:?", i))
		case o.Status == 0:
			parts = append(parts, fmt.Sprintf("%d:done %d", i, o.ID))
		default:
			parts = append(parts, fmt.Sprintf("%d:%d %s", i, o.Status, o.Text))
		}
	}
	return strings.Join(parts, ", ")
}

const (
	threeTickets = `{"comment":{"body":"a"}}|{"comment":{"body":"b"}}|{"comment":{"body":"c"}}`
	threeUsers   = `{"name":"A","email":"A@example.com"}|{"name":"B","email":"b@example.com","external_id":"x"}|{"name":"C","email":"c@example.com"}`
	threeChanges = `{"subject":"a"}|{"subject":"b"}|{"subject":"c"}`
	threeNothing = `||`
)

// The three forms of results, whole and spoilt, for creates and for updates:
// each item is matched rightly or not at all.
var resultForms = []struct {
	name, call, bodies, results string
	want                        string
	loose                       string
}{
	{"by index", "POST tickets", threeTickets, `[{"index":0,"id":31,"account_id":9},{"index":1,"id":35},{"index":2,"id":33}]`, "0:done 31, 1:done 35, 2:done 33", "[]"},
	{"by index, out of order", "POST tickets", threeTickets, `[{"index":2,"id":33},{"index":0,"id":31},{"index":1,"error":"TicketCreateFailed","details":"Description: cannot be blank"}]`, "0:done 31, 1:422 Description: cannot be blank, 2:done 33", "[]"},
	{"without index", "POST users", threeUsers, `[{"id":3,"status":"Created"},{"id":1,"status":"Created"},{"id":2,"status":"Created"}]`, "0:?, 1:?, 2:?", "[3 1 2]"},
	{"without index, failures by e-mail", "POST users", threeUsers, `[{"id":3,"status":"Created"},{"error":"UserCreateFailed","details":"Name: cannot be blank","email":"B@example.com"},{"id":2,"status":"Created"}]`, "0:?, 1:422 Name: cannot be blank, 2:?", "[3 2]"},
	{"without index, one left", "POST users", threeUsers, `[{"error":"E","details":"d","email":"c@example.com"},{"error":"E","details":"d","external_id":"x"},{"id":2,"status":"Created"}]`, "0:done 2, 1:422 d, 2:422 d", "[]"},
	{"without index, all failed alike", "POST users", threeUsers, `[{"error":"E","details":"d"},{"error":"E","details":"d"},{"error":"E","details":"d"}]`, "0:422 d, 1:422 d, 2:422 d", "[]"},
	{"without index, all failed, each otherwise", "POST users", threeUsers, `[{"error":"E","details":"d"},{"error":"E","details":"e"},{"error":"E","details":"f"}]`, "0:422 d; or: e; or: f, 1:422 d; or: e; or: f, 2:422 d; or: e; or: f", "[]"},
	{"without index, who failed?", "POST users", threeUsers, `[{"error":"E","details":"d"},{"id":1,"status":"Created"},{"id":2,"status":"Created"}]`, "0:?, 1:?, 2:?", "[1 2]"},
	{"by id, out of order", "PUT tickets/1", threeChanges, `[{"action":"update","id":3,"status":"Updated","success":true},{"action":"update","id":1,"status":"Updated","success":true},{"action":"update","id":2,"status":"Failed","success":false,"error":"TicketUpdateFailed","details":"Ticket not found"}]`, "0:done 1, 1:404 Ticket not found, 2:done 3", "[]"},
	{"by id in quotes", "PUT users/1", threeChanges, `[{"id":"3","status":"Updated"},{"id":"1","status":"Updated"},{"id":"2","success":true}]`, "0:done 1, 1:done 2, 2:done 3", "[]"},
	{"deleted", "DELETE tickets/1", threeNothing, `[{"action":"delete","id":1,"status":"Deleted","success":true},{"index":1,"id":2,"error":"X","details":"Ticket not found"},{"action":"delete","id":3,"status":"Deleted","success":true}]`, "0:done 1, 1:404 Ticket not found, 2:done 3", "[]"},
	{"conflict", "PUT tickets/1", threeChanges, `[{"id":1,"error":"TicketUpdateFailed","details":"Safe Update prevented the update due to outdated ticket data"},{"id":2,"error":"PermissionDenied"},{"id":3,"success":true}]`, "0:409 Safe Update prevented the update due to outdated ticket data, 1:403 PermissionDenied, 2:done 3", "[]"},

	{"index and id disagree", "PUT tickets/1", threeChanges, `[{"index":0,"id":2,"success":true},{"index":1,"id":1,"success":true},{"id":3,"success":true}]`, "0:?, 1:?, 2:done 3", "[]"},
	{"one named twice, each time otherwise", "PUT tickets/1", threeChanges, `[{"id":1,"success":true},{"id":1,"success":false,"error":"x"},{"id":2,"success":true}]`, "0:?, 1:done 2, 2:?", "[]"},
	{"one named twice, alike", "PUT tickets/1", threeChanges, `[{"id":1,"success":true},{"id":1,"success":true},{"id":2,"success":true}]`, "0:done 1, 1:done 2, 2:?", "[]"},
	{"index past the end", "POST tickets", threeTickets, `[{"index":3,"id":31},{"index":-1,"id":32},{"index":0.5,"id":33}]`, "0:?, 1:?, 2:?", "[]"},
	{"another object's id", "PUT tickets/1", threeChanges, `[{"id":99,"success":true},{"id":2,"success":true},{"id":3,"success":true}]`, "0:?, 1:done 2, 2:done 3", "[]"},
	{"one object for two", "POST tickets", threeTickets, `[{"index":0,"id":31},{"index":1,"id":31},{"index":2,"id":32}]`, "0:?, 1:?, 2:done 32", "[]"},
	{"too few", "POST tickets", threeTickets, `[{"index":1,"id":31}]`, "0:?, 1:done 31, 2:?", "[]"},
	{"too few, none named", "POST users", threeUsers, `[{"error":"E","details":"d"}]`, "0:?, 1:?, 2:?", "[]"},
	{"too many", "PUT tickets/1", threeChanges, `[{"success":true},{"success":true},{"success":true},{"success":true}]`, "0:?, 1:?, 2:?", "[]"},
	{"made without an id", "POST tickets", threeTickets, `[{"index":0},{"index":1,"id":0},{"index":2,"id":null}]`, "0:?, 1:?, 2:?", "[]"},
	{"null", "PUT tickets/1", threeChanges, `null`, "0:?, 1:?, 2:?", "[]"},
	{"an object", "PUT tickets/1", threeChanges, `{"success":true}`, "0:?, 1:?, 2:?", "[]"},
	{"entries of the wrong kind", "PUT tickets/1", threeChanges, `[1,"a",null]`, "0:?, 1:?, 2:?", "[]"},
	{"empty entries", "PUT tickets/1", threeChanges, `[{},{},{}]`, "0:?, 1:?, 2:?", "[]"},
	{"nothing", "PUT tickets/1", threeChanges, ``, "0:?, 1:?, 2:?", "[]"},
}

// Behaviour F2: results are matched by index or id, in any order, and never guessed.
func TestResultsAreMatchedRightlyOrNotAtAll(t *testing.T) {
	wrong := 0
	for _, c := range resultForms {
		form := formOf(t, c.call)
		items := itemsOf(t, form, strings.Split(c.bodies, "|")...)
		job := &limit.JobReport{ID: "V3-1", Ended: true, Results: []byte(c.results)}
		outcomes, loose := provider.Outcomes(form, items, job, nil)
		if got := matched(outcomes); got != c.want || fmt.Sprint(loose) != c.loose {
			t.Errorf("%s:\n got %s, loose %v\nwant %s, loose %s", c.name, got, loose, c.want, c.loose)
		}
		if matched(byPlace(items, job)) != c.want {
			wrong++
		}
	}
	if wrong < len(resultForms)/2 { // the twin takes the n-th entry for the n-th item
		t.Errorf("matching by place is wrong in %d of %d forms only: the check is too weak", wrong, len(resultForms))
	}
}

// byPlace is how a client matches that trusts the order.
func byPlace(items []limit.WriteItem, job *limit.JobReport) []limit.WriteOutcome {
	var entries []struct {
		ID             uint64
		Error, Details string
	}
	_ = json.Unmarshal(job.Results, &entries)
	outcomes := make([]limit.WriteOutcome, len(items))
	for i := range min(len(items), len(entries)) {
		outcomes[i] = limit.WriteOutcome{Known: true, ID: entries[i].ID}
		if entries[i].Error != "" {
			outcomes[i].Status, outcomes[i].Text = 422, entries[i].Details
		}
	}
	return outcomes
}

func TestWhatAJobMadeIsClaimedByTheFieldsThatNobodyShares(t *testing.T) {
	form := formOf(t, "POST users")
	items := itemsOf(t, form, `{"name":"A","email":"A@example.com"}`, `{"name":"B","external_id":"x"}`, `{"name":"C","email":"c@example.com"}`, `{"name":"D","external_id":"x"}`)
	job := &limit.JobReport{Results: []byte(`[{"id":9},{"id":8},{"id":7},{"id":6},{"id":5}]`)}
	outcomes, _ := provider.Outcomes(form, items, job, map[uint64][]byte{
		5: []byte(`{"id":5,"email":"c@example.com","external_id":null}`),
		6: []byte(`{"id":6,"email":"a@example.com"}`),
		7: []byte(`{"id":7,"external_id":"x"}`),
		8: []byte(`{"id":8,"email":"stranger@example.com"}`),
		9: []byte(`no object`),
	})
	if got, want := matched(outcomes), "0:done 6, 1:?, 2:done 5, 3:?"; got != want {
		t.Errorf("claimed %s, want %s", got, want)
	}
	job.Results = []byte(`[{"error":"E","details":"d"},{"id":6},{"error":"E","details":"d"},{"id":5}]`)
	outcomes, _ = provider.Outcomes(form, items, job, map[uint64][]byte{
		5: []byte(`{"id":5,"email":"c@example.com"}`), 6: []byte(`{"id":6,"email":"a@example.com"}`),
	})
	if got, want := matched(outcomes), "0:done 6, 1:422 d, 2:done 5, 3:422 d"; got != want {
		t.Errorf("claimed, and the rest failed: %s, want %s", got, want)
	}
}

func TestOnlyPlainWritesBecomeItems(t *testing.T) {
	for _, c := range []struct{ call, body, want string }{
		{"PUT tickets/7", `{"ticket":{"subject":"a"}}`, `{"id":7,"subject":"a"}`},
		{"PUT tickets/7", ` { "ticket" : {} } `, `{"id":7}`},
		{"PUT tickets/7", `{"ticket":{"id":7,"subject":"a"}}`, `{"id":7,"subject":"a"}`},
		{"PUT tickets/7.json", `{"ticket":{"comment":{"body":"x"}}}`, `adds {"id":7,"comment":{"body":"x"}}`},
		{"PUT tickets/7", `{"ticket":{"id":8,"subject":"a"}}`, "alone"},
		{"PUT tickets/7", `{"ticket":{"id":7,"id":8}}`, "alone"},
		{"PUT tickets/7", `{"ticket":{"safe_update":true,"updated_stamp":"x"}}`, "alone"},
		{"PUT tickets/7", `{"ticket":{"additional_tags":["x"]}}`, "alone"},
		{"PUT tickets/7", `{"ticket":{},"ticket":{}}`, "alone"},
		{"PUT tickets/7", `{"ticket":{},"other":1}`, "alone"},
		{"PUT tickets/7", `{"ticket":[]}`, "alone"},
		{"PUT tickets/7", `{"ticket":null}`, "alone"},
		{"PUT tickets/7", `{"tickets":[{}]}`, "alone"},
		{"PUT tickets/7", `{"ticket":{}} {}`, "alone"},
		{"PUT tickets/7", `{"ticket":{}`, "alone"},
		{"PUT tickets/7", ``, "alone"},
		{"POST tickets", `{"ticket":{"subject":"a","comment":{"body":"x"}}}`, `adds {"subject":"a","comment":{"body":"x"}}`},
		{"POST tickets", `{"ticket":{"id":3}}`, "alone"},
		{"POST users", `{"user":{"name":"a"}}`, "alone"},
		{"POST users", `{"user":{"email":"a@b.c"}}`, `adds {"email":"a@b.c"}`},
		{"POST organizations", `{"organization":{"name":"a"}}`, `adds {"name":"a"}`},
		{"DELETE tickets/7", ``, ""},
		{"DELETE tickets/7", `{}`, "alone"},
	} {
		form := formOf(t, c.call)
		id := uint64(7)
		if form.Verb == limit.Creates {
			id = 0
		}
		item, ok := provider.WriteItem(form, id, []byte(c.body))
		got := string(item.JSON)
		if item.Adds {
			got = "adds " + got
		}
		if !ok {
			got = "alone"
		}
		if got != c.want || ok && item.ID != id {
			t.Errorf("%s %s: %s, want %s", c.call, c.body, got, c.want)
		}
	}
}

func TestOnlyPlainCallsHaveAFormForMany(t *testing.T) {
	plain := func() *http.Request {
		req, _ := http.NewRequest("PUT", "https://acme.zendesk.com/api/v2/tickets/7.json", nil)
		req.Header.Set("Content-Type", "application/json; charset=UTF-8")
		return req
	}
	if form, id := provider.SingleWrite(plain()); form == nil || id != 7 || form.Path != "/api/v2/tickets/update_many" {
		t.Fatalf("a plain update: %+v, id %d", form, id)
	}
	for name, change := range map[string]func(*http.Request){
		"query":           func(r *http.Request) { r.URL.RawQuery = "async=true" },
		"idempotency key": func(r *http.Request) { r.Header.Set("Idempotency-Key", "k") },
		"condition":       func(r *http.Request) { r.Header.Set("If-Match", "x") },
		"compressed":      func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") },
		"form":            func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
		"latin":           func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=latin1") },
		"leading zero":    func(r *http.Request) { r.URL.Path = "/api/v2/tickets/07" },
		"below":           func(r *http.Request) { r.URL.Path = "/api/v2/tickets/7/tags" },
		"another family":  func(r *http.Request) { r.URL.Path = "/api/v2/groups/7" },
		"user's deletion": func(r *http.Request) { r.Method, r.URL.Path = "DELETE", "/api/v2/users/7" },
		"method":          func(r *http.Request) { r.Method = "PATCH" },
		"read":            func(r *http.Request) { r.Method = "GET" },
	} {
		req := plain()
		change(req)
		if form, _ := provider.SingleWrite(req); form != nil {
			t.Errorf("%s: becomes %s", name, form.Path)
		}
	}
}

func TestBulkWriteAndItsAnswersHaveTheRecordedForm(t *testing.T) {
	update, gone, create := formOf(t, "PUT tickets/1"), formOf(t, "DELETE organizations/1"), formOf(t, "POST users")
	if q, body := provider.BulkWrite(update, itemsOf(t, update, `{"subject":"a"}`, `{}`)); q != "" || string(body) != `{"tickets":[{"id":1,"subject":"a"},{"id":2}]}` {
		t.Errorf("update_many?%s %s", q, body)
	}
	if q, body := provider.BulkWrite(gone, itemsOf(t, gone, "", "")); q != "ids=1,2" || body != nil {
		t.Errorf("destroy_many?%s %s", q, body)
	}
	if path, q := provider.JobsRead([]string{"V3-a", "V3-b c"}); path+"?"+q != "/api/v2/job_statuses/show_many?ids=V3-a,V3-b+c" {
		t.Errorf("%s?%s", path, q)
	}
	for _, c := range []struct {
		form    *limit.WriteForm
		outcome limit.WriteOutcome
		object  string
		want    string
	}{
		{update, limit.WriteOutcome{Known: true, ID: 5}, `{"id":5,"subject":"a"}`, `200  {"ticket":{"id":5,"subject":"a"}}`},
		{update, limit.WriteOutcome{Known: true, ID: 5}, "", `200  {"ticket":{"id":5}}`},
		{create, limit.WriteOutcome{Known: true, ID: 5}, `{"id":5,"url":"https://acme/5.json"}`, `201 https://acme/5.json {"user":{"id":5,"url":"https://acme/5.json"}}`},
		{gone, limit.WriteOutcome{Known: true, ID: 5}, "", `204  `},
		{update, limit.WriteOutcome{Known: true, Status: 404, Code: "RecordNotFound", Text: "x"}, "", `404  {"error":"RecordNotFound","description":"Not found"}`},
		{update, limit.WriteOutcome{Known: true, Status: 422, Code: "RecordInvalid", Text: "Status: odd"}, "", `422  {"error":"RecordInvalid","description":"Record validation errors","details":{"base":[{"description":"Status: odd"}]}}`},
	} {
		var object []byte
		if c.object != "" {
			object = []byte(c.object)
		}
		a := provider.WriteAnswer(c.form, c.outcome, object)
		if got := fmt.Sprintf("%d %s %s", a.Status, a.Location, a.Body); got != c.want {
			t.Errorf("%s: %s, want %s", c.form.Class, got, c.want)
		}
	}
}

func FuzzOutcomes(f *testing.F) {
	for _, c := range resultForms {
		f.Add(c.results, c.call, c.bodies)
	}
	f.Fuzz(func(t *testing.T, results, call, bodies string) {
		known := false
		for _, c := range resultForms {
			known = known || c.call == call && c.bodies == bodies
		}
		if !known {
			return
		}
		form := formOf(t, call)
		items := itemsOf(t, form, strings.Split(bodies, "|")...)
		reports := provider.JobReports([]byte(`{"job_status":{"id":"a","status":"completed","results":` + results + `}}`))
		job := limit.JobReport{Results: []byte(results)}
		if len(reports) == 1 {
			job = reports[0]
		}
		outcomes, loose := provider.Outcomes(form, items, &job, nil)
		if len(outcomes) != len(items) {
			t.Fatalf("%d outcomes for %d items", len(outcomes), len(items))
		}
		made := map[uint64]bool{}
		for i, o := range outcomes {
			switch {
			case !o.Known || o.Status != 0:
			case form.Verb == limit.Creates && (o.ID == 0 || made[o.ID]):
				t.Errorf("item %d made %d, which is nothing or another's", i, o.ID)
			case form.Verb != limit.Creates && o.ID != 0 && o.ID != items[i].ID:
				t.Errorf("item %d is object %d, but the outcome is %d's", i, items[i].ID, o.ID)
			}
			made[o.ID] = true
			provider.WriteAnswer(form, o, nil)
		}
		for _, id := range loose {
			if form.Verb != limit.Creates || id == 0 {
				t.Errorf("loose %v of %s", loose, form.Class)
			}
		}
	})
}

func FuzzWriteItem(f *testing.F) {
	for _, seed := range []string{`{"ticket":{"subject":"a"}}`, `{"ticket":{"id":7,"comment":{"body":"x"}}}`, `{"user":{"email":"a@b"}}`, `{"ticket":{}} `, `{"ticket":{"a":1,"a":2}}`, "{\"ticket\":{\"\\u0069d\":8}}", `{"ticket":{"x":"` + "\xff" + `"}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, call := range []string{"PUT tickets/7", "POST tickets", "POST users", "PUT organizations/7", "DELETE tickets/7"} {
			form := formOf(t, call)
			id := uint64(7)
			if form.Verb == limit.Creates {
				id = 0
			}
			item, ok := provider.WriteItem(form, id, []byte(body))
			if !ok || form.Verb == limit.Deletes {
				continue
			}
			_, many := provider.BulkWrite(form, []limit.WriteItem{item, item})
			var back map[string][]map[string]any
			var want map[string]map[string]any
			if err := json.Unmarshal(many, &back); err != nil || len(back) != 1 || len(back[form.Many]) != 2 {
				t.Fatalf("%s %s: becomes %s: %v", call, body, many, err)
			}
			if err := json.Unmarshal([]byte(body), &want); err != nil {
				t.Fatalf("%s %s: is taken: %v", call, body, err)
			}
			if id != 0 {
				want[form.One]["id"] = 7.0
			}
			if got := back[form.Many][1]; !reflect.DeepEqual(got, want[form.One]) {
				t.Errorf("%s %s: becomes %v", call, body, got)
			}
		}
	})
}
