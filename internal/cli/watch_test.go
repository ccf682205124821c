package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/simulator"
	"github.com/flyballhq/flyball/watch"
)

// A watched is what came of watching a simulated account in virtual time.
type watched struct {
	report   watch.Report
	out, err string
	ledger   simulator.Ledger
}

// watchSim watches an account for so long, beginning within a minute.
func watchSim(t *testing.T, o simulator.Options, f watchFlags, length time.Duration) (w watched) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(17 * time.Second)
		sim := simulator.New(o)
		w = watchOnce(t, sim, f, length)
		w.ledger = sim.Ledger()
	})
	return w
}

func watchOnce(t *testing.T, sim *simulator.Simulator, f watchFlags, length time.Duration) (w watched) {
	t.Helper()
	var out, errs bytes.Buffer
	s := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(name string) string {
		return map[string]string{"ZENDESK_OAUTH_TOKEN": "s3cret-of-the-watch"}[name]
	}}
	if f.window == 0 {
		f.window = time.Minute
	}
	watcher, err := f.watcher(s, "acme", sim.RoundTripper())
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.close()
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	if err := watcher.run(ctx); err != nil {
		t.Fatal(err)
	}
	w.report, w.out, w.err = watcher.engine.Report(time.Now()), out.String(), errs.String()
	return w
}

// mostSends is the most calls that one of the account's minutes saw of us, and
// all of them together.
func mostSends(l simulator.Ledger) (most, all int) {
	for _, w := range l.WindowsOf("account") {
		most = max(most, w.Sends)
		all += w.Sends
	}
	return most, all
}

// busy is an account on which others use about 20 % in bursts, a script calls
// each minute, and two programs run by the clock.
func busy(seed uint64) simulator.Options {
	return simulator.Options{
		Seed: seed, Others: 0.2, ClockSkew: 700 * time.Millisecond, BoundarySkew: time.Second,
		Programs: []simulator.Program{
			{Name: "heartbeat", Every: time.Minute, Calls: 4, For: 50 * time.Second},
			{Name: "hourly export", Every: time.Hour, After: 17 * time.Minute, Calls: 350, For: 45 * time.Second},
			{Name: "crm sync", Every: 4 * time.Hour, After: 41 * time.Minute, Calls: 25, For: time.Minute, APIToken: true},
		},
	}
}

// TestWatchFindsAPlantedHourlySpikeAndItsToken watches a simulated day.
func TestWatchFindsAPlantedHourlySpikeAndItsToken(t *testing.T) {
	w := watchSim(t, busy(1), watchFlags{}, 24*time.Hour)
	most, all := mostSends(w.ledger)
	if most > watch.MostCalls || all != w.report.Calls {
		t.Errorf("the account saw up to %d calls a minute, %d in all; we count %d", most, all, w.report.Calls)
	}
	t.Logf("%d calls in a day, at most %d a minute", all, most)
	if w.ledger.Refused() != 0 || w.err != "" {
		t.Errorf("%d of our calls were refused; stderr: %s", w.ledger.Refused(), w.err)
	}
	if len(w.report.Repeats) != 1 {
		t.Fatalf("%d repeats of %d spikes, want 1:\n%s", len(w.report.Repeats), w.report.Spikes, tailOf(w.out))
	}
	r := w.report.Repeats[0]
	if r.Every != 60 || r.Last.Minute() != 17 || r.Hits != 24 || r.Due != 24 || r.Chance > 1e-6 {
		t.Errorf("found %+v, want each of 24 hours at :17", r)
	}
	if len(r.Suspects) != 1 || r.Suspects[0].Name != "hourly export" || r.Suspects[0].In < 22 {
		t.Errorf("suspects %+v, want the export in nearly all", r.Suspects)
	}
	if w.report.Spikes != r.Hits {
		t.Errorf("%d spikes, %d of them planted", w.report.Spikes, r.Hits)
	}
	if !strings.Contains(w.out, `"hourly export" (oauth `) || strings.Contains(w.out+w.err, "s3cret") {
		t.Errorf("the output does not name it, or shows a secret:\n%s", tailOf(w.out))
	}
	checkCurve(t, w)
	t.Log(tailOf(w.out))
}

// checkCurve compares each minute with the ledger.
func checkCurve(t *testing.T, w watched) {
	t.Helper()
	truth := map[int64]int{}
	for _, win := range w.ledger.WindowsOf("account") {
		truth[win.Start.Unix()/60] = win.Cost + win.Others - win.OthersRefused
	}
	within, n, worst := 0, 0, 0
	for _, m := range w.report.Minutes {
		use, known := truth[m.Index]
		if !known {
			t.Errorf("the ledger has no window at %s", m.Start)
			continue
		}
		n++
		if m.Low > use {
			t.Errorf("at %s at least %d calls, and the ledger has %d", m.Start, m.Low, use)
		}
		if m.Low <= use && use <= m.High {
			within++
		}
		worst = max(worst, m.Use-use, use-m.Use)
	}
	t.Logf("%d of %d minutes lie within their bounds; the worst estimate is off by %d of %d", within, n, worst, w.report.Limit)
	if n < w.report.Passed*99/100 || within < n*95/100 {
		t.Errorf("%d of %d minutes are known, %d within their bounds", n, w.report.Passed, within)
	}
}

func tailOf(text string) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// TestWatchFindsNoSpikeWhereThereIsNone watches half a day of twenty accounts
// whose others come in bursts, and no program runs by the clock.
func TestWatchFindsNoSpikeWhereThereIsNone(t *testing.T) {
	spikes, repeats, minutes := 0, 0, 0
	for seed := range uint64(20) {
		o := simulator.Options{Seed: seed, Others: 0.1 + 0.03*float64(seed)}
		w := watchSim(t, o, watchFlags{}, 12*time.Hour)
		spikes += w.report.Spikes
		repeats += len(w.report.Repeats)
		minutes += w.report.Watched
		if most, _ := mostSends(w.ledger); most > watch.MostCalls {
			t.Errorf("seed %d: %d calls in a minute", seed, most)
		}
	}
	t.Logf("%d spikes in %d minutes, %d repeats", spikes, minutes, repeats)
	if repeats != 0 || spikes > minutes/2000 {
		t.Errorf("%d spikes and %d repeats in %d minutes of accounts without any", spikes, repeats, minutes)
	}
}

func TestWatchGoesOnFromItsState(t *testing.T) {
	name := t.TempDir() + "/acme.watch"
	f := watchFlags{state: name, json: true}
	var last watched
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(17 * time.Second)
		sim := simulator.New(busy(3))
		for range 4 { // two hours watched, two not
			last = watchOnce(t, sim, f, 2*time.Hour)
			time.Sleep(2 * time.Hour)
		}
		last.ledger = sim.Ledger()
	})
	if len(last.report.Repeats) != 1 {
		t.Fatalf("repeats %+v", last.report.Repeats)
	}
	if r := last.report.Repeats[0]; r.Every != 60 || r.Hits != r.Due || r.Hits < 7 || len(r.Suspects) != 1 {
		t.Errorf("found %+v, want each hour that was watched", r)
	}
	if _, all := mostSends(last.ledger); all != last.report.Calls {
		t.Errorf("%d calls by the ledger, %d by the report", all, last.report.Calls)
	}
	kinds := map[string]int{}
	for line := range strings.Lines(last.out) {
		var doc struct{ Kind string }
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		kinds[doc.Kind]++
	}
	if kinds["report"] != 1 || kinds["minute"] < 115 || kinds["spike"] < 1 {
		t.Errorf("printed %v", kinds)
	}
}

// TestWatchStopsAtA429OfItsOwn refuses one of its calls: nothing is sent before
// the time that the account names, and nobody can miss it.
func TestWatchStopsAtA429OfItsOwn(t *testing.T) {
	o := busy(5)
	o.Faults = []simulator.Fault{{Status: 429, Nth: []int{40}, RetryAfter: "600"}}
	w := watchSim(t, o, watchFlags{}, time.Hour)
	if w.report.Refused != 1 || !strings.Contains(w.err, "!!! 429: acme.zendesk.com refused a call of ours") || !strings.Contains(w.out, "!!! 1 of our own calls met a 429") {
		t.Fatalf("refused %d; stderr: %s", w.report.Refused, w.err)
	}
	refused := w.report.Refusals[0]
	if refused.Until.Sub(refused.At) < 10*time.Minute {
		t.Errorf("%+v, want a wait of ten minutes", refused)
	}
	after := 0
	for _, r := range w.ledger.Requests {
		at := r.At.Add(-o.ClockSkew)
		if at.After(refused.At) && at.Before(refused.Until) {
			t.Errorf("%s was sent at %s", r.Path, at)
		}
		if !at.Before(refused.Until) {
			after++
		}
	}
	if after < 60 {
		t.Errorf("%d calls after the wait, want it to go on", after)
	}
}
