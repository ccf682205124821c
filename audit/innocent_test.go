package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/flyballhq/flyball/audit"
)

// What looks like a waste and is none is not counted, to the call: each kind at
// the edge of what it means.
func TestWhatIsNoWasteIsNotCounted(t *testing.T) {
	const who = "a@example.com"
	pages := func(w *week, at time.Time, list string, from, to int) time.Time {
		for page := from; page <= to; page++ {
			w.add(at, who, "GET", fmt.Sprintf("/api/v2/%s.json?page=%d", list, page))
			at = at.Add(time.Second)
		}
		return at
	}
	each := func(w *week, at time.Time, n int, path string) {
		for range n {
			w.add(at, who, "GET", fmt.Sprintf(path, w.unique()))
			at = at.Add(time.Second)
		}
	}
	for _, test := range []struct {
		name string
		kind audit.Kind
		want int
		make func(w *week)
	}{
		{"a list read again after 26 hours", audit.Polling, 0, func(w *week) {
			pages(w, monday, "tickets", 1, 4)
			pages(w, monday.Add(26*time.Hour), "tickets", 1, 4)
		}},
		{"a list read again after 24 hours", audit.Polling, 3, func(w *week) {
			pages(w, monday, "tickets", 1, 4)
			pages(w, monday.Add(24*time.Hour), "tickets", 1, 4)
		}},
		{"a list read again with another filter", audit.Polling, 0, func(w *week) {
			pages(w, monday, "tickets", 1, 4)
			pages(w, monday.Add(time.Hour), "tickets.json?sort_by=id&x", 1, 4)
		}},
		{"pages whose beginning was long before", audit.Polling, 0, func(w *week) {
			pages(w, monday, "tickets", 1, 1)
			pages(w, monday.Add(time.Hour), "tickets", 1, 1)
			pages(w, monday.Add(2*time.Hour), "tickets", 2, 4)
		}},
		{"two objects of a list used", audit.FindOne, 0, func(w *week) {
			at := pages(w, monday, "macros", 1, 4)
			each(w, at, 2, "/api/v2/macros/%d.json")
		}},
		{"one object used at once, another an hour later", audit.FindOne, 0, func(w *week) {
			at := pages(w, monday, "macros", 1, 4)
			each(w, at, 1, "/api/v2/macros/%d.json")
			each(w, at.Add(time.Hour), 1, "/api/v2/macros/%d.json")
		}},
		{"the object used half a minute later", audit.FindOne, 0, func(w *week) {
			at := pages(w, monday, "macros", 1, 4)
			each(w, at.Add(30*time.Second), 1, "/api/v2/macros/%d.json")
		}},
		{"one page and one object", audit.FindOne, 0, func(w *week) {
			each(w, pages(w, monday, "macros", 1, 1), 1, "/api/v2/macros/%d.json")
		}},
		{"two pages and one object, read and written", audit.FindOne, 2, func(w *week) {
			at := pages(w, monday, "macros", 1, 2)
			w.add(at, who, "GET", "/api/v2/macros/7.json")
			w.add(at.Add(time.Minute), who, "PUT", "/api/v2/macros/7.json")
		}},
		{"records without a list before", audit.FanOut, 0, func(w *week) {
			each(w, monday, 20, "/api/v2/tickets/%d/comments.json")
		}},
		{"records long after the list", audit.FanOut, 0, func(w *week) {
			at := pages(w, monday, "tickets", 1, 1)
			each(w, at.Add(time.Minute), 20, "/api/v2/tickets/%d/comments.json")
		}},
		{"four records of a list", audit.FanOut, 0, func(w *week) {
			each(w, pages(w, monday, "tickets", 1, 1), 4, "/api/v2/tickets/%d/comments.json")
		}},
		{"the same record ten times", audit.FanOut, 0, func(w *week) {
			at := pages(w, monday, "tickets", 1, 1)
			for i := range 10 {
				w.add(at.Add(time.Duration(i)*time.Second), who, "GET", "/api/v2/tickets/7/comments.json")
			}
		}},
		{"a kind that no call for many answers", audit.FanOut, 0, func(w *week) {
			each(w, pages(w, monday, "macros", 1, 1), 20, "/api/v2/macros/%d/attachments.json")
		}},
		{"250 records of a list", audit.FanOut, 247, func(w *week) {
			each(w, pages(w, monday, "tickets", 1, 1), 250, "/api/v2/tickets/%d/comments.json")
		}},
		{"tickets after a list that leads to none", audit.FanOut, 0, func(w *week) {
			each(w, pages(w, monday, "ticket_fields", 1, 1), 20, "/api/v2/tickets/%d/comments.json")
		}},
		{"records of a list of the setup", audit.FanOut, 19, func(w *week) {
			each(w, pages(w, monday, "ticket_fields", 1, 1), 20, "/api/v2/ticket_fields/%d.json")
		}},
		{"tickets of a view and of a user", audit.FanOut, 38, func(w *week) {
			w.add(monday, who, "GET", "/api/v2/views/12/tickets.json")
			each(w, monday.Add(time.Second), 20, "/api/v2/tickets/%d/comments.json")
			w.add(monday.Add(time.Hour), who, "GET", "/api/v2/users/7/tickets/requested.json")
			each(w, monday.Add(time.Hour+time.Second), 20, "/api/v2/tickets/%d/comments.json")
		}},
		{"users with a side-load", audit.Reads, 0, func(w *week) {
			each(w, monday, 20, "/api/v2/users/%d.json?include=groups")
		}},
		{"the same user again and again", audit.Reads, 0, func(w *week) {
			for i := range 20 {
				w.add(monday.Add(time.Duration(i)*time.Second), who, "GET", "/api/v2/users/7.json")
			}
		}},
		{"users three seconds apart", audit.Reads, 0, func(w *week) {
			for i := range 20 {
				w.add(monday.Add(time.Duration(i)*3*time.Second), who, "GET", fmt.Sprintf("/api/v2/users/%d.json", w.unique()))
			}
		}},
		{"201 users", audit.Reads, 198, func(w *week) { each(w, monday, 201, "/api/v2/users/%d.json") }},
		{"users read by two callers in turn", audit.Reads, 8, func(w *week) {
			for i := range 10 {
				w.add(monday.Add(time.Duration(i)*100*time.Millisecond), fmt.Sprintf("b%d@example.com", i%2), "GET", fmt.Sprintf("/api/v2/users/%d.json", w.unique()))
			}
		}},
		{"writes that a job has no place for", audit.Writes, 0, func(w *week) {
			for i := range 20 {
				w.add(monday.Add(time.Duration(i)*time.Second), who, "PUT", fmt.Sprintf("/api/v2/tickets/%d.json", w.unique())).sent = `{"ticket":{"safe_update":true,"updated_stamp":"x"}}`
			}
		}},
		{"a write that adds a comment", audit.Nothing, 0, func(w *week) {
			w.add(monday, who, "GET", "/api/v2/tickets/7.json").body = `{"ticket":{"id":7,"status":"open"}}`
			w.add(monday.Add(time.Second), who, "PUT", "/api/v2/tickets/7.json").sent = `{"ticket":{"status":"open","comment":{"body":"hello"}}}`
		}},
		{"a write after somebody else's", audit.Nothing, 0, func(w *week) {
			w.add(monday, who, "GET", "/api/v2/tickets/7.json").body = `{"ticket":{"id":7,"status":"open"}}`
			w.add(monday.Add(time.Second), "b@example.com", "PUT", "/api/v2/tickets/7.json").sent = `{"ticket":{"status":"pending"}}`
			w.add(monday.Add(2*time.Second), who, "PUT", "/api/v2/tickets/7.json").sent = `{"ticket":{"status":"open"}}`
		}},
		{"a write two minutes after its read", audit.Nothing, 0, func(w *week) {
			w.add(monday, who, "GET", "/api/v2/tickets/7.json").body = `{"ticket":{"id":7,"status":"open"}}`
			w.add(monday.Add(2*time.Minute), who, "PUT", "/api/v2/tickets/7.json").sent = `{"ticket":{"status":"open"}}`
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWeek(1)
			test.make(w)
			r := report(t, audit.Options{}, write(t, "x.har", w.sorted(), writeHAR))
			if got := counts(r)[test.kind]; got != test.want {
				t.Errorf("%d %s, want %d: %+v", got, test.kind, test.want, r.Findings)
			}
		})
	}
}
