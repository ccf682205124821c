package admin

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// defaultStuck is how long a reader may take nothing before its stream is ended. It
// comes back by itself: a browser's EventSource connects again.
const defaultStuck = 10 * time.Second

// A frame is one flush as every reader gets it.
type frame struct {
	text   []byte // shared by all readers
	events int
}

// A reader is one open stream. Only its own goroutine writes to its
// connection, so that nobody waits for it.
type reader struct {
	frames  chan frame // closed when the stream ends
	dropped int        // events that it had no room for since it was last told
}

// join adds a reader, or returns nil when there are too many or it is over.
func (s *Events) join() *reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.readers) >= maxReaders {
		return nil
	}
	r := &reader{frames: make(chan frame, maxFrames)}
	s.readers[r] = struct{}{}
	s.reading.Add(1)
	return r
}

func (s *Events) leave(r *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.readers[r]; ok {
		delete(s.readers, r)
		s.reading.Add(-1)
	}
}

// few is how many readers are woken at once. All of them together would keep a
// small machine from its calls for a moment.
const few = 8

// tell puts a frame into each reader's queue, a few at a time.
func (s *Events) tell(f frame) {
	s.mu.Lock()
	readers := slices.Collect(maps.Keys(s.readers))
	s.mu.Unlock()
	for group := range slices.Chunk(readers, few) {
		s.tellSome(group, f)
		if len(readers) > few {
			time.Sleep(time.Millisecond)
		}
	}
}

// tellSome puts a frame into the queues of those readers who are still there.
// One that has no room for it misses it, and is told how much when it has.
func (s *Events) tellSome(readers []*reader, f frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range readers {
		if _, ok := s.readers[r]; !ok {
			continue // it has left, or all have
		}
		out := f
		if r.dropped > 0 {
			out.text = append(appendEvent(nil, "dropped", Skipped{Events: r.dropped}), f.text...)
			out.events += r.dropped
		}
		select {
		case r.frames <- out:
			r.dropped = 0
		default:
			r.dropped += f.events
		}
	}
}

// end ends all streams, and lets nobody join any more.
func (s *Events) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for r := range s.readers {
		close(r.frames)
		delete(s.readers, r)
		s.reading.Add(-1)
	}
}

// ServeHTTP streams the events to one reader until it leaves, takes nothing for
// 10 s, or Run ends (https://html.spec.whatwg.org/multipage/server-sent-events.html).
func (s *Events) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/event-stream")
		return
	}
	r := s.join()
	if r == nil {
		w.Header().Set("Retry-After", "5")
		fail(w, http.StatusServiceUnavailable, "TooManyReaders", fmt.Sprintf("%d programs read the events already, or flyball is shutting down; try again", maxReaders))
		return
	}
	defer s.leave(r)
	out := http.NewResponseController(w)
	// A stream lasts longer than a request may take to arrive. Where this is
	// not supported nothing bounds it either.
	_ = out.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	write := func(text []byte) bool {
		_ = out.SetWriteDeadline(time.Now().Add(s.stuck))
		_, err := w.Write(text)
		return err == nil && out.Flush() == nil
	}
	if !write(append([]byte("retry: 2000\n\n"), s.now()...)) {
		return
	}
	for {
		select {
		case f, ok := <-r.frames:
			if !ok || !write(f.text) {
				return
			}
		case <-req.Context().Done():
			return
		}
	}
}
