package audit

import (
	"net/http"
	"strings"
	"time"
)

// mostWritten bounds the objects whose last write is remembered.
const mostWritten = 100_000

// written remembers when what was last written.
type written struct{ at *recent[time.Time] }

func newWritten() *written {
	return &written{at: newRecent[time.Time](Repeats, mostWritten, spans[len(spans)-1])}
}

// The three things that a write may change.
const (
	oneObject  = 1 + iota // the object it names
	allObjects            // a write of many, whose objects the path does not name
	anyObject             // the list that it may change
)

func (w *written) take(m *moment) {
	switch m.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return
	}
	if m.Status >= 400 {
		return
	}
	collection, object := subject(m.path)
	w.set(anyObject, collection, m.At)
	switch {
	case object != "":
		w.set(oneObject, object, m.At)
	case m.path != collection: // update_many, say; a creation changes no other
		w.set(allObjects, collection, m.At)
	}
}

func (w *written) set(what uint64, name string, at time.Time) {
	t, _ := w.at.get(mix(what, name), instant(at.UnixNano()))
	*t = at
}

// since reports whether what path names was written at then or later.
func (w *written) since(path string, then time.Time) bool {
	collection, object := subject(path)
	if object == "" {
		return w.after(anyObject, collection, then)
	}
	return w.after(oneObject, object, then) || w.after(allObjects, collection, then)
}

func (w *written) after(what uint64, name string, then time.Time) bool {
	t := w.at.find(mix(what, name))
	return t != nil && !t.Before(then)
}

// subject splits a path at its first id: /api/v2/tickets/5/comments is about
// the object /api/v2/tickets/5 of the collection /api/v2/tickets. A path
// without an id, such as /api/v2/tickets/update_many, has the first segment
// for its collection.
func subject(path string) (collection, object string) {
	const prefix = "/api/v2/"
	rest, ok := strings.CutPrefix(path, prefix)
	if !ok {
		return path, ""
	}
	first := -1
	for from := 0; from < len(rest); {
		end := strings.IndexByte(rest[from:], '/')
		if end < 0 {
			end = len(rest) - from
		}
		if segment := rest[from : from+end]; from > 0 && segment != "" && segment[0] >= '0' && segment[0] <= '9' {
			return path[:len(prefix)+from-1], path[:len(prefix)+from+end]
		}
		if first < 0 {
			first = end
		}
		from += end + 1
	}
	return path[:len(prefix)+max(first, 0)], ""
}
