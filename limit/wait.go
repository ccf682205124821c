package limit

import (
	"fmt"
	"time"
)

// A Reason says in a few words why a call is held or refused.
type Reason string

// The reasons.
const (
	Cold        Reason = "no answer from this service yet; one probe is under way"
	Unconfirmed Reason = "the window has just turned; waiting for its first answer"
	Doubtful    Reason = "checking a doubtful header"
	HalfOpen    Reason = "one call tries the limit after a 429"
	Paused      Reason = "paused by a 429"
	Spent       Reason = "the budget is spent"
	Reserved    Reason = "what is left is kept for others"
	Paced       Reason = "spread over the window"
	Walking     Reason = "first calls on a route whose limit is unknown"
	Queued      Reason = "earlier calls go first"
	QueueFull   Reason = "the queue is full"
	Closed      Reason = "flyball is shutting down"
)

// A WaitError says that a call was not sent because it would have had to wait
// longer than it may. The server has not seen the call.
type WaitError struct {
	Method, Path string        // what was asked; empty when it was refused before it had a request
	Class        string        // the kind of call, such as "GET /api/v2/tickets/{id}"
	Bucket       Key           // what it would have waited for
	Limit        int           // that bucket's limit, 0 when unknown
	Window       time.Duration // that bucket's window, 0 when unknown
	Reason       Reason        // why
	RetryAt      time.Time     // when trying again is worthwhile; never in the past
	Patience     time.Duration // how long the call was allowed to wait
	Wait         time.Duration // how long it would have had to wait at the least
	Err          error         // the context's error when it ended a wait under way, else nil
}

func (e *WaitError) Error() string {
	rule := e.Bucket.String()
	if e.Limit > 0 && e.Window > 0 {
		rule = fmt.Sprintf("%s (%d per %s)", rule, e.Limit, e.Window)
	}
	what := e.Class
	if e.Path != "" {
		what = e.Method + " " + e.Path
	}
	if e.Reason == Closed {
		return fmt.Sprintf("flyball: %s not sent: %s; make a new transport", what, e.Reason)
	}
	return fmt.Sprintf("flyball: %s not sent: held by %s: %s; it would wait %s and may wait %s; try again at %s or allow a longer wait",
		what, rule, e.Reason, e.Wait.Round(100*time.Millisecond), e.Patience.Round(100*time.Millisecond), e.RetryAt.UTC().Format(time.TimeOnly+" UTC"))
}

// Unwrap returns the context's error when it ended a wait under way.
func (e *WaitError) Unwrap() error { return e.Err }

// Timeout reports true: to callers that know only net.Error this is a wait
// that did not fit.
func (e *WaitError) Timeout() bool { return true }

// Temporary reports true: the same call succeeds later.
func (e *WaitError) Temporary() bool { return true }

// String returns the bucket's name for people, such as "support/account" or
// "support/per-ticket-updates of 17".
func (k Key) String() string {
	s := string(k.Service) + "/" + k.ID
	if k.Object != 0 {
		s += fmt.Sprintf(" of %d", k.Object)
	}
	return s
}
