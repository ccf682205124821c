package limit

import (
	"net/http"
	"time"
)

// A Provider knows one API: which buckets a request draws on, and what a
// response says about buckets. It is pure: no clock, no network, no state.
// All methods may be called at once and none may panic on any input.
type Provider interface {
	// Route classifies a request. It reads the method, URL and header only.
	Route(req *http.Request) Route
	// Read reads what an answer says about limits out of its status and
	// header. The answer's Date and waits are parsed, never negative.
	Read(route *Route, status int, header http.Header) Answer
	// Refusal reads the first bytes of a refusing answer's body (of a 429,
	// or of a 503 that may be one in older clothes). It is called only for
	// answers whose [Answer.Refused] is set. at is the answer's own Date or,
	// without one, the local time.
	Refusal(route *Route, status int, header http.Header, body []byte) Refusal
	// Jobs reads job statuses out of the body of a 2xx answer on a route whose
	// role is [StartsJob] or [ReportsJob]. It returns nil when it finds none.
	Jobs(route *Route, body []byte) []Job
}

// An Answer is what one response's status and header say about limits.
type Answer struct {
	Status int
	// Date is the server's clock in whole seconds, zero when not stated.
	Date time.Time
	// Counted says that the server charged the call to its counters.
	Counted bool
	// Refused says that the server refused the call for a limit's sake, or
	// may have: the body then goes to [Provider.Refusal].
	Refused bool
	// RetryAfter is the wait that the server asked for, in [0, 24 h]; valid
	// with HasRetryAfter. A date is taken relative to Date.
	RetryAfter    time.Duration
	HasRetryAfter bool

	seen [MaxDraws]Reading
	n    int
}

// A Reading is what one answer said about one bucket.
type Reading struct {
	// Rule is the catalogue's rule, or one made for a limit that only this
	// header names (Scope [Unknown], Window 0).
	Rule      *Rule
	Limit     int // never negative
	Remaining int // never negative
	// Reset is the time to the window's end, in [0, 24 h]; valid with HasReset.
	Reset    time.Duration
	HasReset bool
}

// Add appends a reading. Past [MaxDraws] it reports false and adds nothing.
func (a *Answer) Add(r Reading) bool {
	if a.n == MaxDraws {
		return false
	}
	a.seen[a.n] = r
	a.n++
	return true
}

// Readings returns what the answer said of each bucket, the service's primary
// one first when it is there. The slice is the answer's own.
func (a *Answer) Readings() []Reading { return a.seen[:a.n] }

// A Refusal is what a refusing answer's body says.
type Refusal struct {
	// Limit says that this is a refusal for a limit's sake at all.
	Limit bool
	// Rule is the rule that the body or the headers name, nil when they name
	// none: the scope is then inferred.
	Rule *Rule
	// Permanent says that waiting never helps.
	Permanent bool
	// Text is what the server said, in at most 200 bytes, for people.
	Text string
}

// A Job is a background job's id and whether it has ended.
type Job struct {
	ID    string
	Ended bool
}
