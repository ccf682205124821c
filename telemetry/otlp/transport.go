package otlp

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// Transport makes a span of each call to next, a flyball.Transport: from its
// beginning until the answer's body has been read. Headers pass as they are,
// traceparent too. Without traces it is next itself.
func (e *Exporter) Transport(next http.RoundTripper) http.RoundTripper {
	if e == nil || e.tracer == nil {
		return next
	}
	t := traced{e.tracer, next}
	if keeps, ok := next.(keeper); ok {
		return keeping{t, keeps}
	}
	return t
}

type traced struct {
	tracer *tracer
	next   http.RoundTripper
}

// A keeper can answer without a send.
type keeper interface {
	Cached(req *http.Request, header http.Header) *http.Response
}

type keeping struct {
	traced
	kept keeper
}

// RoundTrip makes one call.
func (t traced) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, span := t.tracer.begin(req)
	if span == nil {
		return t.next.RoundTrip(req)
	}
	span.set(text("http.request.method", method(req.Method)))
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		span.fail(kindOf(err))
		span.end(time.Now())
		return nil, err
	}
	answered(span, resp)
	if resp.Body == nil || resp.Body == http.NoBody {
		span.end(time.Now())
		return resp, nil
	}
	resp.Body = &body{ReadCloser: resp.Body, span: span}
	return resp, nil
}

// Cached answers out of the cache of the transport below.
func (t keeping) Cached(req *http.Request, header http.Header) *http.Response {
	ctx, span := t.tracer.begin(req)
	resp := t.kept.Cached(req.WithContext(ctx), header)
	if resp == nil {
		return nil // the span is never told: the call comes again
	}
	span.set(text("http.request.method", method(req.Method)))
	answered(span, resp)
	span.end(time.Now())
	return resp
}

func answered(s *span, resp *http.Response) {
	s.set(number("http.response.status_code", resp.StatusCode))
	if resp.StatusCode >= http.StatusInternalServerError {
		s.fail("")
	}
}

// method keeps what may be anything out of a trace.
func method(m string) string {
	switch m {
	case "", http.MethodGet:
		return http.MethodGet
	case "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "_OTHER"
}

// A body ends its call's span.
type body struct {
	io.ReadCloser
	span *span
	n    int
	once sync.Once
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += n
	if err != nil {
		b.end(err)
	}
	return n, err
}

func (b *body) Close() error {
	b.end(io.EOF)
	return b.ReadCloser.Close()
}

func (b *body) end(why error) {
	b.once.Do(func() {
		if why != io.EOF { //nolint:errorlint // a wrapped EOF is an error, not the end
			b.span.fail("the answer broke off")
		}
		b.span.set(number("http.response.body.size", b.n))
		b.span.end(time.Now())
	})
}
