package simulator

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// host is where tests send requests; nothing resolves it.
const host = "https://acme.zendesk.com"

// client is a caller of one simulated account.
type client struct {
	t *testing.T
	http.RoundTripper
}

func (c client) send(method, path, body string) *http.Response {
	c.t.Helper()
	r, err := c.try(c.t.Context(), method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

func (c client) try(ctx context.Context, method, path, body string) (*http.Response, error) {
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, host+path, content)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer token")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.RoundTrip(req)
}

// get sends a GET, reads the body whole and returns the response with it.
func (c client) get(path string) (*http.Response, string) {
	c.t.Helper()
	return c.read(c.send(http.MethodGet, path, ""))
}

func (c client) read(r *http.Response) (*http.Response, string) {
	c.t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatalf("read the body: %v", err)
	}
	_ = r.Body.Close()
	return r, string(body)
}

// simulate runs a test against an account in a bubble of virtual time.
func simulate(t *testing.T, o Options, test func(t *testing.T, s *Simulator, c client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := New(o)
		test(t, s, client{t, s.RoundTripper()})
	})
}

// pass lets virtual time go by.
func pass(d time.Duration) { time.Sleep(d) }

// until sleeps to the given second of the next minute.
func until(second time.Duration) {
	now := time.Now()
	time.Sleep(now.Truncate(time.Minute).Add(time.Minute + second).Sub(now))
}

func TestAccountWindowFollowsTheClock(t *testing.T) {
	simulate(t, Options{Limit: 5, Latency: Fixed(0)}, func(t *testing.T, s *Simulator, c client) {
		until(41 * time.Second)
		for left := 4; left >= 0; left-- {
			r, _ := c.get("/api/v2/groups")
			wantHeaders(t, r, "X-Rate-Limit", "5", "Ratelimit-Reset", "19", "X-Rate-Limit-Remaining", string(rune('0'+left)))
		}
		r, body := c.get("/api/v2/groups")
		if r.StatusCode != 429 || body != "Number of allowed API requests per minute exceeded" {
			t.Fatalf("sixth call: %d %q", r.StatusCode, body)
		}
		wantHeaders(t, r, "Retry-After", "19", "X-Rate-Limit-Remaining", "0", "Content-Type", "text/html; charset=utf-8")
		time.Sleep(19 * time.Second)
		r, _ = c.get("/api/v2/groups")
		wantHeaders(t, r, "Ratelimit-Remaining", "4", "Ratelimit-Reset", "60")
	})
}

func wantHeaders(t *testing.T, r *http.Response, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := r.Header.Get(pairs[i]); got != pairs[i+1] {
			t.Errorf("%s is %q, want %q", pairs[i], got, pairs[i+1])
		}
	}
}
