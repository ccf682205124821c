package simulator

import (
	"strconv"
	"testing"
	"time"
)

// resetOf is the reset that an answer states, in seconds.
func resetOf(t *testing.T, c client) int {
	t.Helper()
	r, _ := c.get("/api/v2/groups")
	reset, err := strconv.Atoi(r.Header.Get("Ratelimit-Reset"))
	if err != nil {
		t.Fatalf("reset %q: %v", r.Header.Get("Ratelimit-Reset"), err)
	}
	return reset
}

func TestJitteredWindowsDifferInLengthAndFollowEachOther(t *testing.T) {
	o := Options{Latency: Fixed(0), WindowJitter: 3 * time.Second, Seed: 5, Others: 0.3}
	simulate(t, o, func(t *testing.T, s *Simulator, c client) {
		for range 40 * 60 {
			pass(time.Second)
			resetOf(t, c)
		}
		rows := s.Ledger().WindowsOf("account")
		short, long := 0, 0
		for i, w := range rows {
			if w.Length < 57*time.Second || w.Length > 63*time.Second {
				t.Errorf("window of %s, want 57 s to 63 s", w.Length)
			}
			if i > 0 && !w.Start.Equal(rows[i-1].Start.Add(rows[i-1].Length)) {
				t.Errorf("window starts %s, want where the one before ended", w.Start)
			}
			if w.Length < 59*time.Second {
				short++
			} else if w.Length > 61*time.Second {
				long++
			}
		}
		if len(rows) < 38 || short < 5 || long < 5 {
			t.Errorf("%d windows, %d short and %d long ones, want about 40 and a third of each", len(rows), short, long)
		}
	})
}

func TestJitteredWindowsStateTheirOwnEnd(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0), WindowJitter: 3 * time.Second, Seed: 5, Limit: 3}, func(t *testing.T, s *Simulator, c client) {
		for range 10 {
			before := resetOf(t, c)
			pass(time.Duration(before) * time.Second) // rounded up: this is past the end
			r, _ := c.get("/api/v2/groups")
			wantHeaders(t, r, "X-Rate-Limit-Remaining", "2")
			pass(time.Second)
		}
		if n := s.Ledger().Refused(); n != 0 {
			t.Errorf("%d refused, want none: each window's second call is the last but one", n)
		}
	})
}

func TestAWindowOpenedByItsFirstCall(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0), OpenedByFirst: true, Limit: 2}, func(t *testing.T, s *Simulator, c client) {
		until(41 * time.Second)
		for range 3 {
			opened := time.Now()
			if reset := resetOf(t, c); reset != 60 {
				t.Errorf("the first call finds a reset of %d, want 60", reset)
			}
			pass(59 * time.Second)
			r, _ := c.get("/api/v2/groups")
			wantHeaders(t, r, "Ratelimit-Reset", "1", "X-Rate-Limit-Remaining", "0")
			r, _ = c.get("/api/v2/groups")
			wantHeaders(t, r, "Retry-After", "1")
			rows := s.Ledger().WindowsOf("account")
			if last := rows[len(rows)-1]; !last.Start.Equal(opened) || last.Sends != 3 || last.Refused != 1 {
				t.Errorf("the ledger has %+v, want a window from %s with three sends", last, opened)
			}
			pass(8 * time.Second) // nobody opens the next one
		}
	})
}

// TestBucketsOpenTheirWindowsApart has two tickets' windows start with the first
// update of each.
func TestBucketsOpenTheirWindowsApart(t *testing.T) {
	o := Options{Latency: Fixed(0), OpenedByFirst: true, Limits: map[string]Limit{"per-ticket-updates": {N: 1}}}
	simulate(t, o, func(t *testing.T, _ *Simulator, c client) {
		put := func(ticket string) int {
			r, _ := c.read(c.send("PUT", "/api/v2/tickets/"+ticket+"/tags", `{"tags":["a"]}`))
			return r.StatusCode
		}
		first := put("3")
		pass(4 * time.Minute)
		second, early := put("4"), put("3")
		pass(6 * time.Minute)
		again, tooEarly := put("3"), put("4")
		if first != 200 || second != 200 || early != 429 || again != 200 || tooEarly != 429 {
			t.Errorf("%d, %d, %d, %d, %d; want a window of ten minutes from each ticket's own first update", first, second, early, again, tooEarly)
		}
	})
}

func TestRoundedDownResetsMayBeZero(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0), RoundDown: true, Limit: 1, Window: 10 * time.Second}, func(t *testing.T, s *Simulator, c client) {
		until(500 * time.Millisecond)
		if reset := resetOf(t, c); reset != 9 {
			t.Errorf("9.5 s before the end the reset is %d, want 9", reset)
		}
		r, _ := c.get("/api/v2/groups")
		wantHeaders(t, r, "Retry-After", "9")
		pass(9 * time.Second)
		r, _ = c.get("/api/v2/groups")
		wantHeaders(t, r, "Retry-After", "0", "Ratelimit-Reset", "0")
		if err := s.SetFaults(Fault{Status: 429}); err != nil {
			t.Fatal(err)
		}
		r, _ = c.get("/api/v2/groups")
		wantHeaders(t, r, "Retry-After", "0")
	})
}

func TestOverstatedRemainingIsTooHighByUpToSoMuch(t *testing.T) {
	o := Options{Latency: Fixed(0), Limit: 500, Faults: []Fault{{Overstate: 10}}}
	simulate(t, o, func(t *testing.T, _ *Simulator, c client) {
		until(0)
		seen := make(map[int]bool)
		for sent := 1; sent <= 400; sent++ {
			r, _ := c.get("/api/v2/groups")
			left, err := strconv.Atoi(r.Header.Get("X-Rate-Limit-Remaining"))
			by := left - (500 - sent)
			if err != nil || by < 0 || by > 10 || left > 500 || r.Header.Get("Ratelimit-Remaining") != strconv.Itoa(left) {
				t.Fatalf("after %d sends of 500 it says that %d remain (%v), want up to 10 too many and never above 500", sent, left, err)
			}
			seen[by] = true
		}
		if len(seen) != 11 {
			t.Errorf("too high by %v, want all of 0 to 10", seen)
		}
	})
}
