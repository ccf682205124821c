package zendesk

import (
	"net/http"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// The three spellings of the account's headers, as recorded: x-rate-limit
// since 2017, rate-limit in 2023, ratelimit-limit since 2024.
const (
	familyX = iota
	family2023
	family2024
	familyCount
)

// A counter is what one spelling says; negative numbers are not stated.
type counter struct {
	limit, remaining int
	reset            time.Duration
}

// Read reads what an answer says about limits. A header speaks of its own
// service's counter only: x-rate-limit on a webhook says nothing of the
// account's. Garbage, negative and impossible values count as not stated; of
// disagreeing ones the smallest remaining is taken.
func (p *Provider) Read(route *limit.Route, status int, header http.Header) (a limit.Answer) {
	if route == nil {
		route = &limit.Route{Service: Other}
	}
	a.Status = status
	a.Refused = status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
	a.Counted = status >= 200 && route.Service != Talk

	s := scan{}
	for i := range s.account {
		s.account[i] = counter{limit: -1, remaining: -1, reset: -1}
	}
	for name, values := range header {
		s.field(name, values)
	}
	a.Date = s.date
	a.RetryAfter, a.HasRetryAfter = retryAfter(s.retryAfter, s.date)
	if s.fromEdge {
		a.Counted = false // an edge cache answered: its headers are old and nothing was charged
		return a
	}
	if c := merge(&s.account); c.remaining >= 0 {
		a.Add(reading(p.primaryOf(route), c))
	}
	for _, e := range s.endpoints[:s.n] {
		if rule := ruleFor(route, e.suffix[:e.length], e.counter); rule != nil {
			a.Add(reading(rule, e.counter))
		}
	}
	return a
}

// primaryOf returns the rule of the counter that the route's service has.
func (p *Provider) primaryOf(route *limit.Route) *limit.Rule {
	if draws := route.Draws(); len(draws) > 0 && draws[0].Rule != nil && draws[0].Rule.Primary {
		return draws[0].Rule
	}
	return p.primary(indexOf(route.Service))
}

func reading(rule *limit.Rule, c counter) limit.Reading {
	r := limit.Reading{Rule: rule, Limit: max(0, c.limit), Remaining: c.remaining}
	if r.Limit > 0 {
		r.Remaining = min(r.Remaining, r.Limit)
	}
	if c.reset >= 0 {
		r.Reset, r.HasReset = c.reset, true
	}
	return r
}

// merge joins the three spellings: the smallest remaining speaks, and the
// others fill in what it leaves out.
func merge(families *[familyCount]counter) counter {
	best := counter{limit: -1, remaining: -1, reset: -1}
	for _, c := range families {
		if c.remaining >= 0 && (best.remaining < 0 || c.remaining < best.remaining ||
			c.remaining == best.remaining && best.reset < 0) {
			best = c
		}
	}
	for _, c := range families {
		if best.limit < 0 {
			best.limit = c.limit
		}
		if best.reset < 0 {
			best.reset = c.reset
		}
	}
	return best
}

// maxSuffix is the longest name of an endpoint's limit that is read.
const maxSuffix = 64

// An endpointHeader is one "zendesk-ratelimit-NAME: total=..." header.
type endpointHeader struct {
	counter

	suffix [maxSuffix]byte // in lower case
	length int
}

// A scan gathers an answer's fields in one pass over its header.
type scan struct {
	account    [familyCount]counter
	endpoints  [limit.MaxDraws]endpointHeader
	n          int
	date       time.Time
	retryAfter []string
	fromEdge   bool
}

// field sorts one header by its first letter, so that most cost one compare.
func (s *scan) field(name string, values []string) {
	if len(name) < 4 || len(values) == 0 {
		return
	}
	switch name[0] | 0x20 {
	case 'x':
		switch {
		case fold(name, "x-rate-limit"):
			s.state(familyX, values, setLimit)
		case fold(name, "x-rate-limit-remaining"):
			s.state(familyX, values, setRemaining)
		case fold(name, "x-rate-limit-reset"):
			s.state(familyX, values, setReset)
		}
	case 'r':
		s.fieldR(name, values)
	case 'z':
		if rest, ok := cutFold(name, "zendesk-ratelimit-"); ok {
			s.endpoint(rest, values)
		} else if rest, ok := cutFold(name, "zendesk-rate-limit-"); ok {
			s.endpoint(rest, values)
		}
	case 'd':
		if fold(name, "date") {
			s.date = parseDate(values[0])
		}
	case 'c':
		if fold(name, "cf-cache-status") {
			s.fromEdge = fold(values[0], "HIT") || fold(values[0], "STALE") || fold(values[0], "UPDATING")
		}
	}
}

func (s *scan) fieldR(name string, values []string) {
	switch {
	case fold(name, "ratelimit-limit"):
		s.state(family2024, values, setLimit)
	case fold(name, "ratelimit-remaining"):
		s.state(family2024, values, setRemaining)
	case fold(name, "ratelimit-reset"):
		s.state(family2024, values, setReset)
	case fold(name, "rate-limit"):
		s.state(family2023, values, setLimit)
	case fold(name, "rate-limit-remaining"):
		s.state(family2023, values, setRemaining)
	case fold(name, "rate-limit-reset"):
		s.state(family2023, values, setReset)
	case fold(name, "retry-after"):
		s.retryAfter = values
	}
}

// The parts of a counter.
const (
	setLimit = iota
	setRemaining
	setReset
)

func (s *scan) state(family int, values []string, part int) {
	for _, v := range values {
		s.account[family].set(part, v)
	}
}

// set takes one stated value; of several the smallest, for a limit that reads
// too low costs a moment and one that reads too high a refusal.
func (c *counter) set(part int, value string) {
	if part == setReset {
		if d, ok := seconds(value); ok && (c.reset < 0 || d < c.reset) {
			c.reset = d
		}
		return
	}
	n := count(value)
	switch {
	case n < 0:
	case part == setRemaining && (c.remaining < 0 || n < c.remaining):
		c.remaining = n
	case part == setLimit && n > 0 && (c.limit < 0 || n < c.limit):
		c.limit = n
	}
}

// endpoint reads "total=100; remaining=99; resets=43", keys in any order.
// Headers are kept sorted by name, for a map is read in no order.
func (s *scan) endpoint(suffix string, values []string) {
	e := endpointHeader{counter: counter{limit: -1, remaining: -1, reset: -1}}
	if suffix == "" || len(suffix) > maxSuffix {
		return
	}
	for i := range len(suffix) {
		c := suffix[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		e.suffix[i] = c
	}
	e.length = len(suffix)
	for _, v := range values {
		e.parse(v)
	}
	if e.remaining >= 0 {
		s.keep(&e)
	}
}

func (e *endpointHeader) parse(value string) {
	for value != "" {
		end := 0
		for end < len(value) && value[end] != ';' && value[end] != ',' {
			end++
		}
		pair := value[:end]
		value = value[min(end+1, len(value)):]
		for pair != "" && (pair[0] == ' ' || pair[0] == '\t') {
			pair = pair[1:]
		}
		if v, ok := cutKey(pair, "total"); ok {
			e.set(setLimit, v)
		} else if v, ok := cutKey(pair, "remaining"); ok {
			e.set(setRemaining, v)
		} else if v, ok := cutKey(pair, "resets"); ok {
			e.set(setReset, v)
		}
	}
}

// cutKey returns what follows "key =".
func cutKey(pair, key string) (string, bool) {
	rest, ok := cutFold(pair, key)
	for ok && rest != "" && rest[0] == ' ' {
		rest = rest[1:]
	}
	if !ok || rest == "" || rest[0] != '=' {
		return "", false
	}
	return rest[1:], true
}

// keep inserts e by its name. Two spellings of one name are one header. Of too
// many the first by name stay.
func (s *scan) keep(e *endpointHeader) {
	at := 0
	for at < s.n {
		have := &s.endpoints[at]
		order := compare(have.suffix[:have.length], e.suffix[:e.length])
		if order == 0 {
			if e.remaining < have.remaining {
				have.counter = e.counter
			}
			return
		}
		if order > 0 {
			break
		}
		at++
	}
	if at == len(s.endpoints) {
		return
	}
	s.n = min(s.n+1, len(s.endpoints))
	copy(s.endpoints[at+1:s.n], s.endpoints[at:s.n-1])
	s.endpoints[at] = *e
}

func compare(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}

// fold reports whether s is lower, which is in lower case, in any case.
func fold(s, lower string) bool {
	_, ok := cutFold(s, lower)
	return ok && len(s) == len(lower)
}

// cutFold cuts a prefix in any case. ASCII only: no header is anything else.
func cutFold(s, lower string) (string, bool) {
	if len(s) < len(lower) {
		return s, false
	}
	for i := range len(lower) {
		c, l := s[i], lower[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if l >= 'A' && l <= 'Z' {
			l |= 0x20
		}
		if c != l {
			return s, false
		}
	}
	return s[len(lower):], true
}
