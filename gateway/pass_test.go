package gateway_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/limit"
)

// Behaviour C6: headers, redirects and streams pass as they are
func TestHeadersRedirectsAndStreamsPassAsTheyAre(t *testing.T) {
	release := make(chan struct{})
	packed := pack("a gzipped page")
	account := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Set-Cookie"] = []string{"a=1; Path=/", "b=2; Secure"}
		w.Header().Set("X-Zendesk-API-Warn", "removed restricted keys")
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/stream":
			_, _ = io.WriteString(w, "first")
			_ = http.NewResponseController(w).Flush()
			<-release
			_, _ = io.WriteString(w, " second")
		case "/sized":
			w.Header().Set("Content-Length", "12")
			_, _ = io.WriteString(w, "first")
			_ = http.NewResponseController(w).Flush()
			<-release
			_, _ = io.WriteString(w, " second")
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed)
		case "/untyped":
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "<html>")
		}
	})
	check := func(address string, bound time.Duration, proceed func()) error {
		return errors.Join(checkHeaders(t, address, packed), checkStream(t, address+"/stream", bound, proceed), checkStream(t, address+"/sized", bound, proceed))
	}
	proceed := func() { release <- struct{}{} }
	if err := check(start(t, gateway.Options{Upstream: account}).url, patience, proceed); err != nil {
		t.Error(err)
	}
	if err := check(naive(t, forgetful{account.String()}), 300*time.Millisecond, func() { go proceed() }); err == nil {
		t.Error("the check passes a proxy that buffers, follows redirects and drops a cookie")
	}
}

func checkHeaders(t *testing.T, address string, packed []byte) error {
	resp, _ := get(t, address+"/redirect")
	if got := resp.Header["Set-Cookie"]; !slices.Equal(got, []string{"a=1; Path=/", "b=2; Secure"}) {
		return fmt.Errorf("Set-Cookie = %q, want both", got)
	}
	if resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != "/elsewhere" {
		return fmt.Errorf("got %d to %q, want the redirect itself", resp.StatusCode, resp.Header.Get("Location"))
	}
	if _, ok := resp.Header["X-Zendesk-Api-Warn"]; !ok {
		return fmt.Errorf("header %v lacks X-Zendesk-API-Warn", resp.Header)
	}
	resp, text := get(t, address+"/packed", "Accept-Encoding", "gzip")
	if resp.Header.Get("Content-Encoding") != "gzip" || text != string(packed) {
		return fmt.Errorf("encoding %q, %d bytes; want the gzip as it came", resp.Header.Get("Content-Encoding"), len(text))
	}
	if resp, _ = get(t, address+"/untyped"); resp.Header["Content-Type"] != nil {
		return fmt.Errorf("Content-Type %q was made up", resp.Header["Content-Type"])
	}
	return nil
}

// checkStream wants the first part of a body before the account has the
// second: proceed is called when it is there, or when it is not within bound.
func checkStream(t *testing.T, address string, bound time.Duration, proceed func()) error {
	first := make(chan string, 1)
	whole := make(chan string, 1)
	go func() {
		defer close(whole)
		defer close(first)
		resp, err := client(t).Do(request(t, http.MethodGet, address, nil))
		if err != nil {
			return
		}
		defer resp.Body.Close()
		part := make([]byte, 5)
		if _, err := io.ReadFull(resp.Body, part); err == nil {
			first <- string(part)
			rest, _ := io.ReadAll(resp.Body)
			whole <- string(part) + string(rest)
		}
	}()
	var err error
	select {
	case got := <-first:
		if got != "first" {
			err = fmt.Errorf("%s began with %q, want first", address, got)
		}
	case <-time.After(bound):
		err = fmt.Errorf("%s: nothing came while the account was still writing", address)
	}
	proceed()
	if got := within(t, whole, "end of "+address); err == nil && got != "first second" {
		err = fmt.Errorf("%s = %q, want both parts", address, got)
	}
	return err
}

func pack(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.Bytes()
}

// forgetful is a proxy written in a hurry: it buffers, follows redirects,
// unpacks, and keeps one value of each header.
type forgetful struct{ account string }

func (p forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, _ := http.NewRequestWithContext(r.Context(), r.Method, p.account+r.URL.Path, r.Body)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	for name := range resp.Header {
		w.Header().Set(name, resp.Header.Get(name))
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(text)
}

// Behaviour I3: query and escaped path pass byte for byte, and the outgoing Host is the upstream's
func TestPathAndQueryPassByteForByte(t *testing.T) {
	account := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host+" "+r.RequestURI)
	})
	targets := []string{
		"/api/v2/search.json?query=type:ticket;status:open&sort=x",
		"/api/v2/search?query=50%+off&bad=%zz&%",
		"/api/v2//tickets//1/",
		"//api/v2/tickets",
		"/api/v2/tickets/..%2Fusers/a%20b%2fc",
		"/api/v2/./tickets/../users",
		"/api/v2/tags?name=a+b%20c&name=&=&;",
		"/api/v2/tickets?",
		"/api/v2/a|b^c",
		"/api/v2/users?email=J%C3%BCrgen&x=é",
	}
	for _, target := range targets {
		t.Run(target, func(t *testing.T) {
			check := func(address string) error {
				_, r := raw(t, address, "GET "+target+" HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n\r\n")
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				got, _ := io.ReadAll(resp.Body)
				if want := account.Host + " " + target; string(got) != want {
					return fmt.Errorf("the account got %q, want %q", got, want)
				}
				return nil
			}
			if err := check(start(t, gateway.Options{Upstream: account}).url); err != nil {
				t.Error(err)
			}
			mux := http.NewServeMux()
			mux.Handle("/", plainProxy(account))
			if err := check(naive(t, mux)); err == nil {
				t.Error("the check passes a proxy that keeps the Host and tidies the target")
			}
		})
	}
}

// Behaviour I7: Upgrade is refused, and trailers pass both ways
func TestUpgradeIsRefusedAndTrailersPass(t *testing.T) {
	account := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
			w.WriteHeader(http.StatusSwitchingProtocols)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Announced")
		_, _ = io.WriteString(w, "body, request trailer "+r.Trailer.Get("X-Sum"))
		w.Header().Set("X-Announced", "1")
		w.Header().Set(http.TrailerPrefix+"X-Late", "2")
	})
	check := func(address string) error {
		return errors.Join(checkUpgrade(t, address), checkTrailers(t, address))
	}
	if err := check(start(t, gateway.Options{Upstream: account}).url); err != nil {
		t.Error(err)
	}
	if err := checkUpgrade(t, naive(t, plainProxy(account))); err == nil {
		t.Error("the check passes a proxy that switches protocols")
	}
	if err := checkTrailers(t, naive(t, forgetful{account.String()})); err == nil {
		t.Error("the check passes a proxy that drops trailers")
	}
}

func TestAnAnswerThatNobodyWantsIsClosed(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
	}{
		{"the client leaves in the middle", 200},
		{"the account switches protocols unasked", 101},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := &endless{closed: make(chan struct{})}
			g := start(t, gateway.Options{Upstream: parse(t, "https://acme.example"), Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: test.status, ContentLength: -1, Header: http.Header{}, Body: body, Request: req}, nil
			})})
			conn, r := raw(t, g.url, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if _, err := r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
			within(t, body.closed, "close of the answer's body")
		})
	}
}

// endless is a body without end that tells when it is closed.
type endless struct {
	once   sync.Once
	closed chan struct{}
}

func (e *endless) Read(p []byte) (int, error) { return len(p), nil }

func (e *endless) Close() error {
	e.once.Do(func() { close(e.closed) })
	return nil
}

func checkUpgrade(t *testing.T, address string) error {
	_, r := raw(t, address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNotImplemented {
		return fmt.Errorf("got %d, want 501", resp.StatusCode)
	}
	if text, _ := io.ReadAll(resp.Body); !strings.Contains(string(text), "FlyballNoUpgrade") {
		return fmt.Errorf("body %q, want FlyballNoUpgrade", text)
	}
	return nil
}

func checkTrailers(t *testing.T, address string) error {
	_, r := raw(t, address, "POST /api/v2/x HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE, close\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"+
		"3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if got := string(text); got != "body, request trailer 7" {
		return fmt.Errorf("body %q, want the request's trailer in it", got)
	}
	if resp.Trailer.Get("X-Announced") != "1" || resp.Trailer.Get("X-Late") != "2" {
		return fmt.Errorf("trailers %v, want X-Announced: 1 and X-Late: 2", resp.Trailer)
	}
	return nil
}

func TestAnOfferOfHTTP2IsPassedOver(t *testing.T) {
	account := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "upgrade "+r.Header.Get("Upgrade")+r.Header.Get("Http2-Settings"))
	})
	resp, text := get(t, start(t, gateway.Options{Upstream: account}).url,
		"Connection", "Upgrade, HTTP2-Settings", "Upgrade", "h2c", "HTTP2-Settings", "AAMAAABkAAQAAP__")
	if resp.StatusCode != 200 || text != "upgrade " {
		t.Errorf("got %d %q, want 200 and no offer passed on", resp.StatusCode, text)
	}
}

// Behaviour I8: HTTP/1.1 upstream by default
func TestTheAccountIsAskedOverHTTP1(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	account := parse(t, s.URL)
	check := func(base http.RoundTripper) error {
		transport := base.(*http.Transport)
		transport.TLSClientConfig.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		t.Cleanup(transport.CloseIdleConnections)
		_, text := get(t, start(t, gateway.Options{Upstream: account, Transport: transport}).url)
		if text != "HTTP/1.1" {
			return fmt.Errorf("the account was asked over %q", text)
		}
		return nil
	}
	if err := check(gateway.Base(account)); err != nil {
		t.Error(err)
	}
	twin := http.DefaultTransport.(*http.Transport).Clone()
	twin.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	twin.ForceAttemptHTTP2 = true
	if err := check(twin); err == nil {
		t.Error("the check passes net/http's own transport")
	}
}

// Behaviour I9: connections to the account are kept for as many callers as there are
func TestConnectionsAreKept(t *testing.T) {
	const callers, rounds = 20, 3
	var mu sync.Mutex
	opened := 0
	together := newBarrier(callers)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { together.wait() }))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			mu.Lock()
			defer mu.Unlock()
			opened++
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	account := parse(t, s.URL)
	check := func(address string) error {
		mu.Lock()
		opened = 0
		mu.Unlock()
		for range rounds {
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() { get(t, address) })
			}
			wg.Wait()
		}
		mu.Lock()
		defer mu.Unlock()
		// A connection is put back when its body has been read, which may be
		// a moment after the client has it.
		if opened > callers+callers/2 {
			return fmt.Errorf("%d connections for %d callers", opened, callers)
		}
		return nil
	}
	if err := check(start(t, gateway.Options{Upstream: account}).url); err != nil {
		t.Error(err)
	}
	twin := plainProxy(account)
	twin.Transport = &http.Transport{}
	t.Cleanup(twin.Transport.(*http.Transport).CloseIdleConnections)
	if err := check(naive(t, twin)); err == nil {
		t.Error("the check passes a transport that keeps two idle connections")
	}
}

// A barrier lets callers go when n of them are there, again and again.
type barrier struct {
	mu   sync.Mutex
	n    int
	here int
	gate chan struct{}
}

func newBarrier(n int) *barrier { return &barrier{n: n, gate: make(chan struct{})} }

func (b *barrier) wait() {
	b.mu.Lock()
	gate := b.gate
	if b.here++; b.here == b.n {
		close(gate)
		b.here, b.gate = 0, make(chan struct{})
	}
	b.mu.Unlock()
	<-gate
}

// Behaviour I10: class comes from Flyball-Class, never above the client's ceiling, and never from a browser's Priority
func TestClassComesFromFlyballClassOnly(t *testing.T) {
	ceiling := func(client string) limit.Class {
		switch client {
		case "exporter":
			return limit.Bulk
		case "worker":
			return limit.Normal
		default:
			return limit.Interactive
		}
	}
	tests := []struct {
		name   string
		header []string
		want   string
	}{
		{"nothing said", nil, "unsaid"},
		{"Chrome's Priority", []string{"Priority", "u=1, i"}, "unsaid"},
		{"interactive", []string{"Flyball-Class", "Interactive"}, "interactive"},
		{"normal", []string{"Flyball-Class", "normal"}, "normal"},
		{"bulk", []string{"Flyball-Class", "bulk"}, "bulk"},
		{"a word nobody knows", []string{"Flyball-Class", "urgent"}, "unsaid"},
		{"above the ceiling", []string{"Flyball-Class", "interactive", "Flyball-Client", "worker"}, "normal"},
		{"below the ceiling", []string{"Flyball-Class", "bulk", "Flyball-Client", "worker"}, "bulk"},
		{"nothing said, with a ceiling of bulk", []string{"Flyball-Client", "exporter"}, "bulk"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := classSeen(t, ceiling, test.header); got != test.want {
				t.Errorf("class %s, want %s", got, test.want)
			}
		})
	}
	// The twin takes any client's word for it.
	trusting := func(string) limit.Class { return limit.Interactive }
	if got := classSeen(t, trusting, tests[6].header); got == tests[6].want {
		t.Error("the check passes a gateway without ceilings")
	}
}

func classSeen(t *testing.T, ceiling func(string) limit.Class, header []string) string {
	t.Helper()
	seen := make(chan gateway.Ask, 1)
	g := start(t, gateway.Options{
		Upstream: parse(t, "https://acme.example"), Label: label,
		Decide: func(r *http.Request) gateway.Decision {
			return gateway.Decision{Ceiling: ceiling(r.Header.Get("Flyball-Client")), MaxWait: time.Minute}
		},
		Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			for _, name := range []string{"Flyball-Class", "Flyball-Client", "Flyball-Batch"} {
				if req.Header.Get(name) != "" {
					t.Errorf("%s reached the account", name)
				}
			}
			seen <- asked(req)
			return &http.Response{StatusCode: 204, Body: http.NoBody, Header: http.Header{}, Request: req}, nil
		}),
	})
	get(t, g.url, append(header, "Flyball-Batch", "allow")...)
	if ask := within(t, seen, "call"); ask.HasClass {
		return ask.Class.String()
	}
	return "unsaid"
}

func TestPreferWaitIsReadAndRemoved(t *testing.T) {
	tests := []struct {
		name    string
		prefer  []string
		maxWait time.Duration
		want    time.Duration
		passed  []string
		applied string
	}{
		{"nothing said", nil, 0, 50 * time.Second, nil, ""},
		{"less than the maximum", []string{"wait=10"}, 0, 10 * time.Second, nil, "wait=10"},
		{"more than the maximum", []string{"wait=600"}, 0, 50 * time.Second, nil, "wait=50"},
		{"never wait", []string{"wait=0"}, 0, 0, nil, "wait=0"},
		{"a gateway that never waits", []string{"wait=10"}, -1, 0, nil, "wait=0"},
		{"among others", []string{"respond-async, WAIT = 7; x=y, handling=lenient"}, 0, 7 * time.Second, []string{"respond-async, handling=lenient"}, "wait=7"},
		{"on a line of its own", []string{"return=minimal", `wait="3"`}, 0, 3 * time.Second, []string{"return=minimal"}, "wait=3"},
		{"a comma in quotes", []string{`a="x, wait=1, y"`}, 0, 50 * time.Second, []string{`a="x, wait=1, y"`}, ""},
		{"garbage", []string{"wait=soon"}, 0, 50 * time.Second, nil, ""},
		{"negative", []string{"wait=-1"}, 0, 50 * time.Second, nil, ""},
		{"overflowing", []string{"wait=9999999999999999999"}, 0, 50 * time.Second, nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got time.Duration
			var passed []string
			g := start(t, gateway.Options{
				Upstream: parse(t, "https://acme.example"), MaxWait: test.maxWait, Label: label,
				Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
					got, passed = asked(req).MaxWait, req.Header["Prefer"]
					return &http.Response{StatusCode: 204, Body: http.NoBody, Header: http.Header{}, Request: req}, nil
				}),
			})
			var header []string
			for _, p := range test.prefer {
				header = append(header, "Prefer", p)
			}
			resp, _ := get(t, g.url, header...)
			if got != test.want || !slices.Equal(passed, test.passed) || resp.Header.Get("Preference-Applied") != test.applied {
				t.Errorf("max wait %v, passed on %q, applied %q; want %v, %q, %q", got, passed, resp.Header.Get("Preference-Applied"), test.want, test.passed, test.applied)
			}
		})
	}
}
