package observe

import (
	"sync"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// manyNames bounds the clients and limits that are told apart; the rest are
// one, called otherName.
const (
	manyNames = 200
	otherName = "(other)"
)

// A Tally adds up what governing did, or would have done, out of the events of
// a governed transport. The zero value is ready; its methods may be called at
// once.
type Tally struct {
	mu      sync.Mutex
	sum     Outcome
	holds   holds
	saved   [limit.Causes]Spared
	reasons map[string]int
	limits  map[string]*Held
	clients map[string]*ClientOutcome
}

// Take counts one event; it is an [event.Sink].
func (t *Tally) Take(e event.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.Kind {
	case event.Admitted:
		if e.Wait > 0 {
			t.held(e)
		}
	case event.Sent, event.Lost, event.Extra:
		t.sum.Sends++
		if e.Call != nil && e.Call.For != limit.NotSaved {
			t.saved[e.Call.For].Sends--
		}
	case event.Refused:
		t.sum.Refused++
	case event.Retried:
		t.sum.Retries++
	case event.GaveUp:
		t.sum.GaveUp++
		if t.reasons == nil {
			t.reasons = make(map[string]int)
		}
		t.reasons[string(e.Reason)]++
		t.client(e.Call).GaveUp++
	case event.Saved:
		t.sum.Saved++
		t.saved[e.Cause].Calls++
		t.saved[e.Cause].Sends++
	case event.Done:
		t.sum.Calls++
		t.client(e.Call).Calls++
	default: // nothing that is added up
	}
}

func (t *Tally) held(e event.Event) {
	t.sum.Held++
	t.sum.HeldSeconds += e.Wait.Seconds()
	t.holds.count(e.Wait)
	if t.limits == nil {
		t.limits = make(map[string]*Held)
	}
	in(t.limits, e.Bucket.String()).add(e.Wait)
	c := t.client(e.Call)
	c.Held++
	c.HeldSeconds += e.Wait.Seconds()
}

func (h *Held) add(d time.Duration) {
	h.Calls++
	h.Seconds += d.Seconds()
	h.LongestSeconds = max(h.LongestSeconds, d.Seconds())
}

func (t *Tally) client(call *limit.Call) *ClientOutcome {
	if t.clients == nil {
		t.clients = make(map[string]*ClientOutcome)
	}
	name := "unknown"
	if call != nil && call.Client != "" {
		name = call.Client
	}
	return in(t.clients, name)
}

// in returns the entry of a name, or of all others when there are many.
func in[T any](m map[string]*T, name string) *T {
	if m[name] == nil {
		if len(m) >= manyNames {
			name = otherName
		}
		if m[name] == nil {
			m[name] = new(T)
		}
	}
	return m[name]
}
