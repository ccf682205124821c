package desk

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

func TestSearchFindsWhatItsTermsSay(t *testing.T) {
	d := newDesk(t, Options{})
	d.want(201, "POST", "/api/v2/tickets", `{"ticket":{"subject":"Zebra crossing","comment":{"body":"stripes"},"tags":["zoo"],"external_id":"e1","priority":"urgent"}}`)
	for query, want := range map[string]int{
		`type:ticket zebra`: 1, `type:ticket "zebra crossing"`: 1, `type:ticket stripes tags:zoo`: 1, `type:ticket external_id:e1`: 1,
		`type:ticket zebra -tags:zoo`: 0, `type:ticket tags:zoo priority>=high`: 1, `type:ticket tags:zoo priority<high`: 0,
		`tags:zoo status<open`: 1, `tags:zoo created>=2026-11-23`: 1, `tags:zoo created<2026-11-23`: 0, `type:ticket`: 251,
		`type:user email:admin@example.com`: 1, `type:user role:admin`: 1, `tags:zoo requester:admin@example.com`: 1, `tags:zoo assignee:none`: 1,
		`type:group Billing`: 1, `type:organization external_id:org-3`: 1, `type:ticket nosuchfield:1`: 0,
	} {
		o := d.get("/api/v2/search?query=" + url.QueryEscape(query))
		if o["count"] != float64(want) {
			t.Errorf("%s: %v found, want %d", query, o["count"], want)
		}
		for _, r := range o.list("results") {
			if r["result_type"] == nil || r["url"] == nil {
				t.Errorf("%s: result %v", query, r)
			}
		}
		if n := d.get("/api/v2/search/count?query=" + url.QueryEscape(query))["count"]; n != float64(want) {
			t.Errorf("%s: counted %v, want %d", query, n, want)
		}
	}
}

func TestSearchEndsAtAThousand(t *testing.T) {
	d := newDesk(t, Options{Tickets: 1200})
	tenth := d.get("/api/v2/search?query=type:ticket&page=10")
	if tenth["count"] != 1200.0 || tenth["next_page"] == nil {
		t.Errorf("page 10: %v, %v", tenth["count"], tenth["next_page"])
	}
	past := d.want(422, "GET", follow(t, tenth["next_page"]), "")
	if past["error"] != "invalid" || past["description"] != "Invalid search: Requested response size was greater than Search Response Limits" {
		t.Errorf("page 11: %v", past)
	}
	d.want(422, "GET", "/api/v2/search?query=type:ticket&page=2000", "")
	d.want(422, "GET", "/api/v2/search", "")
	if o := d.want(400, "GET", "/api/v2/search?query=a&page[size]=10", ""); o.object("error")["message"] == nil {
		t.Errorf("page[size]: %v", o)
	}
}

func TestSearchExportWalksAllWithAnHoursCursor(t *testing.T) {
	d := newDesk(t, Options{Tickets: 1200})
	d.want(400, "GET", "/api/v2/search/export?query=a", "")
	seen, link := map[uint64]bool{}, any(nil)
	for at := "/api/v2/search/export?query=-tags:nothing&filter[type]=ticket&page[size]=500"; ; {
		o := d.get(at)
		for _, r := range o.list("results") {
			seen[r.id()] = true
		}
		if link = o.object("links")["next"]; o.object("meta")["has_more"] == false {
			break
		}
		at = follow(t, link)
	}
	if len(seen) != 1200 {
		t.Errorf("%d tickets, want 1200", len(seen))
	}
	d.now = d.now.Add(time.Hour)
	d.get(follow(t, link))
	d.now = d.now.Add(time.Second)
	d.want(400, "GET", follow(t, link), "")
}

func TestExportsWalkEveryRecordOnce(t *testing.T) {
	d := newDesk(t, Options{Tickets: 150, Users: 40})
	for path, want := range map[string]int{
		"/api/v2/incremental/tickets/cursor": 150, "/api/v2/incremental/users/cursor": 40, "/api/v2/incremental/tickets.json": 150,
		"/api/v2/incremental/users": 40, "/api/v2/incremental/organizations": 20, "/api/v2/incremental/ticket_events": 150,
	} {
		seen, pages := map[uint64]int{}, 0
		for at, more := path+"?start_time=0&per_page=7", true; more; pages++ {
			o := d.get(at)
			for _, name := range []string{"tickets", "users", "organizations", "ticket_events"} {
				for _, r := range o.list(name) {
					seen[r.id()]++
				}
			}
			next := o["next_page"]
			if next == nil {
				next = o["after_url"]
			}
			at, more = follow(t, next), o["end_of_stream"] == false
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%s: id %d came %d times", path, id, n)
			}
		}
		if len(seen) != want || pages < 2 {
			t.Errorf("%s: %d records in %d pages, want %d", path, len(seen), pages, want)
		}
	}
}

func TestExportWithholdsTheNewestMinute(t *testing.T) {
	d := newDesk(t, Options{Tickets: 3})
	o := d.get("/api/v2/incremental/tickets/cursor?start_time=0")
	end := follow(t, o["after_url"])
	d.want(200, "PUT", "/api/v2/tickets/2", `{"ticket":{"subject":"new"}}`)
	for after, want := range map[time.Duration]int{59 * time.Second: 0, 60 * time.Second: 1} {
		d.now = noon.Add(after)
		o := d.get(end)
		if n := len(o.list("tickets")); n != want || o["end_of_stream"] != true || o["after_url"] == nil {
			t.Errorf("after %v: %d tickets, want %d: %v", after, n, want, o["after_url"])
		}
	}
	if o := d.want(422, "GET", fmt.Sprint("/api/v2/incremental/tickets?start_time=", d.now.Unix()-59), ""); o["error"] != "InvalidValue" {
		t.Errorf("too recent: %v", o)
	}
	d.want(400, "GET", "/api/v2/incremental/tickets", "")
	d.want(400, "GET", "/api/v2/incremental/tickets?start_time=yesterday", "")
	d.want(400, "GET", "/api/v2/incremental/tickets/cursor?cursor=nonsense", "")
}

func TestTimeExportKeepsOneSecondTogether(t *testing.T) {
	d := newDesk(t, Options{Tickets: 10})
	for id := 1; id <= 7; id++ {
		d.want(200, "PUT", fmt.Sprint("/api/v2/tickets/", id), `{"ticket":{"subject":"same second"}}`)
	}
	d.now = d.now.Add(time.Hour)
	o := d.get(fmt.Sprint("/api/v2/incremental/tickets?per_page=1&start_time=", noon.Unix()-1))
	if o["count"] != 7.0 || o["end_time"] != float64(noon.Unix()) || o["next_page"] != fmt.Sprintf("%s/api/v2/incremental/tickets?per_page=1&start_time=%d", origin, noon.Unix()) {
		t.Errorf("asked for 1, got %v, end_time %v, next %v", o["count"], o["end_time"], o["next_page"])
	}
}

func TestExportCursorReadsAsRecorded(t *testing.T) {
	d := newDesk(t, Options{Tickets: 10})
	o := d.get("/api/v2/incremental/tickets/cursor?cursor=MTY5NTA2MjcyNC4wfHwxNTcxfA%3D%3D")
	if len(o.list("tickets")) != 10 || o["before_url"] != nil {
		t.Errorf("the recorded cursor gives %d tickets", len(o.list("tickets")))
	}
}

func TestExportShowsDeletedTickets(t *testing.T) {
	d := newDesk(t, Options{Tickets: 3})
	d.want(204, "DELETE", "/api/v2/tickets/2", "")
	d.now = d.now.Add(time.Hour)
	all := d.get("/api/v2/incremental/tickets/cursor?start_time=0").list("tickets")
	if len(all) != 3 || all[2]["status"] != "deleted" {
		t.Errorf("%v", all)
	}
	if n := len(d.get("/api/v2/incremental/tickets/cursor?start_time=0&exclude_deleted=true").list("tickets")); n != 2 {
		t.Errorf("%d without deleted ones, want 2", n)
	}
}
