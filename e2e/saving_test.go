package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// saves is the configuration of a gateway that saves every send it can: it
// keeps, merges and leaves out.
const saves = `
listen: 127.0.0.1:0
admin: {listen: 127.0.0.1:0}
accounts:
  - upstream: %s
    cache:
      static: on
      routes:
        - {match: "GET /api/v2/tickets", fresh: 1h}
        - {match: "GET /api/v2/tickets/{id}", fresh: 1h, stale_while_limited: 1h, not_found: 1h}
    batch: {read_window: 200ms, write_window: 500ms}
    elide: {within: 10m}
    routes:
      - {match: /api/v2/*, batch: allow}
`

// A saver is such a gateway before an account: the program, in a process of its
// own.
type saver struct {
	account    *account
	url, admin string
}

func (a *account) save(t *testing.T) *saver {
	t.Helper()
	file := filepath.Join(t.TempDir(), "flyball.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, saves, a.url), 0o600); err != nil {
		t.Fatal(err)
	}
	says := []*regexp.Regexp{regexp.MustCompile(`base URL for clients +(http://\S+)/api/v2`), regexp.MustCompile(`every limit +(http://\S+)`)}
	said := starts(t, says, built(t, "..", "./cmd/flyball"), "serve", "--config", file)
	return &saver{a, said[0], said[1]}
}

// saved is how many calls each cause has answered.
func (s *saver) saved(t *testing.T) map[string]int {
	t.Helper()
	resp := get(t, s.admin)
	defer resp.Body.Close()
	var doc struct {
		Saved []struct {
			Cause string
			Calls int
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for _, saving := range doc.Saved {
		calls[saving.Cause] = saving.Calls
	}
	return calls
}

// far is an account at a distance, where calls of a busy machine still meet on
// the way.
var far = simulator.Fixed(60 * time.Millisecond)

// refusesSome is an account that refuses the first page but one, and three of
// the sends that ten updates take, merged or not.
func refusesSome(t *testing.T) *account {
	return newAccount(t, simulator.Options{Latency: far, Faults: []simulator.Fault{
		{Method: "GET", Path: secondPages, Nth: []int{1}, Status: 429, RetryAfter: "1"},
		{Method: "PUT", Path: "/api/v2/tickets/*", Nth: []int{1}, Status: 429, RetryAfter: "1.5"},
		{Method: "PUT", Path: "/api/v2/tickets/*", Nth: []int{2}, Status: 429, Body: simulator.BodyTicket, RetryAfter: "1"},
		{Method: "PUT", Path: "/api/v2/tickets/*", Nth: []int{3}, Status: 429, RetryAfter: time.Now().Add(8 * time.Second).UTC().Format(http.TimeFormat)},
	}})
}

// The clients behave as they do without it through a gateway that keeps,
// coalesces, merges and leaves out what it can.
func TestClientsPassUnchangedWhereSendsAreSaved(t *testing.T) {
	t.Parallel()
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			turn(t)
			a := refusesSome(t)
			tickets := a.tickets(t, 10)
			s := a.save(t)
			s.lists(t, c)
			s.updates(t, c, tickets)
			s.creates(t, c, tickets)
			saved := s.saved(t)
			t.Logf("%d sends; saved: %v", a.Ledger().Sends, saved)
			for _, cause := range []string{"cache", "merged", "elided"} {
				if saved[cause] == 0 {
					t.Errorf("nothing was saved by %s: nothing was tried: %v", cause, saved)
				}
			}
		})
		t.Run(c.name+"/errors", func(t *testing.T) {
			turn(t)
			errorsAreTheSame(t, c)
		})
	}
}

// lists has the client list all tickets twice: what is kept serves the second.
func (s *saver) lists(t *testing.T, c client) {
	var sends [2]int
	for i := range sends {
		if o := c.run(t, time.Minute, s.url, "list"); !whole(o) {
			t.Errorf("the listing: %v", o)
		}
		sends[i] = s.account.Ledger().Sends
	}
	if sends[0] != sends[1] {
		t.Errorf("the second listing took %d sends, want none", sends[1]-sends[0])
	}
}

// updates has the client make ten updates between reads of its own and of
// another, and make them again.
func (s *saver) updates(t *testing.T, c client, tickets []string) {
	before := s.subject(t, tickets[0])
	if before == "changed" || s.subject(t, tickets[0]) != before {
		t.Errorf("the subject before is %q", before)
	}
	for _, task := range []string{"show", "update", "show", "update"} {
		o := c.run(t, time.Minute, s.url, task, tickets...)
		if !answered(o, 10) || o.different() != 10 {
			t.Errorf("%s: %v", task, o)
		}
		if got := s.subject(t, tickets[0]); task == "update" && got != "changed" {
			t.Errorf("after the update another client reads %q", got)
		}
	}
	l := s.account.Ledger()
	if l.Changed["ticket update"] != 10 || l.DuplicateWrites != 0 || l.Refused() != 4 {
		t.Errorf("%v, %d of them twice, %d refusals; want ten updates, once each, and four refusals", l.Changed, l.DuplicateWrites, l.Refused())
	}
}

// subject is what another client reads as the ticket's subject.
func (s *saver) subject(t *testing.T, ticket string) string {
	t.Helper()
	resp := get(t, s.url+"/api/v2/tickets/"+ticket+".json")
	defer resp.Body.Close()
	var read struct{ Ticket struct{ Subject string } }
	if err := json.NewDecoder(resp.Body).Decode(&read); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("read ticket %s: %s, %v", ticket, resp.Status, err)
	}
	return read.Ticket.Subject
}

// creates has the client make ten tickets and read each of them.
func (s *saver) creates(t *testing.T, c client, numbers []string) {
	made := c.run(t, time.Minute, s.url, "create", numbers...)
	if !answered(made, 10) || made.different() != 10 {
		t.Errorf("the tickets made: %v", made)
		return
	}
	if l := s.account.Ledger(); l.Changed["ticket create"] != 10 || l.DuplicateWrites != 0 {
		t.Errorf("%v made, %d of them twice; want ten", l.Changed, l.DuplicateWrites)
	}
	for i, n := range numbers {
		if got := s.subject(t, fmt.Sprint(made.ids[i])); got != "made "+n {
			t.Errorf("the ticket that was answered for number %s has the subject %q", n, got)
		}
	}
}

// errorsAreTheSame has the client read and update tickets of which one does
// not exist, straight and through the gateway.
func errorsAreTheSame(t *testing.T, c client) {
	t.Helper()
	a := newAccount(t, simulator.Options{Latency: far})
	tickets := append(a.tickets(t, 9), "999999")
	s := a.save(t)
	defer func() { t.Logf("saved: %v", s.saved(t)) }()
	for _, task := range []string{"show", "update"} {
		straight, through := c.run(t, time.Minute, a.url, task, tickets...), c.run(t, time.Minute, s.url, task, tickets...)
		t.Logf("%s, straight: %v; through: %v", task, straight, through)
		if straight.crash == "" {
			t.Errorf("%s: a ticket that does not exist is no error: nothing was tried", task)
		}
		got := clock.ReplaceAllString(strings.ReplaceAll(through.crash, s.url, a.url), "")
		if want := clock.ReplaceAllString(straight.crash, ""); got != want {
			t.Errorf("%s ends in %q, want %q as without flyball", task, got, want)
		}
	}
}

// clock is how a Go program's log dates a line.
var clock = regexp.MustCompile(`\d{4}/\d\d/\d\d \d\d:\d\d:\d\d `)
