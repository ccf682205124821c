package rivals

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// small is two windows' worth of bulk beside others.
func small() scenario {
	s := others(0.3)
	s.windows = 2
	return s
}

func TestEveryPolicyDoesAllOfTheWork(t *testing.T) {
	for _, p := range append(policies(), apart()...) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := small()
			s.processes = 4
			f := run(t, s, p, 3)
			if f.share[0] != s.backlog() || f.calls != s.backlog()+len(f.waits) || f.sends != f.calls+f.refused {
				t.Errorf("%d of %d bulk calls, %d calls, %d interactive, %d sends, %d refused: do not add up",
					f.share[0], s.backlog(), f.calls, len(f.waits), f.sends, f.refused)
			}
			if len(f.waits) == 0 || f.others == 0 {
				t.Errorf("%d interactive calls and %d of others, want both", len(f.waits), f.others)
			}
		})
	}
}

func TestAllPoliciesMeetTheSameOthers(t *testing.T) {
	asked := func(p policy) []int {
		var list []int
		for _, w := range run(t, small(), p, 5).pool {
			list = append(list, w.Others)
		}
		return list[:len(list)-1] // the last window is cut where the run ends
	}
	one, other := asked(sleeping()), asked(knowing(timeRate()))
	if n := min(len(one), len(other)); n < 2 || !slices.Equal(one[:n], other[:n]) {
		t.Errorf("others ask for %v and %v a window, want the same", one, other)
	}
	if again := asked(sleeping()); !slices.Equal(one, again) {
		t.Errorf("the same seed gives %v, then %v", one, again)
	}
}

// The published lab measured these with a simulation of its own; another order
// of magnitude here would be a fault of one of the two.
func TestFiguresAreOfTheLabsOrder(t *testing.T) {
	s := others(0.3)
	for _, tt := range []struct {
		policy        policy
		refused, harm float64 // the lab's
	}{
		{sleeping(), 162, 95},
		{sleepingTogether(), 62, 95},
		{trusting(), 87, 94},
		{awsAdaptive(), 123, 83},
		{timeRate(), 144, 22},
		{knowing(timeRate()), 33, 4},
	} {
		t.Run(tt.policy.name, func(t *testing.T) {
			t.Parallel()
			f := run(t, s, tt.policy, 7)
			near := func(got, want float64) bool { return got > want/2 && got < want*2 }
			if !near(f.per1k(), tt.refused) || !near(f.harm(), tt.harm) {
				t.Errorf("%.1f refused per 1,000 and %.1f %% of others, want about %.0f and %.0f", f.per1k(), f.harm(), tt.refused, tt.harm)
			}
		})
	}
}

func TestRetryLibrariesHideRefusalsAndLimitersDoNot(t *testing.T) {
	if f := run(t, small(), retryableHTTP(), 9); f.refused == 0 || f.callerRefused != 0 {
		t.Errorf("go-retryablehttp: %d refused, callers saw %d, want some and none", f.refused, f.callerRefused)
	}
	if f := run(t, small(), sleeping(), 9); f.refused == 0 || f.callerRefused != f.refused {
		t.Errorf("the plain loop: %d refused, callers saw %d, want all", f.refused, f.callerRefused)
	}
}

func TestPeakIsOfAnySecond(t *testing.T) {
	at := func(ms ...int) (list []simulator.Request) {
		for _, m := range ms {
			list = append(list, simulator.Request{At: time.UnixMilli(int64(m))})
		}
		return list
	}
	// Three lie within one second that is not the clock's.
	if got := peak(at(0, 600, 1100, 1599, 1600, 3000)); got != 3 {
		t.Errorf("peak %d, want 3", got)
	}
}

func TestLeastMakespanServesEverybodyElseFirst(t *testing.T) {
	start := time.Unix(30, 0)
	idle := figures{start: start, pool: []simulator.Window{
		{Start: time.Unix(0, 0), Limit: 100, Others: 50, Admitted: 10},
		{Start: time.Unix(60, 0), Limit: 100, Others: 120},
		{Start: time.Unix(120, 0), Limit: 100, Others: 30, Admitted: 10},
	}}
	if got := leastMakespan(idle, 41); got != 90*time.Second {
		t.Errorf("41 calls beside 40 free ones take %s, want 90s", got)
	}
}

func TestABarNamesWhatIsMissed(t *testing.T) {
	r := result{scenario: others(0.3), policy: flyballLabelled(), figures: figures{
		calls: 1000, refused: 2, others: 100, othersRefused: 1, took: 90, free: 100, peak: 36,
		waits: []time.Duration{2 * time.Second},
	}}
	if got := r.scenario.bar.missed(r); got != "429s, used, p99, others, peak" {
		t.Errorf("missed %q", got)
	}
	r.figures = figures{calls: 1000, refused: 1, others: 1000, othersRefused: 5, took: 97, free: 100, peak: 35, waits: []time.Duration{time.Second}}
	if got := r.scenario.bar.missed(r); got != "" {
		t.Errorf("missed %q, want nothing", got)
	}
}

func TestARivalIsAsGoodOnlyByAllThree(t *testing.T) {
	s := others(0.3)
	made := func(p policy, refused, harm int, p99 time.Duration) *result {
		return &result{scenario: s, policy: p, figures: figures{calls: 1000, refused: refused, others: 1000, othersRefused: harm, waits: []time.Duration{p99}}}
	}
	tab := &table{results: []*result{
		made(flyballLabelled(), 1, 5, time.Second),
		made(sleeping(), 0, 5, 2*time.Second),
		made(trusting(), 1, 5, time.Second),
	}}
	ours, rivals := tab.sides(s.name)
	if got := equal(ours[0], rivals); len(got) != 1 || got[0] != trusting().name {
		t.Errorf("as good: %v, want the second rival alone", got)
	}
	if got := tab.ahead(s.name); !strings.Contains(got, "Ahead of **flyball** in 429s to us: "+sleeping().name) {
		t.Errorf("ahead: %s", got)
	}
}

func TestThePageLeavesTheRestOfTheFile(t *testing.T) {
	text := begins + "\nnew\n" + ends + "\n"
	if got := between("# A\n\n"+begins+"\nold\n"+ends+"\n\n## B\n", text); got != "# A\n\n"+text+"\n## B\n" {
		t.Errorf("got %q", got)
	}
	if got := between("# A\n", text); got != "# A\n\n"+text {
		t.Errorf("got %q", got)
	}
}

func TestTheAwsRetryerSendsA429Again(t *testing.T) {
	sent := 0
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		if sent++; sent < 4 {
			return &http.Response{StatusCode: 429, Header: http.Header{}, Body: http.NoBody}, nil
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	synctest.Test(t, func(t *testing.T) {
		way, _ := awsAdaptive().dial(told{}, base)
		req, _ := http.NewRequestWithContext(t.Context(), "GET", origin, http.NoBody)
		resp, err := way.RoundTrip(req)
		if err != nil || resp.StatusCode != 200 || sent != 4 {
			t.Errorf("%v, %v after %d sends, want 200 after 4", resp, err, sent)
		}
	})
}
