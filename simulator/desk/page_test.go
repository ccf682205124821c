package desk

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestCursorLinksAreAbsoluteSortedEscapedAndAlwaysFilled(t *testing.T) {
	d := newDesk(t, Options{Tickets: 3})
	page := d.get("/api/v2/tickets.json?sort=id&page[size]=3")
	meta, links := page.object("meta"), page.object("links")
	if meta["has_more"] != false {
		t.Errorf("has_more %v on the only page", meta["has_more"])
	}
	after := meta["after_cursor"].(string)
	raw, err := base64.StdEncoding.DecodeString(after)
	if err != nil || string(raw) != `{"o":"nice_id","v":"aQMAAAAAAAAA"}` {
		t.Errorf("cursor %s, %v", raw, err)
	}
	if want := origin + "/api/v2/tickets?page%5Bafter%5D=" + url.QueryEscape(after) + "&page%5Bsize%5D=3&sort=id"; links["next"] != want {
		t.Errorf("next %v, want %s", links["next"], want)
	}
	if prev, _ := links["prev"].(string); !strings.HasPrefix(prev, origin+"/api/v2/tickets?page%5Bbefore%5D=") {
		t.Errorf("prev %v", links["prev"])
	}
	empty := d.get(follow(t, links["next"]))
	if len(empty.list("tickets")) != 0 || empty.object("links")["next"] != nil || empty.object("meta")["after_cursor"] != nil {
		t.Errorf("an empty page has no links: %v", empty)
	}
}

func TestCursorWalksBack(t *testing.T) {
	d := newDesk(t, Options{Tickets: 10})
	first := d.get("/api/v2/tickets?page[size]=4")
	second := d.get(follow(t, first.object("links")["next"]))
	back := d.get(follow(t, second.object("links")["prev"]))
	if fmt.Sprint(back.list("tickets")) != fmt.Sprint(first.list("tickets")) || back.object("meta")["has_more"] != false {
		t.Errorf("the page before the second is not the first: %v", back)
	}
}

func TestCursorSurvivesChangesBetweenPages(t *testing.T) {
	d := newDesk(t, Options{Tickets: 10})
	first := d.get("/api/v2/tickets?page[size]=4")
	d.want(204, "DELETE", "/api/v2/tickets/1", "")
	d.want(204, "DELETE", "/api/v2/tickets/4", "") // the cursor's own
	if next := d.get(follow(t, first.object("links")["next"])).list("tickets"); next[0].id() != 5 {
		t.Errorf("page 2 begins with %d, want 5", next[0].id())
	}
}

func TestSortedByUpdateUnderCursors(t *testing.T) {
	d := newDesk(t, Options{Tickets: 30})
	last, n := "9999", 0
	for at := "/api/v2/tickets?page[size]=7&sort=-updated_at"; ; {
		page := d.get(at)
		for _, r := range page.list("tickets") {
			n++
			if stamp := r["updated_at"].(string); stamp > last {
				t.Fatalf("%s after %s", stamp, last)
			} else {
				last = stamp
			}
		}
		if page.object("meta")["has_more"] == false {
			break
		}
		at = follow(t, page.object("links")["next"])
	}
	if n != 30 {
		t.Errorf("%d tickets, want 30", n)
	}
}

func TestBadPagesAreRefused(t *testing.T) {
	d := newDesk(t, Options{Tickets: 250})
	byID := d.get("/api/v2/tickets?page[size]=1").object("meta")["after_cursor"].(string)
	for target, want := range map[string]string{
		"/api/v2/tickets?page[size]=0":                                                       "InvalidPaginationParameter",
		"/api/v2/tickets?page[size]=101":                                                     "InvalidPaginationParameter",
		"/api/v2/tickets?page[size]=many":                                                    "InvalidPaginationParameter",
		"/api/v2/tickets?page[after]=nonsense":                                               "InvalidPaginationParameter",
		"/api/v2/tickets?page[before]=e30=":                                                  "InvalidPaginationParameter",
		"/api/v2/tickets?page[size]=5&sort=subject":                                          "InvalidPaginationParameter",
		"/api/v2/tickets?page[size]=5&sort=-updated_at&page[after]=" + url.QueryEscape(byID): "InvalidPaginationParameter",
		"/api/v2/tickets?page=101":                                                           "InvalidPaginationDepth",
		"/api/v2/tickets?page=10001&per_page=1":                                              "InvalidPaginationDepth",
		"/api/v2/tickets?page=9223372036854775807":                                           "InvalidPaginationDepth",
	} {
		o := d.want(400, "GET", target, "")
		if list := o.list("errors"); len(list) != 1 || list[0]["code"] != want {
			t.Errorf("%s: %v, want %s", target, o, want)
		}
	}
}

func TestOffsetEnvelope(t *testing.T) {
	d := newDesk(t, Options{Tickets: 250})
	page := d.get("/api/v2/tickets.json?page=2&per_page=500")
	if len(page.list("tickets")) != 100 || page["count"] != 250.0 {
		t.Errorf("per_page is at most 100: %d of %v", len(page.list("tickets")), page["count"])
	}
	if page["next_page"] != origin+"/api/v2/tickets?page=3&per_page=500" || page["previous_page"] != origin+"/api/v2/tickets?page=1&per_page=500" {
		t.Errorf("next %v, previous %v", page["next_page"], page["previous_page"])
	}
	if last := d.get("/api/v2/tickets?page=3"); last["next_page"] != nil || len(last.list("tickets")) != 50 {
		t.Errorf("last page: next %v", last["next_page"])
	}
	many := d.get("/api/v2/tickets/show_many?ids=3,1,999,3")
	if many["count"] != 2.0 || many["next_page"] != nil {
		t.Errorf("show_many: %v", many)
	}
	if n := d.get("/api/v2/tickets/count").object("count"); n["value"] != 250.0 || n["refreshed_at"] != "2026-11-23T12:00:00Z" {
		t.Errorf("count: %v", n)
	}
}

func TestSideloadsAreSiblingArrays(t *testing.T) {
	d := newDesk(t, Options{Tickets: 5})
	for _, target := range []string{"/api/v2/tickets?include=users,groups,organizations", "/api/v2/tickets?page[size]=5&include=users", "/api/v2/tickets/1?include=users"} {
		o := d.get(target)
		if users := o.list("users"); len(users) == 0 || users[0]["email"] == nil {
			t.Errorf("%s: no users: %v", target, o)
		}
	}
}

func TestOriginOfTheCallIsInEveryLink(t *testing.T) {
	d := newDesk(t, Options{Tickets: 5})
	for _, at := range []string{"http://127.0.0.1:4292", origin, `https://a"b\c`} {
		r := d.Serve(noon, Request{Method: "GET", Path: "/api/v2/tickets", RawQuery: "per_page=2", Header: basic, Origin: at})
		o := parse(t, r.Body)
		if o["next_page"] != at+"/api/v2/tickets?page=2&per_page=2" || o.list("tickets")[0]["url"] != at+"/api/v2/tickets/1.json" {
			t.Errorf("%s: %s", at, r.Body)
		}
	}
}
