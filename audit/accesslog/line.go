// Package accesslog is one line of flyball's own access log: what telemetry
// writes for each call and what audit reads back. Both take [Line] from here,
// so that neither can drift from the other.
package accesslog

import "time"

// Message is the "msg" of every line, by which a reader knows the log.
const Message = "call"

// A Line is one call, written by log/slog's JSON handler as one object with
// these fields beside its own "time", "level" and "msg". "time" is when the
// call ended. Fields that are zero are left out.
type Line struct {
	Time time.Time `json:"time"`
	Msg  string    `json:"msg"`

	Client string `json:"client,omitempty"` // who called, as the gateway names it
	// Credential is the first 8 hex digits of the SHA-256 of the call's
	// Authorization header; "" without one.
	Credential string `json:"credential,omitempty"`
	Class      string `json:"class,omitempty"` // interactive, normal or bulk
	Method     string `json:"method"`
	Route      string `json:"route,omitempty"` // the path with ids left out
	// Path is the path with its query, scrubbed by [ScrubPath].
	Path string `json:"path"`
	// Query is the first 12 hex digits of the SHA-256 of the query as it was
	// (see [QueryHash]), "" without one: it tells two queries apart whose
	// values Path does not show.
	Query string `json:"query,omitempty"`

	Status  int `json:"status"`            // what the client was answered
	Sends   int `json:"sends"`             // requests that reached Zendesk for it
	Refused int `json:"refused,omitempty"` // sends of it that Zendesk answered with 429
	// HeldFor is the limit that held it or that refused its sends, such as
	// "support/tickets-update".
	HeldFor  string  `json:"held_for,omitempty"`
	Took     float64 `json:"took,omitempty"`     // seconds from the call's arrival to its end
	Hold     float64 `json:"hold,omitempty"`     // seconds of that held
	Upstream float64 `json:"upstream,omitempty"` // seconds of that at Zendesk
	Bytes    int64   `json:"bytes,omitempty"`    // length of the answer's body
	// Saved says what spared its send: cache, stale, coalesced, merged, elided.
	Saved      string `json:"saved,omitempty"`
	RetryAfter int    `json:"retry_after,omitempty"` // seconds, of the answer
	// ETag is the answer's, or another digest of its body.
	ETag string `json:"etag,omitempty"`
	// Limit and Left are what the answer stated of its service's own limit.
	Limit int  `json:"limit,omitempty"`
	Left  *int `json:"left,omitempty"`
	// Turned is why the gateway answered itself, such as wait-too-long or
	// FlyballBodyTooLarge; "" when Zendesk's answer was handed over.
	Turned string `json:"turned,omitempty"`
	Cut    bool   `json:"cut,omitempty"` // the answer was not handed over whole
	// Rate is the part of lines like this one that are written when the log is
	// a sample: with 0.1 it stands for ten. 0 is all of them.
	Rate float64 `json:"rate,omitempty"`
}

// SendMessage is the "msg" of a [Send].
const SendMessage = "send"

// A Send is a request to Zendesk that no line about a call counts: sent for
// many calls at once, for calls whose callers have left, to ask after a job,
// or by the connection itself, a second time. The sends of all lines together
// are what reached Zendesk.
type Send struct {
	Time   time.Time `json:"time"`
	Msg    string    `json:"msg"`
	Client string    `json:"client,omitempty"`
	Class  string    `json:"class,omitempty"`
	Route  string    `json:"route,omitempty"`
	Status int       `json:"status"` // 0: it was not answered
	Sends  int       `json:"sends"`  // always 1
	// For is what it was sent to save: see [Line].Saved.
	For      string  `json:"for,omitempty"`
	Upstream float64 `json:"upstream,omitempty"` // seconds at Zendesk
	Rate     float64 `json:"rate,omitempty"`     // as in a Line
}
