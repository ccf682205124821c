package audit_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyballhq/flyball/audit"
	"github.com/flyballhq/flyball/audit/accesslog"
)

// A HAR recorded by Chromium 156, of a page on another origin that calls the
// simulator through the gateway, is read: the page reads the ticket fields
// twice, a list of tickets and the comments of six, one ticket, which it then
// writes twice, once without changing it, and at once the eight users of a list.
func TestHARRecordedByChromiumIsRead(t *testing.T) {
	r := report(t, audit.Options{}, "testdata/chromium.har.gz")
	if r.Calls != 21 || r.Files[0].Other != 1 || r.Files[0].Unread != 0 || r.Services[0].Limit != 700 {
		t.Errorf("%d calls of 21, %+v, %+v", r.Calls, r.Files[0], r.Services[0])
	}
	want := map[audit.Kind]int{
		audit.Unchanged: 1, audit.Repeats: 1, audit.Nothing: 1,
		audit.FanOut: 5 + 7, audit.Reads: 7,
	}
	if diff := cmp.Diff(want, counts(r)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if r.Spared != 1+1+5+7 {
		t.Errorf("%d spared, want each of them once", r.Spared)
	}
}

// The access log that the gateway wrote of the same page says the same, but for
// the write that changed nothing, whose body it does not hold.
func TestTheGatewaysOwnLogIsRead(t *testing.T) {
	r := report(t, audit.Options{}, "testdata/flyball.log")
	if r.Calls != 21 || r.Sends != 21 || r.Services[0].Limit != 700 {
		t.Errorf("%d calls, %d sends, %+v; want 21", r.Calls, r.Sends, r.Services[0])
	}
	want := map[audit.Kind]int{audit.Unchanged: 1, audit.Repeats: 1, audit.FanOut: 12, audit.Reads: 7}
	if diff := cmp.Diff(want, counts(r)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// In flyball's own log a call may have cost no send, several, or been merged
// into a send with a line of its own; and a sample says what it stands for.
func TestOwnLogCountsWhatReachedZendesk(t *testing.T) {
	at := monday
	var b strings.Builder
	line := func(v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(string(raw) + "\n")
	}
	call := func(change func(*accesslog.Line)) {
		at = at.Add(10 * time.Second)
		l := accesslog.Line{Time: at, Msg: accesslog.Message, Client: "a", Method: "GET", Path: "/api/v2/groups.json", Status: 200, Sends: 1}
		change(&l)
		line(l)
	}
	call(func(l *accesslog.Line) { l.ETag, l.Took, l.Hold = "x", 2.5, 2.4 })
	call(func(l *accesslog.Line) { l.Sends, l.Saved, l.ETag = 0, "cache", "x" })
	call(func(l *accesslog.Line) {
		l.Sends, l.Refused, l.HeldFor, l.Path = 3, 2, "support/tickets-update", "/api/v2/tickets/1.json"
	})
	call(func(l *accesslog.Line) {
		l.Sends, l.Status, l.Turned, l.Path = 0, 429, "wait-too-long", "/api/v2/users/1.json"
	})
	for _, path := range []string{"/api/v2/tickets/5.json", "/api/v2/tickets/6.json"} {
		call(func(l *accesslog.Line) { l.Sends, l.Saved, l.Path = 0, "merged", path })
	}
	line(accesslog.Send{Time: at, Msg: accesslog.SendMessage, Client: "a", Route: "GET /api/v2/tickets/show_many", Status: 200, Sends: 1, For: "merged"})
	call(func(l *accesslog.Line) { l.Rate, l.Path = 0.1, "/api/v2/brands.json" })
	line(map[string]any{"time": at, "level": "INFO", "msg": "something else"})
	r, err := try(t, b.String())
	if err != nil {
		t.Fatal(err)
	}
	if r.Calls != 7 || r.Sends != 1+3+1+1 || r.Refused != 2 || r.StandFor != 1+3+1+10 || r.Files[0].Other != 1 {
		t.Errorf("%d calls, %d sends, %d refused, standing for %d, %+v", r.Calls, r.Sends, r.Refused, r.StandFor, r.Files[0])
	}
	if diff := cmp.Diff([]audit.Count{{Name: "cache", Calls: 1}, {Name: "merged", Calls: 2}}, r.Saved); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}
	if r.Held != 1 || !strings.Contains(strings.Join(r.Verdict.Reasons, "\n"), "flyball held 1 of 7 calls for a second or more, the longest for 2.4s") {
		t.Errorf("%d held: %q", r.Held, r.Verdict.Reasons)
	}
	if len(r.Findings) != 0 {
		t.Errorf("%+v: what flyball spared already is no waste", r.Findings)
	}
	if len(r.Causes) != 1 || r.Causes[0].Scope != "endpoint" || r.Causes[0].Sends != 2 {
		t.Errorf("%+v", r.Causes)
	}
}

// Where a log shows the answers that flyball gave a client, those that it made
// itself are no sends: refusals of its own, hits, and calls that were merged.
func TestAnswersOfFlyballItselfAreNoSends(t *testing.T) {
	w := newWeek(1)
	for i, header := range []map[string]string{
		{"cache-status": "flyball; fwd=uri-miss; stored"},
		{"cache-status": "flyball; hit; ttl=42"},
		{"cache-status": "flyball; fwd=miss; collapsed; detail=merged"},
		{"flyball-refused": "wait-too-long", "retry-after": "9"},
		{"retry-after": "9"},
	} {
		c := w.add(monday.Add(time.Duration(i)*time.Minute), "a@example.com", "GET", "/api/v2/search.json?query=1")
		if c.header = header; i >= 3 {
			c.status = 429
		}
	}
	r := report(t, audit.Options{}, write(t, "x.har", w.calls, writeHAR))
	if r.Calls != 5 || r.Sends != 2 || r.Refused != 1 || len(r.Saved) != 2 {
		t.Errorf("%d calls, %d sends, %d refused, saved %v; want 5, 2, 1 and two kinds", r.Calls, r.Sends, r.Refused, r.Saved)
	}
}

// A log in which Zendesk refused nothing, because flyball held the calls or
// refused them itself, does not say that throttling is needless: their clients
// saw a 429.
func TestWhatFlyballRefusedIsSaid(t *testing.T) {
	for format, text := range map[string]string{
		"own": strings.Repeat(`{"time":"2026-11-23T10:00:00Z","msg":"call","client":"a","method":"GET","path":"/api/v2/groups.json","status":200,"sends":1}`+"\n", 50) +
			strings.Repeat(`{"time":"2026-11-23T10:00:07Z","msg":"call","client":"a","method":"GET","path":"/api/v2/users/1.json","turned":"wait-too-long","status":429,"sends":0,"hold":5,"took":5}`+"\n", 3) +
			`{"time":"2026-11-23T10:00:08Z","msg":"call","client":"a","method":"GET","path":"/api/v2/users/1.json","turned":"FlyballBodyTooLarge","status":413,"sends":0}` + "\n",
		"HAR": `{"log":{"entries":[` + strings.TrimSuffix(strings.Repeat(`{"startedDateTime":"2026-11-23T10:00:00Z","time":1,"request":{"method":"GET","url":"https://a/api/v2/groups"},"response":{"status":429,"headers":[{"name":"flyball-refused","value":"wait-too-long"}]}},`, 3), ",") + `]}}`,
	} {
		r, err := try(t, text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]audit.Count{{Name: "wait-too-long", Calls: 3}}, r.Turned); diff != "" {
			t.Errorf("%s: turned (-want +got):\n%s", format, diff)
		}
		if !r.Verdict.Needed || !strings.Contains(strings.Join(r.Verdict.Reasons, "\n"), "flyball itself refused 3 of") {
			t.Errorf("%s: %+v", format, r.Verdict)
		}
	}
	held := `{"time":"2026-11-23T10:00:07Z","msg":"call","client":"a","method":"GET","path":"/api/v2/users/1.json","status":200,"sends":1,"hold":5,"took":5}` + "\n"
	if r, err := try(t, held); err != nil || !r.Verdict.Needed {
		t.Errorf("%v, %+v: a call was held for 5 s", err, r.Verdict)
	}
}
