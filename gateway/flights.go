package gateway

import (
	"errors"
	"sync"
)

// errCut ends the calls that outlast a drain.
var errCut = errors.New("flyball is shutting down")

// flights are the calls being served. Its methods may be called at once.
type flights struct {
	mu       sync.Mutex
	calls    map[*call]struct{}
	draining bool
	empty    chan struct{} // closed when draining and no call is left
}

func newFlights() *flights {
	return &flights{calls: make(map[*call]struct{}), empty: make(chan struct{})}
}

// begin adds c, or reports false when no more calls are taken.
func (f *flights) begin(c *call) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.draining {
		return false
	}
	f.calls[c] = struct{}{}
	return true
}

func (f *flights) end(c *call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.calls, c)
	if f.draining && len(f.calls) == 0 {
		close(f.empty)
	}
}

// drain takes no more calls, and returns a channel that is closed when the
// last one has ended. It is called once.
func (f *flights) drain() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.draining {
		f.draining = true
		if len(f.calls) == 0 {
			close(f.empty)
		}
	}
	return f.empty
}

// cut ends the calls that are left, and returns them.
func (f *flights) cut() []*call {
	f.mu.Lock()
	defer f.mu.Unlock()
	left := make([]*call, 0, len(f.calls))
	for c := range f.calls {
		left = append(left, c)
		c.cancel(errCut)
	}
	return left
}

func (f *flights) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.calls)
}

func (f *flights) isDraining() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.draining
}
