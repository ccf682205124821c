package simulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
)

// RoundTripper is the account without a socket, for use in a testing/synctest
// bubble. Each request is handled in a goroutine of its own, which ends when the
// answer is complete, when the request's context ends, or when the answer's body
// is closed. Answers are compressed only for a request that asks for it, and a cut
// connection is an error of RoundTrip or of the body.
func (s *Simulator) RoundTripper() http.RoundTripper { return transport{s} }

type transport struct{ s *Simulator }

// result is what RoundTrip waits for.
type result struct {
	response *http.Response
	err      error
}

// errCut is what a client of a socket sees when the connection breaks.
var errCut = io.ErrUnexpectedEOF

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if ctx.Err() != nil {
		closeBody(r)
		return nil, context.Cause(ctx)
	}
	trace := httptrace.ContextClientTrace(ctx)
	connected(trace, r.URL.Host)
	c := t.s.newCall(r, r.URL.Scheme+"://"+r.URL.Host)
	c.header = r.Header.Clone() // the caller may use r again once this returns
	done := make(chan result, 1)
	go t.s.exchange(r, c, trace, done)
	select {
	case got := <-done:
		return got.response, got.err
	case <-ctx.Done():
		closeBody(r)
		return nil, context.Cause(ctx)
	}
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

func connected(trace *httptrace.ClientTrace, host string) {
	if trace == nil {
		return
	}
	if trace.GetConn != nil {
		trace.GetConn(host)
	}
	if trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Reused: true})
	}
	if trace.WroteHeaders != nil {
		trace.WroteHeaders() // whatever comes next, the account has heard of it
	}
}

// exchange is one request and its answer.
func (s *Simulator) exchange(r *http.Request, c *call, trace *httptrace.ClientTrace, done chan<- result) {
	body, err := readBody(r)
	if trace != nil && trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
	if err != nil {
		done <- result{err: err}
		return
	}
	c.body = body
	ctx := r.Context()
	a := s.handle(ctx, c)
	if a.cut == CutBefore || a.cut == CutAfter {
		done <- result{err: errCut}
		return
	}
	if trace != nil && trace.GotFirstResponseByte != nil {
		trace.GotFirstResponseByte()
	}
	deliver(ctx, r, c, &a, done)
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	defer closeBody(r)
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("request body over %d MiB: the simulated account takes no more", maxBody>>20)
	}
	return body, err
}

// deliver hands the answer over, and writes its body through a pipe where it is
// not to be had at once.
func deliver(ctx context.Context, r *http.Request, c *call, a *answer, done chan<- result) {
	if a.stream == nil && a.slow == 0 && a.cut == "" {
		done <- result{response: a.response(r, c, &readyBody{ctx, bytes.NewReader(a.body)})} //nolint:bodyclose // the caller closes it
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reader, writer := io.Pipe()
	stop := context.AfterFunc(ctx, func() { _ = writer.CloseWithError(context.Cause(ctx)) })
	defer stop()
	done <- result{response: a.response(r, c, &pipedBody{reader, cancel})} //nolint:bodyclose // the caller closes it
	_ = writer.CloseWithError(a.write(ctx, writer))
}

func (a *answer) response(r *http.Request, c *call, body io.ReadCloser) *http.Response {
	return &http.Response{
		Status: statusLine(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.head.h, Body: body, ContentLength: a.length(c.head), Request: r,
	}
}

// readyBody is a body that needs no goroutine. Like a socket's, it fails once the
// request's context has ended.
type readyBody struct {
	ctx context.Context
	*bytes.Reader
}

func (b *readyBody) Read(p []byte) (int, error) {
	if b.Len() > 0 && b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	return b.Reader.Read(p)
}

func (b *readyBody) Close() error { return nil }

// pipedBody ends its writer when it is closed.
type pipedBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *pipedBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}
