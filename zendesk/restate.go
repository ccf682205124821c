package zendesk

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// Restate writes what is left of the service's own limit into a header, in
// each spelling that it has, and takes out what it says of endpoints' limits,
// for these are not known for an answer that cost no send. A limit that is not
// known is not stated.
func (p *Provider) Restate(_ *limit.Route, header http.Header, now limit.Standing) {
	values := make([]string, 0, 6) // in one piece of memory
	for name := range header {
		if len(name) < len("Rate-Limit") {
			continue
		}
		switch name[0] | 0x20 {
		case 'x', 'r':
			if part := accountPart(name); part >= 0 {
				values = restate(header, name, part, now, values)
			} else if fold(name, "Retry-After") {
				delete(header, name)
			}
		case 'z':
			if isEndpointHeader(name) {
				delete(header, name)
			}
		}
	}
}

func isEndpointHeader(name string) bool {
	_, current := cutFold(name, "Zendesk-Ratelimit-")
	_, older := cutFold(name, "Zendesk-Rate-Limit-")
	return current || older
}

// accountPart says which part of an account's counter a header states,
// negative for another header.
func accountPart(name string) int {
	switch {
	case fold(name, "X-Rate-Limit"), fold(name, "Rate-Limit"), fold(name, "Ratelimit-Limit"):
		return setLimit
	case fold(name, "X-Rate-Limit-Remaining"), fold(name, "Rate-Limit-Remaining"), fold(name, "Ratelimit-Remaining"):
		return setRemaining
	case fold(name, "X-Rate-Limit-Reset"), fold(name, "Rate-Limit-Reset"), fold(name, "Ratelimit-Reset"):
		return setReset
	}
	return -1
}

func restate(header http.Header, name string, part int, now limit.Standing, values []string) []string {
	value := 0
	switch {
	case now.Limit <= 0, part == setReset && now.Reset <= 0:
		delete(header, name)
		return values
	case part == setLimit:
		value = now.Limit
	case part == setRemaining:
		value = max(0, min(now.Left, now.Limit))
	default:
		value = int(math.Ceil(float64(now.Reset) / float64(time.Second))) // whole seconds, rounded up as recorded
	}
	values = append(values, strconv.Itoa(value))
	header[name] = values[len(values)-1 : len(values) : len(values)]
	return values
}

// RestateEach writes into a header what each limit that it states is at
// another time than that of its answer: now says it of a rule, the zero
// standing where it is not known; such a limit is stated no more. It takes out
// Retry-After.
func (p *Provider) RestateEach(route *limit.Route, header http.Header, now func(*limit.Rule) limit.Standing) {
	for name, values := range header {
		if len(name) < len("Rate-Limit") {
			continue
		}
		if part := accountPart(name); part >= 0 {
			restate(header, name, part, now(p.primaryOf(route)), nil)
			continue
		}
		suffix, ours := cutFold(name, "Zendesk-Ratelimit-")
		if !ours {
			suffix, ours = cutFold(name, "Zendesk-Rate-Limit-")
		}
		switch {
		case ours:
			restateEndpoint(route, header, name, suffix, values, now)
		case fold(name, "Retry-After"):
			delete(header, name)
		}
	}
}

func restateEndpoint(route *limit.Route, header http.Header, name, suffix string, values []string, now func(*limit.Rule) limit.Standing) {
	e := endpointHeader{counter: unstated, name: suffix}
	for _, v := range values {
		e.parse(v)
	}
	var s limit.Standing
	if suffix != "" && len(suffix) <= maxSuffix {
		if rule := ruleFor(route, suffix, e.counter); rule != nil {
			s = now(rule)
		}
	}
	if s.Limit <= 0 {
		delete(header, name)
		return
	}
	text := "total=" + strconv.Itoa(s.Limit) + "; remaining=" + strconv.Itoa(max(0, min(s.Left, s.Limit)))
	if s.Reset > 0 {
		text += "; resets=" + strconv.Itoa(int(math.Ceil(s.Reset.Seconds())))
	}
	header[name] = []string{text}
}
