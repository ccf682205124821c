package admission

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// A cutter is a server that answers the first request of a connection and
// reads the second one whole, but hangs up on it.
type cutter struct {
	net.Listener
	requests atomic.Int64
}

func newCutter(t *testing.T) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); group.Wait() })
	return c
}

func (c *cutter) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for n := range 2 {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		io.Copy(io.Discard, req.Body)
		remaining := 700 - c.requests.Add(1)
		if n == 0 {
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: %s\r\nRatelimit-Limit: 700\r\nRatelimit-Remaining: %d\r\nRatelimit-Reset: 30\r\n\r\n{}",
				time.Now().UTC().Format(http.TimeFormat), remaining)
		}
	}
}

// countsCalls is how a limiter counts that sees only what it was asked.
func countsCalls(next http.RoundTripper) (http.RoundTripper, func() int64) {
	var n atomic.Int64
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		n.Add(1)
		return next.RoundTrip(req)
	}), n.Load
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// countsSends is this layer: what its account was charged for and what its
// events say.
func countsSends(next http.RoundTripper) (http.RoundTripper, func() int64) {
	var n atomic.Int64
	c := New(Options{Provider: zendesk.New(0), Budget: budget.Options{Seed: 1}, Sink: func(e event.Event) {
		if e.Kind == event.Sent || e.Kind == event.Lost || e.Kind == event.Extra {
			n.Add(1)
		}
	}})
	layer := c.Layer()(next)
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		call := &limit.Call{Arrived: time.Now(), Route: zendesk.New(0).Route(req)}
		return layer.RoundTrip(req.WithContext(limit.WithCall(req.Context(), call)))
	}), n.Load
}

// Behaviour I2: what http.Transport sends again by itself on a cut connection is charged and reported.
func TestHiddenSendsAreCounted(t *testing.T) {
	for _, kind := range []string{"GET", "POST with Idempotency-Key"} {
		check := func(t *testing.T, counted func(http.RoundTripper) (http.RoundTripper, func() int64)) string {
			server := newCutter(t)
			base := &http.Transport{MaxIdleConnsPerHost: 1}
			defer base.CloseIdleConnections()
			layer, sends := counted(base)
			for range 6 { // one after the other, so that connections are reused
				resp, err := layer.RoundTrip(requestOf(t, kind, "http://"+server.Addr().String()))
				if err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
			if got, want := sends(), server.requests.Load(); got != want {
				return fmt.Sprintf("%d sends counted of %d that arrived", got, want)
			}
			if server.requests.Load() == 6 {
				t.Fatal("nothing was sent again: the test shows nothing")
			}
			return ""
		}
		if fault := check(t, countsSends); fault != "" {
			t.Errorf("%s: %s", kind, fault)
		}
		if check(t, countsCalls) == "" {
			t.Errorf("%s: the check finds nothing on a limiter that counts calls", kind)
		}
	}
}

func requestOf(t *testing.T, kind, url string) *http.Request {
	t.Helper()
	method, _, keyed := strings.Cut(kind, " ")
	var body io.Reader
	if keyed {
		body = strings.NewReader(`{"ticket":{}}`) // with GetBody, the worst case
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url+"/api/v2/tickets", body)
	if err != nil {
		t.Fatal(err)
	}
	if keyed {
		req.Header.Set("Idempotency-Key", "k")
	}
	return req
}

// Behaviour I6: a panic below passes this layer, ErrAbortHandler too, and what was held is given back.
func TestAPanicPassesAndGivesBack(t *testing.T) {
	for _, kind := range []struct {
		thrown any
		inBody bool
	}{{http.ErrAbortHandler, false}, {"boom", false}, {"boom", true}} {
		thrown := kind.thrown
		panics := roundTripper(func(req *http.Request) (*http.Response, error) {
			if kind.inBody {
				return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Body: panicking{thrown}, Request: req}, nil
			}
			panic(thrown)
		})
		check := func(c *Controller, layer http.RoundTripper) (fault string) {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://acme.test/api/v2/users/1", nil)
			call := &limit.Call{Arrived: time.Now(), Route: zendesk.New(0).Route(req)}
			func() {
				defer func() {
					if got := recover(); got != thrown {
						fault = fmt.Sprintf("panic %v arrived as %v", thrown, got)
					}
				}()
				layer.RoundTrip(req.WithContext(limit.WithCall(req.Context(), call)))
			}()
			for _, b := range c.Snapshot().Buckets {
				if b.InFlight != 0 {
					fault += fmt.Sprintf("; %s keeps %d in flight", b.Key, b.InFlight)
				}
			}
			return fault
		}
		c := New(Options{Provider: zendesk.New(0)})
		if fault := check(c, c.Layer()(panics)); fault != "" {
			t.Error(fault)
		}
		forgetful := roundTripper(func(req *http.Request) (*http.Response, error) {
			s := &send{Controller: c}
			s.call = limit.CallFrom(req.Context())
			if err := s.acquire(req.Context(), &s.waiter); err != nil {
				return nil, err
			}
			resp, err := panics.RoundTrip(req)
			if err != nil {
				s.lost(err)
				return nil, err
			}
			s.answered(resp)
			return resp, nil
		})
		if check(c, forgetful) == "" {
			t.Error("the check finds nothing on a layer without a defer")
		}
	}
}

// A panicking body is one whose transport fails while it is read.
type panicking struct{ thrown any }

func (p panicking) Read([]byte) (int, error) { panic(p.thrown) }
func (p panicking) Close() error             { return nil }

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// A call that is not sent closes its body and leaves the request as it was.
func TestARefusedCallClosesItsBody(t *testing.T) {
	c := New(Options{Provider: zendesk.New(0)})
	c.Close()
	body := &closing{Reader: strings.NewReader("x")}
	req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://acme.test/api/v2/tickets", body)
	call := &limit.Call{Arrived: time.Now(), Route: zendesk.New(0).Route(req)}
	req = req.WithContext(limit.WithCall(req.Context(), call))
	before := req.Header.Clone()
	_, err := c.Layer()(http.DefaultTransport).RoundTrip(req)
	var refusal *limit.WaitError
	if !errors.As(err, &refusal) || !body.closed || req.Body != body || len(req.Header) != len(before) {
		t.Errorf("%v; body closed %t; request kept %t", err, body.closed, req.Body == body)
	}
}

// The bytes of a 100 Continue or an Early Hint are not the answer's: its
// counters are read later.
func TestAnInterimAnswerIsNotTheAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		http.ReadRequest(bufio.NewReader(conn))
		io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\n")
		<-time.After(60 * time.Millisecond)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nRatelimit-Limit: 700\r\nRatelimit-Remaining: 699\r\nRatelimit-Reset: 30\r\n\r\n")
	}()
	c := New(Options{Provider: zendesk.New(0)})
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+l.Addr().String()+"/api/v2/users/1", nil)
	call := &limit.Call{Arrived: time.Now(), Route: zendesk.New(0).Route(req)}
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	resp, err := c.Layer()(base).RoundTrip(req.WithContext(limit.WithCall(req.Context(), call)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if call.Upstream < 50*time.Millisecond {
		t.Errorf("the answer is taken to have come after %s, want 60ms", call.Upstream)
	}
}
