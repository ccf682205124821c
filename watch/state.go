package watch

import (
	"fmt"
	"time"
)

// State is all that a watch keeps between runs. Its JSON is the state file.
type State struct {
	Account string        `json:"account"`
	Window  time.Duration `json:"window_ns"`
	Since   time.Time     `json:"since"` // of the first run
	Calls   int           `json:"calls"` // of our own
	Refused int           `json:"refused"`
	Watched int           `json:"watched"` // minutes of which something is known
	Near    Near          `json:"near"`

	Minutes    []Minute          `json:"minutes"` // the latest
	Spans      []Span            `json:"spans"`
	Spikes     []Spike           `json:"spikes"`
	Refusals   []Refusal         `json:"refusals"`
	Tokens     map[string]*Token `json:"tokens"`
	QuietLooks int               `json:"quiet_looks"`
}

// Near counts minutes by how much of the limit was used, as Zendesk's page
// counts calls.
type Near struct {
	Approaching int `json:"from_80_to_89_percent"`
	Near        int `json:"from_90_to_99_percent"`
	Full        int `json:"at_100_percent"`
	// Unsure are minutes that are in none of these, or in a lower one, and would
	// be in a higher one if their true use was the most that it may have been.
	Unsure int `json:"unsure"`
}

// A Span is a run of minutes that were watched.
type Span struct {
	First int64 `json:"first"`
	Last  int64 `json:"last"`
}

// What is kept at most: minutes of two days, spikes of any age.
const (
	mostMinutes = 2 * 24 * 60
	mostSpikes  = 5000
	mostSpans   = 5000
	mostAge     = 3 * 366 * 24 * 60 // windows from the first to the last, in a file from outside
)

// Check reports what is wrong with a state that was read from outside.
func (s *State) Check(account string, window time.Duration) error {
	switch {
	case s.Account != account:
		return fmt.Errorf("it is of the account %s, not of %s", s.Account, account)
	case s.Window != window:
		return fmt.Errorf("it counts windows of %s, not of %s", s.Window, window)
	}
	for i, m := range s.Minutes {
		if i > 0 && m.Index <= s.Minutes[i-1].Index {
			return fmt.Errorf("its minutes are not in order")
		}
	}
	for i, p := range s.Spikes {
		if p.Last < p.First || i > 0 && p.First <= s.Spikes[i-1].Last {
			return fmt.Errorf("its spikes are not in order")
		}
	}
	if n := len(s.Spans); n == 0 && len(s.Spikes)+len(s.Minutes) > 0 || n > 0 && s.Spans[n-1].Last-s.Spans[0].First > mostAge {
		return fmt.Errorf("the minutes that it says were watched do not fit the rest")
	}
	for key, t := range s.Tokens {
		if t == nil || t.Key != key {
			return fmt.Errorf("its token %q is not one", key)
		}
	}
	return nil
}

// State returns what is to be kept; it shares memory with the watch and is
// valid until the watch is told something.
func (w *Watch) State() *State {
	w.s.Window = w.window
	return &w.s
}

// count takes in a minute that has ended.
func (s *State) count(m Minute) {
	s.Watched++
	s.Minutes = append(s.Minutes, m)
	if n := len(s.Spans); n > 0 && s.Spans[n-1].Last+1 == m.Index {
		s.Spans[n-1].Last = m.Index
	} else {
		s.Spans = append(s.Spans, Span{m.Index, m.Index})
	}
	s.Near.count(m)
	if len(s.Minutes) > mostMinutes+mostMinutes/8 {
		s.trim()
	}
}

func (n *Near) count(m Minute) {
	band := bandOf(m.Use, m.Limit)
	switch band {
	case 1:
		n.Approaching++
	case 2:
		n.Near++
	case 3:
		n.Full++
	}
	if bandOf(m.High, m.Limit) > band {
		n.Unsure++
	}
}

// bandOf is 1 from 80 %, 2 from 90 %, 3 at 100 %.
func bandOf(use, limit int) int {
	switch {
	case limit <= 0 || use*10 < limit*8:
		return 0
	case use*10 < limit*9:
		return 1
	case use < limit:
		return 2
	}
	return 3
}

// trim forgets what is too old.
func (s *State) trim() {
	s.Minutes = append([]Minute(nil), s.Minutes[max(0, len(s.Minutes)-mostMinutes):]...)
	s.Spikes = s.Spikes[max(0, len(s.Spikes)-mostSpikes):]
	s.Spans = s.Spans[max(0, len(s.Spans)-mostSpans):]
}

// watched says whether anything is known of a minute near to this one.
func (s *State) watched(index, within int64) bool {
	for _, span := range s.Spans {
		if index+within >= span.First && index-within <= span.Last {
			return true
		}
	}
	return false
}
