package desk

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"
)

// scene is a desk with one organization, one user and one ticket that refer
// to each other, among the seeded ones.
func scene(t *testing.T) (d *desktop, ticket, user, agent, organization, group uint64) {
	d = newDesk(t, Options{})
	organization = d.want(201, "POST", "/api/v2/organizations", `{"organization":{"name":"Initech","tags":["o1"]}}`).object("organization").id()
	user = d.want(201, "POST", "/api/v2/users", fmt.Sprintf(`{"user":{"name":"Milton W","email":"m@example.com","organization_id":"%d","tags":"t1 t2","role":"end-user"}}`, organization)).object("user").id()
	agent = d.get("/api/v2/users?role=agent").list("users")[0].id()
	group = d.get("/api/v2/groups").list("groups")[1].id()
	ticket = d.want(201, "POST", "/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"Stapler","description":"mine","requester_id":%d,"assignee_id":%d,"group_id":%d,
		"type":"problem","collaborator_ids":[%d],"tags":["desk42"],"due_at":"2027-01-01"}}`, user, agent, group, agent)).object("ticket").id()
	return d, ticket, user, agent, organization, group
}

func TestListsOfARecordHoldItsTickets(t *testing.T) {
	d, ticket, user, agent, organization, _ := scene(t)
	for path, want := range map[string]bool{
		fmt.Sprint("users/", user, "/tickets/requested"):       true,
		fmt.Sprint("users/", agent, "/tickets/assigned"):       true,
		fmt.Sprint("users/", user, "/tickets/assigned"):        false,
		fmt.Sprint("users/", user, "/tickets/ccd"):             false,
		fmt.Sprint("users/", user, "/tickets/followed"):        false,
		fmt.Sprint("organizations/", organization, "/tickets"): true,
		"tickets/recent": true,
	} {
		list := d.get("/api/v2/" + path).list("tickets")
		if got := slices.ContainsFunc(list, func(o object) bool { return o.id() == ticket }); got != want {
			t.Errorf("%s holds the ticket: %v, want %v", path, got, want)
		}
	}
	for _, path := range []string{"users/1/tickets/requested", "organizations/1/tickets", "organizations/1/users", "groups/1/users", "groups/1", "views/1", "views/1/execute", "ticket_fields/1", "tickets/1/audits/1", "help_center/articles/1", "help_center/categories/1/articles"} {
		d.want(404, "GET", "/api/v2/"+path, "")
	}
	if list := d.get(fmt.Sprintf("/api/v2/organizations/%d/users", organization)).list("users"); len(list) != 1 || list[0].id() != user {
		t.Errorf("the organization's users: %v", list)
	}
	audit := d.get(fmt.Sprintf("/api/v2/tickets/%d/audits", ticket)).list("audits")[0].id()
	if o := d.get(fmt.Sprintf("/api/v2/tickets/%d/audits/%d", ticket, audit)).object("audit"); o.id() != audit {
		t.Errorf("audit %v", o)
	}
	if got := d.get(fmt.Sprint("/api/v2/tickets/", ticket)).object("ticket"); got["organization_id"] != float64(organization) || got["status"] != "open" || got["due_at"] != "2027-01-01T00:00:00Z" {
		t.Errorf("the ticket takes its requester's organization, and opens when assigned: %v", got)
	}
}

func TestSearchKnowsTheFieldsOfEachKind(t *testing.T) {
	d, ticket, user, agent, organization, group := scene(t)
	for query, want := range map[string]uint64{
		fmt.Sprint("tags:desk42 requester_id:", user):            ticket,
		"tags:desk42 requester:m@example.com":                    ticket,
		`tags:desk42 requester:"Milton W"`:                       ticket,
		fmt.Sprint("tags:desk42 assignee:", agent):               ticket,
		"tags:desk42 organization:initech":                       ticket,
		fmt.Sprint("tags:desk42 organization_id:", organization): ticket,
		fmt.Sprint("tags:desk42 group:", group):                  ticket,
		"tags:desk42 group:billing":                              ticket,
		"tags:desk42 subject:stap*":                              ticket,
		"tags:desk42 description:mine":                           ticket,
		"tags:desk42 ticket_type:problem":                        ticket,
		"tags:desk42 created>=2026-11-23T12:00:00Z":              ticket,
		"tags:desk42 created<2026-11-23T12:00:00Z":               0,
		"tags:desk42 updated<=2026-11-23":                        ticket,
		"tags:desk42 submitter:me":                               ticket,
		fmt.Sprint("type:ticket id:", ticket, " status<=solved"): ticket,
		"type:user name:milton":                                  user,
		"type:user tags:t2":                                      user,
		fmt.Sprint("type:user organization:", organization):      user,
		"type:user email:m@example.* created:2026-11-23":         user,
		"type:organization tags:o1":                              organization,
		"type:organization name:initech updated:2026-11-23":      organization,
		"type:organization initech created>2026-11-23":           0,
	} {
		o := d.get("/api/v2/search?query=" + url.QueryEscape(query))
		var got uint64
		if list := o.list("results"); len(list) == 1 {
			got = list[0].id()
		}
		if got != want || want == 0 && o["count"] != 0.0 {
			t.Errorf("%s: found %d (%v results), want %d", query, got, o["count"], want)
		}
	}
}

func TestSearchIsSortedAsAsked(t *testing.T) {
	d := newDesk(t, Options{})
	for _, by := range []string{"created_at", "updated_at", "status", "priority"} {
		for _, direction := range []string{"asc", "desc"} {
			list := d.get("/api/v2/search?query=type:ticket&per_page=100&sort_by=" + by + "&sort_order=" + direction).list("results")
			rank := func(o object) string {
				switch text, _ := o[by].(string); by {
				case "status":
					return strconv.Itoa(slices.Index(statuses, text))
				case "priority":
					return strconv.Itoa(slices.Index(priorities, text))
				default:
					return text
				}
			}
			for i := 1; i < len(list); i++ {
				if a, b := rank(list[i-1]), rank(list[i]); direction == "asc" && a > b || direction == "desc" && a < b {
					t.Fatalf("%s %s: %s before %s", by, direction, a, b)
				}
			}
		}
	}
}

func TestUpdateWithNullEmptiesAField(t *testing.T) {
	d, ticket, user, _, _, _ := scene(t)
	at := fmt.Sprint("/api/v2/tickets/", ticket)
	got := d.want(200, "PUT", at, `{"ticket":{"assignee_id":null,"due_at":null,"priority":null,"external_id":"e","requester":{"email":"m@example.com"},"assignee_email":""}}`).object("ticket")
	if got["assignee_id"] != nil || got["due_at"] != nil || got["priority"] != nil || got["external_id"] != "e" || got["requester_id"] != float64(user) {
		t.Errorf("%v", got)
	}
	if got := d.want(200, "PUT", at, `{"ticket":{"external_id":null}}`).object("ticket"); got["external_id"] != nil {
		t.Errorf("external_id %v", got["external_id"])
	}
	if list := d.get("/api/v2/tickets?external_id=e").list("tickets"); len(list) != 0 {
		t.Errorf("found by the old external id: %v", list)
	}
}

func TestIDsOfAJobAreNotInTheItemsOrder(t *testing.T) {
	d := newDesk(t, Options{})
	body := `{"tickets":[{"comment":{"body":"0"}}`
	for i := 1; i < 30; i++ {
		body += fmt.Sprintf(`,{"comment":{"body":"%d"}}`, i)
	}
	results := d.run("POST", "/api/v2/tickets/create_many", body+"]}").list("results")
	rising := slices.IsSortedFunc(results, func(a, b object) int { return int(a.id()) - int(b.id()) })
	if rising || len(results) != 30 {
		t.Errorf("ids rise with the index")
	}
	for i, r := range results { // yet each is its own item's
		if got := d.get(fmt.Sprint("/api/v2/tickets/", r.id())).object("ticket")["description"]; got != strconv.Itoa(i) {
			t.Errorf("item %d became ticket %q", i, got)
		}
	}
}

func TestUnusedUploadIsDeleted(t *testing.T) {
	d := newDesk(t, Options{})
	up := parse(t, d.do("POST", "/api/v2/uploads?filename=a", "x").Body).object("upload")
	token, id := up["token"].(string), up.object("attachment").id()
	d.get(fmt.Sprint("/api/v2/attachments/", id))
	if up = parse(t, d.do("POST", "/api/v2/uploads?filename=b&token="+token, "y").Body).object("upload"); len(up.list("attachments")) != 2 {
		t.Errorf("the token gathers files: %v", up)
	}
	d.want(204, "DELETE", "/api/v2/uploads/"+token, "")
	d.want(404, "DELETE", "/api/v2/uploads/"+token, "")
	d.want(404, "GET", fmt.Sprint("/api/v2/attachments/", id), "")
}

func TestSampleIsAShortExport(t *testing.T) {
	d := newDesk(t, Options{})
	for _, name := range []string{"tickets", "users", "ticket_events", "organizations"} {
		o := d.get("/api/v2/incremental/" + name + "/sample?start_time=0")
		if n := len(o.list(name)); n == 0 || n > 50 {
			t.Errorf("%s: %d records", name, n)
		}
	}
	d.want(404, "GET", "/api/v2/incremental/nonsense/sample?start_time=0", "")
}

func TestJobWithoutLagIsDoneAtTheNextCall(t *testing.T) {
	d := newDesk(t, Options{JobLag: func(int) time.Duration { return -1 }})
	d.want(200, "PUT", "/api/v2/tickets/update_many?ids=1", `{"ticket":{"subject":"now"}}`)
	if got := d.get("/api/v2/tickets/1").object("ticket")["subject"]; got != "now" || len(d.Jobs(d.now)) != 0 {
		t.Errorf("subject %v, jobs %v", got, d.Jobs(d.now))
	}
}
