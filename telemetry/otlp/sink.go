package otlp

import (
	"context"
	"errors"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// Sink returns what makes spans of what happens in a call; give it to
// flyball.Options.OnEvent. Without traces it is nil.
func (e *Exporter) Sink() event.Sink {
	if e == nil || e.tracer == nil {
		return nil
	}
	return e.take
}

func (e *Exporter) take(ev event.Event) {
	if ev.Call == nil {
		return
	}
	call := spanFrom(ev.Call)
	if call == nil && !ev.Call.Orphan() {
		return // it is not sampled
	}
	switch ev.Kind {
	case event.Admitted:
		if ev.Wait > 0 {
			e.stretch(call, "hold", ev.At.Add(-ev.Wait), ev.At, bucket(ev.Bucket), text("flyball.reason", string(ev.Reason)))
		}
	case event.Sent, event.Lost:
		e.send(call, ev)
	case event.Retried:
		e.stretch(call, "retry", ev.At, ev.At.Add(ev.Wait), number("flyball.after", ev.Status))
	case event.Saved:
		e.stretch(call, ev.Cause.String(), ev.Call.Arrived, ev.At)
	case event.Refused:
		call.note(ev.At, "refused by the account", bucket(ev.Bucket))
	case event.GaveUp:
		call.note(ev.At, "refused by flyball", bucket(ev.Bucket), text("flyball.reason", string(ev.Reason)))
	case event.Left:
		call.note(ev.At, "the caller left")
	case event.Extra:
		call.note(ev.At, "sent twice by the connection")
	case event.Done:
		call.describe(ev.Call)
	case event.Held, event.Crowded, event.Learned, event.StoreFailed: // told otherwise, or of no call
	}
}

func bucket(k limit.Key) *commonpb.KeyValue {
	return text("flyball.bucket", string(k.Service)+"/"+k.ID)
}

// stretch makes a span of what is over.
func (e *Exporter) stretch(call *span, name string, from, to time.Time, about ...*commonpb.KeyValue) {
	if call == nil {
		return // of what is done for many only the sends are told
	}
	s := e.tracer.below(call, name, tracepb.Span_SPAN_KIND_INTERNAL, from)
	s.set(about...)
	s.end(to)
}

// send makes the span of a request on the wire. One for many calls is a trace
// of its own.
func (e *Exporter) send(call *span, ev event.Event) {
	s := e.tracer.below(call, "send", tracepb.Span_SPAN_KIND_CLIENT, ev.At.Add(-ev.Took))
	s.set(text("url.template", ev.Call.Route.Class), text("flyball.service", string(ev.Call.Route.Service)))
	if ev.Call.Sends > 1 {
		s.set(number("http.request.resend_count", ev.Call.Sends-1))
	}
	if ev.Call.For != limit.NotSaved {
		s.set(text("flyball.for", ev.Call.For.String()))
	}
	if ev.Status > 0 {
		s.set(number("http.response.status_code", ev.Status))
	}
	if ev.Err != nil || ev.Status >= 400 {
		s.fail(kindOf(ev.Err))
	}
	s.end(ev.At)
}

// describe says at a call's end what it was.
func (s *span) describe(c *limit.Call) {
	s.rename(c.Route.Class)
	s.set(
		text("flyball.client", c.Client), text("flyball.class", c.Class.String()), text("http.route", c.Route.Class),
		number("flyball.sends", c.Sends), float("flyball.hold_seconds", c.Held.Seconds()),
	)
	if c.SavedBy != limit.NotSaved {
		s.set(text("flyball.saved", c.SavedBy.String()))
	}
}

// kindOf says what an error was without its words, which may hold anything.
func kindOf(err error) string {
	var wait *limit.WaitError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &wait):
		return string(wait.Reason)
	case errors.Is(err, context.Canceled):
		return "the caller left"
	case errors.Is(err, context.DeadlineExceeded):
		return "the caller's time was up"
	default:
		return "no answer"
	}
}
