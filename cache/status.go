package cache

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// The forms of Cache-Status (RFC 9211) that do not vary.
var (
	statusMiss      = []string{"flyball; fwd=uri-miss"}
	statusStored    = []string{"flyball; fwd=uri-miss; stored"}
	statusVary      = []string{"flyball; fwd=vary-miss; stored"}
	statusRequest   = []string{"flyball; fwd=request; stored"}
	statusStale     = []string{"flyball; fwd=stale; stored"}
	statusConfirmed = []string{"flyball; fwd=stale; fwd-status=304; stored"}
	statusCollapsed = []string{"flyball; fwd=uri-miss; collapsed"}
	statusShared    = []string{"flyball; fwd=stale; collapsed"}
	statusOnlyIf    = []string{"flyball; detail=only-if-cached"}
)

// hitFields are the Cache-Status "flyball; hit; ttl=42" and the Age of an answer
// out of the store; a negative ttl is that of a stale one.
func hitFields(ttl time.Duration, stale bool, age time.Duration) (status, seconds []string) {
	b := make([]byte, 0, 64)
	b = append(b, "flyball; hit; ttl="...)
	b = strconv.AppendInt(b, wholeSeconds(ttl), 10)
	if stale {
		b = append(b, "; detail=stale"...)
	}
	n := len(b)
	text := string(strconv.AppendInt(b, wholeSeconds(age), 10))
	fields := []string{text[:n], text[n:]}
	return fields[:1:1], fields[1:]
}

// wholeSeconds rounds down, also below zero: what is stale by a fraction is.
func wholeSeconds(d time.Duration) int64 {
	n := int64(d / time.Second)
	if d < 0 && d%time.Second != 0 {
		n--
	}
	return n
}

// mark adds one element to a header's Cache-Status, which is a list: the
// cache nearest the client is last.
func mark(h http.Header, status []string) {
	if have := h["Cache-Status"]; len(have) > 0 {
		h["Cache-Status"] = append(have[:len(have):len(have)], status...)
		return
	}
	h["Cache-Status"] = status[:1:1]
}

// markMissed is mark for the answer to a send. One that was merged has an
// element of ours already: a cache has one, so they become one.
func (f *sharedSend) markMissed(h http.Header, status []string) {
	have := h["Cache-Status"]
	if f.call.SavedBy != limit.Merged || len(have) == 0 {
		mark(h, status)
		return
	}
	one := status[0]
	for param := range strings.SplitSeq(have[len(have)-1], "; ") {
		if param != "flyball" && !strings.HasPrefix(param, "fwd=") {
			one += "; " + param
		}
	}
	h["Cache-Status"] = append(have[:len(have)-1:len(have)-1], one)
}
