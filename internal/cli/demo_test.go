package cli

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

func TestBothSidesOfTheDemoDoTheSameWork(t *testing.T) {
	one, two, other := newLoad(1), newLoad(1), newLoad(2)
	methods := map[string]int{}
	differs := false
	for i := range int64(2000) {
		if one.at(i) != two.at(i) || one.click(i) != two.click(i) {
			t.Fatalf("job %d: %v and %v, want the same of the same seed", i, one.at(i), two.at(i))
		}
		differs = differs || one.at(i) != other.at(i)
		methods[one.at(i).method]++
	}
	if !differs {
		t.Error("seeds 1 and 2 make the same load")
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost} {
		if methods[method] < 20 {
			t.Errorf("%d of 2000 jobs are %s, want some", methods[method], method)
		}
	}
}

func TestTheDemosTableCountsFullWindowsOnly(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 5, 0, time.UTC)
	window := func(second, admitted, others, refused int) simulator.Window {
		return simulator.Window{
			Bucket: "account", Start: began.Truncate(time.Minute).Add(time.Duration(second) * time.Second), Length: 10 * time.Second,
			Limit: 100, Admitted: admitted, Others: others, OthersRefused: refused,
		}
	}
	f := figures{began: began, ledger: simulator.Ledger{
		To:      began.Add(20 * time.Second),
		Windows: []simulator.Window{window(0, 90, 0, 0), window(10, 70, 30, 10), window(20, 9, 0, 0)},
	}}
	if got, want := f.used(), "70 % + 20 %"; got != want {
		t.Errorf("used() = %q, want %q", got, want)
	}
	f.ledger.Windows = f.ledger.Windows[:1]
	if got, want := f.used(), "-"; got != want {
		t.Errorf("used() without a full window = %q, want %q", got, want)
	}
}

// Harm to others is shown beside the ledger's truth, and is near it.
func TestTheDemoShowsFlyballsEstimateOfHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sides [2]*side
		for i := range sides {
			sides[i] = &side{account: simulator.New(simulator.Options{
				Origin: "https://acme.zendesk.com", Seed: 3, Others: 0.3, Latency: simulator.Fixed(100 * time.Millisecond),
			})}
		}
		reckless := flyball.Regulation{Politeness: -1, Burst: 4} // so that there is harm to show
		transport, err := flyball.New(flyball.Options{Account: "acme", Base: sides[1].account.RoundTripper(), Regulation: reckless})
		if err != nil {
			t.Fatal(err)
		}
		defer transport.Close()
		sides[1].transport = transport
		view := &demoView{began: time.Now(), duration: 10 * time.Minute, sides: sides}
		if table := view.table(); !strings.Contains(table, "own estimate") || !strings.Contains(table, " none ") {
			t.Errorf("before anything is refused the estimate is not none:\n%s", table)
		}
		callUntil(t, transport, time.Now().Add(10*time.Minute))
		f := view.figures(1)
		if truth := float64(f.ledger.OthersRefused); truth < 50 || f.harm < 0.7*truth || f.harm > 1.3*truth {
			t.Errorf("%.1f calls of others estimated to be refused, %.0f were; want near, and some", f.harm, truth)
		}
		if got, want := f.estimate(), "about "+thousands(int(math.Round(f.harm))); got != want || !strings.Contains(view.table(), want) {
			t.Errorf("estimate() = %q, want %q, and in the table:\n%s", got, want, view.table())
		}
		if got := view.figures(0).estimate(); got != "-" {
			t.Errorf("the naive side estimates %q", got)
		}
	})
}

// The savings that the demo shows are what its callers saw and the account's
// ledger lacks: each answer was a send, or one that was saved.
func TestTheDemosSavingsEqualTheLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := simulator.Options{Origin: "https://acme.zendesk.com", Plan: "enterprise", Seed: 3, Window: 10 * time.Second, Others: demoOthers, Tickets: demoTickets}
		s := &side{account: simulator.New(o), base: o.Origin}
		defer s.close()
		options := flyball.Options{Account: "acme", Base: s.account.RoundTripper(), Window: o.Window}
		if err := s.saves(&options); err != nil {
			t.Fatal(err)
		}
		transport, err := flyball.New(options)
		if err != nil {
			t.Fatal(err)
		}
		defer transport.Close()
		s.transport = transport
		seen := &witnessed{next: transport, marks: map[string]int{}}
		s.client = &http.Client{Transport: seen}
		view := &demoView{began: time.Now(), duration: 30 * time.Second, sides: [2]*side{s, s}}
		running, cancel := context.WithTimeout(t.Context(), view.duration)
		defer cancel()
		s.run(running, newLoad(1))
		synctest.Wait()

		f := view.figures(1)
		all, calls := 0, map[string]int{}
		for _, saving := range f.saved {
			all += saving.Sends
			calls[saving.Cause] = saving.Calls
			if share := 100 * float64(saving.Sends) / float64(seen.answers); math.Abs(share-saving.Percent) > 0.1 {
				t.Errorf("%s: %.1f %%, want %.1f", saving.Cause, saving.Percent, share)
			}
		}
		if got := f.ledger.Sends - f.ledger.Refused() + all; got != seen.answers || all < 500 {
			t.Errorf("%d sends answered and %d saved, %d answers: want the sum to be the same, and much saved", f.ledger.Sends, all, seen.answers)
		}
		for _, cause := range []string{"cache", "coalesced", "merged"} {
			if calls[cause] == 0 || calls[cause] != seen.marks[cause] {
				t.Errorf("%s: %d calls, want some; the answers say %d", cause, calls[cause], seen.marks[cause])
			}
		}
		head := fmt.Sprintf("| sends saved, of %s ", thousands(seen.answers+f.ledger.Refused()))
		if table := view.table(); !strings.Contains(table, head) || !strings.Contains(table, " "+thousands(all)+" ("+percent(all, seen.answers)+") |") {
			t.Errorf("the table does not say %q and %s:\n%s", head, thousands(all), table)
		}
	})
}

// witnessed lets each call come to its end, and counts the answers and what
// they say of themselves.
type witnessed struct {
	next    http.RoundTripper
	mu      sync.Mutex
	answers int
	marks   map[string]int
}

func (w *witnessed) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers++
	said := resp.Header.Get("Cache-Status")
	switch {
	case strings.Contains(said, "; hit"):
		w.marks["cache"]++
	case strings.Contains(said, "merged"), resp.Header.Get("Flyball-Merged") != "":
		w.marks["merged"]++
	case strings.Contains(said, "collapsed"):
		w.marks["coalesced"]++
	}
	return resp, nil
}

// callUntil keeps 40 callers busy.
func callUntil(t *testing.T, transport http.RoundTripper, end time.Time) {
	t.Helper()
	client := &http.Client{Transport: transport}
	var callers sync.WaitGroup
	for range demoWorkers {
		callers.Go(func() {
			for time.Now().Before(end) {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://acme.zendesk.com/api/v2/tickets/1.json", nil)
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer demo")
				resp, err := client.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			}
		})
	}
	callers.Wait()
}

func TestTheDemosTableIsMarkdown(t *testing.T) {
	got := markdown([][3]string{{"10s", "naive", "through flyball"}, {"429s", "1,234", "0"}})
	want := strings.Join([]string{
		"| 10s  | naive | through flyball |",
		"|------|------:|----------------:|",
		"| 429s | 1,234 |               0 |", "",
	}, "\n")
	if got != want {
		t.Errorf("markdown =\n%s, want\n%s", got, want)
	}
}

func TestBarsShowTheLatestSeconds(t *testing.T) {
	counts := make([]int, 100)
	counts[99], counts[98] = 10, 5
	if got, want := bars(counts, 10, 100), strings.Repeat(" ", 64)+"▄█"; got != want {
		t.Errorf("bars = %q, want %q", got, want)
	}
	if got, want := bars([]int{1}, 10, 3), "▁  "; got != want {
		t.Errorf("bars of a side that is silent = %q, want %q", got, want)
	}
}

func TestFiguresReadWell(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{time.Minute: "1m", 90 * time.Second: "1m30s", 2 * time.Hour: "2h", 10 * time.Second: "10s", 10 * time.Minute: "10m"} {
		if got := short(d); got != want {
			t.Errorf("short(%s) = %q, want %q", d, got, want)
		}
	}
	if got := percent(1, 1000); got != "0.1 %" {
		t.Errorf("percent(1, 1000) = %q, want 0.1 %%: a refusal must not round to none", got)
	}
}

func TestAShareIsReadInBothWays(t *testing.T) {
	for text, want := range map[string]float64{"30%": 0.3, "0.3": 0.3, "0": 0, " 5 %": -1, "-1%": -1, "NaN": -1, "": -1, "2000%": -1} {
		got, err := parseShare(text)
		if want < 0 && err == nil || want >= 0 && (err != nil || got < want-1e-9 || got > want+1e-9) {
			t.Errorf("parseShare(%q) = %v, %v, want %v (-1: an error)", text, got, err, want)
		}
	}
}
