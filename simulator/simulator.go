package simulator

import (
	"net/http"
	"sync"
	"time"

	"github.com/flyballhq/flyball/simulator/desk"
)

// Simulator is one simulated account. Its methods may be called at the same
// time. It starts no goroutine that outlives the requests it serves, so there is
// nothing to close.
//
// Inside a testing/synctest bubble it must be made in the bubble.
type Simulator struct {
	o       Options
	names   headerNames
	latency *latencyTable

	mu sync.Mutex // never held while waiting
	*state
}

// state is all that a reset makes anew.
type state struct {
	seq      uint64 // requests arrived
	limits   *limiter
	others   *others
	programs programs
	faults   []*armed
	journal  *journal
	desk     *desk.Desk

	starting int // jobs admitted and not yet known to the desk
}

// New makes an account. Options that [Options.Check] finds fault with are a
// mistake of the program: New panics with Check's error. Options from outside
// are to be checked first.
func New(o Options) *Simulator {
	if err := o.Check(); err != nil {
		panic("simulator: " + err.Error())
	}
	o = o.withDefaults()
	s := &Simulator{o: o, latency: tabulate(o.Latency)}
	s.names, _ = o.Headers.names()
	s.state = newState(o, s.now(), o.Faults)
	return s
}

func newState(o Options, now time.Time, faults []Fault) *state {
	limits := newLimiter(o)
	account := limits.services[limitAccount]
	n := 0
	if account != nil {
		n = account.n
	}
	st := &state{
		limits: limits, faults: arm(faults),
		others:   newOthers(o, n, now),
		programs: newPrograms(o, now),
		journal:  newJournal(o.KeepRequests, account, now),
		desk: desk.New(desk.Options{
			Seed: o.Seed, Tickets: o.Tickets, Users: o.Users, Organizations: o.Organizations, JobLag: o.JobLag,
		}, now),
	}
	for _, p := range o.Programs {
		st.desk.Issue(p.credential(), p.Name, now)
	}
	return st
}

// Reset makes the account new: records, counters, ledger. Its faults stay, with
// their counts at zero. Requests under way end in the old account.
func (s *Simulator) Reset() {
	fresh := newState(s.o, s.now(), s.Faults())
	s.mu.Lock()
	s.state = fresh
	s.mu.Unlock()
}

// now is the account's own clock.
func (s *Simulator) now() time.Time { return time.Now().Add(s.o.ClockSkew) }

// Faults lists the faults in force.
func (s *Simulator) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Fault, len(s.faults))
	for i, a := range s.faults {
		list[i] = a.Fault
	}
	return list
}

// SetFaults replaces the faults in force, or reports the first that Check finds
// fault with and changes nothing.
func (s *Simulator) SetFaults(faults ...Fault) error {
	for _, f := range faults {
		if err := f.Check(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = arm(faults)
	return nil
}

// Ledger recounts what reached the account up to now.
func (s *Simulator) Ledger() Ledger { return s.ledger(s.o.KeepRequests) }

// ledger is Ledger with at most so many requests listed.
func (s *Simulator) ledger(most int) Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.catchUp(now)
	// Items of background jobs change records between requests; a request the
	// desk does not know collects what fell due.
	r := s.desk.Serve(now, desk.Request{Method: http.MethodGet, Path: "/"})
	s.journal.late(r.Changed)
	return s.journal.ledger(now, most)
}

// catchUp lets the other consumers' calls up to now happen.
func (st *state) catchUp(now time.Time) {
	st.programs.until(now, func(at time.Time, p *Program) {
		st.others.until(at, st.otherCall)
		st.otherCall(at)
		st.desk.Use(p.credential(), p.Name, at)
	})
	st.others.until(now, st.otherCall)
}

func (st *state) otherCall(at time.Time) { st.journal.other(st.limits.other(at)) }
