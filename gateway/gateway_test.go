package gateway_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball/gateway"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// upstream starts a server that plays the account.
func upstream(t *testing.T, h http.HandlerFunc) *url.URL {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return parse(t, s.URL)
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func mustParse(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return u
}

// A running gateway and what it said.
type running struct {
	*gateway.Gateway
	url  string
	log  *record
	stop func() error // drains, and returns what Serve returned
}

// start serves a gateway with opts on a free port until the test ends.
func start(t *testing.T, opts gateway.Options) *running {
	t.Helper()
	l, err := gateway.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, l, "http", opts)
}

func startOn(t *testing.T, l net.Listener, scheme string, opts gateway.Options) *running {
	t.Helper()
	log := &record{}
	if opts.Log == nil {
		opts.Log = slog.New(slog.NewTextHandler(log, nil))
	}
	if opts.Transport == nil {
		base := gateway.Base(opts.Upstream)
		opts.Transport = base
		t.Cleanup(base.(*http.Transport).CloseIdleConnections)
	}
	g, err := gateway.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ctx, l) }()
	stop := sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	return &running{Gateway: g, url: scheme + "://" + l.Addr().String(), log: log, stop: stop}
}

// A record keeps what is written to it. Its methods may be called at once.
type record struct {
	mu   sync.Mutex
	text strings.Builder
	grew chan struct{}
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.grew != nil {
		close(r.grew)
		r.grew = nil
	}
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// wait waits until the record holds want, or fails the test.
func (r *record) wait(t *testing.T, want string) {
	t.Helper()
	if !r.waits(want, patience) {
		t.Fatalf("log never said %q:\n%s", want, r)
	}
}

// waits waits until the record holds want, and reports false after bound.
func (r *record) waits(want string, bound time.Duration) bool {
	late := time.After(bound)
	for {
		r.mu.Lock()
		text := r.text.String()
		if r.grew == nil {
			r.grew = make(chan struct{})
		}
		grew := r.grew
		r.mu.Unlock()
		if strings.Contains(text, want) {
			return true
		}
		select {
		case <-grew:
		case <-late:
			return false
		}
	}
}

// empties waits until count is 0, and reports false after bound.
func empties(count func() int, bound time.Duration) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(bound)
	for count() != 0 {
		select {
		case <-tick.C:
		case <-late:
			return false
		}
	}
	return true
}

// client returns a client that follows no redirects, keeps bodies as they come
// and closes its connections with the test.
func client(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// do sends a request and reads the whole answer.
func do(t *testing.T, c *http.Client, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	return do(t, client(t), request(t, http.MethodGet, url, nil, header...))
}

func request(t *testing.T, method, url string, body io.Reader, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return req
}

// raw sends text on a new connection and returns the connection and a reader
// of what comes back.
func raw(t *testing.T, url, text string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", parse(t, url).Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

// within returns what c delivers, or fails the test.
func within[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("never came: %s", what)
		panic("unreachable")
	}
}

// A roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestPassesACallAndItsAnswer(t *testing.T) {
	account := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Got", r.Method+" "+r.RequestURI+" "+r.Host+" "+string(body))
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "made")
	})
	g := start(t, gateway.Options{Upstream: account})
	resp, body := do(t, client(t), request(t, http.MethodPost, g.url+"/api/v2/tickets?a=1", strings.NewReader("ticket")))
	if resp.StatusCode != http.StatusCreated || body != "made" {
		t.Errorf("got %d %q, want 201 made", resp.StatusCode, body)
	}
	if got, want := resp.Header.Get("X-Got"), "POST /api/v2/tickets?a=1 "+account.Host+" ticket"; got != want {
		t.Errorf("the account got %q, want %q", got, want)
	}
	if err := g.stop(); err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}
