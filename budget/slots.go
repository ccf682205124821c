package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

const (
	// jobLife is how long a job counts as running after it was last heard of.
	// Recorded jobs of a hundred items took up to 16 s; one that nobody asks
	// about ends unseen.
	jobLife = time.Minute
	// startLife is how long a call that starts a job counts as one before its
	// answer has named it.
	startLife = 30 * time.Second
	// slotCheck is how long a stated number of free slots is believed.
	slotCheck = 10 * time.Second
	maxJobs   = 1000
)

// A slots counts background jobs: those whose status has passed by, and those
// that are being started. The server's word, where it gives one, holds besides.
type slots struct {
	key  limit.Key
	rule *limit.Rule
	pause
	limit    int
	free     int // stated by the server at freeAt, less those taken since
	freeAt   instant
	triedAt  instant // when a job was started last
	heard    bool
	running  map[string]instant // until when each counts
	starting []instant          // the same of jobs without a name yet, oldest first
}

func (s *slots) ask(now instant) (until instant, why limit.Reason) {
	if until, why = s.pause.blocks(now); why != "" {
		return until, why
	}
	if s.halfOpen && now < s.triedAt+slotCheck {
		return s.triedAt + slotCheck, limit.HalfOpen
	}
	if s.heard && s.free < 1 && now < s.freeAt+slotCheck {
		return s.freeAt + slotCheck, limit.Spent
	}
	if next := s.prune(now); s.limit > 0 && s.used() >= s.limit {
		return next, limit.Spent
	}
	return 0, ""
}

func (s *slots) used() int { return len(s.running) + len(s.starting) }

// prune forgets jobs that have not been heard of and returns when the next
// one is forgotten.
func (s *slots) prune(now instant) (next instant) {
	next = never
	for id, end := range s.running {
		if now >= end {
			delete(s.running, id)
		} else {
			next = min(next, end)
		}
	}
	for len(s.starting) > 0 && now >= s.starting[0] {
		s.starting = s.starting[1:]
	}
	if len(s.starting) > 0 {
		next = min(next, s.starting[0])
	}
	return next
}

// take uses a slot for a job that is about to be started.
func (s *slots) take(now instant) {
	s.triedAt = now
	if s.free > 0 {
		s.free--
	}
	if len(s.starting) < maxJobs {
		s.starting = append(s.starting, now+startLife)
	}
}

// giveBack frees a slot whose call started no job.
func (s *slots) giveBack() {
	if n := len(s.starting); n > 0 {
		s.starting = s.starting[:n-1]
	}
}

func (s *slots) hear(now instant, r *limit.Reading) {
	s.heard, s.limit, s.free, s.freeAt = true, r.Limit, r.Remaining, now
}

func (s *slots) jobs(now instant, jobs []limit.Job) {
	for _, job := range jobs {
		_, known := s.running[job.ID]
		switch {
		case job.Ended && known:
			delete(s.running, job.ID)
			s.free++
		case job.Ended:
		case known || len(s.running) < maxJobs:
			s.running[job.ID] = now + jobLife
			if !known && len(s.starting) > 0 {
				s.starting = s.starting[1:]
			}
		}
	}
}

func (a *Account) slotsFor(key limit.Key, r *limit.Rule) *slots {
	if a.slots == nil || a.slots.key != key {
		a.slots = &slots{key: key, rule: r, limit: r.Limit, free: r.Limit, running: map[string]instant{}}
	}
	return a.slots
}
