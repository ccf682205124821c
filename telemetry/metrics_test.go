package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/telemetry"
	"github.com/flyballhq/flyball/zendesk"
)

// scrape returns what a Prometheus server would read.
func scrape(t *testing.T, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("GET /metrics = %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// series returns the value of each series of ours.
func series(t *testing.T, text string) map[string]float64 {
	t.Helper()
	all := make(map[string]float64)
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "flyball_") {
			continue
		}
		cut := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(strings.TrimSpace(line[cut:]), 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all[line[:cut]] = value
	}
	return all
}

func sum(all map[string]float64, part string, more ...string) (total float64) {
next:
	for name, value := range all {
		if !strings.HasPrefix(name, part) {
			continue
		}
		for _, m := range more {
			if !strings.Contains(name, m) {
				continue next
			}
		}
		total += value
	}
	return total
}

var provider = zendesk.New(zendesk.Team)

func call(client, path string) *limit.Call {
	req := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}}
	return &limit.Call{Client: client, Route: provider.Route(req)}
}

func TestEachOutcomeIsCountedUnderItsName(t *testing.T) {
	m := telemetry.New(telemetry.Options{})
	wait := &limit.WaitError{Reason: limit.Spent, Err: context.DeadlineExceeded}
	for outcome, e := range map[string]event.Event{
		"answered": {Status: 200}, "rejected": {Status: 404}, "refused": {Status: 429}, "failed": {Status: 503},
		"gave_up": {Err: wait}, "left": {Err: fmt.Errorf("send: %w", context.Canceled), Left: true},
	} {
		e.Kind, e.Call, e.Took = event.Done, call("sync "+outcome, "/api/v2/tickets/7.json"), time.Second
		m.Sink()(e)
		want := fmt.Sprintf("flyball_calls_total{class=\"normal\",client=\"sync %s\",outcome=%q,route=\"GET /api/v2/tickets/{id}\"} 1\n", outcome, outcome)
		if got := scrape(t, m); !strings.Contains(got, want) {
			t.Errorf("%+v is not shown as %s", e, want)
		}
	}
	e := event.Event{Kind: event.Done, Call: call("", "/"), Err: errors.New("connection refused")}
	m.Sink()(e)
	e.Err = &flyball.UncertainError{Err: context.DeadlineExceeded} // its caller still waits
	m.Sink()(e)
	if got := sum(series(t, scrape(t, m)), "flyball_calls_total", `client="unknown"`, `outcome="failed"`); got != 2 {
		t.Errorf("a broken connection and a job without an end, of a caller without a name, count %v times as failed", got)
	}
}

// Behaviour H4: metric labels are bounded: route patterns, not paths; clients and buckets by number.
func TestLabelsAreBoundedWhateverClientsDo(t *testing.T) {
	const most, calls = 60_000, 30_000
	check := func(sink event.Sink, count func() int) error {
		for i := range calls {
			c := call(fmt.Sprintf("client %d", i), fmt.Sprintf("/api/v2/tickets/%d/made/up/%d", i, i))
			c.Class = limit.Class(i % 3)
			c.Held, c.HeldFor.Bucket = time.Second, limit.Key{Service: "support", ID: fmt.Sprintf("rule %d", i), Object: uint64(i)}
			sink(event.Event{Kind: event.Sent, Call: c, Status: 200 + i%400})
			sink(event.Event{Kind: event.Refused, Call: c, Status: 429, Bucket: c.HeldFor.Bucket})
			sink(event.Event{Kind: event.Crowded, Call: c, Bucket: c.HeldFor.Bucket})
			sink(event.Event{Kind: event.Learned, Call: c, Bucket: c.HeldFor.Bucket})
			sink(event.Event{Kind: event.GaveUp, Call: c, Reason: limit.Spent, Bucket: c.HeldFor.Bucket})
			sink(event.Event{Kind: event.Done, Call: c, Status: 200 + i%400})
		}
		if n := count(); n > most {
			return fmt.Errorf("%d series after %d calls, want at most %d", n, calls, most)
		}
		return nil
	}
	m := telemetry.New(telemetry.Options{Snapshot: crowdedSnapshot})
	var all map[string]float64
	err := check(m.Sink(), func() int { all = series(t, scrape(t, m)); return len(all) })
	if err != nil {
		t.Error(err)
	}
	if got := sum(all, "flyball_calls_total"); got != calls {
		t.Errorf("%v calls are counted, want all %d", got, calls)
	}
	if got := sum(all, "flyball_calls_total", `client="other"`); got == 0 || got == calls {
		t.Errorf("%v calls are of other clients, want those past the bound", got)
	}
	if strings.Contains(scrape(t, m), "/made/up/7") {
		t.Error("a label holds a path")
	}
	// The twin labels by what the client wrote.
	seen := map[string]int{}
	twin := func(e event.Event) { seen[fmt.Sprint(e.Kind, e.Call.Client, e.Bucket, e.Status)]++ }
	if err := check(twin, func() int { return len(seen) }); err == nil {
		t.Error("the check passes a program whose labels have no bound")
	}
}

// crowdedSnapshot has a bucket for each of many tickets and of many rules.
func crowdedSnapshot() limit.Snapshot {
	snap := limit.Snapshot{At: time.Unix(1, 0)}
	for i := range 5000 {
		snap.Buckets = append(snap.Buckets,
			limit.Bucket{Key: limit.Key{Service: "support", ID: "ticket-updates", Object: uint64(i)}, Limit: 30, Left: 30 - i%7},
			limit.Bucket{Key: limit.Key{Service: "support", ID: fmt.Sprint("rule ", i)}, Limit: 30, Resets: snap.At.Add(time.Minute)})
	}
	return snap
}

func TestOfManyTicketsBucketsTheTightestIsShown(t *testing.T) {
	m := telemetry.New(telemetry.Options{Snapshot: crowdedSnapshot})
	all := series(t, scrape(t, m))
	if got := all[`flyball_bucket_remaining{bucket="support/ticket-updates"}`]; got != 24 {
		t.Errorf("remaining is %v, want 24, the least of all tickets", got)
	}
}

func TestConfiguredClientsKeepTheirLabel(t *testing.T) {
	m := telemetry.New(telemetry.Options{Clients: []string{"crm"}, MaxClients: 2})
	for _, client := range []string{"a", "b", "c", "crm"} {
		m.Sink()(event.Event{Kind: event.Done, Call: call(client, "/"), Status: 200})
	}
	all := series(t, scrape(t, m))
	for client, want := range map[string]float64{"a": 1, "b": 1, "c": 0, "crm": 1, "other": 1} {
		if got := sum(all, "flyball_calls_total", fmt.Sprintf("client=%q", client)); got != want {
			t.Errorf("client %s: %v calls, want %v", client, got, want)
		}
	}
}

func TestSavedSendsNeverGoBack(t *testing.T) {
	saved := []int{5, 3, 9}
	m := telemetry.New(telemetry.Options{Snapshot: func() limit.Snapshot {
		n := saved[0]
		saved = saved[1:]
		return limit.Snapshot{Saved: []limit.Saving{{Cause: limit.Merged, Calls: 10, Sends: n}}}
	}})
	for i, want := range []float64{5, 5, 9} {
		if got := series(t, scrape(t, m))[`flyball_saved_sends_total{cause="merged"}`]; got != want {
			t.Errorf("scrape %d says %v, want %v", i, got, want)
		}
	}
}

func TestMetricsAreNamedAsPrometheusAsks(t *testing.T) {
	got := scrape(t, telemetry.New(telemetry.Options{Version: "v1", Snapshot: func() limit.Snapshot { return limit.Snapshot{Waiting: 3} }}))
	for _, want := range []string{"# TYPE flyball_build_info gauge\n", `flyball_build_info{goversion="go`, `version="v1"} 1`, "flyball_waiting_calls 3\n", "go_goroutines "} {
		if !strings.Contains(got, want) {
			t.Errorf("/metrics lacks %q:\n%s", want, got)
		}
	}
}

// A store that fails makes every call a miss: who watches metrics is told.
func TestAFailingStoreIsCounted(t *testing.T) {
	m := telemetry.New(telemetry.Options{Snapshot: func() limit.Snapshot { return limit.Snapshot{StoreErrors: 3} }})
	if n := sum(series(t, scrape(t, m)), "flyball_store_errors_total"); n != 3 {
		t.Errorf("flyball_store_errors_total is %v, want 3", n)
	}
}
