package retry_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A provider is a small API: a 429 is a refusal, and so is a 503 that says
// "too many"; "never" in the body means that waiting does not help.
type provider struct{ limit.Provider }

func (provider) Read(_ *limit.Route, status int, h http.Header) limit.Answer {
	a := limit.Answer{Status: status, Refused: status == 429 || status == 503}
	n, err := strconv.ParseFloat(h.Get("Retry-After"), 64)
	if at, dateErr := http.ParseTime(h.Get("Retry-After")); dateErr == nil {
		n, err = max(time.Until(at).Seconds(), 0), nil
	}
	a.RetryAfter, a.HasRetryAfter = time.Duration(n*float64(time.Second)), err == nil
	return a
}

func (provider) Refusal(_ *limit.Route, status int, _ http.Header, body []byte) limit.Refusal {
	text := string(body)
	return limit.Refusal{
		Limit:     status == 429 && text != "no limit" || strings.Contains(text, "too many"),
		Permanent: strings.Contains(text, "never"),
		Text:      text,
	}
}

// A step is what the fake below answers to one send.
type step func(req *http.Request) (*http.Response, error)

// answers returns a step that answers; kv are header lines.
func answers(status int, body string, kv ...string) step {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i+1 < len(kv); i += 2 {
			h.Set(kv[i], kv[i+1])
		}
		return &http.Response{
			Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
		}, nil
	}
}

func fails(err error) step {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// A wire is a transport that plays steps; the last one repeats. It keeps what
// it was sent and whether what it handed out was closed.
type wire struct {
	steps []step
	lazy  bool // does not read request bodies

	mu    sync.Mutex
	sends []send
	open  int // answers' bodies not yet closed
}

type send struct {
	at     time.Time
	req    *http.Request
	body   string
	header http.Header
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	s := send{at: time.Now(), req: req, header: req.Header.Clone()}
	if req.Body != nil {
		if !w.lazy {
			b, err := io.ReadAll(req.Body)
			if err != nil {
				req.Body.Close()
				return nil, err
			}
			s.body = string(b)
		}
		req.Body.Close()
	}
	w.mu.Lock()
	next := w.steps[min(len(w.sends), len(w.steps)-1)]
	w.sends = append(w.sends, s)
	w.mu.Unlock()
	if call := limit.CallFrom(req.Context()); call != nil {
		call.Sends++
	}
	resp, err := next(req)
	if resp != nil {
		w.mu.Lock()
		w.open++
		w.mu.Unlock()
		resp.Body = &watched{ReadCloser: resp.Body, closed: func() { w.mu.Lock(); w.open--; w.mu.Unlock() }}
	}
	return resp, err
}

func (w *wire) count() int { w.mu.Lock(); defer w.mu.Unlock(); return len(w.sends) }

// A watched body tells when it is closed, each time.
type watched struct {
	io.ReadCloser
	closed func()
}

func (c *watched) Close() error {
	c.closed()
	return c.ReadCloser.Close()
}

// request makes a request whose context carries a call.
func request(tb testing.TB, method, body string, route limit.Route) (*http.Request, *limit.Call) {
	tb.Helper()
	call := &limit.Call{Route: route, Arrived: time.Now()}
	return requestIn(tb, limit.WithCall(tb.Context(), call), method, body), call
}

func requestIn(tb testing.TB, ctx context.Context, method, body string) *http.Request {
	tb.Helper()
	var r io.Reader
	if body != "" {
		r = struct{ io.Reader }{strings.NewReader(body)} // no GetBody
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://acme.zendesk.com/api/v2/tickets", r)
	if err != nil {
		tb.Fatal(err)
	}
	return req
}

func text(tb testing.TB, resp *http.Response) string {
	tb.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatalf("read the answer: %v", err)
	}
	return string(b)
}
