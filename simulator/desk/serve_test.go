package desk

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestEndpointsAreFoundAsTheyAreListed(t *testing.T) {
	for _, pattern := range Endpoints() {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{id}", "7", "{resource}", "users", "{locale}", "de", "{", "x", "}", "").Replace(path)
		for _, p := range []string{path, path + ".json", path + "/"} {
			m := Find(method, p)
			if !m.Known || m.Pattern != pattern {
				t.Errorf("Find(%s %s) = %+v, want %s", method, p, m, pattern)
			}
			if strings.Contains(pattern, "/{id}") && m.ID != 7 {
				t.Errorf("Find(%s %s): id %d, want 7", method, p, m.ID)
			}
			if want := strings.HasSuffix(method, "GET"); want && Find("HEAD", p) != m {
				t.Errorf("HEAD %s must count as GET", p)
			}
		}
	}
	for _, miss := range [][2]string{
		{"GET", ""},
		{"GET", "/"},
		{"GET", "api/v2/tickets"},
		{"GET", "/api/v2"},
		{"GET", "/api/v2//tickets"},
		{"POST", "/api/v2/tickets/7"},
		{"GET", "/api/v2/tickets/7/comments/8/9"},
		{"", "/api/v2/tickets"},
		{"GET", "//////"},
		{"GET", "/api/v2/a/b/c/d/e/f/g"},
	} {
		if m := Find(miss[0], miss[1]); m.Known {
			t.Errorf("Find(%q, %q) = %+v, want nothing", miss[0], miss[1], m)
		}
	}
}

func TestFindNamesRecordAndJob(t *testing.T) {
	for _, c := range []struct {
		method, path string
		want         Match
	}{
		{"PUT", "/api/v2/tickets/42.json", Match{"PUT /api/v2/tickets/{id}", 42, false, true}},
		{"PUT", "/api/v2/tickets/42/comments/5/attachments/6/redact", Match{"PUT /api/v2/tickets/{id}/comments/{comment}/attachments/{attachment}/redact", 42, false, true}},
		{"PUT", "/api/v2/tickets/update_many.json", Match{"PUT /api/v2/tickets/update_many", 0, true, true}},
		{"GET", "/api/v2/job_statuses/V3-0", Match{"GET /api/v2/job_statuses/{job}", 0, false, true}},
		{"GET", "/api/v2/tickets/99999999999999999999999", Match{"GET /api/v2/tickets/{id}", 1<<64 - 1, false, true}},
		{"GET", "/api/v2/tickets/abc", Match{"GET /api/v2/tickets/{id}", 0, false, true}},
		{"GET", "/api/v2/help_center/en-us/articles", Match{"GET /api/v2/help_center/{locale}/articles", 0, false, true}},
	} {
		if got := Find(c.method, c.path); got != c.want {
			t.Errorf("Find(%s %s) = %+v, want %+v", c.method, c.path, got, c.want)
		}
	}
}

func TestRefusalsAreZendesksOwn(t *testing.T) {
	ids := strings.TrimSuffix(strings.Repeat("1,", 101), ",")
	many := `[` + strings.TrimSuffix(strings.Repeat(`{},`, 101), ",") + `]`
	for _, c := range []struct {
		method, target, body string
		status               int
		want                 string
	}{
		{"GET", "/api/v2/tickets/999999", "", 404, `{"error":"RecordNotFound","description":"Not found"}`},
		{"GET", "/api/v2/tickets/18446744073709551616", "", 404, `{"error":"RecordNotFound","description":"Not found"}`},
		{"GET", "/api/v2/nonsense", "", 404, `{"error":"InvalidEndpoint","description":"Not found"}`},
		{"GET", "/elsewhere", "", 404, `{"error":"InvalidEndpoint","description":"Not found"}`},
		{"GET", "/api/v2/macros", "", 501, `{"error":"NotSimulated","description":"GET /api/v2/macros is not simulated"}`},
		{"GET", "/api/v2/tickets/abc", "", 400, `"title":"Invalid attribute"`},
		{"GET", "/api/v2/tickets/show_many?ids=" + ids, "", 400, `{"error":"TooManyValues","description":"Parameter  cannot specify more than 100 values","max_count":100}`},
		{"POST", "/api/v2/tickets/create_many", `{"tickets":` + many + `}`, 400, `{"error":"TooManyValues","description":"Parameter  cannot specify more than 100 values","max_count":100}`},
		{"POST", "/api/v2/users/create_many", `{"users":` + many + `}`, 400, `{"error":"TooManyValues","description":"Maximum 100 users may be created per call"}`},
		{"POST", "/api/v2/tickets", `{"ticket":{"subject":"x"}}`, 422, `"details":{"base":[{"description":"Description: cannot be blank"`},
		{"POST", "/api/v2/tickets", `{"ticket":{"comment":{"body":"x"},"status":"odd"}}`, 422, `"details":{"status":[{"description":"Status: odd is not included in the list"`},
		{"POST", "/api/v2/tickets", `{"ticket":`, 400, `Server could not parse JSON`},
		{"POST", "/api/v2/tickets", ``, 400, `"error":"BadRequest"`},
		{"POST", "/api/v2/tickets", `[]`, 400, `"title":"Invalid attribute"`},
		{"POST", "/api/v2/tickets", `{"ticket":null}`, 400, `ticket is required`},
		{"POST", "/api/v2/tickets", `{"ticket":{"subject":{"a":1}}}`, 400, `"title":"Invalid attribute"`},
		{"PUT", "/api/v2/tickets/1", `{"ticket":{"assignee_id":-1}}`, 400, `"title":"Invalid attribute"`},
		{"PUT", "/api/v2/tickets/1", `{"ticket":{"requester_id":99999999999999999999999}}`, 422, `RecordInvalid`},
		{"PUT", "/api/v2/tickets/1", `{"ticket":{"metadata":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}}`, 400, `"title":"Invalid attribute"`},
		{"PUT", "/api/v2/tickets/1", `{"ticket":{"due_at":"9999-12-31T23:59:59-10:00"}}`, 400, `"title":"Invalid attribute"`},
		{"POST", "/api/v2/users", `{"user":{"name":"A","email":"admin@example.com"}}`, 422, `already being used`},
		{"GET", "/api/v2/users?page=x", "", 400, `page must be an integer`},
	} {
		d := newDesk(t, Options{})
		r := d.do(c.method, c.target, c.body)
		if r.Status != c.status || !strings.Contains(string(r.Body), c.want) {
			t.Errorf("%s %.60s: %d %s, want %d %s", c.method, c.target, r.Status, r.Body, c.status, c.want)
		}
		if r.Header.Get("Cache-Control") != "no-cache" || r.Header.Get("Etag") != "" {
			t.Errorf("%s %.60s: a refusal has no-cache and no ETag: %v", c.method, c.target, r.Header)
		}
		if len(r.Changed) != 0 {
			t.Errorf("%s %.60s: a refused call changed %v", c.method, c.target, r.Changed)
		}
	}
	if n, m := len(tooManyValues().body), len(tooManyUsers().body); n != 104 || m != 83 {
		t.Errorf("the literal bodies have %d and %d bytes, want 104 and 83", n, m)
	}
}

func TestCredentialsAreWantedButNotChecked(t *testing.T) {
	d := newDesk(t, Options{})
	r := d.Serve(noon, Request{Method: "GET", Path: "/api/v2/tickets"})
	if r.Status != 401 || string(r.Body) != `{"error":"Couldn't authenticate you"}` {
		t.Errorf("without credentials: %d %s", r.Status, r.Body)
	}
	r = d.Serve(noon, Request{Method: "GET", Path: "/api/v2/users/me.json"})
	if me := parse(t, r.Body).object("user"); r.Status != 200 || me["name"] != "Anonymous user" || me["id"] != nil {
		t.Errorf("users/me without credentials: %d %v", r.Status, me)
	}
	if me := d.get("/api/v2/users/me").object("user"); me["email"] != "admin@example.com" || me["role"] != "admin" {
		t.Errorf("users/me with Basic: %v", me)
	}
	r = d.Serve(noon, Request{Method: "GET", Path: "/api/v2/users/me", Header: http.Header{"Authorization": {"Bearer anything"}}})
	if r.Status != 200 || parse(t, r.Body).object("user")["role"] != "admin" {
		t.Errorf("any token will do: %s", r.Body)
	}
}

func TestAnswersCarryTheBodysWeakETag(t *testing.T) {
	d := newDesk(t, Options{})
	r := d.do("GET", "/api/v2/tickets/3", "")
	tag := r.Header.Get("Etag")
	if want := etagOf(r.Body); tag != want || len(tag) != len(`W/""`)+32 {
		t.Fatalf("ETag %s, want %s", tag, want)
	}
	if same := d.do("GET", "/api/v2/tickets/3", "", "If-None-Match", tag); same.Status != 304 || len(same.Body) != 0 || same.Header.Get("Etag") != tag {
		t.Errorf("matching tag: %+v", same)
	}
	if other := d.do("GET", "/api/v2/tickets/3", "", "If-None-Match", `W/"0"`); other.Status != 200 {
		t.Errorf("other tag: %d", other.Status)
	}
	d.want(200, "PUT", "/api/v2/tickets/3", `{"ticket":{"subject":"New"}}`)
	if changed := d.do("GET", "/api/v2/tickets/3", "", "If-None-Match", tag); changed.Status != 200 {
		t.Errorf("the tag outlived the change: %d", changed.Status)
	}
	post := d.do("POST", "/api/v2/tickets", `{"ticket":{"comment":{"body":"x"}}}`, "If-None-Match", "*")
	if post.Status != 201 || post.Header.Get("Etag") != etagOf(post.Body) {
		t.Errorf("a create has an ETag and is never a 304: %d %v", post.Status, post.Header)
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	d := newDesk(t, Options{})
	get, head := d.do("GET", "/api/v2/tickets", ""), d.do("HEAD", "/api/v2/tickets", "")
	if head.Status != 200 || len(head.Body) != 0 || head.Header.Get("Etag") != get.Header.Get("Etag") || head.Header.Get("Content-Length") != fmt.Sprint(len(get.Body)) {
		t.Errorf("HEAD: %+v", head)
	}
}

func TestCacheControlIsAsRecorded(t *testing.T) {
	d := newDesk(t, Options{})
	for target, want := range map[string]string{
		"/api/v2/tickets":                                 "max-age=0, private, must-revalidate",
		"/api/v2/organizations":                           "max-age=30, private",
		"/api/v2/users/me":                                "max-age=5, private",
		"/api/v2/users/search?query=a":                    "max-age=10, private",
		"/api/v2/search?query=type:ticket":                "max-age=10, private",
		"/api/v2/search/export?query=a&filter[type]=user": "max-age=10, private",
		"/api/v2/webhooks":                                "",
	} {
		r := d.do("GET", target, "")
		if got := r.Header.Get("Cache-Control"); r.Status != 200 || got != want {
			t.Errorf("%s: %d, Cache-Control %q, want %q", target, r.Status, got, want)
		}
		if hasTag := r.Header.Get("Etag") != ""; hasTag == (want == "") {
			t.Errorf("%s: ETag %q", target, r.Header.Get("Etag"))
		}
	}
}

func TestIdempotencyKeyMakesOneTicketInTwoHours(t *testing.T) {
	d := newDesk(t, Options{})
	post := func(body string) Reply { return d.do("POST", "/api/v2/tickets", body, "Idempotency-Key", "k1") }
	body := `{"ticket":{"subject":"s","comment":{"body":"b"}}}`
	first := post(body)
	d.now = d.now.Add(2*time.Hour - time.Second)
	second := post(body)
	if first.Header.Get("X-Idempotency-Lookup") != "miss" || second.Header.Get("X-Idempotency-Lookup") != "hit" {
		t.Errorf("lookup %v then %v", first.Header, second.Header)
	}
	if second.Status != 201 || !bytes.Equal(first.Body, second.Body) || len(second.Changed) != 0 {
		t.Errorf("the hit is not the stored answer: %d %s", second.Status, second.Body)
	}
	if other := post(`{"ticket":{"comment":{"body":"c"}}}`); other.Status != 400 || parse(t, other.Body)["error"] != "IdempotentRequestError" {
		t.Errorf("another body: %d %s", other.Status, other.Body)
	}
	d.now = d.now.Add(time.Second)
	if late := post(body); late.Header.Get("X-Idempotency-Lookup") != "miss" || len(late.Changed) != 1 || !late.Changed[0].Duplicate {
		t.Errorf("after two hours the key makes a new, duplicate ticket: %v", late.Changed)
	}
}

func TestRepeatedCreateIsCalledADuplicate(t *testing.T) {
	d := newDesk(t, Options{})
	body := `{"ticket":{"subject":"s","comment":{"body":"b"},"requester":{"name":"New","email":"new@example.com"}}}`
	first, again := d.do("POST", "/api/v2/tickets", body), d.do("POST", "/api/v2/tickets", body)
	if want := []string{"user create false", "ticket create false"}; !slices.Equal(changes(first), want) {
		t.Errorf("first: %v, want %v", changes(first), want)
	}
	if want := []string{"ticket create true"}; !slices.Equal(changes(again), want) {
		t.Errorf("again: %v, want %v", changes(again), want)
	}
	other := d.do("POST", "/api/v2/tickets", strings.Replace(body, `"b"`, `"c"`, 1))
	if want := []string{"ticket create false"}; !slices.Equal(changes(other), want) {
		t.Errorf("another description: %v, want %v", changes(other), want)
	}
}

func changes(r Reply) []string {
	var list []string
	for _, c := range r.Changed {
		list = append(list, fmt.Sprint(c.Kind, " ", c.Verb, " ", c.Duplicate))
	}
	return list
}

func TestSameSeedSameReplies(t *testing.T) {
	run := func(seed uint64) string {
		d := newDesk(t, Options{Seed: seed, Tickets: 20, Users: 30})
		var all strings.Builder
		for _, pattern := range Endpoints() {
			method, path, _ := strings.Cut(pattern, " ")
			r := d.do(method, strings.ReplaceAll(path, "{id}", "7"), `{"ticket":{"comment":{"body":"x"}},"user":{"name":"N"}}`)
			fmt.Fprintln(&all, r.Status, r.Header, string(r.Body), r.Changed)
		}
		return all.String()
	}
	if first, again := run(1), run(1); first != again {
		t.Error("the same seed gave other replies")
	}
	if run(1) == run(2) {
		t.Error("another seed gave the same replies")
	}
}

func TestClosedTicketCannotBeUpdated(t *testing.T) {
	d := newDesk(t, Options{})
	d.want(200, "PUT", "/api/v2/tickets/1", `{"ticket":{"status":"closed"}}`)
	o := d.want(422, "PUT", "/api/v2/tickets/1", `{"ticket":{"status":"open"}}`)
	if got := o.object("details").list("status")[0]["description"]; got != "Status: closed prevents ticket update" {
		t.Errorf("details: %v", got)
	}
}

func TestSafeUpdateRefusesAnOldStamp(t *testing.T) {
	d := newDesk(t, Options{})
	stamp := d.get("/api/v2/tickets/1").object("ticket")["updated_at"].(string)
	body := `{"ticket":{"subject":"x","safe_update":true,"updated_stamp":"` + stamp + `"}}`
	d.want(200, "PUT", "/api/v2/tickets/1", body)
	if o := d.want(409, "PUT", "/api/v2/tickets/1", body); o["error"] != "UpdateConflict" {
		t.Errorf("conflict: %v", o)
	}
}

func TestDeletedTicketIsListedRestoredAndPurged(t *testing.T) {
	d := newDesk(t, Options{JobLag: func(int) time.Duration { return 0 }})
	before := d.get("/api/v2/tickets/9").object("ticket")["status"]
	d.want(204, "DELETE", "/api/v2/tickets/9", "")
	d.want(404, "GET", "/api/v2/tickets/9", "")
	if list := d.get("/api/v2/deleted_tickets").list("deleted_tickets"); len(list) != 1 || list[0].id() != 9 || list[0]["previous_state"] != before {
		t.Fatalf("deleted: %v", list)
	}
	d.want(200, "PUT", "/api/v2/deleted_tickets/9/restore", "")
	if got := d.get("/api/v2/tickets/9").object("ticket")["status"]; got != before {
		t.Errorf("restored with status %v, want %v", got, before)
	}
	d.want(204, "DELETE", "/api/v2/tickets/9", "")
	job := d.want(200, "DELETE", "/api/v2/deleted_tickets/9", "").object("job_status")
	job = d.get("/api/v2/job_statuses/" + job["id"].(string)).object("job_status")
	if job["total"] != nil || job["progress"] != nil || fmt.Sprint(job["results"]) != "map[success:true]" {
		t.Errorf("purge: %v", job)
	}
	if list := d.get("/api/v2/deleted_tickets").list("deleted_tickets"); len(list) != 0 {
		t.Errorf("still there: %v", list)
	}
}

func TestServeIsSafeForManyCallers(t *testing.T) {
	d := newDesk(t, Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 50 {
				d.do("GET", "/api/v2/tickets?page[size]=10", "")
				d.do("GET", fmt.Sprint("/api/v2/tickets/", n+1), "")
				d.do("PUT", fmt.Sprint("/api/v2/tickets/", n+1), fmt.Sprintf(`{"ticket":{"subject":"%d"}}`, i))
				d.do("PUT", "/api/v2/tickets/update_many?ids=1,2", `{"ticket":{"priority":"low"}}`)
				d.Jobs(noon.Add(time.Duration(n) * time.Second))
			}
		})
	}
	wg.Wait()
}

// FuzzServe sends anything; every reply must be one Zendesk could give.
func FuzzServe(f *testing.F) {
	for _, pattern := range Endpoints() {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.ReplaceAll(path, "{id}", "7")
		f.Add(method, path, "", []byte(`{"ticket":{"comment":{"body":"x"}},"user":{"name":"n"},"organization":{"name":"o"},"webhook":{}}`))
		f.Add(method, path, "ids=1,2,3&start_time=0&query=a+status<open&page[size]=2&per_page=3&name=ab&filter[type]=ticket", []byte(`{"tickets":[null,{"id":"1","tags":"a b"}],"users":[{}],"organizations":[{"id":2}],"ids":[1],"tags":["a"]}`))
	}
	f.Add("PUT", "/api/v2/tickets/1", "page[after]=eyJvIjoibmljZV9pZCIsInYiOiJhV1FBQUFBQUFBQUEifQ==", []byte(`{"ticket":{"due_at":"9999-12-31T23:59:59Z","custom_fields":[{"id":1,"value":[{}]}],"comment":{"html_body":"<a"}}}`))
	f.Add("GET", "/api/v2/incremental/tickets/cursor", "cursor=MTY5NTA2MjcyNC4wfHwxNTcxfA==&per_page=1", []byte{})
	f.Fuzz(func(t *testing.T, method, path, query string, body []byte) {
		d := newDesk(t, Options{Tickets: 12, Users: 3, Organizations: 2})
		m := Find(method, path)
		for i := range 2 { // the second call sees what the first left behind
			r := d.Serve(noon.Add(time.Duration(i)*time.Minute), Request{Method: method, Path: path, RawQuery: query, Header: basic, Body: body, Origin: origin})
			if r.Status < 200 || r.Status >= 600 || r.Status == 500 || r.Header == nil {
				t.Fatalf("%s %s: %+v", method, path, r)
			}
			if m.Known && (r.Status == 501) {
				t.Fatalf("%s %s is known, yet not simulated", method, path)
			}
			if r.Stream == nil && len(r.Body) > 0 {
				parse(t, r.Body)
			}
			if r.Status >= 400 && len(r.Body) == 0 && method != "HEAD" {
				t.Fatalf("%s %s: %d without an envelope", method, path, r.Status)
			}
		}
	})
}
