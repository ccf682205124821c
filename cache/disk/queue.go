package disk

import (
	"sync"

	"github.com/flyballhq/flyball/cache"
)

// A change is one thing to be written.
type change struct {
	key     string
	entry   *cache.Entry // nil: the key's entry goes
	tags    []string     // what carries these goes; then there is no key
	dropped chan error   // with tags: told when that is done; holds one
}

func (c change) cost() int64 {
	if c.entry == nil {
		return 256
	}
	return c.entry.Size()
}

// A queue holds the changes that are not on disk yet, in order.
type queue struct {
	wake chan struct{} // holds one: there may be something to write
	room int64         // most bytes of changes

	mu     sync.Mutex
	closed bool
	todo   []change
	bytes  int64                   // of changes not yet on disk, those being written included
	newest map[string]*queuedEntry // the last change of each key among them
}

// A queuedEntry is what a key will have, and how many changes of it are still
// to be written.
type queuedEntry struct {
	entry *cache.Entry
	left  int
}

func (q *queue) init(room int64) {
	q.wake, q.room, q.newest = make(chan struct{}, 1), room, map[string]*queuedEntry{}
}

// add takes in a change, unless there is no room for it.
func (q *queue) add(c change) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errClosed
	case q.bytes+c.cost() > q.room:
		return errBusy
	}
	q.todo = append(q.todo, c)
	q.bytes += c.cost()
	if c.dropped == nil {
		at := q.newest[c.key]
		if at == nil {
			at = &queuedEntry{}
			q.newest[c.key] = at
		}
		at.entry = c.entry
		at.left++
	}
	q.nudge()
	return nil
}

func (q *queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// find returns what a key will have once all is written, if it is about to
// change.
func (q *queue) find(key string) (e *cache.Entry, queued bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, false, errClosed
	}
	if at := q.newest[key]; at != nil {
		return at.entry, true, nil
	}
	return nil, false, nil
}

// take returns all that is to be written now; written must follow.
func (q *queue) take() []change {
	q.mu.Lock()
	defer q.mu.Unlock()
	todo := q.todo
	q.todo = nil
	return todo
}

// written says that the changes have come to err, and tells those who wait.
func (q *queue) written(changes []change, err error) {
	q.mu.Lock()
	for _, c := range changes {
		q.bytes -= c.cost()
		if c.dropped != nil {
			continue
		}
		at := q.newest[c.key]
		if at.left--; at.left == 0 {
			delete(q.newest, c.key)
		}
	}
	q.mu.Unlock()
	for _, c := range changes {
		if c.dropped != nil {
			c.dropped <- err
		}
	}
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}
