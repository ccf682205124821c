package flyball

import (
	"sync/atomic"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// A tally counts sends, and those that were saved, out of the events.
type tally struct {
	sends atomic.Int64
	store atomic.Int64 // failures of the cache's store
	saved [limit.Causes]struct{ calls, sends atomic.Int64 }
}

// take counts one event. A send made in place of many is charged to the
// saving that it serves.
func (t *tally) take(e event.Event) {
	switch e.Kind {
	case event.Sent, event.Lost, event.Extra:
		if e.Unsent {
			return
		}
		t.sends.Add(1)
		if e.Call != nil && e.Call.For != limit.NotSaved {
			t.saved[e.Call.For].sends.Add(-1)
		}
	case event.StoreFailed:
		t.store.Add(1)
	case event.Saved:
		if e.Call != nil {
			e.Call.SavedBy = e.Cause // for those who are told of the call's end
		}
		t.saved[e.Cause].calls.Add(1)
		t.saved[e.Cause].sends.Add(1)
	default: // costs and saves nothing
	}
}

// before returns a sink that counts and hands on.
func (t *tally) before(next event.Sink) event.Sink {
	return func(e event.Event) {
		t.take(e)
		next.Emit(e)
	}
}

func (t *tally) addTo(s *limit.Snapshot) {
	s.Sends, s.StoreErrors = int(t.sends.Load()), int(t.store.Load())
	for cause := range t.saved {
		calls, sends := t.saved[cause].calls.Load(), t.saved[cause].sends.Load()
		if calls != 0 || sends != 0 { // what was sent in vain for many is told too
			s.Saved = append(s.Saved, limit.Saving{Cause: limit.Cause(cause), Calls: int(calls), Sends: int(sends)})
		}
	}
}
