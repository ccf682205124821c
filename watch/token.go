package watch

import (
	"slices"
	"time"
)

// A Token is one credential as the account lists it.
type Token struct {
	Key  string    `json:"key"`  // "oauth 17" or "api 4", never the secret
	Name string    `json:"name"` // for people
	User uint64    `json:"user,omitempty"`
	Used time.Time `json:"used_at,omitzero"` // last; zero is never, or not told
	// Quiet is in how many looks outside of spikes it had been used within the
	// last minute.
	Quiet int `json:"quiet"`
}

// looks is when tokens are read.
type looks struct {
	wanted  bool      // as soon as can be afforded
	routine time.Time // the next one that nothing asks for
	cost    int       // calls that the last one took
	recent  []look
}

type look struct {
	at   time.Time // by the account's clock
	used map[string]time.Time
}

const (
	lookEvery   = 5 // minutes between looks when nothing happens
	recentLooks = 12
)

// Look takes in the tokens as they were listed in an answer asked for at that
// time, and how many calls it took.
func (w *Watch) Look(asked time.Time, tokens []Token, calls int) {
	w.Advance(asked)
	w.looks.cost = calls
	l := look{at: asked.Add(w.phase.ahead), used: map[string]time.Time{}}
	quiet := w.quiet(asked)
	if quiet {
		w.s.QuietLooks++
	}
	for _, t := range tokens {
		known := w.s.Tokens[t.Key]
		if known == nil {
			known = &Token{Key: t.Key}
			w.s.Tokens[t.Key] = known
		}
		known.Name, known.User, known.Used = t.Name, t.User, t.Used
		if quiet && t.Used.After(l.at.Add(-w.window)) {
			known.Quiet++
		}
		l.used[t.Key] = t.Used
	}
	w.looks.recent = append(w.looks.recent, l)
	if n := len(w.looks.recent); n > recentLooks {
		w.looks.recent = w.looks.recent[n-recentLooks:]
	}
	w.blame()
}

// quiet says that neither the minute under way nor the one before is a spike.
func (w *Watch) quiet(now time.Time) bool {
	if w.open.suspect {
		return false
	}
	_, _, ok := w.usual(w.open.index)
	n := len(w.s.Spikes)
	return ok && (n == 0 || w.s.Spikes[n-1].Last < w.open.index-1)
}

// blame sets beside the latest spikes the tokens that were last used in them.
func (w *Watch) blame() {
	for i := max(0, len(w.s.Spikes)-3); i < len(w.s.Spikes); i++ {
		s := &w.s.Spikes[i]
		if s.Last < w.open.index-lookEvery {
			continue
		}
		for _, l := range w.looks.recent {
			if l.at.Before(w.start(s.First)) {
				continue
			}
			s.Looked = true
			for key, used := range l.used {
				at := w.index(used)
				switch {
				case used.IsZero() || at < s.First:
				case at <= s.Last:
					s.Used = with(s.Used, key)
				default:
					s.Since = with(s.Since, key)
				}
			}
		}
		s.Since = slices.DeleteFunc(s.Since, func(key string) bool { return slices.Contains(s.Used, key) })
	}
}

func with(list []string, key string) []string {
	if i, found := slices.BinarySearch(list, key); !found {
		return slices.Insert(list, i, key)
	}
	return list
}
