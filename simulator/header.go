package simulator

import (
	"fmt"
	"net/http"
	"strconv"
)

// HeaderMode is a spelling of the limit headers.
type HeaderMode string

// The spellings seen in recorded traffic [ZP][NZ], and none at all.
const (
	HeadersCurrent    HeaderMode = "current"      // x-rate-limit*, ratelimit-*, zendesk-ratelimit-<name>: since 2024-02
	Headers2023       HeaderMode = "2023"         // x-rate-limit*, rate-limit*, zendesk-rate-limit-<name>
	HeadersXRateLimit HeaderMode = "x-rate-limit" // x-rate-limit* only: until 2022
	HeadersNone       HeaderMode = "none"
)

// headerNames are the header keys of one spelling, in Go's canonical form; empty
// where the spelling has none. endpoint is a prefix. jobs says whether background
// jobs have their header, which recordings of 2023 lack.
type headerNames struct {
	plain, plainRemaining   string
	limit, remaining, reset string
	endpoint                string
	jobs                    bool
}

func (m HeaderMode) names() (headerNames, error) {
	const plain, left = "X-Rate-Limit", "X-Rate-Limit-Remaining"
	switch m {
	case "", HeadersCurrent:
		return headerNames{plain, left, "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset", "zendesk-ratelimit-", true}, nil
	case Headers2023:
		return headerNames{plain, left, "Rate-Limit", "Rate-Limit-Remaining", "Rate-Limit-Reset", "zendesk-rate-limit-", false}, nil
	case HeadersXRateLimit:
		return headerNames{plain: plain, plainRemaining: left}, nil
	case HeadersNone:
		return headerNames{}, nil
	}
	return headerNames{}, fmt.Errorf("unknown header mode %q; the modes are %s, %s, %s and %s",
		m, HeadersCurrent, Headers2023, HeadersXRateLimit, HeadersNone)
}

// headers collects an answer's headers, with one allocation for all values.
type headers struct {
	h      http.Header
	values []string
}

func newHeaders(h http.Header) *headers {
	all := make(http.Header, 28) // room for all, so that the map never grows
	for k, v := range h {
		all[k] = v
	}
	return &headers{h: all, values: make([]string, 0, 20)}
}

// set takes a key in canonical form.
func (s *headers) set(key, value string) {
	if key == "" {
		return
	}
	s.values = append(s.values, value)
	at := len(s.values)
	s.h[key] = s.values[at-1 : at : at]
}

// limits writes the limit headers of a decided call.
func (s *headers) limits(names headerNames, svc *service, v verdict) {
	draws := v.draws
	if len(draws) > 0 && draws[0].rule.service {
		s.service(names, svc, &draws[0])
		draws = draws[1:]
	}
	if names.endpoint == "" || svc.style != styleFull {
		return
	}
	for i := range draws {
		d := &draws[i]
		if d.rule.concurrent && !names.jobs {
			continue
		}
		if d.rule.header != "" && !hidden(v, d) {
			s.set(http.CanonicalHeaderKey(names.endpoint+d.rule.header), endpointValue(d.rule.n, d.remaining, d.resets))
		}
	}
}

func (s *headers) service(names headerNames, svc *service, d *drawn) {
	if svc.style == styleNone || d.rule.silent {
		return
	}
	limit, remaining := strconv.Itoa(d.rule.n), strconv.Itoa(d.remaining)
	s.set(names.plain, limit)
	s.set(names.plainRemaining, remaining)
	if svc.style == styleFull {
		s.set(names.limit, limit)
		s.set(names.remaining, remaining)
		s.set(names.reset, strconv.Itoa(d.resets))
	}
}

// hidden reports whether another bucket speaks under the same header name: users
// have two limits under one name [US], and which of them shows is unknown. Here
// it is the one that refuses, else the one with the longer window.
func hidden(v verdict, at *drawn) bool {
	for i := range v.draws {
		other := &v.draws[i]
		if other == at || other.rule.header != at.rule.header {
			continue
		}
		if other == v.refused || at != v.refused && other.rule.window > at.rule.window {
			return true
		}
	}
	return false
}

func endpointValue(total, remaining, resets int) string {
	return "total=" + strconv.Itoa(total) + "; remaining=" + strconv.Itoa(remaining) + "; resets=" + strconv.Itoa(resets)
}
