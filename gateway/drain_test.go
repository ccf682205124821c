package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/gateway"
)

// server is what a drain is checked on: its address, how to stop it, and how
// to know that it has begun to.
type server struct {
	url      string
	stop     func() error
	draining func() bool
}

// Behaviour H7: a shutdown drains within a bound, answers new calls 503 draining meanwhile, then says what it cut
func TestShutdownDrainsThenSaysWhatItCut(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	account := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		select {
		case <-release:
			_, _ = io.WriteString(w, "whole")
		case <-r.Context().Done():
		}
	})
	g := start(t, gateway.Options{Upstream: account})
	if err := checkDrain(t, server{g.url, g.stop, g.Draining}, started, release); err != nil {
		t.Error(err)
	}
	// The twin closes what it has.
	closing := make(chan struct{})
	twin := &http.Server{Handler: plainProxy(account), ReadHeaderTimeout: patience}
	l, err := gateway.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = twin.Serve(l) }()
	stop := func() error { defer close(closing); return twin.Close() }
	draining := func() bool {
		select {
		case <-closing:
			return true
		default:
			return false
		}
	}
	if err := checkDrain(t, server{"http://" + l.Addr().String(), stop, draining}, started, release); err == nil {
		t.Error("the check passes a server that closes its connections")
	}

	g = start(t, gateway.Options{Upstream: account, DrainTimeout: 50 * time.Millisecond})
	checkCutCalls(t, g, started)
}

// checkDrain stops s while it serves a call, makes another, lets the first one
// end, and wants it whole, the other one refused, and the stop clean.
func checkDrain(t *testing.T, s server, started <-chan struct{}, release chan<- struct{}) error {
	type result struct {
		text string
		err  error
	}
	first := make(chan result, 1)
	go func() {
		text, err := fetch(t.Context(), s.url)
		first <- result{text, err}
	}()
	within(t, started, "call")
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !s.draining() {
		<-tick.C
	}
	second, err := fetch(t.Context(), s.url)
	select {
	case release <- struct{}{}:
	case r := <-first:
		return fmt.Errorf("the call under way ended with %q, %w", r.text, r.err)
	case <-time.After(patience):
		return errors.New("the call under way is gone")
	}
	if r := within(t, first, "the first answer"); r.err != nil || r.text != "200 whole" {
		return fmt.Errorf("the call under way got %q, %w; want it whole", r.text, r.err)
	}
	if err != nil || !strings.HasPrefix(second, "503") || !strings.Contains(second, "FlyballDraining") {
		return fmt.Errorf("a new call got %q, %w; want 503 draining", second, err)
	}
	return within(t, stopped, "stop")
}

func fetch(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, text), err
}

// checkCutCalls stops g while a call runs that does not end.
func checkCutCalls(t *testing.T, g *running, started <-chan struct{}) {
	t.Helper()
	answer := make(chan string, 1)
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+"/api/v2/attachments/token/aB3dE5gH7jK9mN1pQ", nil)
		req.Header.Set("Flyball-Client", "exporter")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		answer <- fmt.Sprintf("%d %s", resp.StatusCode, text)
	}()
	within(t, started, "call")
	err := g.stop()
	var cut *gateway.CutError
	if !errors.As(err, &cut) || len(cut.Calls) != 1 {
		t.Fatalf("Serve = %v, want one call cut", err)
	}
	call := cut.Calls[0]
	if call.Method != "GET" || call.Client != "exporter" || !strings.HasPrefix(call.Path, "/api/v2/attachments/") || strings.Contains(err.Error(), "aB3dE5") {
		t.Errorf("cut %+v, want the exporter's GET with the token hidden", call)
	}
	if got := within(t, answer, "answer"); !strings.HasPrefix(got, "503") || !strings.Contains(got, "FlyballDraining") {
		t.Errorf("the call that was cut before an answer got %q, want 503 draining", got)
	}
	g.log.wait(t, "call cut")
}
