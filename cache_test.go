package flyball_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
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
	}}.keeps(t, governedBy(flyball.Options{}), followsItsLeader)
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
			{"Authorization", "Bearer one"},
			{"Authorization", "Bearer two"},
			{"Authorization", "Bearer two", "X-On-Behalf-Of", "a@example.org"},
			{"Authorization", "Bearer two", "X-On-Behalf-Of", "b@example.org"},
			{"Authorization", "Bearer two", "Cookie", "_zendesk_session=1"},
			{"Authorization", "Bearer two", "Cookie", "_zendesk_session=2"},
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

// Behaviour E3: callers who want another form, language or encoding are not given each other's answer.
func TestAnswersAreKeptApartByWhatChangesThem(t *testing.T) {
	trial{seed: 103, sim: simulator.Options{Latency: usual}, run: func(t *testing.T, a *account) (fault string) {
		wants := [][]string{
			{"Accept", "application/json"},
			{"Accept", "text/csv"},
			{"Accept-Language", "de"},
			{"Accept-Language", "en"},
			{"Accept-Encoding", "gzip"},
			{"Accept-Encoding", "identity"},
			{"X-Unheard-Of", "1"},
		}
		for _, when := range []string{"at once", "one by one"} {
			path := map[string]string{"at once": "/api/v2/tickets/5.json", "one by one": "/api/v2/tickets/6.json"}[when]
			before := a.Ledger().Sends
			var group sync.WaitGroup
			for _, want := range wants {
				ask := func() { a.asked(t.Context(), path, want...) }
				if group.Go(ask); when == "one by one" {
					group.Wait()
				}
			}
			group.Wait()
			if n := a.Ledger().Sends - before; n != len(wants) {
				fault += fmt.Sprintf("%s: %d sends for %d different questions; ", when, n, len(wants))
			}
		}
		return fault
	}}.keeps(t, keeping(minutely...), naiveCache)
}

// Behaviour E7: a refusal or a fault is no data, whatever its Cache-Control says.
func TestRefusalsAreNeverKept(t *testing.T) {
	faults := []simulator.Fault{{Path: "/api/v2/tickets/5.json", Count: 1, Status: 429, RetryAfter: "10"}, {Path: "/api/v2/tickets/6.json", Count: 1, Status: 503}}
	trial{seed: 107, sim: simulator.Options{Faults: faults}, run: func(t *testing.T, a *account) (fault string) {
		for _, path := range []string{"/api/v2/tickets/5.json", "/api/v2/tickets/6.json"} {
			a.asked(flyball.WithMaxWait(t.Context(), 0), path)
			time.Sleep(15 * time.Second)
			if resp, _, err := a.asked(t.Context(), path); err != nil || resp.StatusCode != 200 {
				fault += fmt.Sprintf("%s is still refused: %v; ", path, err)
			}
		}
		return fault
	}}.keeps(t, keeping(minutely...), func(t *testing.T, base http.RoundTripper) http.RoundTripper {
		return naiveCache(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			if err == nil {
				resp.Header.Set("Cache-Control", "public, max-age=10")
			}
			return resp, err
		}))
	})
}

// revalidates asks the server about each kept answer, each time.
func revalidates(_ *testing.T, base http.RoundTripper) http.RoundTripper {
	var mu sync.Mutex
	etags := map[string]string{}
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		clone := req.Clone(req.Context())
		mu.Lock()
		if tag := etags[req.URL.RequestURI()]; tag != "" {
			clone.Header.Set("If-None-Match", tag)
		}
		mu.Unlock()
		resp, err := base.RoundTrip(clone)
		if err == nil {
			mu.Lock()
			etags[req.URL.RequestURI()] = resp.Header.Get("Etag")
			mu.Unlock()
		}
		return resp, err
	})
}

// Behaviour E8: fresh answers cost no send; stale ones stand in while the limits hold sends back, marked.
func TestFreshAnswersCostNoSendAndStaleOnesStandIn(t *testing.T) {
	rule := cache.Rule{Route: "GET /api/v2/tickets/{id}", Fresh: 10 * time.Second, StaleWhileLimited: time.Hour}
	trial{seed: 108, sim: simulator.Options{Limit: 5}, run: func(t *testing.T, a *account) (fault string) {
		for range 4 {
			a.asked(t.Context(), "/api/v2/tickets/5.json")
		}
		if n := a.Ledger().Sends; n != 1 {
			fault += fmt.Sprintf("%d sends for one fresh answer; ", n)
		}
		time.Sleep(11 * time.Second)
		done, leave := context.WithCancel(t.Context())
		defer leave()
		for i := range 60 { // hours' worth of bulk calls ahead of it
			go a.call(done, "GET", user(i))
		}
		time.Sleep(time.Second)
		start := time.Now()
		resp, _, err := a.asked(t.Context(), "/api/v2/tickets/5.json")
		if err != nil || time.Since(start) > 0 {
			return fault + fmt.Sprintf("a stale answer was held back for %s: %v", time.Since(start), err)
		}
		if status := resp.Header.Get("Cache-Status"); status == "" || !strings.HasSuffix(status, "; detail=stale") || resp.Header.Get("Age") == "" {
			fault += fmt.Sprintf("Cache-Status %q, Age %q; ", status, resp.Header.Get("Age"))
		}
		return fault
	}}.keeps(t, keeping(rule), revalidates)
}

// Behaviour I6: a shared send has no caller's end and, once its leader has left, no caller's values; a panic reaches all.
func TestASharedSendIsNobodysOwn(t *testing.T) {
	type key struct{}
	check := func(by way) (fault string) {
		synctest.Test(t, func(t *testing.T) {
			release, tries := make(chan struct{}), 0
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				<-release
				if tries++; tries == 1 {
					return nil, io.ErrUnexpectedEOF // sent again, when the leader has left
				}
				if req.Context().Err() != nil || req.Context().Value(key{}) != nil {
					return nil, fmt.Errorf("in the leader's context: %v, %v", req.Context().Err(), req.Context().Value(key{}))
				}
				panic(http.ErrAbortHandler)
			})
			client := by(t, base)
			ctx, hangUp := context.WithCancel(context.WithValue(t.Context(), key{}, "trace"))
			var group sync.WaitGroup
			group.Go(func() { client.RoundTrip(reading(ctx, user(1))) })
			synctest.Wait()
			var mu sync.Mutex
			for range 3 {
				group.Go(func() {
					defer func() {
						if got := recover(); got != http.ErrAbortHandler {
							mu.Lock()
							fault += fmt.Sprintf("a caller who joined met %v; ", got)
							mu.Unlock()
						}
					}()
					_, err := client.RoundTrip(reading(t.Context(), user(1)))
					mu.Lock()
					fault += fmt.Sprint(err, "; ")
					mu.Unlock()
				})
			}
			synctest.Wait()
			hangUp()
			synctest.Wait()
			close(release)
			group.Wait()
		})
		return fault
	}
	if fault := check(governedBy(flyball.Options{})); fault != "" {
		t.Error(fault)
	}
	if fault := check(followsItsLeader); fault == "" {
		t.Error("the check finds nothing on the faulty twin either")
	} else {
		t.Logf("the twin: %s", fault)
	}
}
