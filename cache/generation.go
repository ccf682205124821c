package cache

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// maxWritten bounds the tags whose last write is remembered.
const maxWritten = 4096

// A history knows which tags were written since a moment, so that no answer
// from before a write is kept or shared after it.
type history struct {
	mu      sync.Mutex
	now     uint64
	floor   uint64            // what began before it may be out of date in any tag
	written map[string]uint64 // the moment of each tag's last write
	putting map[*put]struct{} // entries on their way into the store
	jobs    map[string]job    // what a bulk write has left at work
}

// A put is an entry on its way into the store.
type put struct{ done chan struct{} }

// moment is the present; it costs a lock and nothing else.
func (h *history) moment() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// outdated reports whether one of the tags was written since.
func (h *history) outdated(since uint64, tags []string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.writtenSince(since, tags)
}

func (h *history) writtenSince(since uint64, tags []string) bool {
	if since < h.floor {
		return true
	}
	for _, tag := range tags {
		if at, ok := h.written[tag]; ok && at > since {
			return true
		}
	}
	return false
}

// wrote notes a write that has ended and waits for the entries that were on
// their way into the store before it: the caller drops them next.
func (h *history) wrote(tags []string) {
	h.mu.Lock()
	h.now++
	if len(h.written) > maxWritten {
		clear(h.written)
		h.floor = h.now
	}
	if h.written == nil {
		h.written = map[string]uint64{}
	}
	for _, tag := range tags {
		h.written[tag] = h.now
	}
	before := make([]*put, 0, len(h.putting))
	for p := range h.putting {
		before = append(before, p)
	}
	h.mu.Unlock()
	for _, p := range before {
		<-p.done
	}
}

// begin announces an entry whose answer was asked for at the moment since, or
// reports false when a write has outdated it. The caller ends it.
func (h *history) begin(since uint64, tags []string) (*put, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.writtenSince(since, tags) || h.changing(tags) {
		return nil, false
	}
	p := &put{done: make(chan struct{})}
	if h.putting == nil {
		h.putting = map[*put]struct{}{}
	}
	h.putting[p] = struct{}{}
	return p, true
}

func (h *history) end(p *put) {
	h.mu.Lock()
	delete(h.putting, p)
	h.mu.Unlock()
	close(p.done)
}

// maxJobs bounds the jobs that are watched; more are not.
const maxJobs = 1000

// A job is one that may still change what its tags name.
type job struct {
	tags  []string
	until time.Time
}

// start notes work that goes on after its write was answered, under a name of
// its own until its ids are known.
func (h *history) start(tags []string, until time.Time) (token string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now++
	token = "write " + strconv.FormatUint(h.now, 10)
	if h.jobs == nil {
		h.jobs = map[string]job{}
	}
	now := time.Now()
	for id, j := range h.jobs {
		if now.After(j.until) {
			delete(h.jobs, id)
		}
	}
	if len(h.jobs) < maxJobs {
		h.jobs[token] = job{tags, until}
	}
	return token
}

// rename gives the work the ids of its jobs.
func (h *history) rename(token string, ids []limit.Job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	j, ok := h.jobs[token]
	if !ok {
		return
	}
	for _, id := range ids {
		if !id.Ended && id.ID != "" {
			h.jobs[id.ID] = j
			delete(h.jobs, token)
		}
	}
}

// expects reports whether any job is known to run.
func (h *history) expects() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.jobs) > 0
}

// finish ends a job and returns what it may have changed.
func (h *history) finish(id string) (tags []string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	j, ok := h.jobs[id]
	delete(h.jobs, id)
	return j.tags, ok
}

// changing reports whether a job may be at work on one of the tags.
func (h *history) changing(tags []string) bool {
	if len(h.jobs) == 0 {
		return false
	}
	now := time.Now()
	for _, j := range h.jobs {
		if now.Before(j.until) && slices.ContainsFunc(j.tags, func(tag string) bool { return slices.Contains(tags, tag) }) {
			return true
		}
	}
	return false
}
