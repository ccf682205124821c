package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/audit/accesslog"
	"github.com/flyballhq/flyball/simulator"
)

// minute is how long a run may be that is shown whole as "the last minute".
const minute = 55 * time.Second

// A showing is all that is shown of a run at a time when nothing is under way.
type showing struct {
	ledger   simulator.Ledger
	doubtful int // sends that flyball cannot know never left: see doubts
	metrics  metrics
	usage    admin.Usage
	clients  admin.Clients
	limits   admin.Limits
	log      logged
	top      string
	young    bool // the last minute is the whole run
}

// settles waits until all calls have ended, their lines are written and nothing
// more arrives at the account. When that takes too long the figures tell why.
func (o *office) settles(t *testing.T, calls int) {
	t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	const still = 10 // looks in a row
	for end, same, before := time.Now().Add(30*time.Second), 0, -1; same < still && time.Now().Before(end); <-look.C {
		ledger, limits := o.ledger(t), read[admin.Limits](t, o.admin+"/api/limits")
		if ledger.Sends != before || ledger.Undecided > 0 || limits.Waiting > 0 || o.readLog(t).calls < calls {
			same = 0
		}
		same, before = same+1, ledger.Sends
	}
}

// show reads everything, again when a send came in between.
func (o *office) show(t *testing.T) *showing {
	t.Helper()
	for range 10 {
		s := &showing{ledger: o.ledger(t)}
		s.top = o.top(t)
		s.young = time.Since(o.opened) < minute
		s.metrics = o.metrics(t)
		s.usage = read[admin.Usage](t, o.admin+"/api/usage?window=10m&step=1s")
		s.clients = read[admin.Clients](t, o.admin+"/api/clients?window=10m")
		s.limits = read[admin.Limits](t, o.admin+"/api/limits")
		s.log = o.readLog(t)
		if o.ledger(t).Sends == s.ledger.Sends {
			return s
		}
	}
	t.Fatal("the account is never left alone")
	return nil
}

func (o *office) ledger(t *testing.T) simulator.Ledger {
	t.Helper()
	return read[simulator.Ledger](t, o.sim+"/_sim/ledger?requests=20000")
}

func (o *office) top(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), o.flyball, "top", "--once", "--admin", strings.TrimPrefix(o.admin, "http://")).Output()
	if err != nil {
		t.Fatalf("flyball top: %v", err)
	}
	return string(out)
}

func read[T any](t *testing.T, url string) (doc T) {
	t.Helper()
	resp := get(t, url)
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
	return doc
}

// metrics are the samples of a scrape, by name and labels as they are written.
type metrics map[string]float64

func (o *office) metrics(t *testing.T) metrics {
	t.Helper()
	resp := get(t, o.admin+"/metrics")
	defer resp.Body.Close()
	all := metrics{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, ok := cutLast(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("/metrics: %q: %v", lines.Text(), err)
		}
		all[name] = v
	}
	return all
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// sum adds up the samples of one metric that have all the labels.
func (m metrics) sum(name string, labels ...string) (n int) {
	for sample, v := range m {
		if base, _, _ := strings.Cut(sample, "{"); base != name {
			continue
		}
		if !slices.ContainsFunc(labels, func(l string) bool { return !strings.Contains(sample, l) }) {
			n += int(v)
		}
	}
	return n
}

func having(name, value string) string { return fmt.Sprintf("%s=%q", name, value) }

// A logged is the access log, added up.
type logged struct {
	calls, sends, left, held    int
	bytes                       int64
	byStatus                    map[int]int
	turned, saved               map[string]int // by why, by cause
	callsOf, sendsOf, refusedOf map[string]int // by client
	gaveUpOf, savedOf, routes   map[string]int // by client; sends by route where a line says
}

func (o *office) readLog(t *testing.T) logged {
	t.Helper()
	l := logged{byStatus: map[int]int{}}
	for _, m := range []*map[string]int{&l.turned, &l.saved, &l.callsOf, &l.sendsOf, &l.refusedOf, &l.gaveUpOf, &l.savedOf, &l.routes} {
		*m = map[string]int{}
	}
	text, err := os.ReadFile(o.log)
	if err != nil {
		t.Fatal(err)
	}
	for raw := range strings.Lines(string(text)) {
		var line accesslog.Line
		if !strings.HasSuffix(raw, "\n") {
			break // it is being written
		}
		if err := json.Unmarshal([]byte(raw), &line); err != nil {
			t.Fatalf("the access log has %q: %v", raw, err)
		}
		l.add(&line)
	}
	return l
}

func (l *logged) add(line *accesslog.Line) {
	l.sends += line.Sends
	l.sendsOf[line.Client] += line.Sends
	if line.Msg != accesslog.Message {
		if line.Status == http.StatusTooManyRequests {
			l.refusedOf[line.Client]++
		}
		return
	}
	l.calls++
	l.callsOf[line.Client]++
	l.bytes += line.Bytes
	l.refusedOf[line.Client] += line.Refused
	if line.Hold > 0 {
		l.held++
	}
	if line.Saved != "" {
		l.saved[line.Saved]++
		l.savedOf[line.Client]++
	}
	if line.Status == 499 {
		l.left++
		return
	}
	l.byStatus[line.Status]++
	if line.Turned != "" {
		l.turned[line.Turned]++
	}
	if gaveUp[line.Turned] {
		l.gaveUpOf[line.Client]++
	}
}
