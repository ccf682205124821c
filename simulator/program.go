package simulator

import (
	"fmt"
	"time"

	"github.com/flyballhq/flyball/simulator/desk"
)

// Program is another consumer of the account that runs by the clock: an export
// each hour, a sync each day. Like the others it does not try again when it is
// refused.
type Program struct {
	// Name is what its token is called in the account's lists.
	Name string
	// Every is the time between runs. They begin at multiples of it since the
	// Unix epoch, on the account's clock, and After later. It is not scaled with
	// the window.
	Every time.Duration
	After time.Duration
	// Calls are the calls of one run, spread evenly over For; at 0 they come at
	// once.
	Calls int
	For   time.Duration
	// Session leaves it without a token, as programs are that work with a
	// password or in a browser; APIToken gives it an API token in place of an
	// OAuth token.
	Session  bool
	APIToken bool
}

// Check reports what is wrong with the program.
func (p Program) Check() error {
	switch {
	case p.Name == "":
		return fmt.Errorf("a program has no name")
	case p.Every <= 0:
		return fmt.Errorf("program %q: every %s: must be more than 0", p.Name, p.Every)
	case p.After < 0 || p.For < 0 || p.For > p.Every:
		return fmt.Errorf("program %q: after and for must not be negative, nor for longer than every", p.Name)
	case p.Calls < 1:
		return fmt.Errorf("program %q: %d calls: must be at least 1", p.Name, p.Calls)
	}
	return nil
}

func (p Program) credential() desk.Credential {
	switch {
	case p.Session:
		return ""
	case p.APIToken:
		return desk.APIToken
	}
	return desk.OAuth
}

// schedule is when a program calls next.
type schedule struct {
	Program
	run  time.Time // the beginning of this run
	call int       // of this run
}

func newSchedule(p Program, now time.Time) *schedule {
	n := now.Add(-p.After).UnixNano()
	run := time.Unix(0, n-n%int64(p.Every)).Add(p.After)
	if run.Before(now) {
		run = run.Add(p.Every)
	}
	return &schedule{Program: p, run: run}
}

func (s *schedule) next() time.Time {
	return s.run.Add(time.Duration(float64(s.For) * float64(s.call) / float64(s.Calls)))
}

func (s *schedule) advance() {
	if s.call++; s.call == s.Calls {
		s.run, s.call = s.run.Add(s.Every), 0
	}
}

// programs are all that run by the clock.
type programs []*schedule

func newPrograms(o Options, now time.Time) programs {
	var list programs
	for _, p := range o.Programs {
		list = append(list, newSchedule(p, now))
	}
	return list
}

// until calls arrive for each call up to now, in order.
func (list programs) until(now time.Time, arrive func(at time.Time, p *Program)) {
	for {
		var first *schedule
		for _, s := range list {
			if first == nil || s.next().Before(first.next()) {
				first = s
			}
		}
		if first == nil || first.next().After(now) {
			return
		}
		arrive(first.next(), &first.Program)
		first.advance()
	}
}
