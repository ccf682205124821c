package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// refusedHeader says why an answer is flyball's own and not the account's.
const refusedHeader = "Flyball-Refused"

// A refusal is an answer that the gateway makes itself, in Zendesk's envelope.
type refusal struct {
	status     int
	reason     string // value of Flyball-Refused, "" for none
	proxyError string // error type of Proxy-Status (RFC 9209), "" for none
	limit      string // the bucket's short name, for Server-Timing
	close      bool   // the connection cannot be used any more
	bare       bool   // says when to come back in its body only

	Error       string `json:"error"`
	Description string `json:"description"`
	Bucket      string `json:"bucket,omitempty"`
	RetryAfter  int    `json:"retry_after,omitempty"` // seconds, at least 1
}

// waitTooLong turns the transport's refusal into an answer.
func (g *Gateway) waitTooLong(err *limit.WaitError) *refusal {
	if err.Reason == limit.Closed {
		return drainingNow()
	}
	no := &refusal{
		status:      g.opts.GiveUp,
		reason:      "wait-too-long",
		limit:       err.Bucket.ID,
		Error:       "FlyballWaitTooLong",
		Description: strings.TrimPrefix(err.Error(), "flyball: "),
		Bucket:      err.Bucket.String(),
		RetryAfter:  secondsUntil(err.RetryAt),
	}
	if err.Reason == limit.QueueFull {
		no.status, no.reason, no.Error = http.StatusServiceUnavailable, "queue-full", "FlyballQueueFull"
	}
	return no
}

// drainingNow answers a call that comes while the gateway is shutting down.
func drainingNow() *refusal {
	return &refusal{
		status: http.StatusServiceUnavailable, reason: "draining", close: true,
		Error: "FlyballDraining", Description: "flyball is shutting down; the call was not sent; try again",
		RetryAfter: 1,
	}
}

// secondsUntil returns the whole seconds until t, rounded up, at least 1.
func secondsUntil(t time.Time) int { return wholeSeconds(time.Until(t)) }

// maxRetryAfter bounds what is asked of clients; some count in 32 bits.
const maxRetryAfter = 24 * time.Hour

func wholeSeconds(d time.Duration) int {
	d = min(max(d, time.Second), maxRetryAfter)
	return int(math.Ceil(d.Seconds()))
}

// decline answers with no and notes it in the log.
func (g *Gateway) decline(a *answer, c *call, no *refusal) {
	if no.reason != "wait-too-long" && no.reason != "queue-full" {
		g.opts.Log.Warn("call refused by the gateway", "method", c.method, "path", scrub(c.path), "client", scrub(c.ask.Client),
			"status", no.status, "why", scrub(no.Description), "after", short(time.Since(c.began)))
	}
	c.refused = cmp.Or(no.reason, no.Error)
	no.bare = g.hidesWait(no.status)
	no.write(a, c)
	a.finish()
}

func (no *refusal) write(a *answer, c *call) {
	h := a.Header()
	clear(h)
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if no.reason != "" {
		h.Set(refusedHeader, no.reason)
	}
	if no.RetryAfter > 0 && !no.bare {
		h.Set("Retry-After", strconv.Itoa(no.RetryAfter))
	}
	if no.proxyError != "" {
		h.Set("Proxy-Status", fmt.Sprintf("flyball; error=%s; details=%q", no.proxyError, ascii(no.Description)))
	}
	if no.limit != "" {
		h.Set("Server-Timing", fmt.Sprintf("hold;dur=%d;desc=%q", time.Since(c.began).Milliseconds(), ascii(no.limit)))
	}
	c.ask.acknowledge(h)
	if no.close {
		h.Set("Connection", "close")
	}
	text, err := json.Marshal(no)
	if err != nil { // strings and numbers only: cannot happen
		text = []byte(`{"error":"FlyballRefused"}`)
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	a.WriteHeader(no.status)
	_, _ = a.Write(text) // a client that has left reads nothing
}

// acknowledge tells the caller that its wish was heard (RFC 7240).
func (ask Ask) acknowledge(h http.Header) {
	if ask.Waits {
		h.Add("Preference-Applied", "wait="+strconv.Itoa(int(ask.MaxWait/time.Second)))
	}
}

// ascii returns s with anything that may not stand in a structured field's
// string replaced.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, s)
}
