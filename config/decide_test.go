package config_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/config"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/limit"
)

// recorder is an account that remembers how each call was labelled.
type recorder struct {
	mu    sync.Mutex
	calls []limit.Call
}

func (rec *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if call := limit.CallFrom(r.Context()); call != nil {
		rec.calls = append(rec.calls, *call)
	}
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"X-Rate-Limit": {"100000"}, "X-Rate-Limit-Remaining": {strconv.Itoa(100_000 - len(rec.calls))},
			"Ratelimit-Reset": {strconv.Itoa(60 - time.Now().Second())},
		},
		Body: io.NopCloser(strings.NewReader("{}")), Request: r,
	}, nil
}

func (rec *recorder) last(t *testing.T) limit.Call {
	t.Helper()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.calls) == 0 {
		t.Fatal("no call reached the account")
	}
	return rec.calls[len(rec.calls)-1]
}

// serve is a gateway over a transport, with the configuration before it.
func serve(t *testing.T, l *config.Live) (http.Handler, *recorder) {
	t.Helper()
	rec := new(recorder)
	o := l.Config().Transport()
	o.Base = rec
	o.Cache.NoCoalescing = true // each call is looked at
	transport, err := flyball.New(o)
	must(t, err)
	t.Cleanup(func() { transport.Close() })
	g := l.Config().Gateway()
	g.Transport, g.Decide = transport, l.Decide
	gate, err := gateway.New(g)
	must(t, err)
	return gate, rec
}

func TestACallReachesTheTransportAsItIsConfigured(t *testing.T) {
	l := open(t, write(t, policies+"      - {match: /api/v2/never, max_wait: 0s}\n"))
	gate, rec := serve(t, l)
	for _, tt := range []struct {
		name, call string
		headers    []string
		email      string
		client     string
		class      limit.Class
		labelled   bool
		wait       time.Duration
	}{
		{name: "a stranger", call: "GET /api/v2/tickets", headers: []string{"Flyball-Client", "me"}, client: "me", wait: 50 * time.Second},
		{name: "a client of the file", call: "GET /api/v2/tickets", email: "etl@example.com", client: "etl", class: limit.Bulk, labelled: true, wait: 8 * time.Second},
		{name: "up to its ceiling", call: "GET /api/v2/tickets", email: "etl@example.com", headers: []string{"Flyball-Class", "interactive"}, client: "etl", class: limit.Normal, labelled: true, wait: 8 * time.Second},
		{name: "less than it may", call: "GET /api/v2/tickets", email: "ann@example.com", headers: []string{"Flyball-Class", "bulk"}, client: "staff", class: limit.Bulk, labelled: true, wait: 50 * time.Second},
		{name: "a wait of its own", call: "GET /api/v2/tickets", email: "etl@example.com", headers: []string{"Prefer", "wait=3"}, client: "etl", class: limit.Bulk, labelled: true, wait: 3 * time.Second},
		{name: "no longer than it may", call: "GET /api/v2/tickets", email: "etl@example.com", headers: []string{"Prefer", "wait=30"}, client: "etl", class: limit.Bulk, labelled: true, wait: 8 * time.Second},
		{name: "a route's wait, longer than the gateway's", call: "GET /api/v2/incremental/x", headers: []string{"Flyball-Client", "me"}, client: "me", class: limit.Bulk, labelled: true, wait: 10 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			gate.ServeHTTP(w, request(t, tt.call, tt.email, tt.headers...))
			if w.Code != http.StatusOK {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			got := rec.last(t)
			wait := got.Deadline.Sub(got.Arrived).Round(time.Second)
			if got.Client != tt.client || got.Class != tt.class || got.Labelled != tt.labelled || wait != tt.wait {
				t.Errorf("client %q, class %v (labelled %v), wait %v; want %q, %v (%v), %v",
					got.Client, got.Class, got.Labelled, wait, tt.client, tt.class, tt.labelled, tt.wait)
			}
		})
	}
}

// What is changed in the file holds for the next call, through the whole
// gateway, and every call is answered meanwhile.
func TestAReloadBehindTheGatewayDropsNoCall(t *testing.T) {
	// Longer waits than before's and after's: a busy machine may hold a call.
	patient := strings.NewReplacer("1s", "40s", "2s", "50s")
	before, after := patient.Replace(before), patient.Replace(after)
	file := write(t, before)
	l := open(t, file)
	gate, rec := serve(t, l)
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 50 {
				w := httptest.NewRecorder()
				gate.ServeHTTP(w, request(t, "GET /api/v2/tickets", "", "Flyball-Client", "etl"))
				if w.Code != http.StatusOK {
					t.Errorf("status %d: %s", w.Code, w.Body)
				}
			}
		})
	}
	for i := range 20 {
		overwrite(t, file, []string{after, before}[i%2])
		if _, err := l.Reload(); err != nil {
			t.Error(err)
		}
	}
	callers.Wait()
	overwrite(t, file, after)
	if _, err := l.Reload(); err != nil {
		t.Error(err)
	}
	gate.ServeHTTP(httptest.NewRecorder(), request(t, "GET /api/v2/tickets", "", "Flyball-Client", "etl"))
	if got := rec.last(t); got.Class != limit.Interactive || len(rec.calls) != 201 {
		t.Errorf("the last of %d calls is %v; want 201, and interactive", len(rec.calls), got.Class)
	}
}

func TestFollowReloadsOnSIGHUPAndSaysSo(t *testing.T) {
	file := write(t, before)
	l := open(t, file)
	lines := make(logLines, 100)
	hangups := make(chan os.Signal, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Follow(t.Context(), hangups, slog.New(slog.NewTextHandler(lines, nil)))
	}()
	t.Cleanup(func() { <-ended })
	hangups <- syscall.SIGHUP
	lines.want(t, `configuration read again`, `nothing changed`)
	overwrite(t, file, after)
	hangups <- syscall.SIGHUP
	lines.want(t, `configuration read again`, `in force after a restart: listen`)
	overwrite(t, file, "max_wiat: 2s\n")
	hangups <- syscall.SIGHUP
	lines.want(t, `mistake in the configuration`, `did you mean max_wait?`)
	lines.want(t, `the old one stays in force`, `mistakes=1`)
	if l.Config().MaxWait != config.Duration(2*time.Second) {
		t.Error("the old configuration does not hold any more")
	}
}

func TestFollowWithoutAFileSaysSoOnSIGHUP(t *testing.T) {
	l, err := config.Open(config.Source{Account: "acme"})
	must(t, err)
	lines := make(logLines, 100)
	hangups := make(chan os.Signal, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Follow(t.Context(), hangups, slog.New(slog.NewTextHandler(lines, nil)))
	}()
	t.Cleanup(func() { <-ended })
	hangups <- syscall.SIGHUP
	lines.want(t, "there is no configuration file to read again")
}

type logLines chan string

func (l logLines) Write(line []byte) (int, error) {
	l <- string(bytes.Clone(line))
	return len(line), nil
}

// want waits for a line with all of these parts.
func (l logLines) want(t *testing.T, parts ...string) {
	t.Helper()
	patience := time.After(20 * time.Second)
	for {
		select {
		case line := <-l:
			missing := 0
			for _, part := range parts {
				if !strings.Contains(line, part) {
					missing++
				}
			}
			if missing == 0 {
				return
			}
		case <-patience:
			t.Fatalf("no log line with %q in 20s", parts)
		}
	}
}
