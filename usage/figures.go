package usage

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A Count names one figure of [Figures]. All of them can be added up.
type Count uint8

// The counts of calls and sends.
const (
	Calls       Count = iota // calls that ended
	Answered429              // calls that were handed the account's 429
	Answered5xx              // calls that were answered 5xx
	GaveUp                   // calls that flyball refused
	Left                     // calls whose caller left
	Failed                   // calls that ended in any other error
	Sends                    // requests that reached the wire
	Lost                     // sends that died without an answer
	Refusals                 // sends that the account refused for a limit's sake
	Retries                  // sends made again
	Held                     // calls that were held
	HeldMicros               // for how long in all, in microseconds
	callsOf                  // calls of each class, in the order of limit.Class
	_
	_
	savedCalls // calls answered without a send of their own, by limit.Cause from Cached on
	_
	_
	_
	_
	sentFor // sends made in place of those
	_
	_
	_
	_

	// The counts of a bucket, sampled once a second.

	Samples  // how often it was looked at
	LimitSum // its limit, added up over the samples
	Ours     // our sends that the account counted
	Others   // others' sends that the account counted, as its answers told
	Unseen   // thousandths of others' sends forecast for times of which no answer told
	Windows  // windows that ended
	At80     // of them, those of which 80 to 89 % were used
	At90     // 90 to 99 %
	At100    // all

	counts // how many there are
)

// CallsOf is the count of the calls of one class.
func CallsOf(c limit.Class) Count { return callsOf + Count(c) }

// SavedCalls is the count of the calls that were saved by cause, which is not
// [limit.NotSaved].
func SavedCalls(cause limit.Cause) Count { return savedCalls + Count(cause) - 1 }

func sentInPlace(cause limit.Cause) Count { return sentFor + Count(cause) - 1 }

// Figures are what one step of the history holds of one name. The zero value
// is nothing. They are not safe for use by several goroutines.
type Figures struct {
	n     [counts]int64
	holds *holds // nil when no call was held
}

// Of returns one figure.
func (f *Figures) Of(c Count) int64 { return f.n[c] }

// Saved returns how many sends a cause has spared, less what was sent in their
// place. Within one step it may be negative: the one send for many goes first.
func (f *Figures) Saved(cause limit.Cause) int64 {
	return f.n[SavedCalls(cause)] - f.n[sentInPlace(cause)]
}

// Add adds g to f.
func (f *Figures) Add(g *Figures) {
	for i, n := range g.n {
		f.n[i] += n
	}
	if g.holds != nil {
		if f.holds == nil {
			f.holds = new(holds)
		}
		f.holds.add(g.holds)
	}
}

// Hold returns how long the call at quantile q of all that ended was held,
// right within 7 %; calls that were not held count as 0.
func (f *Figures) Hold(q float64) time.Duration {
	if f.holds == nil {
		return 0
	}
	return f.holds.quantile(q, f.n[Calls]-f.n[Held])
}

func (f *Figures) hold(d time.Duration) {
	if d <= 0 {
		return
	}
	f.n[Held]++
	f.n[HeldMicros] += d.Microseconds()
	if f.holds == nil {
		f.holds = new(holds)
	}
	f.holds.count(d)
}

// size orders names: the busiest first.
func (f *Figures) size() int64 { return f.n[Calls] + f.n[Sends] + f.n[Samples] + f.n[Refusals] }
