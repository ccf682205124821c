// Package event is the vocabulary of what happened to a call. Layers tell it
// to one [Sink]; logs, metrics and the page are listeners behind that sink.
//
// It holds no state; the listeners do.
package event

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A Kind says what happened.
type Kind uint8

// The kinds of event.
const (
	Held        Kind = iota // a call began to wait for admission; Bucket, Reason and Until say for what, ETA how long it may take
	Admitted                // a send was let go; Wait says how long it was held
	Sent                    // a send was answered; Status and Took are set
	Lost                    // a send died without an answer; Err is set, and Unsent when it provably never left
	Refused                 // the server refused a send for a limit's sake; Bucket is what was blamed, Until the pause
	GaveUp                  // flyball refused the call: Bucket, Reason and Until say why and until when
	Left                    // the caller left while its call was held
	Retried                 // a send is about to be repeated; Status or Err says after what
	Extra                   // the transport below sent something twice by itself; it is charged
	Crowded                 // more calls wait for Bucket than its limit can serve in their patience: Waiting and Servable
	Learned                 // a bucket's limit was learned or changed; Limit is set
	Saved                   // the call was answered without a send of its own; Cause says by what
	Done                    // the call has ended, whatever became of it: Status or Err, and Took from its arrival on; told last, once
	StoreFailed             // the cache's store failed: Err says how; the call goes on without it
)

// An Event is one thing that happened to one call. Fields that the kind does
// not name are zero.
type Event struct {
	Kind Kind
	At   time.Time
	// Call is nil when no one call is meant. It is read only, and only inside
	// the sink; at Held its Held and HeldFor are still being written.
	Call     *limit.Call
	Bucket   limit.Key
	Limit    int
	Window   time.Duration
	Reason   limit.Reason
	Until    time.Time
	ETA      time.Duration // likely, from At on; 0 when there is no telling
	Wait     time.Duration
	Took     time.Duration
	Status   int
	Waiting  int
	Servable int
	Cause    limit.Cause
	Unsent   bool
	Left     bool   // at Done: Err is set and the caller no longer waited for the answer
	Text     string // what the server said
	Err      error
}

// A Sink takes events. It is called on the call's own goroutine with no lock
// held, by many goroutines at once, and must not block.
type Sink func(Event)

// Emit calls the sink; a nil sink takes nothing.
func (s Sink) Emit(e Event) {
	if s != nil {
		s(e)
	}
}

// All returns a sink that tells each event to every one of sinks, in order;
// nil ones are left out.
func All(sinks ...Sink) Sink {
	var all []Sink
	for _, s := range sinks {
		if s != nil {
			all = append(all, s)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return func(e Event) {
		for _, s := range all {
			s(e)
		}
	}
}
