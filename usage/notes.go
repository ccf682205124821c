package usage

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// keptNotes bounds each list of notes.
const keptNotes = 100

// keptLongest is how long the longest holds are remembered.
const keptLongest = time.Hour

// A Note is about one call that was refused or held for long.
type Note struct {
	At       time.Time
	Client   string
	Class    limit.Class
	Route    string // the kind of call, ids left out
	End      Count  // GaveUp: refused by flyball; Refusals: by the account; else what became of it, Calls for an answer
	Status   int    // of the answer, 0 without one
	Bucket   limit.Key
	Limit    int           // of the bucket, 0 when unknown
	Window   time.Duration // of the bucket, 0 when unknown
	Reason   limit.Reason
	Held     time.Duration // in all, until then
	Wait     time.Duration // what it would have had to wait, when refused
	Patience time.Duration // what it might have waited, when refused by flyball; 0 is never, or unknown
	Until    time.Time     // when trying again is worthwhile, zero when unknown
}

// notes keeps the last refusals and the longest holds.
type notes struct {
	floor atomic.Int64 // holds up to this are not worth a note

	mu      sync.Mutex
	refused []Note // a ring, next to be written at next
	next    int
	longest []Note // the longest first
}

func (n *notes) take(e *event.Event) {
	switch {
	case e.Kind == event.Refused:
		note := noteOf(e, Refusals)
		note.Bucket, note.Status, note.Until = e.Bucket, e.Status, e.Until
		n.refuse(note)
	case e.Err != nil:
		if end, refusal := endOf(e); refusal != nil {
			note := noteOf(e, end)
			note.Bucket, note.Limit, note.Window, note.Reason = refusal.Bucket, refusal.Limit, refusal.Window, refusal.Reason
			note.Wait, note.Patience, note.Until = refusal.Wait, refusal.Patience, refusal.RetryAt
			n.refuse(note)
		}
	}
	if e.Kind == event.Done && int64(e.Call.Held) > n.floor.Load() {
		end, _ := endOf(e)
		note := noteOf(e, end)
		note.Bucket, note.Reason, note.Status = e.Call.HeldFor.Bucket, e.Call.HeldFor.Reason, e.Status
		n.hold(note)
	}
}

func noteOf(e *event.Event, end Count) Note {
	return Note{At: e.At, Client: e.Call.Client, Class: e.Call.Class, Route: e.Call.Route.Class, End: end, Held: e.Call.Held}
}

func (n *notes) refuse(note Note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.refused) < keptNotes {
		n.refused = append(n.refused, note)
		return
	}
	n.refused[n.next] = note
	n.next = (n.next + 1) % keptNotes
}

func (n *notes) hold(note Note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	i, _ := slices.BinarySearchFunc(n.longest, note, func(a, b Note) int { return int(min(max(b.Held-a.Held, -1), 1)) })
	n.longest = slices.Insert(n.longest, i, note)
	if len(n.longest) > keptNotes {
		n.longest = n.longest[:keptNotes]
	}
	n.setFloor()
}

// prune forgets holds of long ago.
func (n *notes) prune(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.longest = slices.DeleteFunc(n.longest, func(note Note) bool { return now.Sub(note.At) > keptLongest })
	n.setFloor()
}

func (n *notes) setFloor() {
	n.floor.Store(0)
	if len(n.longest) == keptNotes {
		n.floor.Store(int64(n.longest[keptNotes-1].Held))
	}
}

// Refused returns the last calls that flyball refused and sends that the
// account did, the latest first.
func (h *History) Refused() []Note {
	n := &h.notes
	n.mu.Lock()
	defer n.mu.Unlock()
	all := slices.Concat(n.refused[n.next:], n.refused[:n.next])
	slices.Reverse(all)
	return all
}

// Longest returns the calls of the last hour that were held the longest, the
// longest first.
func (h *History) Longest() []Note {
	h.notes.mu.Lock()
	defer h.notes.mu.Unlock()
	return slices.Clone(h.notes.longest)
}
