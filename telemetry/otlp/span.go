package otlp

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// A span is one stretch of time in a trace. nil is a span that nobody wants:
// its methods do nothing. They may be called at once.
type span struct {
	tracer *tracer

	mu    sync.Mutex
	about *tracepb.Span
	ended bool
}

type spanKey struct{}

// spanFrom returns the span of a context, nil without one.
func spanFrom(ctx interface{ Value(any) any }) *span {
	s, _ := ctx.Value(spanKey{}).(*span)
	return s
}

// set adds what is known of the span.
func (s *span) set(about ...*commonpb.KeyValue) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.about.Attributes = append(s.about.Attributes, about...)
	}
}

// rename names the span by what has become known of it.
func (s *span) rename(name string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.about.Name = name
	}
}

// fail says that what the span stands for went wrong, and how.
func (s *span) fail(how string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.about.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: how}
	}
}

// maxNotes bounds the notes of one span, as the specification does.
const maxNotes = 128

// note adds something that happened at one moment.
func (s *span) note(at time.Time, what string, about ...*commonpb.KeyValue) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.about.Events) == maxNotes {
		return
	}
	s.about.Events = append(s.about.Events, &tracepb.Span_Event{TimeUnixNano: nanos(at), Name: what, Attributes: about})
}

// end ends the span, once, and hands it over to be sent.
func (s *span) end(at time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	done := s.ended
	s.ended = true
	s.mu.Unlock()
	if !done {
		s.about.EndTimeUnixNano = nanos(at)
		s.tracer.send(s.about)
	}
}

func nanos(t time.Time) uint64 { return uint64(t.UnixNano()) }

// begin begins the span of a call, below the caller's own if it sent one, and
// returns the context that carries it. Of a call that is not sampled it is nil.
func (t *tracer) begin(req *http.Request) (context.Context, *span) {
	trace, parent, sampled, ok := readParent(req.Header)
	if !ok {
		trace, parent = newTrace(), nil
	}
	if !t.sample.takes(trace, sampled, ok) {
		return req.Context(), nil
	}
	s := t.span(trace, parent, "call", tracepb.Span_SPAN_KIND_SERVER, time.Now())
	return context.WithValue(req.Context(), spanKey{}, s), s
}

// below begins a span below another, or, below none, a trace of its own.
func (t *tracer) below(parent *span, name string, kind tracepb.Span_SpanKind, from time.Time) *span {
	if parent != nil {
		return t.span(parent.about.TraceId, parent.about.SpanId, name, kind, from)
	}
	trace := newTrace()
	if !t.sample.takes(trace, false, false) {
		return nil
	}
	return t.span(trace, nil, name, kind, from)
}

func (t *tracer) span(trace, parent []byte, name string, kind tracepb.Span_SpanKind, from time.Time) *span {
	return &span{tracer: t, about: &tracepb.Span{
		TraceId: trace, SpanId: random(8), ParentSpanId: parent, Name: name, Kind: kind, StartTimeUnixNano: nanos(from),
	}}
}

func newTrace() []byte { return random(16) }

// random returns so many bytes, of which one at least is not zero.
func random(n int) []byte {
	id := make([]byte, 0, n)
	for len(id) < n {
		for word, i := rand.Uint64()|1, 0; i < 8; i++ {
			id = append(id, byte(word>>(8*i)))
		}
	}
	return id
}

// readParent reads a traceparent header (W3C Trace Context, version 00 and
// what later ones share with it): 00-TRACE-SPAN-FLAGS in hexadecimal.
func readParent(h http.Header) (trace, parent []byte, sampled, ok bool) {
	values := h["Traceparent"]
	if len(values) != 1 || len(values[0]) < 55 {
		return nil, nil, false, false
	}
	text := values[0]
	version, err0 := hex.DecodeString(text[:2])
	trace, err1 := hex.DecodeString(text[3:35])
	parent, err2 := hex.DecodeString(text[36:52])
	flags, err3 := hex.DecodeString(text[53:55])
	wellFormed := err0 == nil && err1 == nil && err2 == nil && err3 == nil && text[2] == '-' && text[35] == '-' && text[52] == '-' &&
		version[0] != 0xff && (len(text) == 55 || version[0] > 0 && text[55] == '-')
	if !wellFormed || zero(trace) || zero(parent) {
		return nil, nil, false, false
	}
	return trace, parent, flags[0]&1 == 1, true
}

func zero(id []byte) bool {
	for _, b := range id {
		if b != 0 {
			return false
		}
	}
	return true
}
