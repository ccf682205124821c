package cli

import (
	"sync"
	"time"
)

// A score is what the callers of one side met. Its methods may be called at
// once.
type score struct {
	mu    sync.Mutex
	began time.Time
	tally tally
}

// A tally is a score at one instant.
type tally struct {
	Records int           // read, changed, created or exported
	Saw429  int           // 429s that callers saw
	Failed  int           // calls that ended in another error
	Slowest time.Duration // from the first try to success, or to the end of the run
	Click   time.Duration // the same, of a person's calls only
	Pulse   []int         // calls answered in each second
}

func (s *score) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = time.Now()
}

func (s *score) records(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Records += n
}

func (s *score) refused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Saw429++
}

func (s *score) failed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Failed++
}

func (s *score) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	second := int(time.Since(s.began) / time.Second)
	for len(s.tally.Pulse) <= second {
		s.tally.Pulse = append(s.tally.Pulse, 0)
	}
	s.tally.Pulse[second]++
}

func (s *score) took(who string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Slowest = max(s.tally.Slowest, d)
	if who == person {
		s.tally.Click = max(s.tally.Click, d)
	}
}

// now returns the score so far.
func (s *score) now() tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tally
	t.Pulse = append([]int(nil), t.Pulse...)
	return t
}
