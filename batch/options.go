package batch

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// Options tunes the layer. Provider is required; otherwise the zero value is
// the recommended behaviour, and merges only the calls that ask for it.
type Options struct {
	// Provider routes the calls for many and reads their answers. Without a
	// [limit.Batcher] in it nothing is merged. Required.
	Provider limit.Provider
	// Sink is told of each call that was answered by one send for many
	// ([event.Saved]); nil tells nobody.
	Sink event.Sink
	// Routes lists the classes of route whose calls are merged unasked, such
	// as "GET /api/v2/tickets/{id}"; one that ends in * means all that begin
	// so. Other calls are merged when [limit.Call.Batch] is set.
	Routes []string
	// ReadWindow is the longest that a read waits for others while nothing
	// holds it back; default 5 ms, negative not at all. WriteWindow is the
	// same for writes; default 20 ms.
	ReadWindow, WriteWindow time.Duration
}

const (
	leastReads = 2 // two reads in one send save one
	maxRounds  = 3 // how often a call tries again with others before it goes alone
	maxWindow  = time.Second
)

// A Merger merges calls. It may be used by many goroutines at once; it starts
// none but those of the sends that it makes, and these end with their callers.
type Merger struct {
	Options
	batcher limit.Batcher    // nil merges nothing
	writer  limit.BulkWriter // nil merges no writes
	order   order

	mu      sync.Mutex
	lines   map[key]*line
	pollers map[key]*poller
	spare   *line             // one that is idle, for the next lone call
	avoided map[key]time.Time // whose calls go alone, until when
}

// New returns a merger. It fails when a route in the options names nothing
// that could be merged, or a window is longer than a second.
func New(o Options) (*Merger, error) {
	o.ReadWindow = max(0, cmp.Or(o.ReadWindow, 5*time.Millisecond))
	o.WriteWindow = max(0, cmp.Or(o.WriteWindow, 20*time.Millisecond))
	m := &Merger{Options: o, lines: map[key]*line{}, avoided: map[key]time.Time{}, pollers: map[key]*poller{}}
	m.batcher, _ = o.Provider.(limit.Batcher)
	m.writer, _ = o.Provider.(limit.BulkWriter)
	if o.ReadWindow > maxWindow || o.WriteWindow > maxWindow {
		return nil, fmt.Errorf("merge window %s is longer than %s", max(o.ReadWindow, o.WriteWindow), maxWindow)
	}
	return m, m.checkRoutes()
}

func (m *Merger) checkRoutes() error {
	if len(m.Routes) == 0 {
		return nil
	}
	var singles []string
	if m.batcher != nil {
		singles = m.batcher.Singles()
	}
	for _, route := range m.Routes {
		matched := false
		for _, class := range singles {
			matched = matched || covers(route, class)
		}
		if !matched {
			return fmt.Errorf("no call on %q can be merged; what can is %s", route, strings.Join(singles, ", "))
		}
	}
	return nil
}

func covers(route, class string) bool {
	if prefix, open := strings.CutSuffix(route, "*"); open {
		return strings.HasPrefix(class, prefix)
	}
	return route == class
}

// allowed reports whether the call may be merged.
func (m *Merger) allowed(call *limit.Call) bool {
	if call.Batch {
		return true
	}
	for _, route := range m.Routes {
		if covers(route, call.Route.Class) {
			return true
		}
	}
	return false
}

// Takes reports whether the call, which req makes, may be merged: it is then
// perhaps answered without a send of its own, so nothing that holds for its
// route alone refuses it.
func (m *Merger) Takes(req *http.Request, call *limit.Call) bool {
	way, _ := m.merging(req, call)
	return way != nil
}
