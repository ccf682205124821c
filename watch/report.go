package watch

import (
	"fmt"
	"slices"
	"time"
)

// A Report is what is known by now.
type Report struct {
	Account string        `json:"account"`
	Window  time.Duration `json:"window_ns"`
	Since   time.Time     `json:"since"` // of the first run
	Until   time.Time     `json:"until"`
	Limit   int           `json:"limit"`
	// Watched minutes of Passed since the first run are known.
	Watched int  `json:"watched"`
	Passed  int  `json:"passed"`
	Near    Near `json:"near"`
	// Median and Peak are of the account's use in the minutes that are kept, two
	// days of them; PeakAt is when that was.
	Median int       `json:"median"`
	Peak   int       `json:"peak"`
	PeakAt time.Time `json:"peak_at"`
	// Calls are our own, Refused of them met a 429.
	Calls    int       `json:"calls"`
	Refused  int       `json:"refused"`
	Refusals []Refusal `json:"refusals"`

	Spikes  int      `json:"spikes"` // all there were
	Single  []Spike  `json:"single"` // the latest that do not repeat
	Repeats []Repeat `json:"repeats"`
	Tokens  []Token  `json:"tokens"`
	// Looks are those at tokens outside of spikes.
	Looks int `json:"looks"`
	// Blind says in sentences what cannot be known from here.
	Blind []string `json:"blind"`
	// ClockAhead is how far the account's clock is ahead of ours, as its answers
	// tell, and ClockUnsure by how much that may be off.
	ClockAhead  time.Duration `json:"clock_ahead_ns"`
	ClockUnsure time.Duration `json:"clock_unsure_ns"`

	Minutes []Minute `json:"minutes"` // the latest day
}

// mostSingle is how many spikes that do not repeat a report lists.
const mostSingle = 20

// Report sums up what is known.
func (w *Watch) Report(now time.Time) Report {
	w.Advance(now)
	r := Report{
		Account: w.s.Account, Window: w.window, Since: w.s.Since, Until: now, Limit: w.limit,
		Watched: w.s.Watched, Passed: int(w.open.index - w.index(w.s.Since.Add(w.phase.ahead))), Near: w.s.Near,
		Calls: w.s.Calls, Refused: w.s.Refused, Refusals: slices.Clone(w.s.Refusals),
		Spikes: len(w.s.Spikes), Repeats: w.Repeats(), Looks: w.s.QuietLooks,
		ClockAhead: w.phase.ahead, ClockUnsure: w.phase.unsure,
		Minutes: slices.Clone(w.s.Minutes[max(0, len(w.s.Minutes)-24*60):]),
	}
	r.curve(w.s.Minutes)
	repeating := map[int]bool{}
	for _, rep := range r.Repeats {
		for _, i := range rep.spikes {
			repeating[i] = true
		}
	}
	for i, s := range w.s.Spikes {
		if !repeating[i] {
			r.Single = append(r.Single, s)
		}
	}
	r.Single = r.Single[max(0, len(r.Single)-mostSingle):]
	for _, t := range w.s.Tokens {
		r.Tokens = append(r.Tokens, *t)
	}
	slices.SortFunc(r.Tokens, func(a, b Token) int { return b.Used.Compare(a.Used) })
	r.Blind = w.blind()
	return r
}

func (r *Report) curve(minutes []Minute) {
	uses := make([]float64, 0, len(minutes))
	for _, m := range minutes {
		uses = append(uses, float64(m.Use))
		if m.Use > r.Peak {
			r.Peak, r.PeakAt = m.Use, m.Start
		}
	}
	if len(uses) > 0 {
		r.Median = int(middle(uses))
	}
}

// Hidden takes in that something of the account could not be read, as a
// sentence; an earlier one that begins with the same topic is replaced, and an
// empty one says that it can be read again.
func (w *Watch) Hidden(topic, sentence string) {
	w.hidden = slices.DeleteFunc(w.hidden, func(s string) bool { return len(s) > len(topic) && s[:len(topic)] == topic })
	if sentence != "" {
		w.hidden = append(w.hidden, topic+sentence)
	}
}

// blind says what cannot be known.
func (w *Watch) blind() []string {
	list := slices.Clone(w.hidden)
	list = append(list,
		"Who made which call is not told: only how much of the limit is left, and when each token was last used. A token that was last used in a spike was there; how many of its calls it made is not told, and tokens last used in the same minute share the suspicion.",
		"A token that was used in a spike and again before the list was read looks as if it had not been there; it is counted as untold.",
		"What has no token is not named: passwords, agents' browsers, apps and widgets that act within a person's session, scripts of the Help Center, anonymous calls, and tokens that were revoked since. Several programs that share a token, and several people that use one API token, are one here.",
		"Only the account's own limit is seen. The Help Center, webhooks, Talk and Chat have counters of their own, and endpoint limits show only to those who call those endpoints.",
		fmt.Sprintf("What comes in the last %s of a minute is estimated from what came before.", w.lead().Round(100*time.Millisecond)),
	)
	n := 0
	for _, s := range w.s.Spikes {
		if s.Looked && len(s.Used) == 0 {
			n++
		}
	}
	if n > 0 {
		list = append(list, fmt.Sprintf("In %d of the %d spikes no listed token was last used: whoever made them has none, or used it again before the list was read.", n, len(w.s.Spikes)))
	}
	return list
}
