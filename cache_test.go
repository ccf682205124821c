package flyball_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/simulator"
)

// drawer is the simplest store there is; cache/memory and cache/disk are
// tested where they are.
type drawer struct {
	mu      sync.Mutex
	entries map[string]*cache.Entry
}

func (d *drawer) Get(key string) (*cache.Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.entries[key], nil
}

func (d *drawer) Put(e *cache.Entry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.entries == nil {
		d.entries = map[string]*cache.Entry{}
	}
	d.entries[e.Key] = e
	return nil
}

func (d *drawer) Drop(tags ...string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, e := range d.entries {
		for _, has := range e.Tags {
			for _, tag := range tags {
				if has == tag {
					delete(d.entries, key)
				}
			}
		}
	}
	return nil
}

func (d *drawer) Close() error { return nil }

// keeping is the way through a flyball that keeps tickets, users and lists.
func keeping(rules ...cache.Rule) way {
	return func(t *testing.T, base http.RoundTripper) http.RoundTripper {
		return governedBy(flyball.Options{Cache: cache.Options{Store: &drawer{}, Static: true, Rules: rules}})(t, base)
	}
}

var minutely = []cache.Rule{
	{Route: "GET /api/v2/tickets/{id}", Fresh: time.Minute},
	{Route: "GET /api/v2/tickets", Fresh: time.Minute},
	{Route: "GET /api/v2/users/{id}", Fresh: time.Minute},
}

// asked makes one GET and returns its answer with the body read.
func (a *account) asked(ctx context.Context, path string, header ...string) (resp *http.Response, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://acme.zendesk.com"+path, nil)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Authorization", "Bearer token")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if resp, err = a.client.Do(req); err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

// naiveCache keeps every answer by its path for a minute: no credential, no
// header, no status, no write matters to it.
func naiveCache(_ *testing.T, base http.RoundTripper) http.RoundTripper {
	type kept struct {
		status int
		header http.Header
		body   string
		until  time.Time
	}
	var mu sync.Mutex
	all := map[string]kept{}
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		key := req.URL.RequestURI()
		mu.Lock()
		k, ok := all[key]
		mu.Unlock()
		if req.Method != http.MethodGet || !ok || !time.Now().Before(k.until) {
			resp, err := base.RoundTrip(req)
			if err != nil || req.Method != http.MethodGet {
				return resp, err
			}
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			k = kept{resp.StatusCode, resp.Header, string(text), time.Now().Add(time.Minute)}
			mu.Lock()
			all[key] = k
			mu.Unlock()
		}
		return &http.Response{StatusCode: k.status, Header: k.header.Clone(), Body: io.NopCloser(newText(k.body)), Request: req}, nil
	})
}

// Behaviour E4: fifty identical GETs at once are one send, cold and just expired.
func TestFiftyIdenticalCallsAreOneSend(t *testing.T) {
	trial{seed: 104, sim: simulator.Options{Latency: usual}, run: func(t *testing.T, a *account) (fault string) {
		for _, when := range []string{"cold", "expired"} {
			before := a.Ledger().Sends
			bodies := make([]string, 50)
			var group sync.WaitGroup
			for i := range bodies {
				group.Go(func() {
					resp, body, err := a.asked(t.Context(), "/api/v2/tickets/5.json")
					if err != nil || resp.StatusCode != 200 {
						t.Errorf("call %d: %v", i, err)
					}
					bodies[i] = body
				})
			}
			group.Wait()
			for i, body := range bodies {
				if body != bodies[0] || body == "" {
					fault += fmt.Sprintf("call %d got another body; ", i)
				}
			}
			if n := a.Ledger().Sends - before; n != 1 {
				fault += fmt.Sprintf("%s: %d sends; ", when, n)
			}
			time.Sleep(61 * time.Second)
		}
		return fault
	}}.keeps(t, keeping(minutely...), naiveCache)
}

// Behaviour E2: the first of six coalesced callers hangs up; the others are answered by the one send.
func TestASharedSendOutlivesWhoBeganIt(t *testing.T) {
	trial{seed: 102, sim: simulator.Options{Latency: simulator.Fixed(time.Second)}, run: func(t *testing.T, a *account) string {
		var fault atomic.Value
		first, hangUp := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { a.asked(first, "/api/v2/tickets/5.json") })
		synctest.Wait()
		for range 5 {
			group.Go(func() {
				if resp, _, err := a.asked(t.Context(), "/api/v2/tickets/5.json"); err != nil || resp.StatusCode != 200 {
					fault.Store(fmt.Sprintf("another caller got %v", err))
				}
			})
		}
		synctest.Wait()
		hangUp()
		group.Wait()
		if n := a.Ledger().Sends; n != 1 {
			fault.Store(fmt.Sprintf("%d sends", n))
		}
		text, _ := fault.Load().(string)
		return text
	}}.keeps(t, governed, followsItsLeader)
}

// followsItsLeader coalesces, and does so in the leader's own context.
func followsItsLeader(_ *testing.T, base http.RoundTripper) http.RoundTripper {
	type flight struct {
		done chan struct{}
		resp *http.Response
		text string
		err  error
	}
	var mu sync.Mutex
	flights := map[string]*flight{}
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		key := req.URL.RequestURI()
		mu.Lock()
		f := flights[key]
		if f == nil {
			f = &flight{done: make(chan struct{})}
			flights[key] = f
			mu.Unlock()
			if f.resp, f.err = base.RoundTrip(req); f.err == nil {
				text, _ := io.ReadAll(f.resp.Body)
				f.text = string(text)
			}
			mu.Lock()
			delete(flights, key)
			close(f.done)
		}
		mu.Unlock()
		<-f.done
		if f.err != nil {
			return nil, f.err
		}
		return &http.Response{StatusCode: f.resp.StatusCode, Header: f.resp.Header, Body: io.NopCloser(newText(f.text)), Request: req}, nil
	})
}

// Behaviour E1: what one credential may see, or one user on behalf of another, no other is given.
func TestNoAnswerIsSharedBetweenCredentials(t *testing.T) {
	trial{seed: 101, run: func(t *testing.T, a *account) (fault string) {
		for _, who := range [][]string{
			{"Authorization", "Bearer one"}, {"Authorization", "Bearer two"},
			{"Authorization", "Bearer two", "X-On-Behalf-Of", "a@example.org"}, {"Authorization", "Bearer two", "X-On-Behalf-Of", "b@example.org"},
			{"Authorization", "Bearer two", "Cookie", "_zendesk_session=1"}, {"Authorization", "Bearer two", "Cookie", "_zendesk_session=2"},
		} {
			before := a.Ledger().Sends
			for range 2 {
				if _, _, err := a.asked(t.Context(), "/api/v2/tickets/5.json", who...); err != nil {
					return err.Error()
				}
			}
			if n := a.Ledger().Sends - before; n != 1 {
				fault += fmt.Sprintf("%v: %d sends, want one of its own; ", who, n)
			}
		}
		return fault
	}}.keeps(t, keeping(minutely...), naiveCache)
}

// Behaviour E9: a write through flyball makes what it touches be asked for anew.
func TestAWriteDropsWhatItTouches(t *testing.T) {
	trial{seed: 109, run: func(t *testing.T, a *account) (fault string) {
		paths := []string{"/api/v2/tickets/5.json", "/api/v2/tickets.json", "/api/v2/tickets/6.json", "/api/v2/groups.json"}
		for _, path := range paths {
			a.asked(t.Context(), path)
		}
		if status, err := a.send(t.Context(), "PUT", "/api/v2/tickets/5.json", `{"ticket":{"subject":"new"}}`); status != 200 {
			return fmt.Sprint(status, err)
		}
		for i, path := range paths {
			before := a.Ledger().Sends
			a.asked(t.Context(), path)
			if touched, n := i < 2, a.Ledger().Sends-before; touched != (n == 1) {
				fault += fmt.Sprintf("%s: %d sends after the write; ", path, n)
			}
		}
		return fault
	}}.keeps(t, keeping(minutely...), naiveCache)
}
