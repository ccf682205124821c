package simulator

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestLedgerCountsWhatArrived compares the ledger with what the callers saw.
func TestLedgerCountsWhatArrived(t *testing.T) {
	simulate(t, Options{Limit: 20}, func(t *testing.T, s *Simulator, c client) {
		until(0)
		var mu sync.Mutex
		seen := map[int]int{}
		for range 3 {
			var wg sync.WaitGroup
			for range 25 {
				wg.Go(func() {
					r, err := c.try(t.Context(), "GET", "/api/v2/incremental/tickets?start_time=1", "")
					if err != nil {
						t.Error(err)
						return
					}
					_ = r.Body.Close()
					mu.Lock()
					seen[r.StatusCode]++
					mu.Unlock()
				})
			}
			wg.Wait()
			until(0)
		}
		l := s.Ledger()
		if l.Sends != 75 || l.Status[429] != seen[429] || l.Refused() != seen[429] || seen[429] != 45 {
			t.Errorf("ledger: %d sends, %v, %d refused; callers: %v", l.Sends, l.Status, l.Refused(), seen)
		}
		if l.PeakPerSecond != 25 || l.RefusedBy("incremental-exports") != 45 {
			t.Errorf("peak %d, refusals %+v", l.PeakPerSecond, l.Refusals)
		}
		for _, bucket := range []string{"account", "incremental-exports"} {
			rows := l.WindowsOf(bucket)
			if len(rows) != 3 {
				t.Fatalf("%s: %+v", bucket, rows)
			}
			for _, w := range rows {
				if w.Sends != 25 || w.Admitted != 10 || w.Start.Second() != 0 || w.Length != time.Minute {
					t.Errorf("%s: %+v", bucket, w)
				}
			}
		}
	})
}

// TestLedgerDoesNotBelieveTheLimiter breaks the limiter and expects the ledger to
// tell.
func TestLedgerDoesNotBelieveTheLimiter(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0), Limit: 5}, func(t *testing.T, s *Simulator, c client) {
		until(0)
		for range 12 {
			s.limits.services[limitAccount].one.used = 0
			c.get("/api/v2/groups")
		}
		if w := s.Ledger().WindowsOf("account"); len(w) != 1 || w[0].Admitted != 12 || w[0].Limit != 5 {
			t.Errorf("%+v", w)
		}
	})
}

func TestLedgerNamesBucketsOfOneRecord(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0)}, func(t *testing.T, s *Simulator, c client) {
		c.read(c.send("PUT", "/api/v2/users/12", `{"user":{"name":"x"}}`))
		if w := s.Ledger().WindowsOf("create-update-user:12"); len(w) != 1 || w[0].Sends != 1 {
			t.Errorf("%+v", s.Ledger().Windows)
		}
	})
}

// TestLedgerStaysBounded sends far more than is kept and expects the sums whole.
func TestLedgerStaysBounded(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0), KeepRequests: 50, Others: 0.3}, func(t *testing.T, s *Simulator, c client) {
		for i := range 1000 {
			c.get(fmt.Sprintf("/api/v2/tickets/%d", i+1))
			pass(100 * time.Millisecond)
		}
		l := s.Ledger()
		if l.Sends != 1000 || l.Dropped+50 > 1000 || len(l.Requests) != 50 || len(s.journal.records) > 101 {
			t.Errorf("%d sends, %d dropped, %d listed, %d kept", l.Sends, l.Dropped, len(l.Requests), len(s.journal.records))
		}
		sends, others := 0, 0
		for _, w := range l.WindowsOf("account") {
			sends += w.Sends
			others += w.Others
		}
		if sends != 1000 || others != l.Others || l.Others == 0 {
			t.Errorf("windows hold %d sends and %d of %d others' calls", sends, others, l.Others)
		}
	})
}

// TestOthersComeInBursts holds the others' mean to its share and their minutes to
// bursts that an even flow would not show.
func TestOthersComeInBursts(t *testing.T) {
	simulate(t, Options{Others: 0.3, Seed: 11}, func(t *testing.T, s *Simulator, c client) {
		until(0)
		s.Reset()
		pass(2 * time.Hour)
		rows := s.Ledger().WindowsOf("account")
		if len(rows) < 119 {
			t.Fatalf("%d windows", len(rows))
		}
		var sum, squares float64
		for _, w := range rows[:119] {
			sum += float64(w.Others)
			squares += float64(w.Others) * float64(w.Others)
		}
		mean := sum / 119
		deviation := math.Sqrt(squares/119 - mean*mean)
		if mean < 190 || mean > 230 || deviation < 2*math.Sqrt(mean) {
			t.Errorf("mean %.0f a minute, deviation %.0f; 30 %% of 700 in bursts is 210, and more than %.0f", mean, deviation, 2*math.Sqrt(mean))
		}
	})
}

// TestOthersAreRefusedWhenWeTakeAll shows the harm that our own count of 429s
// does not.
func TestOthersAreRefusedWhenWeTakeAll(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0), Others: 0.3}, func(t *testing.T, s *Simulator, c client) {
		until(0)
		s.Reset()
		for range 700 {
			c.get("/api/v2/groups")
		}
		pass(59 * time.Second)
		l := s.Ledger()
		if l.Refused() != 0 || l.Others < 50 || l.OthersRefused != l.Others || l.count("others", "account") != l.Others {
			t.Errorf("ours refused %d, others %d, refused %d", l.Refused(), l.Others, l.OthersRefused)
		}
	})
}

// run is one seeded run and its ledger.
func run(t *testing.T, seed uint64) (text string) {
	o := Options{
		Seed: seed, Others: 0.4, Limit: 100, BoundarySkew: time.Second,
		Faults: []Fault{{Status: 503, Probability: 0.1}, {Cut: CutAfter, Probability: 0.05}},
	}
	simulate(t, o, func(t *testing.T, s *Simulator, c client) {
		for i := range 400 {
			r, err := c.try(t.Context(), http.MethodGet, fmt.Sprintf("/api/v2/tickets/%d", i%7), "")
			if err == nil {
				text += fmt.Sprintln(r.StatusCode, r.Header)
				_ = r.Body.Close()
			}
		}
		ledger, err := json.Marshal(s.Ledger())
		if err != nil {
			t.Fatal(err)
		}
		text += string(ledger)
	})
	return text
}

func TestSameSeedSameRun(t *testing.T) {
	first := run(t, 1)
	if again := run(t, 1); again != first {
		t.Errorf("two runs of one seed differ: %d and %d bytes", len(first), len(again))
	}
	if other := run(t, 2); other == first {
		t.Error("two seeds give one run")
	}
}
