package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/admin"
)

// governs is the configuration of a gateway that does all it can.
const governs = `
listen: 127.0.0.1:0
admin: {listen: 127.0.0.1:0}
max_wait: 4s
access_log: {file: %q}
accounts:
  - upstream: %s
    window: 2s
    cache: {routes: [{match: "GET /api/v2/tickets/{id}", fresh: 2s}]}
    elide: {within: 1m}
    batch: {write_window: 200ms}
`

// An office is flyball serve before flyball sim, with all that it shows.
type office struct {
	flyball, sim, gateway, admin string
	log                          string   // the access log's file
	users                        []string // some of the account's, by id
	opened                       time.Time
}

func newOffice(t *testing.T) *office {
	t.Helper()
	dir := t.TempDir()
	o := &office{flyball: built(t, "..", "./cmd/flyball"), log: filepath.Join(dir, "access.log")}
	o.sim = start(t, regexp.MustCompile(`listens on (http://\S+)`), o.flyball, "sim", "--listen", "127.0.0.1:0",
		"--limit", "1200", "--window", "2s", "--latency", "10ms-40ms", "--tickets", "400", "--others", "20%", "--plan", "high-volume", "--seed", "5",
		"--fault", "method=GET,probability=0.01,status=503", "--fault", "method=GET,probability=0.005,cut=before",
		"--fault", "path=/api/v2/users/*,probability=0.01,status=429,retry-after=1")
	for _, user := range read[struct{ Users []struct{ ID json.Number } }](t, o.sim+"/api/v2/users.json?per_page=60").Users {
		o.users = append(o.users, user.ID.String())
	}
	resp, err := http.Post(o.sim+"/_sim/reset", "", http.NoBody) // what a test does to get ready stands on no ledger
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	file := filepath.Join(dir, "flyball.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, governs, o.log, o.sim), 0o600); err != nil {
		t.Fatal(err)
	}
	o.opened = time.Now()
	said := starts(t, gatewaySays, o.flyball, "serve", "--config", file)
	o.gateway, o.admin = said[0], said[1]
	return o
}

// Every figure in the dashboard, top, metrics, /api/usage, /api/clients,
// /api/limits and the access log is what the account's ledger and the clients
// say, after ten thousand calls with retries, merges, hits, joins, writes left
// out, refusals and clients that leave.
func TestEveryFigureEqualsTheLedger(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	calls := 10_000
	if testing.Short() {
		calls = 2000
	}
	seen := rushes(t, o.gateway, o.users, 5, calls)
	took := time.Since(o.opened)
	o.settles(t, calls)
	s := o.show(t)
	t.Logf("%d calls in %v: %d sends, and %d doubtful; %d left, flyball knows of %d; saved: %v", calls, took.Round(time.Millisecond), s.ledger.Sends, s.doubtful,
		seen.left, s.log.left, s.limits.Saved)
	s.doubts(t, seen)
	triedAll(t, s)
	t.Run("access log", func(t *testing.T) { s.theLog(t, seen) })
	t.Run("metrics", func(t *testing.T) { s.theMetrics(t, seen) })
	t.Run("usage", func(t *testing.T) { s.theUsage(t, seen) })
	t.Run("clients", func(t *testing.T) { s.theClients(t, seen) })
	t.Run("limits", func(t *testing.T) { s.theLimits(t) })
	t.Run("top", func(t *testing.T) { s.theTop(t) })
	t.Run("dashboard", func(t *testing.T) { s.theDashboard(t, o) })
}

// doubts counts the sends that the account never saw. When a client leaves
// while its request is being written, the transport cannot tell flyball
// whether anything left, and flyball counts it, as it must be charged. That is
// a moment, so that few of those who leave meet it; every figure counts them.
func (s *showing) doubts(t *testing.T, seen *rush) {
	t.Helper()
	s.doubtful = s.limits.Sends - s.ledger.Sends
	if most := 1 + seen.left/20; s.doubtful < 0 || s.doubtful > most {
		t.Errorf("flyball counts %d sends, the account %d: want as many, and at most %d more of the %d clients that left", s.limits.Sends, s.ledger.Sends, most, seen.left)
	}
}

// sends is how many there were.
func (s *showing) sends() int { return s.ledger.Sends + s.doubtful }

// gaveUp are the reasons for which flyball refuses a call for a limit's sake.
var gaveUp = map[string]bool{"wait-too-long": true, "queue-full": true}

func gaveUps(byReason map[string]int) (n int) {
	for reason := range gaveUp {
		n += byReason[reason]
	}
	return n
}

// equal reports a figure that differs.
func equal[T int | int64 | float64 | string](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// within reports a figure that is not the least it can be, or up to spare more:
// as many clients left while their answers were on the way.
func within(t *testing.T, what string, got, least, spare int) {
	t.Helper()
	if got < least || got > least+spare {
		t.Errorf("%s: %d, want %d to %d", what, got, least, least+spare)
	}
}

// triedAll checks that each kind of thing happened.
func triedAll(t *testing.T, s *showing) {
	t.Helper()
	f := s.usage.Sum
	for what, n := range map[string]int64{
		"retry": f.Retries, "429 of the account": f.Refusals, "call given up": f.GaveUp, "client that left": f.Left, "hold": f.Held,
		"broken connection": int64(s.ledger.Cuts), "answer 404": int64(s.log.byStatus[404]), "503 of the account": int64(s.ledger.Status[503]),
	} {
		if n == 0 {
			t.Errorf("there was no %s: the run shows nothing of it", what)
		}
	}
	for _, cause := range []string{"cache", "merged", "coalesced", "elided"} {
		if s.log.saved[cause] == 0 {
			t.Errorf("no call was saved by %s: the run shows nothing of it", cause)
		}
	}
}

// heard is how many of the account's answers with a status flyball has heard:
// all but those that nobody waited for.
func (s *showing) heard(status int) int {
	return s.metrics.sum("flyball_sends_total", having("code", strconv.Itoa(status)))
}

func (s *showing) theLog(t *testing.T, seen *rush) {
	crossed := seen.left - s.log.left // their answers were on the way
	if crossed < 0 {
		t.Errorf("%d lines are of clients that left, and %d did", s.log.left, seen.left)
	}
	equal(t, "lines of calls", s.log.calls, seen.calls)
	equal(t, "sends", s.log.sends, s.sends())
	for client, n := range seen.byClient {
		equal(t, "lines of "+client, s.log.callsOf[client], n)
		within(t, "lines of refusals of "+client, s.log.gaveUpOf[client], seen.turned[client], crossed)
	}
	for status, n := range s.log.byStatus {
		within(t, fmt.Sprintf("lines with status %d", status), n, seen.byStatus[status], crossed)
	}
	for reason := range gaveUp {
		within(t, "lines with "+reason, s.log.turned[reason], seen.refused[reason], crossed)
	}
	for _, saving := range s.limits.Saved {
		equal(t, "lines saved by "+saving.Cause, s.log.saved[saving.Cause], saving.Calls)
	}
	if unsure := int64(crossed+seen.cut) * seen.largest; s.log.bytes < seen.bytes || s.log.bytes > seen.bytes+unsure {
		t.Errorf("%d bytes, want %d, and up to %d of answers that came too late", s.log.bytes, seen.bytes, unsure)
	}
}

func (s *showing) theMetrics(t *testing.T, seen *rush) {
	m := s.metrics
	equal(t, "flyball_sends_total", m.sum("flyball_sends_total"), s.sends())
	for route, n := range s.routes(t) {
		within(t, "flyball_sends_total of "+route, m.sum("flyball_sends_total", having("route", route)), n, s.doubtful)
	}
	defer func() {
		if t.Failed() {
			t.Logf("the account broke off %d, answered %v; lost %d, extra %d, unsent %d", s.ledger.Cuts, s.ledger.Status,
				m.sum("flyball_sends_total", having("code", "lost")), m.sum("flyball_sends_total", having("code", "extra")), m.sum("flyball_unsent_total"))
		}
	}()
	unheard := s.ledger.Cuts + s.ledger.Undecided + s.doubtful // and what the account answered and nobody waited for
	for status, n := range s.ledger.Status {
		if unheard += n - s.heard(status); s.heard(status) > n {
			t.Errorf("%d sends answered %d, and the account has answered %d", s.heard(status), status, n)
		}
	}
	equal(t, "sends without an answer", m.sum("flyball_sends_total", having("code", "lost"))+m.sum("flyball_sends_total", having("code", "extra")), unheard)
	equal(t, "refusals by the account", m.sum("flyball_refusals_total", having("by", "account")), s.heard(429))
	within(t, "refusals by the account, of those in the ledger", s.heard(429), s.ledger.Refused()-unheard, unheard)
	equal(t, "flyball_calls_total", m.sum("flyball_calls_total"), seen.calls)
	for client, n := range seen.byClient {
		equal(t, "calls of "+client, m.sum("flyball_calls_total", having("client", client)), n)
	}
	outcome := func(o string) int { return m.sum("flyball_calls_total", having("outcome", o)) }
	crossed := s.log.left - outcome("left")
	within(t, "calls whose clients left", outcome("left"), s.log.left-crossed, max(0, crossed))
	within(t, "calls that flyball gave up", outcome("gave_up"), gaveUps(s.log.turned), crossed)
	within(t, "calls refused", outcome("refused"), s.log.byStatus[429]-gaveUps(s.log.turned), crossed)
	below := 0
	for status, n := range s.log.byStatus {
		if status < 400 {
			below += n
		}
	}
	within(t, "calls answered", outcome("answered"), below, crossed)
	within(t, "calls answered with 404", outcome("rejected"), s.log.byStatus[404], crossed)
	equal(t, "flyball_answer_bytes_total", int64(m.sum("flyball_answer_bytes_total")), s.log.bytes)
	equal(t, "holds", m.sum("flyball_hold_seconds_count"), seen.calls)
	equal(t, "calls held", m.sum("flyball_hold_seconds_count")-m.sum("flyball_hold_seconds_count", having("bucket", "none")), s.log.held)
	for cause, n := range s.log.saved {
		equal(t, "calls saved by "+cause, m.sum("flyball_saved_calls_total", having("cause", cause)), n)
	}
	for _, saving := range s.limits.Saved {
		equal(t, "sends saved by "+saving.Cause, m.sum("flyball_saved_sends_total", having("cause", saving.Cause)), max(saving.Sends, 0))
	}
	equal(t, "flyball_waiting_calls", m.sum("flyball_waiting_calls"), 0)
	equal(t, "flyball_access_log_dropped_total", m.sum("flyball_access_log_dropped_total"), 0)
}

// inPath are the ids in a path.
var inPath = regexp.MustCompile(`/[0-9]+\b|/[0-9a-f]{32}\b`)

// routes counts the account's requests by kind.
func (s *showing) routes(t *testing.T) map[string]int {
	t.Helper()
	if s.ledger.Dropped > 0 || len(s.ledger.Requests) != s.ledger.Sends {
		t.Errorf("the ledger lists %d of %d requests", len(s.ledger.Requests), s.ledger.Sends)
	}
	n := map[string]int{}
	for _, r := range s.ledger.Requests {
		path, _, _ := strings.Cut(r.Path, "?")
		n[r.Method+" "+inPath.ReplaceAllString(strings.TrimSuffix(path, ".json"), "/{id}")]++
	}
	return n
}

func (s *showing) theUsage(t *testing.T, seen *rush) {
	f, m := s.usage.Sum, s.metrics
	equal(t, "calls", f.Calls, int64(seen.calls))
	equal(t, "sends", f.Sends, int64(s.sends()))
	equal(t, "the steps' calls", total(s.usage.Total.Calls), f.Calls)
	equal(t, "the steps' sends", total(s.usage.Total.Sends), f.Sends)
	equal(t, "the steps' refusals", total(s.usage.Total.Refusals), f.Refusals)
	equal(t, "refusals", f.Refusals, int64(s.heard(429)))
	equal(t, "lost", f.Lost, int64(m.sum("flyball_sends_total", having("code", "lost"))))
	equal(t, "retries", f.Retries, int64(m.sum("flyball_retries_total")))
	equal(t, "given up", f.GaveUp, int64(m.sum("flyball_calls_total", having("outcome", "gave_up"))))
	equal(t, "left", f.Left, int64(m.sum("flyball_calls_total", having("outcome", "left"))))
	equal(t, "answered with 429", f.Answered429, int64(m.sum("flyball_calls_total", having("outcome", "refused"))))
	equal(t, "failed or answered 5xx", f.Failed+f.Answered5xx, int64(m.sum("flyball_calls_total", having("outcome", "failed"))))
	equal(t, "held", f.Held, int64(s.log.held))
	for _, split := range [][]admin.Series{s.usage.Clients, s.usage.Classes, s.usage.Services, s.usage.Routes} {
		calls, sends := int64(0), int64(0)
		for _, one := range split {
			calls, sends = calls+one.Sum.Calls, sends+one.Sum.Sends
		}
		equal(t, "calls of all of "+split[0].Name+" and the like", calls, f.Calls)
		equal(t, "sends of all of "+split[0].Name+" and the like", sends, f.Sends)
	}
	routes := s.routes(t)
	for _, one := range s.usage.Routes {
		within(t, "sends of "+one.Name, int(one.Sum.Sends), routes[one.Name], s.doubtful)
	}
	for _, one := range s.usage.Classes {
		equal(t, "calls of class "+one.Name, one.Sum.Calls, int64(m.sum("flyball_calls_total", having("class", one.Name))))
	}
	equal(t, "causes", len(s.usage.Saved), len(s.limits.Saved))
	for _, saving := range s.usage.Saved {
		equal(t, "calls saved by "+saving.Cause, saving.SumCalls, int64(s.log.saved[saving.Cause]))
	}
}

func total(n []int64) (sum int64) {
	for _, v := range n {
		sum += v
	}
	return sum
}

func (s *showing) theClients(t *testing.T, seen *rush) {
	equal(t, "sends of all", s.clients.Ours.Sends, int64(s.sends()))
	equal(t, "clients", len(s.clients.Clients), len(callers))
	for _, c := range s.clients.Clients {
		equal(t, "calls of "+c.Client, c.Calls, int64(seen.byClient[c.Client]))
		equal(t, "sends of "+c.Client, c.Sends, int64(s.log.sendsOf[c.Client]))
		equal(t, "429s of "+c.Client, c.Refusals, int64(s.log.refusedOf[c.Client]))
		equal(t, "saved of "+c.Client, c.SavedCalls, int64(s.log.savedOf[c.Client]))
		equal(t, "classes of "+c.Client, c.Classes.Interactive+c.Classes.Normal+c.Classes.Bulk, c.Calls)
		equal(t, "waiting of "+c.Client, c.Waiting, 0)
		within(t, "given up of "+c.Client, int(c.GaveUp), s.log.gaveUpOf[c.Client], s.log.left-int(s.usage.Sum.Left))
	}
}

func (s *showing) theLimits(t *testing.T) {
	equal(t, "sends", s.limits.Sends, s.sends())
	equal(t, "waiting", s.limits.Waiting, 0)
	refusals, without := 0, s.sends()
	for _, b := range s.limits.Buckets {
		refusals += b.Refusals
		equal(t, "in flight of "+b.Bucket, b.InFlight, 0)
		equal(t, "held of "+b.Bucket, b.Held, 0)
	}
	equal(t, "429s of all buckets", refusals, s.heard(429))
	for _, saving := range s.usage.Saved {
		without += int(saving.SumSends)
	}
	for i, saving := range s.limits.Saved {
		equal(t, "calls saved by "+saving.Cause, saving.Calls, s.log.saved[saving.Cause])
		equal(t, "sends saved by "+saving.Cause, saving.Sends, int(s.usage.Saved[i].SumSends))
		equal(t, "percent saved by "+saving.Cause, fmt.Sprintf("%.1f", saving.Percent), fmt.Sprintf("%.1f", 100*float64(saving.Sends)/float64(without)))
	}
}

// What flyball top says.
var (
	topMinute = regexp.MustCompile(`(?m)^last minute +calls (\d+), sends (\d+), 429s (\d+), given up (\d+), left (\d+), retries (\d+), held p50 (\S+) s, p99 (\S+) s$`)
	topSaved  = regexp.MustCompile(`(?ms)^saved +(.*) since the start$`)
	topClient = regexp.MustCompile(`^(.{34}) +(\d+) % +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\S+) s$`)
)

func (s *showing) theTop(t *testing.T) {
	defer func() {
		if t.Failed() {
			t.Log(s.top)
		}
	}()
	f := s.usage.Sum
	want := fmt.Sprint([]int64{f.Calls, f.Sends, f.Refusals, f.GaveUp, f.Left, f.Retries})
	if m := topMinute.FindStringSubmatch(s.top); m == nil {
		t.Error("nothing is said of the last minute")
	} else if s.young {
		equal(t, "the last minute", fmt.Sprint(m[1:7]), want)
	} else {
		t.Log("the run took longer than a minute, and of that minute nothing else is known")
	}
	var savings []string
	for _, saving := range s.limits.Saved {
		savings = append(savings, fmt.Sprintf("%d sends by %s (%.0f %%)", saving.Sends, saving.Cause, saving.Percent))
	}
	if m := topSaved.FindStringSubmatch(s.top); m == nil {
		t.Error("nothing is said of what was saved")
	} else {
		equal(t, "saved", strings.Join(strings.Fields(m[1]), " "), strings.Join(savings, ", "))
	}
	if !strings.Contains(s.top, "nobody waits") {
		t.Error("nobody waits, and that is not said")
	}
	rows := map[string]string{}
	for line := range strings.Lines(s.top) {
		if m := topClient.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			rows[strings.TrimSpace(m[1])] = fmt.Sprint(m[3:8])
		}
	}
	equal(t, "rows of clients", len(rows), len(s.clients.Clients))
	for _, c := range s.clients.Clients {
		equal(t, "the row of "+c.Client, rows[c.Client], fmt.Sprint([]int64{c.Calls, c.Sends, c.Refusals, c.GaveUp, 0}))
	}
}

func (s *showing) theDashboard(t *testing.T, o *office) {
	p := newTab(t)
	p.look(t, 1280, "light")
	p.open(t, o.admin+"/")
	number := func(n any) string { return fmt.Sprint(n) }
	saved, f := 0, s.usage.Sum
	for _, saving := range s.limits.Saved {
		saved += saving.Sends
	}
	p.becomes(t, figure(`#view-now [data-figure="sends"]`), number(s.sends()))
	p.becomes(t, figure(`#view-now [data-figure="saved"]`), number(saved))
	p.becomes(t, figure(`#view-now [data-figure="waiting"]`), "0")
	inTime := figure(`#view-now [data-figure="refusals"]`) + ` + " " + ` + figure(`#view-now [data-figure="gave-up"]`)
	shown := eval[string](t, p, inTime)
	if time.Since(o.opened) < minute {
		equal(t, "429s and calls given up in the last minute", shown, fmt.Sprintf("%d %d", f.Refusals, f.GaveUp))
	} else {
		t.Log("the run began more than a minute ago, and of the last minute nothing else is known")
	}

	eval[any](t, p, `location.hash = "clients"`)
	for _, c := range s.clients.Clients {
		p.becomes(t, cell(c.Client, "calls"), number(c.Calls))
		p.becomes(t, cell(c.Client, "sends"), number(s.log.sendsOf[c.Client]))
		p.becomes(t, cell(c.Client, "refusals"), number(s.log.refusedOf[c.Client]))
		p.becomes(t, cell(c.Client, "saved"), number(s.log.savedOf[c.Client]))
		p.becomes(t, cell(c.Client, "gave-up"), number(c.GaveUp))
		p.becomes(t, cell(c.Client, "waiting"), "0")
	}

	eval[any](t, p, `location.hash = "time"`)
	p.becomes(t, legend("Who and what"), number(s.sends()))
	p.becomes(t, legend("429s by cause"), number(f.Refusals+f.GaveUp))
	p.becomes(t, legend("Sends saved"), number(saved))
	eval[any](t, p, `document.querySelector("#view-time input[value=calls]").click()`)
	p.becomes(t, legend("Who and what"), number(f.Calls))

	eval[any](t, p, `location.hash = "calls"`)
	p.becomes(t, `[...document.querySelectorAll("#view-calls h2")].some((h) => h.textContent === "Refused last (`+number(min(100, f.Refusals+f.GaveUp))+`)")`, "true")
	if errs := p.errs(); len(errs) > 0 {
		t.Errorf("the console shows %q", errs)
	}
}

// legend adds up what a chart over time says of its series.
func legend(chart string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#view-time figure")].find((f) => f.querySelector("h3").textContent === %q)
		?.querySelectorAll(".legend strong").values().reduce((n, s) => n + Number(s.textContent.replaceAll(",", "")), 0)`, chart)
}
