package rivals

import (
	"fmt"
	"math"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// account is the simulated account's name.
const account = "acme"

const origin = "https://" + account + ".zendesk.com"

// A scenario is an account, its other consumers and a load on it.
type scenario struct {
	name string
	sim  simulator.Options
	// bar is what is asked of flyball there.
	bar bar
	// windows is the backlog of bulk in windows' worth of the limit; 0 is 16.
	// calls is the same as a number.
	windows, calls int
	// workers are the closed-loop bulk workers of each client; nil is one client
	// with 64.
	workers []int
	// processes share the workers and the interactive calls; 0 is one.
	processes int
	// path is of the i-th bulk call; nil is a read that counts on the account
	// alone.
	path func(i int) string
	// idle has no bulk.
	idle bool
	// unlimited has no whole windows to compare with, for the account is not
	// what limits the load.
	unlimited bool
}

func (s scenario) limit() int { return s.sim.Limit }

func (s scenario) window() time.Duration {
	if s.sim.Window == 0 {
		return time.Minute
	}
	return s.sim.Window
}

// interactive is the rate of the interactive calls a second: 60 a minute of 700,
// and the same share of other limits.
func (s scenario) interactive() float64 {
	return float64(s.limit()) * 60 / 700 / s.window().Seconds()
}

func (s scenario) clients() []int {
	if s.workers == nil {
		return []int{64}
	}
	return s.workers
}

// backlog is the number of bulk calls.
func (s scenario) backlog() int {
	if s.calls > 0 {
		return s.calls
	}
	windows := s.windows
	if windows == 0 {
		windows = 16
	}
	return windows * s.limit()
}

func (s scenario) bulkPath(i int) string {
	if s.path != nil {
		return s.path(i)
	}
	return fmt.Sprintf("/api/v2/users/%d.json", i%1000+1)
}

// horizon is longer than the backlog takes when everybody else comes first.
func (s scenario) horizon() time.Duration {
	free := float64(s.limit())*(1-s.sim.Others) - s.interactive()*s.window().Seconds()
	windows := math.Ceil(1.3*float64(s.backlog())/free) + 4
	return time.Duration(windows) * s.window()
}

// others is the scenario of one process beside others that ask for a share.
func others(share float64) scenario {
	return scenario{
		name: fmt.Sprintf("Others ask for %.0f %%", 100*share),
		sim:  simulator.Options{Limit: 700, Others: share},
		bar:  bar{refused: 1, used: 97, p99: 1, harm: 0.5, peak: 3},
	}
}

// alone are the scenarios in which all policies meet, one process each.
func alone() []scenario {
	nobody, crowded := others(0), others(0.7)
	nobody.name, crowded.bar = "Nobody else", bar{refused: 3, harmAdded: 3}
	return []scenario{nobody, others(0.3), crowded}
}

// four is the scenario of four processes that know nothing of each other.
func four() scenario {
	s := others(0.3)
	s.name, s.processes, s.bar = "Four processes that know nothing of each other, others ask for 30 %", 4, bar{refused: 3}
	return s
}

// oddWindows are accounts with windows that no recording shows, and other
// servers have.
func oddWindows() []scenario {
	usual := bar{refused: 1, used: 95, p99: 1}
	return []scenario{
		beside("Windows of 60 s, up to 3 more or less", usual, func(s *scenario) { s.sim.WindowJitter = 3 * time.Second }),
		beside("Windows opened by their first call", usual, func(s *scenario) { s.sim.OpenedByFirst = true }),
		beside("Reset and Retry-After rounded down", usual, func(s *scenario) { s.sim.RoundDown = true }),
	}
}

// robustness are the accounts that misbehave, and other loads.
func robustness() []scenario {
	usual, windowed := bar{refused: 1, used: 95, p99: 1}, bar{refused: 1, used: 95}
	skewed, zeros := usual, bar{refused: 1, used: 90}
	skewed.harm = 0.5
	stray := fault(simulator.Fault{Probability: 0.01, StrayZero: true})
	return []scenario{
		beside("half of the answers without headers", usual, fault(simulator.Fault{Probability: 0.5, Headers: simulator.HeadersAbsent})),
		beside("refused calls are charged", usual, func(s *scenario) { s.sim.ChargeRefused = true }),
		beside("remaining and reset skewed by up to 0.6 s", skewed, func(s *scenario) { s.sim.BoundarySkew = 600 * time.Millisecond }),
		beside("remaining up to 10 too high", usual, fault(simulator.Fault{Overstate: 10})),
		beside("remaining up to 10 too high and 1 % bogus zeros", zeros,
			fault(simulator.Fault{Overstate: 10}), fault(simulator.Fault{Probability: 0.01, StrayZero: true})),
		beside("1 % bogus zeros", zeros, stray),
		beside("1 % bogus zeros, limit 10, nobody else", zeros, stray, size(time.Minute, 10, 0, 16)),
		// Of bulk's answers: a click that the account itself answers late is not held.
		beside("1 % of bulk's answers take 20 s", usual, fault(simulator.Fault{Path: "/api/v2/users/*", Probability: 0.01, Delay: 20 * time.Second})),
		beside("windows of 1 s, limit 12, nobody else", windowed, size(time.Second, 12, 0, 240)),
		beside("windows of 10 s, limit 117", windowed, size(10*time.Second, 117, 0.3, 48)),
		beside("windows of 600 s, limit 7000", windowed, size(600*time.Second, 7000, 0.3, 3)),
		beside("limit 10, nobody else", windowed, size(time.Minute, 10, 0, 16)),
		beside("limit 200", windowed, size(time.Minute, 200, 0.3, 16)),
		beside("limit 2500", windowed, size(time.Minute, 2500, 0.3, 8)),
		beside("endpoint limit 100 with a header on 30 % of bulk", bar{refused: 1, p99: 1}, endpoint(100, false, 0.3, 4200)),
		beside("silent endpoint limit 10 on all of bulk", bar{first: 5, later: 1, p99: 1}, endpoint(10, true, 1, 160)),
		beside("two clients 10:1 in workers, equal weight", bar{share: 10}, func(s *scenario) { s.workers = []int{60, 6} }),
		beside("three clients, one with 80 % of the workers", bar{share: 10}, func(s *scenario) { s.workers = []int{52, 6, 6} }),
	}
}

// beside is the scenario beside others at 30 % with changes.
func beside(name string, b bar, changes ...func(*scenario)) scenario {
	s := others(0.3)
	s.name, s.bar = name, b
	for _, change := range changes {
		change(&s)
	}
	return s
}

func fault(f simulator.Fault) func(*scenario) {
	return func(s *scenario) { s.sim.Faults = append(s.sim.Faults, f) }
}

func size(window time.Duration, limit int, others float64, backlog int) func(*scenario) {
	return func(s *scenario) {
		s.sim.Window, s.sim.KeepWindows = window, true
		s.sim.Limit, s.sim.Others, s.windows = limit, others, backlog
	}
}

// endpoint gives the ticket list a limit of its own and that share of the bulk.
func endpoint(n int, silent bool, share float64, calls int) func(*scenario) {
	return func(s *scenario) {
		s.unlimited, s.calls = true, calls
		s.sim.Limits = map[string]simulator.Limit{"tickets-index": {N: n, Silent: silent}}
		s.path = func(i int) string {
			if math.Floor(float64(i+1)*share) > math.Floor(float64(i)*share) {
				return "/api/v2/tickets.json?page[size]=1"
			}
			return fmt.Sprintf("/api/v2/users/%d.json", i%1000+1)
		}
	}
}
