package cache

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// revalidates is how long an entry with an ETag is kept after it is stale: a
// 304 in its place saves transfer.
const revalidates = time.Hour

// ageAt is how old the entry's answer is at now (RFC 9111, 4.2.3).
func (e *Entry) ageAt(now time.Time) time.Duration { return e.Age + max(0, now.Sub(e.Stored)) }

// lifetime is how long the rule lets the entry be fresh, counted from when the
// server made it.
func (r *Rule) lifetime(e *Entry) time.Duration {
	switch {
	case e.Status == http.StatusNotFound:
		return r.NotFound
	case said(e.Header, "no-cache"):
		return 0
	case r.Fresh > 0:
		return r.Fresh
	}
	if value, ok := directive(e.Header["Cache-Control"], "max-age"); ok {
		return min(seconds(value, 0), longest)
	}
	return 0
}

func said(h http.Header, name string) bool {
	_, ok := directive(h["Cache-Control"], name)
	return ok
}

// A worth is what an entry may be used for.
type worth uint8

const (
	useless worth = iota
	stale         // to be revalidated; given as it is if the limits hold that back
	fresh
)

// judge says what an entry is worth to a request, and how long it stays
// fresh: negative when it is not.
func (r *Rule) judge(e *Entry, a ask, now time.Time) (worth, time.Duration) {
	age := e.ageAt(now)
	ttl := r.lifetime(e) - age
	switch {
	case a.noCache, a.maxAge >= 0 && age > a.maxAge, ttl < a.minFresh && a.minFresh > 0:
		return stale, ttl
	case ttl > 0:
		return fresh, ttl
	case a.maxStale >= 0 && -ttl <= a.maxStale && !mustRevalidate(e.Header) && !now.After(e.Until):
		return fresh, ttl
	}
	return stale, ttl
}

func mustRevalidate(h http.Header) bool { return said(h, "must-revalidate") || said(h, "no-cache") }

// allowsStale reports whether a stale entry may stand in for an answer that
// the limits hold back. A request that limits the age takes none.
func (r *Rule) allowsStale(e *Entry, a ask, ttl time.Duration) bool {
	return r.StaleWhileLimited > 0 && -ttl <= r.StaleWhileLimited && a.plain() && a.minFresh == 0 &&
		e.Status == http.StatusOK && !said(e.Header, "no-cache")
}

// keepable reports whether an answer may be kept at all.
func (r *Rule) keepable(status int, h http.Header) bool {
	switch {
	case status == http.StatusNotFound && r.NotFound > 0:
	case status != http.StatusOK:
		return false
	}
	return !said(h, "no-store") && h["Content-Range"] == nil && !slices.Contains(varyNames(h), "*")
}

// until is when an entry stored now is of no use any more.
func (r *Rule) until(e *Entry) time.Time {
	span := r.lifetime(e) - e.Age
	if e.Status == http.StatusOK {
		extra := r.StaleWhileLimited
		if e.Header["Etag"] != nil {
			extra = max(extra, revalidates)
		}
		span += extra
	}
	return e.Stored.Add(max(0, span))
}

// varyNames lists the request headers that an answer depends on.
func varyNames(h http.Header) (names []string) {
	for _, field := range h["Vary"] {
		for name := range strings.SplitSeq(field, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, http.CanonicalHeaderKey(name))
			}
		}
	}
	return names
}

// varied picks the request's values of what the answer varies by and the key
// does not have.
func varied(answer, request http.Header) http.Header {
	var picked http.Header
	for _, name := range varyNames(answer) {
		if !idle(name) && !conditional(name) {
			continue
		}
		if picked == nil {
			picked = http.Header{}
		}
		picked[name] = slices.Clone(request[name])
	}
	return picked
}

// suits reports whether the entry answers a request with that header.
func (e *Entry) suits(request http.Header) bool {
	for name, values := range e.Vary {
		if !slices.Equal(values, request[name]) {
			return false
		}
	}
	return true
}

// matches reports whether a client's If-None-Match names the entry's tag: by
// the weak comparison, as RFC 9110, 13.1.2, asks.
func matches(fields []string, etag string) bool {
	if etag == "" {
		return false
	}
	opaque := strings.TrimPrefix(etag, "W/")
	for _, field := range fields {
		for field != "" {
			var one string
			one, field = cutDirective(field)
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == opaque {
				return true
			}
		}
	}
	return false
}
