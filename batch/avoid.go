package batch

import (
	"net/http"
	"time"
)

const (
	// avoidFor is how long calls of a key go alone after the call for many was
	// denied to it. Trying each time would cost one send more than not merging.
	avoidFor = time.Minute
	// maxAvoided bounds the keys that are remembered.
	maxAvoided = 1000
)

// denied reports whether an answer says that the caller has no use of the call
// for many, whatever its ids are.
func denied(resp *http.Response) bool {
	if resp == nil {
		return false
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented:
		return true
	}
	return false
}

// avoid has calls of the key go alone for a while. The caller holds the lock.
func (m *Merger) avoid(now time.Time, k key) {
	if len(m.avoided) >= maxAvoided {
		clear(m.avoided) // each costs one send to find out again
	}
	m.avoided[k] = now.Add(avoidFor)
}

// avoids reports whether calls of the key go alone now. The caller holds the
// lock.
func (m *Merger) avoids(now time.Time, k key) bool {
	if len(m.avoided) == 0 {
		return false
	}
	until, ok := m.avoided[k]
	if ok && !now.Before(until) {
		delete(m.avoided, k)
		ok = false
	}
	return ok
}
