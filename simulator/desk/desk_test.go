package desk

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const origin = "https://acme.zendesk.com"

var basic = http.Header{"Authorization": {"Basic YWRtaW5AZXhhbXBsZS5jb20vdG9rZW46eA=="}}

// desktop is a desk with a time of its own, for tests.
type desktop struct {
	*Desk
	t   testing.TB
	now time.Time
}

func newDesk(t testing.TB, o Options) *desktop { return &desktop{New(o, noon), t, noon} }

func (d *desktop) do(method, target, body string, header ...string) Reply {
	d.t.Helper()
	path, query, _ := strings.Cut(target, "?")
	h := basic.Clone()
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return d.Serve(d.now, Request{Method: method, Path: path, RawQuery: query, Header: h, Body: []byte(body), Origin: origin})
}

// get wants status 200 and decodes the body.
func (d *desktop) get(target string) object { return d.want(200, "GET", target, "") }

func (d *desktop) want(status int, method, target, body string, header ...string) object {
	d.t.Helper()
	r := d.do(method, target, body, header...)
	if r.Status != status {
		d.t.Fatalf("%s %s: status %d, want %d: %s", method, target, r.Status, status, r.Body)
	}
	return parse(d.t, r.Body)
}

type object map[string]any

func parse(t testing.TB, body []byte) object {
	t.Helper()
	if len(body) == 0 {
		return nil
	}
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		t.Fatalf("not JSON: %v: %s", err, body)
	}
	return o
}

func (o object) object(name string) object { m, _ := o[name].(map[string]any); return m }

func (o object) list(name string) []object {
	var list []object
	items, _ := o[name].([]any)
	for _, item := range items {
		list = append(list, item.(map[string]any))
	}
	return list
}

func (o object) id() uint64 { n, _ := o["id"].(float64); return uint64(n) }

// follow turns an absolute link into a target.
func follow(t testing.TB, link any) string {
	t.Helper()
	text, _ := link.(string)
	rest, found := strings.CutPrefix(text, origin)
	if !found {
		t.Fatalf("link %q is not absolute", link)
	}
	if _, err := url.Parse(rest); err != nil {
		t.Fatal(err)
	}
	return rest
}

func TestEveryPageIsWalkedAndEveryIDSeenOnce(t *testing.T) {
	d := newDesk(t, Options{Tickets: 250, Users: 120})
	for _, list := range []struct{ path, name string }{{"/api/v2/tickets", "tickets"}, {"/api/v2/users.json", "users"}} {
		for _, start := range []string{"page[size]=7", "page%5Bsize%5D=100", "per_page=7", "", "page[size]=9&sort=-id"} {
			seen, more := map[uint64]int{}, true
			for at := list.path + "?" + start; more; {
				page := d.get(at)
				for _, r := range page.list(list.name) {
					seen[r.id()]++
				}
				if meta := page.object("meta"); meta != nil {
					if more = meta["has_more"].(bool); page.object("links")["next"] == nil {
						t.Fatal("links.next must be filled on a page with rows")
					}
					at = follow(t, page.object("links")["next"])
				} else if more = page["next_page"] != nil; more {
					at = follow(t, page["next_page"])
				}
				if strings.Contains(at, ".json") && more && at != list.path+"?"+start {
					t.Fatalf("next link %q keeps .json", at)
				}
			}
			want := map[string]int{"tickets": 250, "users": 120}[list.name]
			if len(seen) != want {
				t.Errorf("%s?%s: %d ids, want %d", list.path, start, len(seen), want)
			}
			for id, n := range seen {
				if n != 1 {
					t.Errorf("%s?%s: id %d seen %d times", list.path, start, id, n)
				}
			}
		}
	}
}

func TestTicketIsCreatedShownUpdatedDeleted(t *testing.T) {
	d := newDesk(t, Options{})
	r := d.do("POST", "/api/v2/tickets.json", `{"ticket":{"subject":"Hi","comment":{"body":"There <b>"},"priority":"high","tags":["b","a"]}}`)
	if r.Status != 201 || r.Header.Get("Location") != origin+"/api/v2/tickets/251.json" {
		t.Fatalf("create: %d %v %s", r.Status, r.Header, r.Body)
	}
	if len(r.Changed) != 1 || r.Changed[0] != (Change{Kind: "ticket", ID: 251, Verb: "create"}) {
		t.Errorf("changed %v", r.Changed)
	}
	made := parse(t, r.Body)
	if made.object("ticket")["generated_timestamp"] != 0.0 || made.object("audit") == nil {
		t.Errorf("answer to a create: %s", r.Body)
	}
	shown := d.get("/api/v2/tickets/251").object("ticket")
	if shown["url"] != origin+"/api/v2/tickets/251.json" || shown["description"] != "There <b>" {
		t.Errorf("shown: %v", shown)
	}
	d.now = d.now.Add(5 * time.Second)
	updated := d.want(200, "PUT", "/api/v2/tickets/251", `{"ticket":{"status":"solved","comment":{"body":"done","public":false}}}`)
	if updated.object("ticket")["status"] != "solved" || len(updated.object("audit")["events"].([]any)) != 2 {
		t.Errorf("updated: %v", updated)
	}
	if got := d.get("/api/v2/tickets/251").object("ticket")["updated_at"]; got != "2026-11-23T12:00:05Z" {
		t.Errorf("updated_at %v", got)
	}
	if n := len(d.get("/api/v2/tickets/251/comments").list("comments")); n != 2 {
		t.Errorf("%d comments", n)
	}
	if r := d.do("DELETE", "/api/v2/tickets/251", ""); r.Status != 204 || len(r.Body) != 0 || r.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("delete: %+v", r)
	}
	d.want(404, "GET", "/api/v2/tickets/251", "")
}

func BenchmarkShowTicket(b *testing.B) {
	d := newDesk(b, Options{})
	r := Request{Method: "GET", Path: "/api/v2/tickets/7.json", Header: basic, Origin: origin}
	b.ReportAllocs()
	for b.Loop() {
		if d.Serve(noon, r).Status != 200 {
			b.Fatal("not shown")
		}
	}
}

func BenchmarkListTickets(b *testing.B) {
	d := newDesk(b, Options{})
	r := Request{Method: "GET", Path: "/api/v2/tickets.json", RawQuery: "page[size]=100", Header: basic, Origin: origin}
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(len(d.Serve(noon, r).Body)))
	}
}

func BenchmarkFind(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if m := Find("GET", "/api/v2/tickets/1234.json"); m.ID != 1234 {
			b.Fatal(m)
		}
	}
}
