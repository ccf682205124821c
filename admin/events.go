package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/usage"
)

// The bounds of a stream of events.
const (
	maxReaders = 64                     // at once
	flushEvery = 250 * time.Millisecond // what happened meanwhile goes out together: waking the readers costs the most
	maxNotable = 100                    // events in one flush that somebody should see
	maxRoutine = 50                     // admissions, sends and ordinary ends in one flush: 4,000 calls a minute
	maxFrames  = 20                     // flushes that a reader may be behind
)

// Events tells readers what happens, as it happens. Give its Take to the
// transport and itself to [New], and let Run run. All its methods may be called
// at once.
type Events struct {
	snapshot func() limit.Snapshot
	usage    *usage.History
	version  string
	stuck    time.Duration
	reading  atomic.Int32 // how many readers there are

	happened struct {
		sync.Mutex
		batch
	}

	mu      sync.Mutex // of the readers; never held while something is written
	readers map[*reader]struct{}
	ended   bool
}

// A batch is what happened since the last flush. What there is no room for is
// counted.
type batch struct {
	events           []happening
	notable, routine int
	skipped          int
}

// A happening is an event with what is needed of its call.
type happening struct {
	event.Event
	client, route string
	class         limit.Class
	held          time.Duration
	end           usage.Count
}

// NewEvents returns a stream without readers. snapshot and history are what its
// snapshots show; version may be "".
func NewEvents(snapshot func() limit.Snapshot, history *usage.History, version string) *Events {
	return &Events{snapshot: snapshot, usage: history, version: version, stuck: defaultStuck, readers: make(map[*reader]struct{})}
}

// Take is an [event.Sink]. Without readers it costs a nanosecond; with them it
// copies the event, and never waits for one of them.
func (s *Events) Take(e event.Event) {
	if s.reading.Load() == 0 {
		return
	}
	what := happening{Event: e}
	if c := e.Call; c != nil {
		what.client, what.route, what.class = c.Client, c.Route.Class, c.Class
		if e.Kind == event.Done { // before, a hold may be under way
			what.held, what.end = c.Held, usage.EndOf(e)
		}
	}
	what.Call = nil               // not to be looked into later
	what.Err, what.Text = nil, "" // may hold what nobody should read
	s.happened.Lock()
	s.happened.add(&what)
	s.happened.Unlock()
}

func (b *batch) add(what *happening) {
	count, most := &b.notable, maxNotable
	if what.routine() {
		count, most = &b.routine, maxRoutine
	}
	if *count >= most {
		b.skipped++
		return
	}
	*count++
	b.events = append(b.events, *what)
}

// routine is what happens to every call that nothing happens to.
func (w *happening) routine() bool {
	switch w.Kind {
	case event.Admitted, event.Sent, event.Saved:
		return true
	case event.Done:
		return w.end == usage.Calls
	default:
		return false
	}
}

// Run hands on what happens, and once a second how everything stands, until
// ctx ends; it then ends all readers.
func (s *Events) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	defer s.end()
	var spare []happening
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.reading.Load() == 0 {
			continue
		}
		s.happened.Lock()
		b := s.happened.batch
		s.happened.batch = batch{events: spare[:0]}
		s.happened.Unlock()
		spare = b.events
		f := frame{text: b.text(), events: len(b.events) + b.skipped}
		if n%int(time.Second/flushEvery) == 0 {
			f.text = append(f.text, s.now()...)
		}
		if len(f.text) > 0 {
			s.tell(f)
		}
	}
}

// text is the batch as readers get it.
func (b *batch) text() (text []byte) {
	for i := range b.events {
		text = appendEvent(text, "call", newEvent(&b.events[i]))
	}
	if b.skipped > 0 {
		text = appendEvent(text, "skipped", Skipped{Events: b.skipped})
	}
	return text
}

// now is how everything stands, as readers get it.
func (s *Events) now() []byte {
	return appendEvent(nil, "now", NewNow(s.snapshot(), time.Now(), s.usage, s.version))
}

func appendEvent(text []byte, name string, doc any) []byte {
	data, err := json.Marshal(doc)
	if err != nil {
		return text // no such document: they are all numbers and strings
	}
	return fmt.Appendf(text, "event: %s\ndata: %s\n\n", name, data)
}

// Skipped is the data of the events "skipped" and "dropped" of /api/events: how
// many events a reader was not told. They were skipped because too much
// happened at once, or dropped because this reader reads too slowly.
type Skipped struct {
	Events int `json:"events"`
}

// An Event is the data of an event "call" of /api/events: one thing that
// happened to one call. What does not apply is left out.
type Event struct {
	At          time.Time  `json:"at"`
	Kind        string     `json:"kind"` // see [Kinds]
	Client      string     `json:"client"`
	Class       string     `json:"class"`
	Route       string     `json:"route"` // the kind of call, such as "GET /api/v2/tickets/{id}"
	Bucket      string     `json:"bucket,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	Status      int        `json:"status,omitempty"`
	Outcome     string     `json:"outcome,omitempty"` // of done, as in [LongCall]
	Cause       string     `json:"cause,omitempty"`   // of saved, as in [Saving]
	WaitSeconds float64    `json:"wait_seconds,omitempty"`
	TookSeconds float64    `json:"took_seconds,omitempty"`
	HeldSeconds float64    `json:"held_seconds,omitempty"` // in all, of done
	ETASeconds  float64    `json:"eta_seconds,omitempty"`  // of held: likely to wait
	Until       *time.Time `json:"until,omitempty"`        // of held, refused and gave_up
	Why         string     `json:"why,omitempty"`          // in one sentence, of held, refused, gave_up and crowded
}

// Kinds are the kinds of [Event], in the order of [event.Kind].
var Kinds = [...]string{
	event.Held: "held", event.Admitted: "admitted", event.Sent: "sent", event.Lost: "lost", event.Refused: "refused",
	event.GaveUp: "gave_up", event.Left: "left", event.Retried: "retried", event.Extra: "extra", event.Crowded: "crowded",
	event.Learned: "learned", event.Saved: "saved", event.Done: "done",
	event.StoreFailed: "store_failed",
}

func newEvent(w *happening) Event {
	doc := Event{
		At: w.At.UTC(), Client: w.client, Class: w.class.String(), Route: w.route, Reason: string(w.Reason), Status: w.Status,
		WaitSeconds: *seconds(w.Wait), TookSeconds: *seconds(w.Took), ETASeconds: *seconds(w.ETA), Until: instant(w.Until),
	}
	if int(w.Kind) < len(Kinds) {
		doc.Kind = Kinds[w.Kind]
	}
	if w.Bucket != (limit.Key{}) {
		doc.Bucket = w.Bucket.String()
	}
	switch w.Kind {
	case event.Done:
		doc.Outcome, doc.HeldSeconds = outcome(w.end), *seconds(w.held)
	case event.Saved:
		doc.Cause = w.Cause.String()
	case event.Held:
		doc.Why = fmt.Sprintf("%s of %s waits%s: %s", w.route, named(w.client), after(" for ", w.Bucket), w.Reason)
	case event.Refused:
		doc.Why = newRefusedCall(w.note(usage.Refusals)).Why
	case event.GaveUp:
		doc.Why = newRefusedCall(w.note(usage.GaveUp)).Why
	case event.Crowded:
		doc.Why = fmt.Sprintf("%d calls wait for %s, more than the %d that it can serve in their patience", w.Waiting, w.Bucket, w.Servable)
	default:
	}
	return doc
}

func (w *happening) note(end usage.Count) usage.Note {
	return usage.Note{
		At: w.At, Client: w.client, Class: w.class, Route: w.route, End: end, Status: w.Status,
		Bucket: w.Bucket, Limit: w.Limit, Window: w.Window, Reason: w.Reason, Held: w.held, Wait: w.Wait, Until: w.Until,
	}
}
