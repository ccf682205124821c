package usage

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// combos bounds what one shard tells apart in one second.
const combos = 512

// backlog bounds the seconds that wait in a shard for being gathered; while
// nobody gathers, later ones are counted into the last.
const backlog = 4

// A combo is what the figures of one event are counted for, so that the way of
// a call looks one thing up, not five.
type combo struct {
	client, route string
	service       limit.Service
	class         limit.Class
}

// A second is what one shard saw in one second.
type second struct {
	at      int64 // Unix seconds
	calls   map[combo]*Figures
	buckets map[string]*Figures
}

// A shard takes events from the goroutines that happen to find it free.
type shard struct {
	mu   sync.Mutex
	now  *second
	done []*second
	_    [64]byte // no two in one cache line
}

// lock returns a shard that is free, or nearly so: nothing slow is done under
// its lock.
func (h *History) lock() *shard {
	from := rand.IntN(len(h.shards))
	for i := range h.shards {
		if s := &h.shards[(from+i)%len(h.shards)]; s.mu.TryLock() {
			return s
		}
	}
	s := &h.shards[from]
	s.mu.Lock()
	return s
}

// Take counts one event. It is a [event.Sink]: it takes well under a
// microsecond, and waits for nothing but other events.
func (h *History) Take(e event.Event) {
	switch e.Kind {
	case event.Held, event.Left, event.GaveUp, event.Admitted:
		h.line.take(e)
		return
	case event.Sent, event.Lost, event.Extra, event.Refused, event.Retried, event.Saved, event.Done:
	default:
		return
	}
	if e.Call == nil || e.Unsent {
		return
	}
	s := h.lock()
	sec := s.second(e.At.Unix())
	f := sec.figures(e.Call)
	switch e.Kind {
	case event.Lost:
		f.n[Lost]++
		sent(f, e.Call)
	case event.Sent, event.Extra:
		sent(f, e.Call)
	case event.Refused:
		f.n[Refusals]++
		sec.blame(e.Bucket, Refusals)
	case event.Retried:
		f.n[Retries]++
	case event.Saved:
		if e.Cause != limit.NotSaved && int(e.Cause) < limit.Causes {
			f.n[SavedCalls(e.Cause)]++
		}
	case event.Done:
		sec.done(f, &e)
	default: // counted when the call is done
	}
	s.mu.Unlock()
	if e.Kind == event.Refused || e.Kind == event.Done {
		h.notes.take(&e)
	}
}

// sent counts a send, and for which saving it was made.
func sent(f *Figures, c *limit.Call) {
	f.n[Sends]++
	if c.For != limit.NotSaved && int(c.For) < limit.Causes {
		f.n[sentInPlace(c.For)]++
	}
}

// done counts a call's end.
func (s *second) done(f *Figures, e *event.Event) {
	f.n[Calls]++
	f.hold(e.Call.Held)
	switch end, refusal := endOf(e); end {
	case GaveUp:
		f.n[GaveUp]++
		s.blame(refusal.Bucket, GaveUp)
	case Calls: // answered, with nothing to say
	default:
		f.n[end]++
	}
}

// EndOf says what became of a call whose [event.Done] e is: [GaveUp], [Left],
// [Failed], [Answered429], [Answered5xx], or [Calls] for any other answer.
func EndOf(e event.Event) Count {
	end, _ := endOf(&e)
	return end
}

func endOf(e *event.Event) (Count, *limit.WaitError) {
	switch {
	case e.Err != nil:
		if refusal, ok := errors.AsType[*limit.WaitError](e.Err); ok {
			return GaveUp, refusal
		}
		if e.Left {
			return Left, nil
		}
		return Failed, nil
	case e.Status == http.StatusTooManyRequests:
		return Answered429, nil
	case e.Status >= 500:
		return Answered5xx, nil
	}
	return Calls, nil
}

// second returns the figures of the second at, or of the latest that there is
// room for.
func (s *shard) second(at int64) *second {
	switch {
	case s.now == nil:
		s.now = newSecond(at)
	case at > s.now.at && len(s.done) < backlog:
		s.done = append(s.done, s.now)
		s.now = newSecond(at)
	}
	return s.now
}

func newSecond(at int64) *second { return &second{at: at, calls: make(map[combo]*Figures)} }

func (s *second) figures(c *limit.Call) *Figures {
	k := combo{c.Client, c.Route.Class, c.Route.Service, c.Class}
	if f := s.calls[k]; f != nil {
		return f
	}
	if len(s.calls) >= combos {
		k.client, k.route = Other, Other
		if f := s.calls[k]; f != nil {
			return f
		}
	}
	f := new(Figures)
	s.calls[k] = f
	return f
}

// blame counts what one bucket is the cause of. A line of earlier calls alone
// is no bucket's fault.
func (s *second) blame(key limit.Key, c Count) {
	if key != (limit.Key{}) {
		s.bucket(key).n[c]++
	}
}

func (s *second) bucket(key limit.Key) *Figures {
	if s.buckets == nil {
		s.buckets = make(map[string]*Figures)
	}
	name := bucketName(key)
	if s.buckets[name] == nil && len(s.buckets) >= combos {
		name = Other
	}
	f := s.buckets[name]
	if f == nil {
		f = new(Figures)
		s.buckets[name] = f
	}
	return f
}

// bucketName names a bucket without the object and credential it counts: those
// are without number.
func bucketName(k limit.Key) string {
	k.Object, k.Credential = 0, 0
	return k.String()
}

// rows sorts a second's figures by all that they are counted for.
func (s *second) rows() map[row]*Figures {
	rows := make(map[row]*Figures)
	at := func(kind Kind, name string) *Figures {
		f := rows[row{kind, name}]
		if f == nil {
			f = new(Figures)
			rows[row{kind, name}] = f
		}
		return f
	}
	for k, f := range s.calls {
		f.n[CallsOf(k.class)] = f.n[Calls]
		at(Total, "").Add(f)
		at(Client, k.client).Add(f)
		at(Class, k.class.String()).Add(f)
		at(Service, string(k.service)).Add(f)
		at(Route, k.route).Add(f)
	}
	for name, f := range s.buckets {
		at(Bucket, name).Add(f)
	}
	return rows
}

// gather takes all that the shards have seen in seconds before upTo.
func (h *History) gather(upTo int64) {
	var all []*second
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.Lock()
		all = append(all, s.done...)
		s.done = s.done[:0]
		if s.now != nil && s.now.at < upTo {
			all = append(all, s.now)
			s.now = nil
		}
		s.mu.Unlock()
	}
	// In order of time, for a ring closes a step when a later one begins.
	for _, s := range sorted(all) {
		h.count(s.at, s.rows())
	}
}

func (h *History) count(at int64, rows map[row]*Figures) {
	for i := range h.rings {
		h.add(&h.rings[i], at, rows)
	}
	h.trim()
}
