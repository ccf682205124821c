package admin

import (
	"fmt"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/usage"
)

// Calls is the document at /api/calls: which calls wait, which were refused
// last, which were held the longest, and why. It names kinds of call, never a
// path or a query.
type Calls struct {
	Account string        `json:"account"`
	At      time.Time     `json:"at"`
	Waiting int           `json:"waiting"` // calls held now
	Held    []HeldCall    `json:"held"`    // of them, those that wait the longest; never null
	Lines   []Line        `json:"lines"`   // all of them by bucket and class; never null
	Refused []RefusedCall `json:"refused"` // the last of them, the latest first; never null
	Longest []LongCall    `json:"longest"` // held the longest in the last hour; never null
}

// A HeldCall waits now.
type HeldCall struct {
	Since       time.Time  `json:"since"`
	Client      string     `json:"client"`
	Class       string     `json:"class"`
	Route       string     `json:"route"` // the kind of call, such as "GET /api/v2/tickets/{id}"
	Bucket      string     `json:"bucket"`
	Reason      string     `json:"reason"` // why it began to wait; the line's says what holds it now
	HeldSeconds float64    `json:"held_seconds"`
	Until       *time.Time `json:"until"`       // when the bucket may have room, null when unknown
	ETASeconds  *float64   `json:"eta_seconds"` // likely still to wait, null when there is no telling
	Why         string     `json:"why"`         // in one sentence
}

// A Line is the calls of one class that wait for one bucket.
type Line struct {
	Bucket  string  `json:"bucket"`
	Class   string  `json:"class"`
	Reason  string  `json:"reason"` // what holds the first of them now
	Waiting int     `json:"waiting"`
	Longest float64 `json:"longest_seconds"` // how long the first of them has waited
}

// A RefusedCall was refused: by the account, a send that may have been made
// again since, or by flyball.
type RefusedCall struct {
	At          time.Time  `json:"at"`
	By          string     `json:"by"` // "account" or "flyball"
	Client      string     `json:"client"`
	Class       string     `json:"class"`
	Route       string     `json:"route"`
	Bucket      string     `json:"bucket"`
	Status      int        `json:"status,omitempty"` // of the account's answer
	Reason      string     `json:"reason,omitempty"`
	HeldSeconds float64    `json:"held_seconds"`
	WaitSeconds float64    `json:"wait_seconds"` // what it would have had to wait
	RetryAt     *time.Time `json:"retry_at"`     // when trying again is worthwhile, null when unknown
	Why         string     `json:"why"`          // in one sentence
}

// A LongCall was held for long.
type LongCall struct {
	At          time.Time `json:"at"` // its end
	Client      string    `json:"client"`
	Class       string    `json:"class"`
	Route       string    `json:"route"`
	Bucket      string    `json:"bucket"` // that held it the longest
	Reason      string    `json:"reason"`
	HeldSeconds float64   `json:"held_seconds"`
	Outcome     string    `json:"outcome"` // "answered", "answered_429", "answered_5xx", "gave_up", "left" or "failed"
	Status      int       `json:"status,omitempty"`
	Why         string    `json:"why"` // in one sentence
}

// shownCalls bounds each list of calls.
const shownCalls = 100

// NewCalls returns the document for a history and the account's buckets now.
func NewCalls(snap limit.Snapshot, at time.Time, h *usage.History) Calls {
	waiting := h.Waiting()
	doc := Calls{
		Account: snap.Account, At: at.UTC(), Waiting: len(waiting), Lines: linesOf(waiting, snap.Lines, at),
		Held: []HeldCall{}, Refused: []RefusedCall{}, Longest: []LongCall{},
	}
	for _, w := range waiting[:min(len(waiting), shownCalls)] {
		doc.Held = append(doc.Held, newHeldCall(w, at))
	}
	for _, n := range h.Refused() {
		doc.Refused = append(doc.Refused, newRefusedCall(n))
	}
	for _, n := range h.Longest() {
		doc.Longest = append(doc.Longest, newLongCall(n))
	}
	return doc
}

func newHeldCall(w usage.Waiting, at time.Time) HeldCall {
	held := max(at.Sub(w.Since), 0)
	doc := HeldCall{
		Since: w.Since.UTC(), Client: w.Client, Class: w.Class.String(), Route: w.Route,
		Bucket: bucketName(w.Bucket), Reason: string(w.Reason), HeldSeconds: *seconds(held), Until: instant(w.Until),
	}
	doc.Why = fmt.Sprintf("%s of %s waits%s: %s", w.Route, named(w.Client), after(" for ", w.Bucket), w.Reason)
	if w.ETA > 0 {
		doc.ETASeconds = seconds(max(w.ETA-held, 0))
		doc.Why += "; " + remaining(w.ETA-held)
	}
	return doc
}

// linesOf counts those that wait, by bucket and class, the longest line first.
func linesOf(waiting []usage.Waiting, now []limit.Line, at time.Time) []Line {
	type key struct {
		bucket limit.Key
		class  limit.Class
	}
	index := make(map[key]int)
	lines := []Line{}
	for _, w := range waiting { // the longest wait first
		k := key{w.Bucket, w.Class}
		i, ok := index[k]
		if !ok {
			i = len(lines)
			if i == shownCalls {
				continue
			}
			index[k] = i
			lines = append(lines, Line{
				Bucket: bucketName(w.Bucket), Class: w.Class.String(), Reason: string(reasonNow(w, now)),
				Longest: *seconds(max(at.Sub(w.Since), 0)),
			})
		}
		lines[i].Waiting++
	}
	return lines
}

// reasonNow is what holds the first in a call's line, or why it began to wait
// when it has changed lines since.
func reasonNow(w usage.Waiting, lines []limit.Line) limit.Reason {
	for _, l := range lines {
		if l.Key == w.Bucket {
			return l.Reason
		}
	}
	return w.Reason
}

func newRefusedCall(n usage.Note) RefusedCall {
	doc := RefusedCall{
		At: n.At.UTC(), By: "flyball", Client: n.Client, Class: n.Class.String(), Route: n.Route,
		Bucket: bucketName(n.Bucket), Status: n.Status, Reason: string(n.Reason),
		HeldSeconds: *seconds(n.Held), WaitSeconds: *seconds(n.Wait), RetryAt: instant(n.Until),
	}
	rule := bucketName(n.Bucket)
	if n.Limit > 0 && n.Window > 0 {
		rule += fmt.Sprintf(" (%d per %s)", n.Limit, lasting(n.Window))
	}
	if n.End == usage.Refusals {
		doc.By = "account"
		doc.Why = fmt.Sprintf("the account refused %s of %s with %d because of %s", n.Route, named(n.Client), n.Status, rule)
		if !n.Until.IsZero() {
			doc.Why += fmt.Sprintf("; nothing goes there for %s", lasting(n.Until.Sub(n.At)))
		}
		return doc
	}
	cause := string(n.Reason)
	if rule != "" {
		cause = fmt.Sprintf("%s (%s)", rule, n.Reason)
	}
	doc.Why = fmt.Sprintf("%s of %s was not sent: %s; it would have waited %s", n.Route, named(n.Client), cause, lasting(n.Wait))
	if n.Patience > 0 {
		doc.Why += fmt.Sprintf(" and may wait %s in all", lasting(n.Patience))
	}
	return doc
}

func newLongCall(n usage.Note) LongCall {
	doc := LongCall{
		At: n.At.UTC(), Client: n.Client, Class: n.Class.String(), Route: n.Route, Bucket: bucketName(n.Bucket),
		Reason: string(n.Reason), HeldSeconds: *seconds(n.Held), Outcome: outcome(n.End), Status: n.Status,
	}
	doc.Why = fmt.Sprintf("%s of %s was held for %s, most of it%s: %s", n.Route, named(n.Client), lasting(n.Held), after(" by ", n.Bucket), n.Reason)
	return doc
}

func outcome(end usage.Count) string {
	switch end {
	case usage.Answered429:
		return "answered_429"
	case usage.Answered5xx:
		return "answered_5xx"
	case usage.GaveUp:
		return "gave_up"
	case usage.Left:
		return "left"
	case usage.Failed:
		return "failed"
	default:
		return "answered"
	}
}

func named(client string) string {
	if client == "" {
		return "an unnamed client"
	}
	return client
}

// bucketName is "" for what no bucket is the cause of, such as a line.
func bucketName(k limit.Key) string {
	if k == (limit.Key{}) {
		return ""
	}
	return k.String()
}

func after(word string, k limit.Key) string {
	if k == (limit.Key{}) {
		return ""
	}
	return word + k.String()
}

func remaining(d time.Duration) string {
	if d < 100*time.Millisecond {
		return "due at any moment"
	}
	return fmt.Sprintf("likely %s more", lasting(d))
}

// lasting writes a duration for people.
func lasting(d time.Duration) string {
	d = max(d, 0)
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
