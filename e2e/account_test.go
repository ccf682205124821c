package e2e

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/simulator"
)

// An account is a simulated Zendesk on a socket.
type account struct {
	*simulator.Simulator
	url string
}

// newAccount serves an account of 250 tickets that answers in 2 to 10 ms,
// where opts does not say otherwise.
func newAccount(t *testing.T, opts simulator.Options) *account {
	t.Helper()
	if opts.Tickets == 0 {
		opts.Tickets = 250
	}
	if opts.Latency == nil {
		opts.Latency = simulator.Between(2*time.Millisecond, 10*time.Millisecond)
	}
	if err := opts.Check(); err != nil {
		t.Fatal(err)
	}
	a := &account{Simulator: simulator.New(opts)}
	s := httptest.NewServer(a.Simulator)
	t.Cleanup(s.Close)
	a.url = s.URL
	return a
}

// tickets lists the ids of n of the account's tickets, as a program's arguments.
func (a *account) tickets(t *testing.T, n int) []string {
	t.Helper()
	resp := get(t, a.url+"/api/v2/tickets.json?page[size]=100")
	defer resp.Body.Close()
	var page struct{ Tickets []struct{ ID json.Number } }
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	a.Reset() // what a test does to get ready stands on no ledger
	var ids []string
	for i := range n {
		ids = append(ids, page.Tickets[i%len(page.Tickets)].ID.String())
	}
	return ids
}

// get calls url as an agent.
func get(t *testing.T, url string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer token")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// A front is a gateway before an account.
type front struct {
	url   string
	sends atomic.Int64 // requests that it sent to the account
	log   record
}

// govern serves a gateway before the account, with the defaults of flyball
// serve where change does not say otherwise.
func (a *account) govern(t *testing.T, change ...func(*gateway.Options)) *front {
	t.Helper()
	upstream, err := url.Parse(a.url)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{}
	log := slog.New(slog.NewTextHandler(&f.log, nil))
	base := gateway.Base(upstream)
	transport, err := flyball.New(flyball.Options{
		Account: a.url,
		Base:    counting{base, &f.sends},
		OnEvent: gateway.LogSink(log),
	})
	if err != nil {
		t.Fatal(err)
	}
	opts := gateway.Options{Upstream: upstream, Transport: transport, Label: label, Log: log}
	for _, c := range change {
		c(&opts)
	}
	f.serve(t, opts)
	t.Cleanup(func() {
		_ = transport.Close()
		base.(*http.Transport).CloseIdleConnections()
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", f.log.String())
		}
	})
	return f
}

func (f *front) serve(t *testing.T, opts gateway.Options) {
	t.Helper()
	g, err := gateway.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	l, err := gateway.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.url = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the gateway did not end well: %v", err)
		}
	})
}

func label(ctx context.Context, ask gateway.Ask) context.Context {
	if ask.HasClass {
		ctx = flyball.WithClass(ctx, ask.Class)
	}
	return flyball.WithMaxWait(flyball.WithClient(ctx, ask.Client), ask.MaxWait)
}

// counting counts the requests that pass.
type counting struct {
	http.RoundTripper
	sends *atomic.Int64
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sends.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

// A record is a log in memory.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}
