package retry

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/flyballhq/flyball/limit"
)

const (
	keyHeader = "Idempotency-Key"
	// keyLife is how long a key is counted on: half of the 2 hours after which
	// Zendesk takes the same key for a new ticket [TI].
	keyLife = time.Hour
)

// repeatable reports whether doing the call twice is the same as doing it
// once.
func (c *course) repeatable() bool {
	route := &c.call.Route
	if route.IdempotencyKeys && (c.header != nil || c.req.Header.Get(keyHeader) != "") {
		return true
	}
	switch c.req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	case http.MethodDelete:
		return route.Job != limit.StartsJob
	case http.MethodPut:
		return route.Job != limit.StartsJob && !c.adds()
	default:
		return false
	}
}

// adds reports whether the body may add something each time it is sent: it
// holds one of the additive members, or it cannot be read as JSON.
func (c *course) adds() bool {
	if c.body == nil {
		return false
	}
	if c.body.rest != nil {
		return true // reading it would consume it
	}
	r, err := c.body.open()
	if err != nil {
		return true
	}
	defer r.Close()
	return holdsAny(r, c.Additive)
}

// holdsAny reports whether r is not JSON, or holds one of the words as a
// member's name or a value: a value taken for a name costs a repeat, a name
// missed costs a second comment on a customer's ticket.
func holdsAny(r io.Reader, words []string) bool {
	in := json.NewDecoder(r)
	in.UseNumber()
	for open := 0; ; {
		token, err := in.Token()
		switch token := token.(type) {
		case string:
			if slices.Contains(words, token) {
				return true
			}
		case json.Delim:
			if token == '{' || token == '[' {
				open++
			} else {
				open--
			}
		}
		if err != nil {
			return !errors.Is(err, io.EOF) || open > 0
		}
	}
}

// needsKey reports whether a key makes the call repeatable that is not so
// already.
func needsKey(req *http.Request, route *limit.Route) bool {
	return route.IdempotencyKeys && req.Method == http.MethodPost && req.Header.Get(keyHeader) == ""
}

// withKey returns a copy of h that holds a new key.
func withKey(h http.Header) http.Header {
	h = h.Clone()
	if h == nil {
		h = http.Header{}
	}
	h.Set(keyHeader, newKey(time.Now()))
	return h
}

// newKey returns a UUID of version 7: it sorts by time, which helps whoever
// looks for it in a log.
func newKey(now time.Time) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16)
	rand.Read(id[6:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
