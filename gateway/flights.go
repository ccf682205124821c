package gateway

import (
	"context"
	"errors"
	"sync"
)

// errCut ends the calls that outlast a drain.
var errCut = errors.New("flyball is shutting down")

// flights are the calls being served, in a ring of their own links. Its methods
// may be called at once.
type flights struct {
	mu       sync.Mutex
	ring     call // its links only
	n        int
	draining bool
	over     bool          // what is left is cut
	empty    chan struct{} // closed when draining and no call is left
}

func newFlights() *flights {
	f := &flights{empty: make(chan struct{})}
	f.ring.next, f.ring.prev = &f.ring, &f.ring
	return f
}

// begin adds c, or reports false when no more calls are taken.
func (f *flights) begin(c *call) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.draining {
		return false
	}
	c.prev, c.next = f.ring.prev, &f.ring
	c.prev.next, c.next.prev = c, c
	f.n++
	return true
}

// cuts says how c is cut off: one that has begun is served without, as long as
// nobody but its client is waited for.
func (f *flights) cuts(c *call, cancel context.CancelCauseFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.cancel = cancel
	if f.over {
		cancel(errCut)
	}
}

func (f *flights) end(c *call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.prev.next, c.next.prev = c.next, c.prev
	f.n--
	if f.draining && f.n == 0 {
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
		if f.n == 0 {
			close(f.empty)
		}
	}
	return f.empty
}

// cut ends the calls that are left, and returns them.
func (f *flights) cut() []*call {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	left := make([]*call, 0, f.n)
	for c := f.ring.next; c != &f.ring; c = c.next {
		left = append(left, c)
		if c.cancel != nil {
			c.cancel(errCut)
		}
	}
	return left
}

func (f *flights) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

func (f *flights) isDraining() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.draining
}
