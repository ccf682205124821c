package audit_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flyballhq/flyball/audit"
	"github.com/flyballhq/flyball/zendesk"
)

// write puts a log into a file and returns its path.
func write(t *testing.T, name string, calls []exchange, format func(io.Writer, []exchange)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	var w io.WriteCloser = f
	if filepath.Ext(name) == ".gz" {
		w = gzip.NewWriter(f)
	}
	buffered := bufio.NewWriter(w)
	format(buffered, calls)
	if err := buffered.Flush(); err != nil {
		t.Fatal(err)
	}
	if w != f {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// report audits files.
func report(t *testing.T, o audit.Options, names ...string) *audit.Report {
	t.Helper()
	a := audit.New(o)
	files, err := audit.Files(t.Context(), a, names, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := a.Report()
	r.Files = files
	return r
}

func counts(r *audit.Report) map[audit.Kind]int {
	found := map[audit.Kind]int{}
	for _, f := range r.Findings {
		found[f.Kind] = f.Calls
	}
	return found
}

// Each kind of waste that was planted is found, with its exact count, whatever
// the log's format. Logs without bodies cannot show writes that change nothing,
// logs without ETags show nothing that changed.
func TestPlantedWasteIsFoundExactly(t *testing.T) {
	for seed := range uint64(3) {
		w := newWeek(seed)
		w.clean()
		w.waste()
		calls := w.sorted()
		for format, render := range logs {
			if seed > 0 && format != "har" && format != "nginx" {
				continue
			}
			t.Run(format, func(t *testing.T) {
				t.Parallel()
				r := report(t, audit.Options{}, write(t, "week."+format, calls, render))
				if r.Sends != len(calls) || r.Files[0].Calls != len(calls) || r.Files[0].Unread != 0 {
					t.Fatalf("%d sends, %+v; want %d calls", r.Sends, r.Files[0], len(calls))
				}
				want, spared := visible(w, format)
				if diff := cmp.Diff(want, counts(r)); diff != "" {
					t.Errorf("seed %d: findings (-planted +found):\n%s", seed, diff)
					for _, f := range r.Findings {
						t.Logf("%s: %s %v", f.Kind, f.Example, f.Routes)
					}
				}
				if r.Spared != spared {
					t.Errorf("seed %d: %d spared, want %d", seed, r.Spared, spared)
				}
				if len(r.Blind) != 0 {
					t.Errorf("blind: %v", r.Blind)
				}
			})
		}
	}
}

// The table of lifetimes is exact: what caches of each would have answered,
// and how often with an old body.
func TestLifetimesAreExact(t *testing.T) {
	w := newWeek(7)
	w.clean()
	w.waste()
	r := report(t, audit.Options{}, write(t, "week.log.gz", w.sorted(), writeNginx))
	var hits, outdated [4]int
	for i, l := range r.Lifetimes {
		hits[i], outdated[i] = l.Calls, l.Outdated
	}
	if hits != w.hits || outdated != w.outdated {
		t.Errorf("hits %v, %v of them outdated; want %v and %v", hits, outdated, w.hits, w.outdated)
	}
}

// On clean traffic there is nothing to be gained, and no throttling needed.
func TestCleanTrafficHasNothingToGain(t *testing.T) {
	w := newWeek(3)
	w.clean()
	for format, render := range logs {
		if racing && format != "har" && format != "nginx" {
			continue
		}
		r := report(t, audit.Options{Limit: 700}, write(t, "clean."+format, w.sorted(), render))
		if len(r.Findings) != 0 || r.Spared != 0 || r.Lifetimes != nil {
			t.Errorf("%s: %+v, %d spared, lifetimes %+v; want nothing", format, r.Findings, r.Spared, r.Lifetimes)
		}
		if r.Verdict.Needed {
			t.Errorf("%s: throttling is needed: %q", format, r.Verdict.Reasons)
		}
	}
}

// Each refusal is counted under its cause, by what the answer said.
func TestRefusalsHaveTheirCause(t *testing.T) {
	w := newWeek(4)
	w.clean()
	w.refusals()
	r := report(t, audit.Options{}, write(t, "week.har", w.sorted(), writeHAR))
	found := map[string]int{}
	all := 0
	for _, c := range r.Causes {
		if c.Inferred {
			t.Errorf("%+v is inferred", c)
		}
		found[c.Scope+" "+c.Limit] = c.Sends
		all += c.Sends
	}
	if diff := cmp.Diff(w.causes, found); diff != "" {
		t.Errorf("causes (-planted +found):\n%s", diff)
	}
	if r.Refused != all || r.RefusedMinutes != w.refusedMinutes || !r.Verdict.Needed {
		t.Errorf("%d refused in %d minutes, needed %v; want %d in %d, true", r.Refused, r.RefusedMinutes, r.Verdict.Needed, all, w.refusedMinutes)
	}
}

// Where the log has neither headers nor bodies, a refusal at the end of a
// limit is put down to it, and marked as inferred.
func TestRefusalsWithoutWordsAreInferredFromTheCounts(t *testing.T) {
	w := newWeek(5)
	start := monday.Add(time.Second)
	for i := range 230 { // 200 go through, as the plan allows
		c := w.add(start.Add(time.Duration(i)*200*time.Millisecond), "a@example.com", "GET", fmt.Sprintf("/api/v2/search.json?query=%d", i))
		if i >= 200 {
			c.status = 429
		}
	}
	for i := range 15 { // ten exports a minute
		c := w.add(start.Add(5*time.Minute+time.Duration(i)*time.Second), "a@example.com", "GET", fmt.Sprintf("/api/v2/incremental/users.json?start_time=%d", i))
		if i >= 10 {
			c.status = 429
		}
	}
	w.add(start.Add(time.Hour), "a@example.com", "GET", "/api/v2/groups.json").status = 429
	r := report(t, audit.Options{Plan: zendesk.Team}, write(t, "x.log", w.sorted(), writeCombined))
	want := []audit.Cause{
		{Scope: "account", Limit: "support/account", Inferred: true, Sends: 30},
		{Scope: "endpoint", Limit: "support/incremental-exports", Inferred: true, Sends: 5},
		{Scope: "unknown", Limit: "GET /api/v2/groups", Sends: 1},
	}
	if diff := cmp.Diff(want, r.Causes, cmpopts.IgnoreFields(audit.Cause{}, "Example")); diff != "" {
		t.Errorf("causes (-want +got):\n%s", diff)
	}
}

// Refusals against which no waiting helps do not make throttling needed, even
// beside a single one that a pause does help against; nor do they make that
// one's cause the largest part.
func TestRefusalsThatNoWaitingHelpsDoNotCount(t *testing.T) {
	w := newWeek(5)
	for i := range 3000 {
		c := w.add(monday.Add(time.Duration(i)*time.Minute), "a@example.com", "GET", fmt.Sprintf("/api/v2/users.json?page=%d", i+1))
		switch {
		case i < 5:
			c.status, c.body = 429, `{"error":"x","description":"Pagination limit reached for offset model"}`
		case i == 5:
			c.status, c.body = 429, `{"error":"APIRateLimitExceeded","description":"Number of allowed API requests per minute exceeded"}`
		}
	}
	r := report(t, audit.Options{}, write(t, "x.har", w.sorted(), writeHAR))
	said := strings.Join(r.Verdict.Reasons, "\n")
	if r.Verdict.Needed || r.RefusedMinutes != 6 || !strings.Contains(said, "1 of 3,000 requests was answered with 429, all in one minute") {
		t.Errorf("%d refused in %d minutes: %+v", r.Refused, r.RefusedMinutes, r.Verdict)
	}
}

// Where nobody says the limit, a lower one is not guessed than what the log
// shows let through: 300 a minute go through at noon, so a refusal after 250 is
// not put down to a limit of 200.
func TestTheLimitIsNoLessThanWhatWasLetThrough(t *testing.T) {
	w := newWeek(5)
	minute := func(at time.Time, n, refused int) {
		for i := range n {
			c := w.add(at.Add(time.Duration(i)*100*time.Millisecond), "a@example.com", "GET", fmt.Sprintf("/api/v2/search.json?query=%d", w.unique()))
			if i >= n-refused {
				c.status = 429
			}
		}
	}
	minute(monday.Add(time.Hour), 300, 0)
	minute(monday.Add(2*time.Hour), 252, 2)
	minute(monday.Add(3*time.Hour), 290, 4)
	r := report(t, audit.Options{}, write(t, "x.log", w.sorted(), writeCombined))
	want := []audit.Cause{
		{Scope: "account", Limit: "support/account", Inferred: true, Sends: 4},
		{Scope: "unknown", Limit: "GET /api/v2/search", Sends: 2},
	}
	if diff := cmp.Diff(want, r.Causes, cmpopts.IgnoreFields(audit.Cause{}, "Example")); diff != "" {
		t.Errorf("causes (-want +got):\n%s", diff)
	}
	if r.Services[0].Passed != 300 || r.Services[0].Limit != 0 {
		t.Errorf("%+v, want 300 let through of an unknown limit", r.Services[0])
	}
}

// A log with the answers' headers and without bodies tells a refusal at the end
// of the account's limit by what was left.
func TestRefusalsAreExplainedByHeadersAlone(t *testing.T) {
	w := newWeek(5)
	for i, left := range []string{"0", "312"} {
		c := w.add(monday.Add(time.Duration(i)*time.Minute), "a@example.com", "GET", fmt.Sprintf("/api/v2/search.json?query=%d", i))
		c.status, c.header = 429, map[string]string{"x-rate-limit": "700", "x-rate-limit-remaining": left, "retry-after": "9"}
	}
	r := report(t, audit.Options{}, write(t, "x.log", w.sorted(), writeNginx))
	want := []audit.Cause{{Scope: "unknown", Limit: "GET /api/v2/search", Sends: 1}, {Scope: "account", Limit: "support/account", Sends: 1}}
	if diff := cmp.Diff(want, r.Causes, cmpopts.IgnoreFields(audit.Cause{}, "Example")); diff != "" {
		t.Errorf("causes (-want +got):\n%s", diff)
	}
}

// Minutes and calls near the limit are counted as Zendesk's usage page does:
// at 80-89 %, at 90-99 %, and at the limit.
func TestMinutesNearTheLimitAreExact(t *testing.T) {
	w := newWeek(6)
	w.clean() // a handful of calls a minute at most
	w.busy(1, 3, 350)
	w.busy(2, 5, 330)
	w.busy(3, 2, 400)
	r := report(t, audit.Options{Limit: 400}, write(t, "x.log", w.sorted(), writeNginx))
	want := []audit.Band{{Name: "80-89 %", Minutes: 8}, {Name: "90-99 %"}, {Name: "100 %", Minutes: 2}}
	got := r.Services[0].Bands
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(audit.Band{}, "Sends")); diff != "" {
		t.Errorf("bands (-want +got):\n%s", diff)
	}
	// Of 400 calls 40 are made at 80-89 %, 40 at 90-99 % and the last at 100 %;
	// of 350 and 330 those from the 320th on are at 80-89 %.
	if got[1].Sends != 2*40 || got[0].Sends < 2*40+3*31+5*11 || got[0].Sends > 2*40+3*31+5*11+8*8 {
		t.Errorf("%d and %d calls at 80-89 %% and 90-99 %%, want about %d and %d", got[0].Sends, got[1].Sends, 2*40+3*31+5*11, 2*40)
	}
	if !r.Verdict.Needed || r.Services[0].Busiest.Sends < 400 {
		t.Errorf("needed %v, busiest %+v", r.Verdict.Needed, r.Services[0].Busiest)
	}
}

// A contract may allow more than any plan does.
func TestAnyLimitHasItsBands(t *testing.T) {
	w := newWeek(1)
	c := w.add(monday.Add(30*time.Second), "a@example.com", "GET", "/api/v2/search.json?query=x")
	c.header = map[string]string{"x-rate-limit": "20000", "x-rate-limit-remaining": "1500"}
	r := report(t, audit.Options{}, write(t, "x.log", w.sorted(), writeNginx))
	if got := r.Services[0].Bands[1].Minutes; got != 1 {
		t.Errorf("%d minutes at 90-99 %% of 20,000, want one", got)
	}
}

// Just after a minute's turn an answer may still state the count of the one
// before (observed in recordings): that does not make the new minute a full one.
func TestACountOfTheMinuteBeforeIsNotTheNewMinutes(t *testing.T) {
	w := newWeek(1)
	for i, second := range []int{1, 30} {
		c := w.add(monday.Add(time.Duration(i)*time.Hour+time.Duration(second)*time.Second), "a@example.com", "GET", fmt.Sprintf("/api/v2/search.json?query=%d", i))
		c.header = map[string]string{"x-rate-limit": "700", "x-rate-limit-remaining": "5"}
	}
	r := report(t, audit.Options{}, write(t, "x.log", w.sorted(), writeNginx))
	if got := r.Services[0].Bands[1].Minutes; got != 1 {
		t.Errorf("%d minutes at 90-99 %%, want the one whose count was stated in its middle", got)
	}
}

// Logs are written when calls end; what counts is when they began: a slow list
// comes before the calls for its records, wherever its line stands.
func TestCallsAreTakenInTheOrderInWhichTheyBegan(t *testing.T) {
	w := newWeek(1)
	w.add(monday, "a@example.com", "GET", "/api/v2/search.json?query=1").took = 9 * time.Second
	for i := range 10 {
		w.add(monday.Add(time.Second+time.Duration(i)*500*time.Millisecond), "a@example.com", "GET", fmt.Sprintf("/api/v2/tickets/%d/comments.json", i+1))
	}
	r := report(t, audit.Options{}, write(t, "x.log", w.sorted(), writeNginx))
	if got := counts(r)[audit.FanOut]; got != 9 {
		t.Errorf("%d fan-out, want 9", got)
	}
}

// visible is what of the planted waste a log of that format can show.
func visible(w *week, format string) (found map[audit.Kind]int, spared int) {
	found, spared = map[audit.Kind]int{}, w.spared
	for kind, n := range w.found {
		found[kind] = n
	}
	if format != "har" {
		spared -= found[audit.Nothing]
		delete(found, audit.Nothing)
	}
	if format == "combined" || format == "envoy" { // the sizes all differ
		spared -= found[audit.Unchanged]
		delete(found, audit.Unchanged)
	}
	return found, spared
}
