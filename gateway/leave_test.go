package gateway_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/gateway"
)

// tooMany is an account that has no room for a minute.
func tooMany(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Retry-After", "40")
	http.Error(w, "Number of allowed API requests per minute exceeded", http.StatusTooManyRequests)
}

// holding is a gateway over the real transport to an account that refuses
// everything: each call is held. held hears of each hold.
func holding(t *testing.T, scheme string) (g *running, held <-chan event.Event) {
	t.Helper()
	account := upstream(t, tooMany)
	events := make(chan event.Event, 100)
	transport, err := flyball.New(flyball.Options{Account: account.String(), Base: gateway.Base(account), OnEvent: func(e event.Event) {
		if e.Kind == event.Held {
			select {
			case events <- e:
			default:
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = transport.Close(); transport.CloseIdleConnections() })
	l, err := gateway.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if scheme == "https" {
		cert, key := selfSigned(t)
		if l, err = gateway.TLSListener(l, cert, key); err != nil {
			t.Fatal(err)
		}
	}
	return startOn(t, l, scheme, gateway.Options{Upstream: account, Transport: transport}), events
}

// selfSigned writes a certificate for 127.0.0.1 and its key to files.
func selfSigned(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gateway"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, text []byte) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: text}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", private)
}

// Behaviour I1: a client that leaves while held is noticed, with GET and POST, over HTTP/1.1 and HTTP/2; Expect: 100-continue is answered by us
func TestAHeldClientThatLeavesIsNoticed(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(method+" over "+scheme, func(t *testing.T) {
				g, held := holding(t, scheme)
				if err := checkLeaving(t, g, method, held, patience); err != nil {
					t.Error(err)
				}
			})
		}
	}
	// The twin waits first and reads the body when it is sent.
	holds := make(chan event.Event, 1)
	release := make(chan struct{})
	twin := start(t, gateway.Options{Upstream: parse(t, "https://acme.example"), Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		holds <- event.Event{}
		select {
		case <-req.Context().Done():
		case <-release:
		}
		return nil, errors.Join(req.Context().Err(), io.ErrUnexpectedEOF)
	})})
	err := checkLeaving(t, twin, http.MethodPost, holds, 300*time.Millisecond)
	close(release)
	if err == nil {
		t.Error("the check passes a gateway that leaves the body unread")
	}
}

// checkLeaving makes a call, leaves while it is held, and wants to read in the
// log within bound that this was noticed.
func checkLeaving(t *testing.T, g *running, method string, held <-chan event.Event, bound time.Duration) error {
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(strings.Repeat("x", 100<<10))
	}
	req, err := http.NewRequestWithContext(ctx, method, g.url+"/api/v2/tickets", body)
	if err != nil {
		return err
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if resp, err := transport.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	within(t, held, "hold")
	leave()
	<-gone
	transport.CloseIdleConnections()
	if !g.log.waits("client left", bound) || !empties(g.InFlight, bound) {
		return fmt.Errorf("the client has left and the gateway has not noticed within %v; it said:\n%s", bound, g.log)
	}
	return nil
}

func TestExpectContinueIsAnsweredByTheGateway(t *testing.T) {
	account := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, "expect "+r.Header.Get("Expect")+" body "+string(text))
	})
	check := func(address string) error {
		conn, r := raw(t, address, "POST /api/v2/tickets HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		line, err := r.ReadString('\n')
		if err != nil || !strings.Contains(line, "100 Continue") {
			return fmt.Errorf("got %q, %v; want 100 Continue", line, err)
		}
		if _, err := io.WriteString(conn, "hello"); err != nil {
			return err
		}
		_, _ = r.ReadString('\n')
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if text, _ := io.ReadAll(resp.Body); string(text) != "expect  body hello" {
			return fmt.Errorf("the account got %q, want the body and no Expect", text)
		}
		return nil
	}
	if err := check(start(t, gateway.Options{Upstream: account}).url); err != nil {
		t.Error(err)
	}
	if err := check(naive(t, plainProxy(account))); err == nil {
		t.Error("the check passes a proxy that hands Expect on")
	}
}

// cutting is an account that ends its answers in the middle.
func cutting(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		switch r.URL.Path {
		case "/chunked":
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
		default:
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
		}
	}
}

// Behaviour I6: ErrAbortHandler passes, so that a cut answer is seen as cut; any other panic is recovered
func TestACutAnswerIsSeenAsCutAndAPanicIsAnswered(t *testing.T) {
	account := upstream(t, cutting(t))
	base := gateway.Base(account)
	panics := roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.URL.Path == "/panic" {
			panic("a bug in a layer")
		}
		return base.RoundTrip(req)
	})
	check := func(address string) error {
		return errors.Join(checkCut(t, address+"/chunked"), checkCut(t, address+"/sized"), checkPanic(t, address+"/panic"))
	}
	g := start(t, gateway.Options{Upstream: account, Transport: panics})
	if err := check(g.url); err != nil {
		t.Error(err)
	}
	g.log.wait(t, "a bug in a layer")
	if !empties(g.InFlight, patience) {
		t.Errorf("%d calls in flight after all have ended", g.InFlight())
	}
	// The twin swallows every panic, also the one that says "cut".
	twin := plainProxy(account)
	twin.Transport = panics
	swallow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { _ = recover() }()
		twin.ServeHTTP(w, r)
	})
	address := naive(t, swallow)
	if checkCut(t, address+"/chunked") == nil || checkPanic(t, address+"/panic") == nil {
		t.Error("the check passes a gateway that swallows panics")
	}
}

func checkCut(t *testing.T, address string) error {
	resp, err := client(t).Do(request(t, http.MethodGet, address, nil))
	if err != nil {
		return nil // seen before the body began: seen
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err == nil {
		return fmt.Errorf("%s: half a body passes for a whole one: %q", address, text)
	}
	return nil
}

func checkPanic(t *testing.T, address string) error {
	resp, text := get(t, address)
	if resp.StatusCode != http.StatusInternalServerError || !strings.Contains(text, "FlyballBug") {
		return fmt.Errorf("%s: got %d %q, want 500 FlyballBug", address, resp.StatusCode, text)
	}
	return nil
}

// Behaviour H3: no lock is held while a call is on the wire
func TestNoLockIsHeldOverACall(t *testing.T) {
	const callers = 40
	check := func(bound time.Duration, wrap func(http.RoundTripper) http.RoundTripper) error {
		all := make(chan struct{}, callers)
		open := make(chan struct{})
		account := upstream(t, func(http.ResponseWriter, *http.Request) { all <- struct{}{}; <-open })
		defer close(open)
		g := start(t, gateway.Options{Upstream: account, Transport: wrap(gateway.Base(account))})
		for range callers {
			go func() {
				req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, g.url, nil)
				if resp, err := http.DefaultClient.Do(req); err == nil {
					_ = resp.Body.Close()
				}
			}()
		}
		late := time.After(bound)
		for n := range callers {
			select {
			case <-all:
			case <-late:
				return fmt.Errorf("%d of %d calls are on the wire at once", n, callers)
			}
		}
		return nil
	}
	if err := check(patience, func(next http.RoundTripper) http.RoundTripper { return next }); err != nil {
		t.Error(err)
	}
	twin := func(next http.RoundTripper) http.RoundTripper {
		lock := make(chan struct{}, 1)
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			lock <- struct{}{}
			defer func() { <-lock }()
			return next.RoundTrip(req)
		})
	}
	if err := check(300*time.Millisecond, twin); err == nil {
		t.Error("the check passes a gateway that locks around a call")
	}
}

// checkOverHTTP2 reads eight pages over HTTP/2.
func checkOverHTTP2(t *testing.T, address string) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(request(t, http.MethodGet, address, nil))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if got := strings.Count(string(text), "page\n"); err != nil || got != 8 || resp.ProtoMajor != 2 {
		return fmt.Errorf("%d pages of 8 came over %s: %w", got, resp.Proto, err)
	}
	return nil
}
