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

// maxPrimaryReset bounds the window of a service's own counter: a minute on
// every record, a little more on simulators.
const maxPrimaryReset = time.Hour

var unstated = counter{limit: -1, remaining: -1, reset: -1}

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

	s := scan{account: [familyCount]counter{unstated, unstated, unstated}}
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
		if c.reset > maxPrimaryReset {
			c.reset = -1
		}
		a.Add(reading(p.primaryOf(route), c))
	}
	for i := range s.n {
		e := &s.endpoints[i]
		if rule := ruleFor(route, e.name, e.counter); rule != nil {
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
	best := unstated
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

// An endpointHeader is one "zendesk-ratelimit-NAME: total=..." header.
type endpointHeader struct {
	counter

	name string // what follows the prefix, in whatever case it came
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
		s.fieldX(name, values)
	case 'r':
		s.fieldR(name, values)
	case 'z':
		if rest, ok := cutFold(name, "Zendesk-Ratelimit-"); ok {
			s.endpoint(rest, values)
		} else if rest, ok := cutFold(name, "Zendesk-Rate-Limit-"); ok {
			s.endpoint(rest, values)
		}
	case 'd':
		if fold(name, "Date") {
			s.date = parseDate(values[0])
		}
	case 'c':
		if fold(name, "Cf-Cache-Status") {
			s.fromEdge = fold(values[0], "HIT") || fold(values[0], "STALE") || fold(values[0], "UPDATING")
		}
	}
}

func (s *scan) fieldX(name string, values []string) {
	switch len(name) {
	case len("X-Rate-Limit"):
		s.named(name, "X-Rate-Limit", familyX, values, setLimit)
	case len("X-Rate-Limit-Reset"):
		s.named(name, "X-Rate-Limit-Reset", familyX, values, setReset)
	case len("X-Rate-Limit-Remaining"):
		s.named(name, "X-Rate-Limit-Remaining", familyX, values, setRemaining)
	}
}

func (s *scan) fieldR(name string, values []string) {
	switch len(name) {
	case len("Rate-Limit"):
		s.named(name, "Rate-Limit", family2023, values, setLimit)
	case len("Rate-Limit-Reset"):
		s.named(name, "Rate-Limit-Reset", family2023, values, setReset)
	case len("Rate-Limit-Remaining"):
		s.named(name, "Rate-Limit-Remaining", family2023, values, setRemaining)
	case len("Ratelimit-Limit"): // also the length of Ratelimit-Reset
		if name[len("Ratelimit-")]|0x20 == 'l' {
			s.named(name, "Ratelimit-Limit", family2024, values, setLimit)
		} else {
			s.named(name, "Ratelimit-Reset", family2024, values, setReset)
		}
	case len("Ratelimit-Remaining"):
		s.named(name, "Ratelimit-Remaining", family2024, values, setRemaining)
	case len("Retry-After"):
		if fold(name, "Retry-After") {
			s.retryAfter = values
		}
	}
}

func (s *scan) named(name, want string, family int, values []string, part int) {
	if !fold(name, want) {
		return
	}
	for _, v := range values {
		s.account[family].set(part, v)
	}
}

// The parts of a counter.
const (
	setLimit = iota
	setRemaining
	setReset
)

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
func (s *scan) endpoint(name string, values []string) {
	if name == "" || len(name) > maxSuffix {
		return
	}
	e := endpointHeader{counter: unstated, name: name}
	for _, v := range values {
		e.parse(v)
	}
	if e.limit >= 0 && e.remaining >= 0 {
		s.keep(&e) // half a header is garbage: without its total it would undo the catalogue's
	}
}

func (e *endpointHeader) parse(value string) {
	for value != "" {
		end, equals := 0, -1
		for end < len(value) && value[end] != ';' && value[end] != ',' {
			if value[end] == '=' && equals < 0 {
				equals = end
			}
			end++
		}
		if equals > 0 {
			e.pair(trim(value[:equals]), value[equals+1:end])
		}
		value = value[min(end+1, len(value)):]
	}
}

func (e *endpointHeader) pair(key, stated string) {
	switch {
	case fold(key, "total"):
		e.set(setLimit, stated)
	case fold(key, "remaining"):
		e.set(setRemaining, stated)
	case fold(key, "resets"):
		e.set(setReset, stated)
	}
}

// keep inserts e by its name, for a map is read in no order. Two spellings of
// one name are one header. Of too many the first by name stay.
func (s *scan) keep(e *endpointHeader) {
	at := 0
	for ; at < s.n; at++ {
		have := &s.endpoints[at]
		order := compareFold(have.name, e.name)
		if order == 0 {
			if e.remaining < have.remaining {
				have.counter = e.counter
			}
			return
		}
		if order > 0 {
			break
		}
	}
	if at == len(s.endpoints) {
		return
	}
	s.n = min(s.n+1, len(s.endpoints))
	copy(s.endpoints[at+1:s.n], s.endpoints[at:s.n-1])
	s.endpoints[at] = *e
}

func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

// fold reports whether s is the canonical name want in any case.
func fold(s, want string) bool {
	if len(s) != len(want) {
		return false
	}
	if s == want {
		return true
	}
	_, ok := cutFold(s, want)
	return ok
}

// cutFold cuts a prefix in any case. ASCII only: no header is anything else.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) {
		return s, false
	}
	if s[:len(prefix)] == prefix {
		return s[len(prefix):], true
	}
	for i := range len(prefix) {
		if lower(s[i]) != lower(prefix[i]) {
			return s, false
		}
	}
	return s[len(prefix):], true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}
