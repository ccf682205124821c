package desk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// Fields seen live (zendesk-facts 10).
var shapes = map[string]string{
	"ticket": `url id external_id via created_at updated_at generated_timestamp type subject raw_subject description priority status recipient
		requester_id submitter_id assignee_id organization_id group_id collaborator_ids follower_ids email_cc_ids forum_topic_id problem_id
		has_incidents is_public due_at tags custom_fields satisfaction_rating sharing_agreement_ids custom_status_id fields followup_ids
		ticket_form_id brand_id allow_channelback allow_attachments from_messaging_channel`,
	"user": `id url name email created_at updated_at time_zone iana_time_zone phone shared_phone_number photo locale_id locale organization_id role
		verified external_id tags alias active shared shared_agent last_login_at two_factor_auth_enabled signature details notes role_type
		custom_role_id moderator ticket_restriction only_private_comments restricted_agent suspended default_group_id report_csv user_fields`,
	"organization": `url id name shared_tickets shared_comments external_id created_at updated_at domain_names details notes group_id tags organization_fields`,
	"group":        `url id is_public name description default deleted created_at updated_at`,
	"ticket_field": `url id type title raw_title description raw_description position active required collapsed_for_agents regexp_for_validation
		title_in_portal raw_title_in_portal visible_in_portal editable_in_portal required_in_portal tag created_at updated_at removable key agent_description`,
	"view":       `url id title active updated_at created_at default position description execution conditions restriction raw_title`,
	"comment":    `id type author_id body html_body plain_body public attachments audit_id via created_at metadata`,
	"audit":      `id ticket_id created_at author_id metadata events via`,
	"attachment": `url id file_name content_url mapped_content_url content_type size width height inline deleted malware_access_override malware_scan_result thumbnails`,
	"job_status": `id job_type url total progress status message results`,
	"view_count": `url view_id value pretty fresh`,
	"webhook":    `id name status subscriptions created_at created_by endpoint http_method request_format`,
}

func (o object) has(t *testing.T, kind string) {
	t.Helper()
	for _, name := range strings.Fields(shapes[kind]) {
		if _, ok := o[name]; !ok {
			t.Errorf("%s lacks %s", kind, name)
		}
	}
	for name, v := range o {
		if v == nil && strings.HasSuffix(name, "s") && (strings.HasSuffix(name, "_ids") || name == "tags" || name == "custom_fields") {
			t.Errorf("%s.%s is null, not an empty list", kind, name)
		}
	}
}

func TestRecordsHaveTheFieldsSeenLive(t *testing.T) {
	d := newDesk(t, Options{})
	for path, kind := range map[string]string{
		"tickets": "ticket", "users": "user", "organizations": "organization", "groups": "group", "ticket_fields": "ticket_field", "views": "view",
		"tickets/1/comments": "comment", "tickets/1/audits": "audit",
	} {
		name := path[strings.LastIndexByte(path, '/')+1:]
		list := d.get("/api/v2/" + path).list(name)
		if len(list) == 0 {
			t.Fatalf("%s is empty", path)
		}
		list[0].has(t, kind)
		if kind != "comment" && kind != "audit" {
			id := list[0]["id"].(float64)
			one := d.get(fmt.Sprintf("/api/v2/%s/%.0f", path, id)).object(kind)
			if fmt.Sprint(one) != fmt.Sprint(list[0]) {
				t.Errorf("%s shown is not %s listed", kind, kind)
			}
		}
	}
	made := d.want(201, "POST", "/api/v2/tickets", `{"ticket":{"comment":{"body":"x"}}}`)
	made.object("ticket").has(t, "ticket")
	made.object("audit").has(t, "audit")
	d.want(200, "DELETE", "/api/v2/tickets/destroy_many?ids=1", "").object("job_status").has(t, "job_status")
	view := d.get("/api/v2/views").list("views")[0].id()
	d.get(fmt.Sprintf("/api/v2/views/%d/count", view)).object("view_count").has(t, "view_count")
	if rows := d.get(fmt.Sprintf("/api/v2/views/%d/execute", view)).list("rows"); len(rows) == 0 || rows[0]["ticket"] == nil {
		t.Errorf("executed view: %v", rows)
	}
}

func TestIDsHaveTheSizesSeenLive(t *testing.T) {
	d := newDesk(t, Options{})
	for _, path := range []string{"users", "organizations", "groups", "ticket_fields"} {
		if id := fmt.Sprint(d.get("/api/v2/" + path).list(path)[0].id()); len(id) < 13 || len(id) > 14 {
			t.Errorf("%s: id %s, want 13 or 14 digits", path, id)
		}
	}
}

func TestUploadIsAttachedAndComesBack(t *testing.T) {
	d := newDesk(t, Options{})
	content := "some\x00bytes"
	r := d.do("POST", "/api/v2/uploads?filename=a+b.txt", content, "Content-Type", "text/plain")
	if r.Status != 201 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") || r.Header.Get("Location") == "" {
		t.Fatalf("upload: %d %v", r.Status, r.Header)
	}
	up := parse(t, r.Body).object("upload")
	up.object("attachment").has(t, "attachment")
	if up["expires_at"] != "2026-11-26T12:00:00Z" {
		t.Errorf("expires_at %v", up["expires_at"])
	}
	d.want(200, "PUT", "/api/v2/tickets/1", fmt.Sprintf(`{"ticket":{"comment":{"body":"see","uploads":[%q]}}}`, up["token"]))
	comments := d.get("/api/v2/tickets/1/comments").list("comments")
	files := comments[len(comments)-1].list("attachments")
	if len(files) != 1 {
		t.Fatalf("comment: %v", comments)
	}
	var got bytes.Buffer
	down := d.do("GET", follow(t, files[0]["content_url"]), "")
	if err := down.Stream(&got); err != nil || got.String() != content || down.Header.Get("Content-Length") != "10" {
		t.Errorf("downloaded %q, %v", got.String(), err)
	}
	d.want(400, "POST", "/api/v2/uploads", "x")
	redact := fmt.Sprintf("/api/v2/tickets/1/comments/%d/attachments/%d/redact", comments[len(comments)-1].id(), files[0].id())
	if o := d.want(200, "PUT", redact, "").object("attachment"); o["file_name"] != "redacted.txt" {
		t.Errorf("redacted: %v", o)
	}
}

func TestLargeAttachmentIsStreamed(t *testing.T) {
	const size = 100<<20 + 3
	d := newDesk(t, Options{})
	digest := func() string {
		r := d.Serve(noon, Request{Method: "GET", Path: "/attachments/token/abc/", RawQuery: fmt.Sprint("name=x.bin&size=", size)})
		if r.Status != 200 || r.Body != nil || r.Header.Get("Content-Length") != fmt.Sprint(size) {
			t.Fatalf("%d %v", r.Status, r.Header)
		}
		h := sha256.New()
		n := &counter{}
		if err := r.Stream(io.MultiWriter(h, n)); err != nil || n.n != size {
			t.Fatalf("%d bytes, %v", n.n, err)
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	first := digest()
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("streaming allocated %d bytes", used)
	}
	if digest() != first {
		t.Error("the same attachment came back with other bytes")
	}
	cut := d.Serve(noon, Request{Method: "GET", Path: "/attachments/token/abc/"})
	if err := cut.Stream(&counter{left: 40_000, limited: true}); err == nil {
		t.Error("a writer's error must end the stream")
	}
	if r := d.do("GET", "/attachments/token/abc/?size=-1", ""); r.Status != 400 {
		t.Errorf("size=-1: %d", r.Status)
	}
}

// counter counts what is written, and fails after a limit.
type counter struct {
	n, left int
	limited bool
}

func (c *counter) Write(b []byte) (int, error) {
	if c.limited && c.n+len(b) > c.left {
		return 0, io.ErrClosedPipe
	}
	c.n += len(b)
	return len(b), nil
}

func TestHelpCenterPagesHaveTheirOwnForm(t *testing.T) {
	d := newDesk(t, Options{})
	o := d.get("/api/v2/help_center/articles.json")
	if len(o.list("articles")) != 30 || o["page_count"] != 2.0 || o["per_page"] != 30.0 || o["page"] != 1.0 || o["count"] != 45.0 {
		t.Errorf("offset page: %d articles, %v pages", len(o.list("articles")), o["page_count"])
	}
	seen, at := map[uint64]bool{}, "/api/v2/help_center/en-us/articles?page[size]=20"
	for more := true; more; {
		r := d.do("GET", at, "")
		o := parse(t, r.Body)
		for _, a := range o.list("articles") {
			seen[a.id()] = true
		}
		links := o.object("links")
		for _, name := range []string{"first", "last", "prev", "next"} {
			if links[name] == nil {
				t.Errorf("links.%s is missing", name)
			}
		}
		if more = o.object("meta")["has_more"].(bool); more && r.Header.Get("Link") != "<"+links["next"].(string)+`>; rel="next"` {
			t.Errorf("Link %q", r.Header.Get("Link"))
		}
		at = follow(t, links["next"])
		if last := d.get(follow(t, links["last"])).list("articles"); len(last) != 20 {
			t.Errorf("the last page has %d articles", len(last))
		}
	}
	if len(seen) != 45 {
		t.Errorf("%d articles, want 45", len(seen))
	}
	if n := len(d.get("/api/v2/help_center/categories").list("categories")); n != 3 {
		t.Errorf("%d categories", n)
	}
}

func TestWebhooksAreAServiceOfTheirOwn(t *testing.T) {
	d := newDesk(t, Options{})
	for i := range 3 {
		r := d.do("POST", "/api/v2/webhooks", fmt.Sprintf(`{"webhook":{"name":"w%d","endpoint":"https://example.com/%d","http_method":"POST"}}`, i, i))
		o := parse(t, r.Body).object("webhook")
		o.has(t, "webhook")
		if id, _ := o["id"].(string); r.Status != 201 || len(id) != 26 || r.Header.Get("Etag") != "" {
			t.Fatalf("create: %d %v %v", r.Status, o, r.Header)
		}
	}
	whole := d.get("/api/v2/webhooks")
	if whole["links"] != nil || whole.object("meta")["has_more"] != false || len(whole.list("webhooks")) != 3 {
		t.Errorf("a list that fits has no links: %v", whole)
	}
	r := d.do("GET", "/api/v2/webhooks?page[size]=2", "")
	next, _ := parse(t, r.Body).object("links")["next"].(string)
	if !strings.HasPrefix(next, "https://acme.zendesk.com:443/api/v2/webhooks?page[after]=") || r.Header.Get("Link") != "<"+next+`>; rel="next"` {
		t.Errorf("next %q, Link %q", next, r.Header.Get("Link"))
	}
	if rest := d.get(strings.TrimPrefix(next, "https://acme.zendesk.com:443")).list("webhooks"); len(rest) != 1 || rest[0]["name"] != "w2" {
		t.Errorf("page 2: %v", rest)
	}
	id := whole.list("webhooks")[0]["id"].(string)
	d.want(204, "PATCH", "/api/v2/webhooks/"+id, `{"webhook":{"status":"inactive"}}`)
	if got := d.get("/api/v2/webhooks/" + id).object("webhook")["status"]; got != "inactive" {
		t.Errorf("status %v", got)
	}
	d.want(204, "DELETE", "/api/v2/webhooks/"+id, "")
	d.want(404, "GET", "/api/v2/webhooks/"+id, "")
	d.want(200, "POST", "/api/v2/webhooks/test", `{"request":{"endpoint":"https://example.com"}}`)
}

func TestUsersAndOrganizationsAreWritten(t *testing.T) {
	d := newDesk(t, Options{})
	r := d.do("POST", "/api/v2/users", `{"user":{"name":"Zoe","email":"Zoe@Example.com","user_fields":{"a":1}}}`)
	u := parse(t, r.Body).object("user")
	if r.Status != 201 || r.Header.Get("Location") != u["url"] {
		t.Fatalf("create: %d %v", r.Status, r.Header)
	}
	at := fmt.Sprintf("/api/v2/users/%d", u.id())
	d.want(200, "PUT", at, `{"user":{"email":"new@example.com","user_fields":{"b":2}}}`)
	if got := d.get(at).object("user"); fmt.Sprint(got["user_fields"]) != "map[a:1 b:2]" {
		t.Errorf("user_fields %v", got["user_fields"])
	}
	d.want(201, "POST", "/api/v2/users/create_or_update", `{"user":{"name":"Other","email":"zoe@example.com"}}`)
	d.want(200, "POST", "/api/v2/users/create_or_update", `{"user":{"name":"Zoe B","email":"NEW@example.com"}}`)
	if list := d.get("/api/v2/users/search?query=new@example.com").list("users"); len(list) != 1 || list[0]["name"] != "Zoe B" {
		t.Errorf("search: %v", list)
	}
	if gone := d.want(200, "DELETE", at, "").object("user"); gone["active"] != false {
		t.Errorf("deleted: %v", gone["active"])
	}
	d.want(404, "GET", at, "")

	o := d.want(201, "POST", "/api/v2/organizations", `{"organization":{"name":"Acme","external_id":"x-1","domain_names":["acme.example"]}}`).object("organization")
	d.want(422, "POST", "/api/v2/organizations", `{"organization":{"name":"acme"}}`)
	d.want(200, "PUT", fmt.Sprintf("/api/v2/organizations/%d", o.id()), `{"organization":{"notes":"n"}}`)
	for _, query := range []string{"name=ACME", "external_id=x-1"} {
		if list := d.get("/api/v2/organizations/search?" + query).list("organizations"); len(list) != 1 || list[0]["notes"] != "n" {
			t.Errorf("%s: %v", query, list)
		}
	}
	if n := len(d.get("/api/v2/organizations/show_many?external_ids=x-1,org-1").list("organizations")); n != 2 {
		t.Errorf("show_many by external id: %d", n)
	}
	d.want(http.StatusNoContent, "DELETE", fmt.Sprintf("/api/v2/organizations/%d", o.id()), "")
}

func TestTagsAreCountedAndChanged(t *testing.T) {
	d := newDesk(t, Options{Tickets: 1})
	d.want(201, "POST", "/api/v2/tickets/1/tags", `{"tags":["b","a"]}`)
	d.want(200, "PUT", "/api/v2/tickets/1/tags", `{"tags":["c"]}`)
	if got := fmt.Sprint(d.want(200, "DELETE", "/api/v2/tickets/1/tags", `{"tags":["b"]}`)["tags"]); got != "[a c]" {
		t.Errorf("tags %s", got)
	}
	if list := d.get("/api/v2/tags").list("tags"); len(list) != 2 || list[0]["name"] != "a" || list[0]["count"] != 1.0 {
		t.Errorf("tags: %v", list)
	}
}

func TestImportKeepsThePast(t *testing.T) {
	d := newDesk(t, Options{})
	o := d.want(201, "POST", "/api/v2/imports/tickets", `{"ticket":{"subject":"old","status":"closed","created_at":"2019-05-04T10:00:00Z","comments":[{"value":"one","created_at":"2019-05-04T10:00:00Z"},null,{"value":"two"}]}}`).object("ticket")
	if o["created_at"] != "2019-05-04T10:00:00Z" || o["status"] != "closed" || o["description"] != "one" {
		t.Errorf("imported: %v", o)
	}
	if n := len(d.get(fmt.Sprintf("/api/v2/tickets/%d/comments", o.id())).list("comments")); n != 2 {
		t.Errorf("%d comments, want 2", n)
	}
}

func TestOldestUploadsGiveWayBeforeMemoryDoes(t *testing.T) {
	d := newDesk(t, Options{})
	d.maxHeld = 100
	file := strings.Repeat("x", 20)
	var links []any
	for range 8 {
		up := parse(t, d.do("POST", "/api/v2/uploads?filename=big", file).Body).object("upload")
		links = append(links, up.object("attachment")["content_url"])
	}
	if d.held > d.maxHeld {
		t.Errorf("%d bytes held", d.held)
	}
	if r := d.do("GET", follow(t, links[0]), ""); r.Status != 404 {
		t.Errorf("the oldest: %d", r.Status)
	}
	if r := d.do("GET", follow(t, links[7]), ""); r.Status != 200 || r.Header.Get("Content-Length") != fmt.Sprint(len(file)) {
		t.Errorf("the newest: %d", r.Status)
	}
	if r := d.do("POST", "/api/v2/uploads?filename=big", strings.Repeat("x", maxUpload+1)); r.Status != 413 {
		t.Errorf("over 50 MB: %d", r.Status)
	}
}

func TestWhatIsKeptAsItCameIsSentBackAsJSON(t *testing.T) {
	d := newDesk(t, Options{})
	d.want(200, "PUT", "/api/v2/tickets/1", "{\"ticket\":{\"custom_fields\":[{\"id\":1,\"value\":\"a\xffb\"},{\"id\":2,\"value\":[1, {\"k\":null}]}]}}")
	body := d.do("GET", "/api/v2/tickets/1", "").Body
	if !utf8.Valid(body) || !strings.Contains(string(body), `{"id":2,"value":[1,{"k":null}]}`) {
		t.Errorf("%s", body)
	}
}
