package telemetry

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// The codes of sends that had no answer.
const (
	lost  = "lost"
	extra = "extra" // the connection sent something twice by itself
)

// sends are the figures of requests on the wire, and of those that were not
// sent.
type sends struct {
	sent     *children[sendLabels, prometheus.Counter]
	unsent   *children[limit.Service, prometheus.Counter]
	upstream *children[limit.Service, prometheus.Observer]
	refusals *children[refusalLabels, prometheus.Counter]
	retries  *children[int, prometheus.Counter]
	polls    *children[string, prometheus.Counter]
	crowded  *children[string, prometheus.Counter]
	learned  *children[string, prometheus.Counter]
}

type sendLabels struct {
	service limit.Service
	route   string
	status  int // 0 without an answer
	code    string
}

type refusalLabels struct{ by, reason string }

func newSends(r prometheus.Registerer) sends {
	one := func(s string) []string { return []string{s} }
	return sends{
		sent: counters(r, "flyball_sends_total", "Requests that reached the account, by the answer's status; \"lost\" had none, \"extra\" were repeated by the connection itself.",
			[]string{"service", "route", "code"},
			func(l sendLabels) []string { return []string{string(l.service), l.route, l.text()} }),
		unsent: counters(r, "flyball_unsent_total", "Sends that never left, for want of a connection.",
			[]string{"service"}, func(s limit.Service) []string { return []string{string(s)} }),
		upstream: histograms(r, "flyball_upstream_seconds", "From a send to its first byte.",
			[]float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}, []string{"service"},
			func(s limit.Service) []string { return []string{string(s)} }),
		refusals: counters(r, "flyball_refusals_total", "Refusals for a limit's sake: of sends by the account (reason is the bucket it was blamed on), of calls by flyball (reason says why), or by the gateway at its door (reason is its error).",
			[]string{"by", "reason"},
			func(l refusalLabels) []string { return []string{l.by, l.reason} }),
		retries: counters(r, "flyball_retries_total", "Sends that were repeated, by the status of the answer before; \"lost\" had none.",
			[]string{"after"}, func(status int) []string { return []string{sendLabels{status: status, code: lost}.text()} }),
		polls: counters(r, "flyball_job_polls_total", "Sends that asked after background jobs: by flyball itself for merged writes, or by clients.",
			[]string{"by"}, one),
		crowded: counters(r, "flyball_crowded_total", "Minutes in which more calls waited for a bucket than their patience could serve.",
			[]string{"bucket"}, one),
		learned: counters(r, "flyball_limits_learned_total", "Times a bucket's limit was learned or changed.",
			[]string{"bucket"}, one),
	}
}

func (l sendLabels) text() string {
	if l.status == 0 {
		return l.code
	}
	return strconv.Itoa(l.status)
}

// Sink returns what counts events; give it to flyball.Options.OnEvent.
func (m *Metrics) Sink() event.Sink { return m.take }

func (m *Metrics) take(e event.Event) {
	switch e.Kind {
	case event.Done:
		m.ended(e)
	case event.Sent:
		m.wire(e, sendLabels{status: e.Status})
		m.upstream.of(e.Call.Route.Service).Observe(e.Took.Seconds())
	case event.Lost:
		if e.Unsent {
			m.unsent.of(e.Call.Route.Service).Inc()
			break
		}
		m.wire(e, sendLabels{code: lost})
	case event.Extra:
		m.wire(e, sendLabels{code: extra})
	case event.Saved:
		m.saved.of(e.Cause).Inc()
	case event.Refused:
		m.refusals.of(refusalLabels{"account", m.bucket(e.Bucket)}).Inc()
	case event.GaveUp:
		m.refusals.of(refusalLabels{"flyball", string(e.Reason)}).Inc()
	case event.Retried:
		m.retries.of(e.Status).Inc()
	case event.Crowded:
		m.crowded.of(m.bucket(e.Bucket)).Inc()
	case event.Learned:
		m.learned.of(m.bucket(e.Bucket)).Inc()
	case event.Held, event.Admitted, event.Left: // told at the call's end
	case event.StoreFailed: // told by the snapshot
	}
}

// wire counts a send.
func (m *Metrics) wire(e event.Event, l sendLabels) {
	l.service, l.route = e.Call.Route.Service, e.Call.Route.Class
	m.sent.of(l).Inc()
	if e.Call.Route.Job == limit.ReportsJob {
		by := "client"
		if e.Call.For != limit.NotSaved {
			by = "flyball"
		}
		m.polls.of(by).Inc()
	}
}
