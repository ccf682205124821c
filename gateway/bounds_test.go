package gateway_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flyballhq/flyball/gateway"
)

// Behaviour H2: per-client state is bounded and evicted: 5,000 unknown tokens do not grow memory
func TestUnknownClientsDoNotGrowMemory(t *testing.T) {
	const tokens = 5000
	answer := roundTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 204, Body: http.NoBody, Header: http.Header{}, Request: req}, nil
	})
	check := func(h http.Handler) error {
		before := heap()
		for i := range tokens {
			req := httptest.NewRequest(http.MethodGet, "/api/v2/tickets", nil)
			req.Header.Set("Authorization", "Bearer "+strings.Repeat("x", 4000)+strconv.Itoa(i))
			h.ServeHTTP(httptest.NewRecorder(), req)
		}
		grown := heap() - before
		runtime.KeepAlive(h)
		if grown > 2<<20 {
			return fmt.Errorf("%d tokens grew the heap by %d KiB", tokens, grown>>10)
		}
		return nil
	}
	account := parse(t, "https://acme.example")
	g, err := gateway.New(gateway.Options{Upstream: account, Transport: answer})
	if err != nil {
		t.Fatal(err)
	}
	if err := check(g); err != nil {
		t.Error(err)
	}
	if n := len(g.Clients()); n != gateway.DefaultMaxClients {
		t.Errorf("%d clients are remembered, want %d", n, gateway.DefaultMaxClients)
	}
	if err := check(&hoarder{account: account, next: answer, byToken: map[string]*httputil.ReverseProxy{}}); err == nil {
		t.Error("the check passes a gateway that keeps something for each token")
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// hoarder keeps a proxy for each credential it has ever seen.
type hoarder struct {
	account *url.URL
	next    http.RoundTripper
	mu      sync.Mutex
	byToken map[string]*httputil.ReverseProxy
}

func (h *hoarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	p := h.byToken[r.Header.Get("Authorization")]
	if p == nil {
		p = plainProxy(h.account)
		p.Transport = h.next
		h.byToken[r.Header.Get("Authorization")] = p
	}
	h.mu.Unlock()
	p.ServeHTTP(w, r)
}

func TestWhoCalls(t *testing.T) {
	basic := func(user, password string) string {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x", nil)
		req.SetBasicAuth(user, password)
		return req.Header.Get("Authorization")
	}
	tests := []struct {
		name   string
		header []string
		want   string
	}{
		{"the name it gives itself", []string{"Flyball-Client", " nightly sync ", "Authorization", basic("a@b.example/token", "x")}, "nightly sync"},
		{"the e-mail of an API token", []string{"Authorization", basic("agent@acme.example/token", "s3cret"), "User-Agent", "curl/8.0"}, "agent@acme.example"},
		{"the e-mail of a password", []string{"Authorization", basic("agent@acme.example", "s3cret")}, "agent@acme.example"},
		{"a user name that is no e-mail may be a secret", []string{"Authorization", basic("a1b2c3d4e5f6", ""), "User-Agent", "ruby"}, "ruby"},
		{"the program", []string{"Authorization", "Bearer abc", "User-Agent", "Zenpy/2.0.50 (x)"}, "Zenpy"},
		{"the credential", []string{"Authorization", "Bearer abc", "User-Agent", ""}, "credential c355dce9"},
		{"nothing", []string{"User-Agent", ""}, "unknown"},
		{"a name that would forge a log line", []string{"Flyball-Client", "a\tb", "User-Agent", "x/1"}, "x"},
		{"a credential in the wrong place", []string{"Flyball-Client", "Bearer abc"}, "hidden c355dce9"},
		{"a token for a program", []string{"User-Agent", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"}, "hidden 435cdbd5"},
		{"a program in CamelCase", []string{"User-Agent", "AcmeZendeskTicketSynchroniser2/1.0"}, "AcmeZendeskTicketSynchroniser2"},
		{"an e-mail with a birthday", []string{"Authorization", basic("smith19850101@acme.example", "s3cret")}, "smith19850101@acme.example"},
		{"a long name", []string{"Flyball-Client", strings.Repeat("n", 5000)}, strings.Repeat("n", 64)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			seen := make(chan gateway.Ask, 1)
			g := start(t, gateway.Options{Upstream: parse(t, "https://acme.example"), Label: label, Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				seen <- asked(req)
				return &http.Response{StatusCode: 204, Body: http.NoBody, Header: http.Header{}, Request: req}, nil
			})})
			get(t, g.url, test.header...)
			if got := within(t, seen, "call").Client; got != test.want {
				t.Errorf("client %q, want %q", got, test.want)
			}
		})
	}
}

// Behaviour H6: slow clients, huge headers and endless bodies meet time-outs and size limits
func TestSlowClientsHugeHeadersAndEndlessBodiesAreBounded(t *testing.T) {
	account := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/endless" {
			for page := make([]byte, 64<<10); ; {
				if _, err := w.Write(page); err != nil {
					return
				}
			}
		}
	})
	checks := map[string]func(t *testing.T, address string, bound time.Duration) error{
		"a header that never ends in time": checkSlowHeader,
		"a huge header":                    checkHugeHeader,
		"a body said to be large":          checkDeclaredBody,
		"a body that never ends":           checkEndlessBody,
		"a body that never comes":          checkSlowBody,
		"a reader that does not read":      checkSlowReader,
	}
	g := start(t, gateway.Options{Upstream: account, Stall: 200 * time.Millisecond, MaxHeaderBytes: 4 << 10, MaxBodyBytes: 1 << 20})
	twin := httptest.NewServer(plainProxy(account))
	t.Cleanup(func() { twin.CloseClientConnections(); twin.Close() })
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			if err := check(t, g.url, patience); err != nil {
				t.Error(err)
			}
			if err := check(t, twin.URL, 600*time.Millisecond); err == nil {
				t.Error("the check passes a server without bounds")
			}
		})
	}
	if !empties(g.InFlight, patience) {
		t.Errorf("%d calls in flight after all have ended", g.InFlight())
	}
}

// status sends text and wants an answer with status and word within bound.
func status(t *testing.T, address, text string, bound time.Duration, want int, word string) error {
	conn, r := raw(t, address, text)
	_ = conn.SetReadDeadline(time.Now().Add(bound))
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want || !strings.Contains(string(body), word) {
		return fmt.Errorf("got %d %q %v, want %d with %q", resp.StatusCode, body, err, want, word)
	}
	return nil
}

func checkSlowHeader(t *testing.T, address string, bound time.Duration) error {
	conn, r := raw(t, address, "GET /api/v2/tickets HTTP/1.1\r\nHost: a\r\nX-Slow: ")
	_ = conn.SetReadDeadline(time.Now().Add(bound))
	if _, err := io.ReadAll(r); err != nil {
		return fmt.Errorf("the connection stays open: %w", err)
	}
	return nil
}

func checkHugeHeader(t *testing.T, address string, bound time.Duration) error {
	return status(t, address, "GET /api/v2/tickets HTTP/1.1\r\nHost: a\r\nCookie: "+strings.Repeat("c", 5<<10)+"\r\n\r\n",
		bound, http.StatusRequestHeaderFieldsTooLarge, "larger than 4096 bytes")
}

func checkDeclaredBody(t *testing.T, address string, bound time.Duration) error {
	return status(t, address, "POST /api/v2/uploads HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n",
		bound, http.StatusRequestEntityTooLarge, "larger than 1048576 bytes")
}

func checkEndlessBody(t *testing.T, address string, bound time.Duration) error {
	chunk := "10000\r\n" + strings.Repeat("x", 0x10000) + "\r\n"
	return status(t, address, "POST /api/v2/uploads HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+strings.Repeat(chunk, 17),
		bound, http.StatusRequestEntityTooLarge, "larger than 1048576 bytes")
}

func checkSlowBody(t *testing.T, address string, bound time.Duration) error {
	return status(t, address, "POST /api/v2/tickets HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf",
		bound, http.StatusRequestTimeout, "did not come within 200ms")
}

func checkSlowReader(t *testing.T, address string, bound time.Duration) error {
	conn, _ := raw(t, address, "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
	// Not reading; the other side closing shows as a failing write.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(bound)
	for {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			return nil
		}
		select {
		case <-tick.C:
		case <-late:
			return errors.New("a client that reads nothing keeps its connection")
		}
	}
}

// Behaviour I5: no WriteTimeout cuts a long export, for each write has a deadline of its own
func TestALongAnswerIsNotCut(t *testing.T) {
	const stall = 200 * time.Millisecond
	account := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(stall / 2)
		defer tick.Stop()
		for range 8 { // four times as long as any one write may take
			<-tick.C
			_, _ = io.WriteString(w, "page\n")
			_ = http.NewResponseController(w).Flush()
		}
	})
	check := func(address string) error {
		resp, err := client(t).Do(request(t, http.MethodGet, address+"/api/v2/incremental/tickets", nil))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if got := strings.Count(string(text), "page\n"); err != nil || got != 8 {
			return fmt.Errorf("%d pages of 8 came: %w", got, err)
		}
		return nil
	}
	if err := check(start(t, gateway.Options{Upstream: account, Stall: stall}).url); err != nil {
		t.Error(err)
	}
	l, err := gateway.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cert, key := selfSigned(t)
	secure, err := gateway.TLSListener(l, cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkOverHTTP2(t, startOn(t, secure, "https", gateway.Options{Upstream: account, Stall: stall}).url); err != nil {
		t.Error(err)
	}
	twin := httptest.NewUnstartedServer(plainProxy(account))
	twin.Config.WriteTimeout = stall
	twin.Start()
	t.Cleanup(twin.Close)
	if err := check(twin.URL); err == nil {
		t.Error("the check passes a server with a WriteTimeout")
	}
}

func TestAnAccountThatFallsSilentIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	account := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		<-release
	})
	defer close(release)
	g := start(t, gateway.Options{Upstream: account, UpstreamStall: 100 * time.Millisecond})
	if err := checkCut(t, g.url); err != nil {
		t.Error(err)
	}
	g.log.wait(t, "fell silent")
}
