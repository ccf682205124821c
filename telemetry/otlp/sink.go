package otlp

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

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

// within is the context of an event's call: that of the span of the call, or,
// where it serves many, none.
type within struct {
	context.Context
	call *limit.Call
}

func (w within) Value(key any) any { return w.call.Value(key) }

func (e *Exporter) take(ev event.Event) {
	if ev.Call == nil {
		return
	}
	ctx := within{context.Background(), ev.Call}
	switch ev.Kind {
	case event.Admitted:
		if ev.Wait > 0 {
			e.span(ctx, "hold", ev.At.Add(-ev.Wait), ev.At, bucket(ev.Bucket), attribute.String("flyball.reason", string(ev.Reason)))
		}
	case event.Sent, event.Lost:
		e.send(ctx, ev)
	case event.Retried:
		e.span(ctx, "retry", ev.At, ev.At.Add(ev.Wait), attribute.Int("flyball.after", ev.Status))
	case event.Saved:
		e.span(ctx, ev.Cause.String(), ev.Call.Arrived, ev.At)
	case event.Refused:
		note(ctx, "refused by the account", bucket(ev.Bucket))
	case event.GaveUp:
		note(ctx, "refused by flyball", bucket(ev.Bucket), attribute.String("flyball.reason", string(ev.Reason)))
	case event.Left:
		note(ctx, "the caller left")
	case event.Extra:
		note(ctx, "sent twice by the connection")
	case event.Done:
		named(ctx, ev.Call)
	case event.Held, event.Crowded, event.Learned: // told otherwise, or of no call
	}
}

func bucket(k limit.Key) attribute.KeyValue {
	return attribute.String("flyball.bucket", string(k.Service)+"/"+k.ID)
}

// span makes a span of what is over.
func (e *Exporter) span(ctx context.Context, name string, from, to time.Time, about ...attribute.KeyValue) trace.Span {
	_, span := e.tracer.Start(ctx, name, trace.WithTimestamp(from), trace.WithAttributes(about...))
	span.End(trace.WithTimestamp(to))
	return span
}

// send makes the span of a request on the wire. One for many calls is a trace
// of its own.
func (e *Exporter) send(ctx context.Context, ev event.Event) {
	about := []attribute.KeyValue{
		attribute.String("url.template", ev.Call.Route.Class),
		attribute.String("flyball.service", string(ev.Call.Route.Service)),
	}
	if ev.Call.Sends > 1 {
		about = append(about, attribute.Int("http.request.resend_count", ev.Call.Sends-1))
	}
	if ev.Call.For != limit.NotSaved {
		about = append(about, attribute.String("flyball.for", ev.Call.For.String()))
	}
	if ev.Status > 0 {
		about = append(about, attribute.Int("http.response.status_code", ev.Status))
	}
	_, span := e.tracer.Start(ctx, "send", trace.WithTimestamp(ev.At.Add(-ev.Took)), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(about...))
	if ev.Err != nil || ev.Status >= 400 {
		span.SetStatus(codes.Error, kindOf(ev.Err))
	}
	span.End(trace.WithTimestamp(ev.At))
}

// note adds to the call's own span.
func note(ctx context.Context, what string, about ...attribute.KeyValue) {
	trace.SpanFromContext(ctx).AddEvent(what, trace.WithAttributes(about...))
}

// named says at a call's end what it was.
func named(ctx context.Context, c *limit.Call) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetName(c.Route.Class)
	span.SetAttributes(
		attribute.String("flyball.client", c.Client), attribute.String("flyball.class", c.Class.String()),
		attribute.String("http.route", c.Route.Class), attribute.Int("flyball.sends", c.Sends),
		attribute.Float64("flyball.hold_seconds", c.Held.Seconds()),
	)
	if c.SavedBy != limit.NotSaved {
		span.SetAttributes(attribute.String("flyball.saved", c.SavedBy.String()))
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
