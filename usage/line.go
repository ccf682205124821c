package usage

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// A Waiting is a call that is held.
type Waiting struct {
	Since  time.Time
	Client string
	Class  limit.Class
	Route  string
	Bucket limit.Key
	Reason limit.Reason
	Until  time.Time     // when the bucket may have room, zero when unknown
	ETA    time.Duration // likely to be held in all, as was told at its beginning; 0 when there was no telling
}

// A line is the calls that are held now.
type line struct {
	seed  maphash.Seed
	parts [8]struct {
		mu    sync.Mutex
		calls map[*limit.Call]Waiting
		_     [48]byte
	}
}

func (l *line) init() {
	l.seed = maphash.MakeSeed()
	for i := range l.parts {
		l.parts[i].calls = make(map[*limit.Call]Waiting)
	}
}

// take notes who begins to wait and who no longer does. A call is not looked
// into after its event: it is only compared.
func (l *line) take(e event.Event) {
	if e.Call == nil || e.Kind == event.Admitted && e.Bucket == (limit.Key{}) {
		return // it was not held
	}
	part := &l.parts[maphash.Comparable(l.seed, e.Call)%uint64(len(l.parts))]
	part.mu.Lock()
	defer part.mu.Unlock()
	if e.Kind != event.Held {
		delete(part.calls, e.Call)
		return
	}
	part.calls[e.Call] = Waiting{
		Since: e.At, Client: e.Call.Client, Class: e.Call.Class, Route: e.Call.Route.Class,
		Bucket: e.Bucket, Reason: e.Reason, Until: e.Until, ETA: e.ETA,
	}
}

// Waiting returns the calls that are held now, the longest first.
func (h *History) Waiting() []Waiting {
	var all []Waiting
	for i := range h.line.parts {
		part := &h.line.parts[i]
		part.mu.Lock()
		for _, w := range part.calls {
			all = append(all, w)
		}
		part.mu.Unlock()
	}
	slices.SortFunc(all, func(a, b Waiting) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Client, b.Client), cmp.Compare(a.Route, b.Route))
	})
	return all
}
