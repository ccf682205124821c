package observe

import (
	"cmp"
	"slices"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A Report is what was seen since the start: what really happened, and what
// governing would have done with the same calls.
type Report struct {
	Account string    `json:"account"`
	Since   time.Time `json:"since"`
	At      time.Time `json:"at"`
	Passed  Passed    `json:"passed"`
	// Governed is what would have been.
	Governed Outcome `json:"governed"`
	// Waiting calls would be held now: they are in no figure of Governed yet.
	Waiting int `json:"waiting"`
	// Unobserved calls were passed on and not tried, for too many were.
	Unobserved int64 `json:"unobserved"`
}

// Passed is what really happened.
type Passed struct {
	Calls   int `json:"calls"`   // that ended
	Sends   int `json:"sends"`   // one for each
	Refused int `json:"refused"` // of them, those that the account refused for a limit's sake: its 429s
	Failed  int `json:"failed"`  // of them, those that were not answered
}

// An Outcome is what governing did, or would have done.
type Outcome struct {
	Calls   int `json:"calls"`   // that ended
	Sends   int `json:"sends"`   // requests to the account
	Refused int `json:"refused"` // of them, those that the account would have refused
	Retries int `json:"retries"` // of them, those sent again
	GaveUp  int `json:"gave_up"` // calls that flyball would have refused
	Saved   int `json:"saved"`   // calls answered without a send of their own

	Held           int     `json:"held"` // sends that would have waited
	HeldSeconds    float64 `json:"held_seconds"`
	HoldP50        float64 `json:"hold_p50_seconds"` // of all calls, those not held counting as 0
	HoldP99        float64 `json:"hold_p99_seconds"`
	LongestSeconds float64 `json:"longest_seconds"`

	ByReason []Reason        `json:"by_reason"` // of GaveUp; never null
	ByCause  []Spared        `json:"by_cause"`  // of Saved; never null
	ByLimit  []Held          `json:"by_limit"`  // of Held, the longest first; never null
	ByClient []ClientOutcome `json:"by_client"` // the longest held first; never null
}

// A Reason is why calls were refused, and how many.
type Reason struct {
	Name  string `json:"name"`
	Calls int    `json:"calls"`
}

// A Spared is what one cause saved.
type Spared struct {
	Cause string `json:"cause"`
	Calls int    `json:"calls"`
	Sends int    `json:"sends"` // less what was sent in their place
}

// A Held is what one limit would have held.
type Held struct {
	Bucket         string  `json:"bucket"`
	Calls          int     `json:"calls"`
	Seconds        float64 `json:"seconds"`
	LongestSeconds float64 `json:"longest_seconds"`
}

// A ClientOutcome is what one client would have met.
type ClientOutcome struct {
	Client      string  `json:"client"`
	Calls       int     `json:"calls"`
	Held        int     `json:"held"`
	HeldSeconds float64 `json:"held_seconds"`
	GaveUp      int     `json:"gave_up"`
}

// Report says what was seen up to now.
func (o *Observer) Report() Report {
	r := Report{Since: o.began, At: time.Now(), Governed: o.tally.Outcome(), Unobserved: o.unobserved.Load()}
	s := o.governed.Snapshot()
	r.Account, r.Waiting = s.Account, s.Waiting
	o.mu.Lock()
	r.Passed = o.passed
	o.mu.Unlock()
	return r
}

// Outcome returns what was added up so far.
func (t *Tally) Outcome() Outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.sum
	o.HoldP50 = t.holds.quantile(0.5, o.Calls).Seconds()
	o.HoldP99 = t.holds.quantile(0.99, o.Calls).Seconds()
	o.LongestSeconds = t.holds.longest.Seconds()
	o.ByReason, o.ByCause, o.ByLimit, o.ByClient = []Reason{}, []Spared{}, []Held{}, []ClientOutcome{}
	for name, n := range t.reasons {
		o.ByReason = append(o.ByReason, Reason{name, n})
	}
	for cause, s := range t.saved {
		if s.Calls > 0 {
			s.Cause = limit.Cause(cause).String()
			o.ByCause = append(o.ByCause, s)
		}
	}
	for name, h := range t.limits {
		h := *h
		h.Bucket = name
		o.ByLimit = append(o.ByLimit, h)
	}
	for name, c := range t.clients {
		c := *c
		c.Client = name
		o.ByClient = append(o.ByClient, c)
	}
	slices.SortFunc(o.ByReason, func(a, b Reason) int { return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Name, b.Name)) })
	slices.SortFunc(o.ByLimit, func(a, b Held) int { return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Bucket, b.Bucket)) })
	slices.SortFunc(o.ByClient, func(a, b ClientOutcome) int {
		return cmp.Or(cmp.Compare(b.HeldSeconds, a.HeldSeconds), cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Client, b.Client))
	})
	return o
}
