package flyball_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

var programSeed = flag.Int64("program", -1, "the one seed of TestMergingChangesNoAnswerAndNoState to run")

// Merged or not, the same program of reads and writes gives each caller the
// same answers, but for the fields that the guide names, and ends in the same
// state.
func TestMergingChangesNoAnswerAndNoState(t *testing.T) {
	seeds := 10
	if testing.Short() || racing {
		seeds = 4
	}
	merged := 0
	for seed := range uint64(seeds) {
		if *programSeed >= 0 {
			seed = uint64(*programSeed)
		}
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			with, n := runProgram(t, seed, true)
			without, _ := runProgram(t, seed, false)
			merged += n
			compareRuns(t, with, without)
			if t.Failed() {
				t.Logf("again: go test -run '%s' -program %d .", "TestMergingChangesNoAnswerAndNoState", seed)
			}
		})
		if *programSeed >= 0 {
			return
		}
	}
	if merged < 100*seeds {
		t.Errorf("only %d writes were merged in %d programs: the test is too weak", merged, seeds)
	}
}

func compareRuns(t *testing.T, with, without map[string]string) {
	t.Helper()
	wrong := 0
	for step, want := range without {
		if got := with[step]; got != want {
			if wrong++; wrong <= 5 {
				t.Errorf("%s:\nmerged: %s\n alone: %s", step, got, want)
			}
		}
	}
	if len(with) != len(without) || wrong > 5 {
		t.Errorf("%d steps merged, %d alone; %d differ", len(with), len(without), wrong)
	}
}

// A program is clients whose lanes each do one thing after another, side by
// side with all others. A lane has records of its own, so that what it sees
// does not hang on who is faster.
type program struct {
	*account
	seed    uint64
	tickets []int
	users   []int
	orgs    []int

	written atomic.Int64 // merged writes

	mu    sync.Mutex
	notes map[string]string // what each step came to, by its name
}

const (
	programClients = 3
	programLanes   = 30 // of each client
	programSteps   = 10 // of each lane
)

// runProgram returns what each step and the end came to, and how many
// writes were merged.
func runProgram(t *testing.T, seed uint64, merge bool) (notes map[string]string, merged int) {
	synctest.Test(t, func(t *testing.T) {
		var transport *flyball.Transport
		lanes := programClients * programLanes
		o := simulator.Options{Limit: 2500, Tickets: 2 * lanes, Users: lanes, Organizations: lanes, NoUserWriteSecond: true, Latency: usual}
		var faults []simulator.Fault
		if seed%3 == 1 {
			faults = []simulator.Fault{{Status: 429, Probability: 0.05, RetryAfter: "2"}}
		}
		if seed%5 == 2 {
			faults = append(faults, simulator.Fault{Unseen: 5 * time.Second, Results: "shuffled"})
		}
		if seed%4 == 3 {
			o.Limit = 300 // held all the time
		}
		p := &program{account: newAccount(t, seed, o, merging(&transport)), seed: seed, notes: map[string]string{}}
		bare := &http.Client{Transport: p.RoundTripper()}
		p.tickets, p.users, p.orgs = numbered(2*lanes), records(t, bare, "users", lanes), records(t, bare, "organizations", lanes)
		if err := p.SetFaults(faults...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute) // the reads of the records are another minute's
		var group sync.WaitGroup
		for l := range lanes {
			group.Go(func() { p.lane(t, l, merge) })
		}
		group.Wait()
		for verb, n := range p.Ledger().Changed {
			p.notes["the ledger: "+verb] = fmt.Sprint(n)
		}
		p.notes["the ledger: written twice"] = fmt.Sprint(p.Ledger().DuplicateWrites)
		notes, merged = p.notes, int(p.written.Load())
		t.Logf("merge %t: %d sends, saved %v, %d writes merged", merge, p.Ledger().Sends, transport.Snapshot().Saved, merged)
	})
	return notes, merged
}

// A lane is one thread of a client.
type lane struct {
	*program
	t       *testing.T
	draw    *rand.Rand
	name    string
	ctx     context.Context
	merges  bool
	number  int
	step    int
	labels  map[float64]string // of what it made
	tickets []int
	user    int
	org     int
}

func (p *program) lane(t *testing.T, l int, merge bool) {
	client := l % programClients
	ctx := flyball.WithClient(t.Context(), fmt.Sprintf("client %d", client))
	if merge {
		ctx = flyball.WithBatch(ctx)
	}
	if client == 1 {
		ctx = flyball.WithClass(ctx, limit.Interactive)
	}
	w := &lane{
		program: p, t: t, draw: rand.New(rand.NewPCG(p.seed, uint64(l)+100)), name: fmt.Sprintf("lane %d", l), ctx: ctx, merges: merge, number: l,
		labels: map[float64]string{}, tickets: []int{p.tickets[2*l], p.tickets[2*l+1]}, user: p.users[l], org: p.orgs[l],
	}
	for w.step = range programSteps {
		w.act()
		if w.draw.IntN(4) == 0 {
			time.Sleep(time.Duration(w.draw.IntN(3000)) * time.Millisecond)
		}
	}
	for i, id := range w.tickets {
		w.note(fmt.Sprintf("end: ticket %d", i), w.fetch("tickets", id))
		w.note(fmt.Sprintf("end: comments of ticket %d", i), fetch(t.Context(), p.client, fmt.Sprintf("/api/v2/tickets/%d/comments", id)))
	}
	w.note("end: user", w.fetch("users", w.user))
	w.note("end: organization", w.fetch("organizations", w.org))
}

// act does one thing, mostly to a ticket.
func (w *lane) act() {
	n := w.draw.IntN(len(w.tickets))
	id := w.tickets[n]
	mark := fmt.Sprintf("%s, step %d", w.name, w.step)
	put := func(family string, id int, body string) reply {
		return w.write("PUT", fmt.Sprintf("/api/v2/%s/%d", family, id), body)
	}
	kind := w.draw.IntN(16)
	if w.draw.IntN(3) > 0 { // mostly what the other lanes do in this step
		kind = rand.New(rand.NewPCG(w.seed, uint64(w.step))).IntN(16)
	}
	switch kind {
	case 0, 1:
		w.note("read ticket", w.fetch("tickets", id))
	case 2, 3, 4:
		w.note("update ticket", put("tickets", id, fmt.Sprintf(`{"ticket":{"subject":%q,"priority":%q}}`, mark, pick(w.draw, "low", "high", "urgent"))))
	case 5:
		w.note("comment", put("tickets", id, fmt.Sprintf(`{"ticket":{"comment":{"body":%q}}}`, mark)))
	case 6:
		w.note("invalid update", put("tickets", id, fmt.Sprintf(`{"ticket":{"status":"odd","subject":%q}}`, mark)))
	case 7:
		w.note("update of nothing", put("tickets", 900_000+w.number, `{"ticket":{"subject":"x"}}`))
	case 8:
		w.make("ticket", "tickets", fmt.Sprintf(`{"ticket":{"subject":%q,"comment":{"body":"text"},"tags":["made"]}}`, mark))
	case 9:
		w.note("close", put("tickets", id, `{"ticket":{"status":"closed"}}`))
	case 10:
		w.note("delete", w.write("DELETE", fmt.Sprintf("/api/v2/tickets/%d.json", id), ""))
	case 11:
		w.note("update user", put("users", w.user, fmt.Sprintf(`{"user":{"notes":%q}}`, mark)))
	case 12:
		w.make("user", "users", fmt.Sprintf(`{"user":{"name":%q,"email":"lane%d.%d@example.com"}}`, mark, w.number, w.step))
	case 13:
		w.note("update organization", put("organizations", w.org, fmt.Sprintf(`{"organization":{"notes":%q}}`, mark)))
	case 14:
		w.make("organization", "organizations", fmt.Sprintf(`{"organization":{"name":%q}}`, mark))
	default:
		w.twoInARow(id, mark)
	}
}

// twoInARow makes two writes to one ticket, the second before the first has
// ended.
func (w *lane) twoInARow(id int, mark string) {
	var group sync.WaitGroup
	var got [2]reply
	for i := range got {
		group.Go(func() {
			got[i] = w.write("PUT", fmt.Sprintf("/api/v2/tickets/%d", id), fmt.Sprintf(`{"ticket":{"subject":"%s, %d"}}`, mark, i))
		})
		if !w.merges {
			group.Wait() // nobody keeps the order of two calls that are not merged
		}
		time.Sleep(time.Millisecond) // the second comes after the first
	}
	group.Wait()
	for i := range got {
		w.note(fmt.Sprintf("in a row, %d", i), got[i])
	}
}

// make creates a record, and takes it for its own.
func (w *lane) make(one, family, body string) {
	r := w.write("POST", "/api/v2/"+family, body)
	if id, ok := at(r.value, one, "id").(float64); ok {
		w.labels[id] = fmt.Sprintf("made in step %d", w.step)
		if location := r.header.Get("Location"); !strings.HasSuffix(location, fmt.Sprintf("/api/v2/%s/%.0f.json", family, id)) {
			w.t.Errorf("%s, step %d: made %.0f, Location %q", w.name, w.step, id, location)
		}
		if one == "ticket" {
			w.tickets = append(w.tickets, int(id))
		}
	}
	w.note("make "+one, r)
}

func (w *lane) fetch(family string, id int) reply {
	return w.write("GET", fmt.Sprintf("/api/v2/%s/%d", family, id), "")
}

func (w *lane) write(method, path, body string) reply {
	header := []string{}
	if w.number%programClients == 0 && w.number%4 == 0 {
		header = []string{"X-On-Behalf-Of", "agent@example.com"}
	}
	r := write(w.ctx, w.client, method, path, body, header...)
	if r.header.Get("Flyball-Merged") != "" {
		w.written.Add(1)
	}
	return r
}

// note writes down what a step came to, without the fields that a merged
// answer may differ in.
func (w *lane) note(what string, r reply) {
	text, err := json.Marshal(w.plain(r.value))
	if err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes[fmt.Sprintf("%s, step %d: %s", w.name, w.step, what)] = fmt.Sprintf("%d %v %s", r.status, r.err, text)
}

// plain leaves out times, the audit, and where a 422 places its reasons; ids
// of what the lane made become names.
func (w *lane) plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		plain := map[string]any{}
		for name, member := range v {
			switch {
			case strings.HasSuffix(name, "_at"), name == "generated_timestamp", name == "audit", name == "url", name == "details", name == "audit_id":
			case name == "comments": // comments have ids that hang on what others made meanwhile
				plain[name] = bodies(member)
			default:
				plain[name] = w.plain(member)
			}
		}
		return plain
	case []any:
		plain := make([]any, len(v))
		for i := range v {
			plain[i] = w.plain(v[i])
		}
		return plain
	case float64:
		if label := w.labels[v]; label != "" {
			return label
		}
	}
	return v
}

func bodies(comments any) []any {
	list, _ := comments.([]any)
	texts := make([]any, len(list))
	for i := range list {
		texts[i] = at(list[i], "body")
	}
	return texts
}
