package telemetry

import (
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// maxCalls bounds the series of flyball_calls_total that tell clients apart;
// beyond it new ones count under "other".
const maxCalls = 5000

// The outcomes of a call.
const (
	answered = "answered"    // with a status below 400
	rejected = "rejected"    // with another 4xx
	refused  = "refused"     // with the account's 429
	failed   = "failed"      // with a 5xx, or not at all
	gaveUp   = "gave_up"     // by flyball: it would have waited too long
	left     = "left"        // its caller did not wait for the answer
	turned   = "turned_away" // by the gateway, before the limits were asked
)

// outcomeOf names what became of a call that has ended.
func outcomeOf(e event.Event) string {
	var wait *limit.WaitError
	switch {
	case e.Err == nil:
		return outcomeOfStatus(e.Status)
	case errors.As(e.Err, &wait):
		return gaveUp
	case e.Left:
		return left
	default:
		return failed
	}
}

func outcomeOfStatus(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return refused
	case status >= http.StatusInternalServerError:
		return failed
	case status >= http.StatusBadRequest:
		return rejected
	default:
		return answered
	}
}

// calls are the figures of calls that have ended.
type calls struct {
	total    *children[callLabels, prometheus.Counter]
	holds    *children[holdLabels, prometheus.Observer]
	duration *children[limit.Class, prometheus.Observer]
	saved    *children[limit.Cause, prometheus.Counter]
	bytes    *children[string, prometheus.Counter]
}

type callLabels struct {
	client, route, outcome string
	class                  limit.Class
}

type holdLabels struct {
	class  limit.Class
	bucket string
}

func newCalls(r prometheus.Registerer) calls {
	spans := []float64{.001, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600}
	return calls{
		total: counters(r, "flyball_calls_total", "Calls that have ended, by who made them and what became of them.",
			[]string{"client", "class", "route", "outcome"},
			func(l callLabels) []string { return []string{l.client, l.class.String(), l.route, l.outcome} }),
		holds: histograms(r, "flyball_hold_seconds", "How long calls were held in all, by the bucket that held them longest; \"none\" are those that were not.",
			spans, []string{"class", "bucket"},
			func(l holdLabels) []string { return []string{l.class.String(), l.bucket} }),
		duration: histograms(r, "flyball_call_seconds", "From a call's arrival to its answer's header, holds included.",
			spans, []string{"class"},
			func(c limit.Class) []string { return []string{c.String()} }),
		saved: counters(r, "flyball_saved_calls_total", "Calls answered without a send of their own, by what.",
			[]string{"cause"},
			func(c limit.Cause) []string { return []string{c.String()} }),
		bytes: counters(r, "flyball_answer_bytes_total", "Bytes of answers' bodies that clients were sent.",
			[]string{"client"},
			func(client string) []string { return []string{client} }),
	}
}

// ended counts a call at its end.
func (m *Metrics) ended(e event.Event) {
	c := e.Call
	m.count(callLabels{client: m.clients.bounded(c.Client), route: c.Route.Class, outcome: outcomeOf(e), class: c.Class})
	hold := holdLabels{class: c.Class, bucket: "none"}
	if c.Held > 0 {
		hold.bucket = m.bucket(c.HeldFor.Bucket)
	}
	m.holds.of(hold).Observe(c.Held.Seconds())
	m.duration.of(c.Class).Observe(e.Took.Seconds())
}

func (m *Metrics) count(l callLabels) {
	if l.client != other && !m.total.takes(l, maxCalls) {
		l.client = other
	}
	m.total.of(l).Inc()
}

// Served counts what only the gateway knows of a call: the bytes that its
// client got, and whether it was turned away at the door. Give it to
// gateway.Options.OnServed.
func (m *Metrics) Served(s event.Served) {
	client := m.clients.bounded(s.Client)
	if s.Bytes > 0 {
		m.bytes.of(client).Add(float64(s.Bytes))
	}
	if s.Refused != "" && s.Receipt.Route == "" {
		m.refusals.of(refusalLabels{"gateway", s.Refused}).Inc()
		m.count(callLabels{client: client, route: "none", outcome: turned})
	}
}
