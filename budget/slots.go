package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

const (
	// jobLife is how long a job that nobody asks about counts as running.
	jobLife = 10 * time.Minute
	// slotCheck is how long a stated number of free slots is believed.
	slotCheck = 10 * time.Second
	maxJobs   = 1000
)

// A slots counts background jobs. Only the server's word holds a call back: a
// job that nobody asks about ends unseen, so our own count is too high.
type slots struct {
	key  limit.Key
	rule *limit.Rule
	pause
	limit   int
	free    int
	freeAt  instant
	triedAt instant // when a job was started last
	heard   bool
	running map[string]instant
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
	return 0, ""
}

// take uses a slot that the server has stated as free, or tries for one after
// a refusal.
func (s *slots) take(now instant) {
	s.triedAt = now
	if s.free > 0 {
		s.free--
	}
}

func (s *slots) hear(now instant, r *limit.Reading) {
	s.heard, s.limit, s.free, s.freeAt = true, r.Limit, r.Remaining, now
}

func (s *slots) jobs(now instant, jobs []limit.Job) {
	for _, job := range jobs {
		if !job.Ended {
			if len(s.running) < maxJobs {
				s.running[job.ID] = now + jobLife
			}
			continue
		}
		if _, ours := s.running[job.ID]; ours {
			delete(s.running, job.ID)
			s.free++
		}
	}
	for id, end := range s.running {
		if now >= end {
			delete(s.running, id)
		}
	}
}

func (a *Account) slotsFor(key limit.Key, r *limit.Rule) *slots {
	if a.slots == nil || a.slots.key != key {
		a.slots = &slots{key: key, rule: r, limit: r.Limit, free: r.Limit, running: map[string]instant{}}
	}
	return a.slots
}
