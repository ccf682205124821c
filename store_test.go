package flyball_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/cachetest"
	"github.com/flyballhq/flyball/cache/disk"
	"github.com/flyballhq/flyball/cache/memory"
	"github.com/flyballhq/flyball/simulator"
)

// paged answers each path with the path, and counts its sends.
type paged struct{ sends atomic.Int64 }

func (p *paged) RoundTrip(req *http.Request) (*http.Response, error) {
	p.sends.Add(1)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"max-age=0, private, must-revalidate"}},
		Body: io.NopCloser(strings.NewReader(req.URL.Path)), Request: req,
	}, nil
}

// trusting caches in a store whatever a store gives it, and panics when it
// fails.
type trusting struct {
	store cache.Store
	next  http.RoundTripper
}

func (c trusting) RoundTrip(req *http.Request) (*http.Response, error) {
	key := req.URL.Path
	if e, err := c.store.Get(key); err != nil {
		panic(err)
	} else if e != nil {
		return &http.Response{StatusCode: e.Status, Header: e.Header, Body: io.NopCloser(bytes.NewReader(e.Body))}, nil
	}
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, c.store.Put(&cache.Entry{Key: key, Status: resp.StatusCode, Header: resp.Header, Body: body, Until: time.Now().Add(time.Hour)})
}

// ownBodies has 16 clients read 1,000 pages in no order, and says what one of
// them got that was not its own.
func ownBodies(t *testing.T, client *http.Client) (fault string) {
	var once sync.Once
	var all sync.WaitGroup
	for c := range 16 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(c), 5))
			for range 200 {
				path := fmt.Sprintf("/api/v2/tickets/%d.json", 1+random.IntN(1000))
				if got := bodyOf(t, client, path); got != path {
					once.Do(func() { fault = fmt.Sprintf("%s was answered with %q; ", path, got) })
					return
				}
			}
		})
	}
	all.Wait()
	return fault
}

func bodyOf(t *testing.T, client *http.Client, path string) (body string) {
	defer func() {
		if fault := recover(); fault != nil {
			body = fmt.Sprint("panic: ", fault)
		}
	}()
	resp, err := client.Do(reading(t.Context(), path))
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// aBadStoreIsNoWorseThanNone uses a store that lies, fails and hangs, and then
// is well again.
func aBadStoreIsNoWorseThanNone(t *testing.T, over func(*testing.T, cache.Store, http.RoundTripper) http.RoundTripper) (faults string) {
	held, err := memory.New(memory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	store, account := &cachetest.Faulty{Store: held}, &paged{}
	client := &http.Client{Transport: over(t, store, account)}
	faults += ownBodies(t, client)

	other := cachetest.Entry("x", 10)
	store.Answers.Store(other)
	if got := ownBodies(t, client); got != "" {
		faults += "while the store gave another's entry: " + got
	}
	store.Answers.Store(nil)
	store.Broken.Store(true)
	if got := ownBodies(t, client); got != "" || store.Failures.Load() == 0 {
		faults += "while the store failed: " + got
	}
	store.Broken.Store(false)
	store.Slow.Store(int64(50 * time.Millisecond))
	began := time.Now()
	if got := bodyOf(t, client, "/api/v2/tickets/1.json"); got != "/api/v2/tickets/1.json" || time.Since(began) > 500*time.Millisecond {
		faults += fmt.Sprintf("while the store was slow: %q after %s; ", got, time.Since(began))
	}
	store.Slow.Store(0)
	_ = bodyOf(t, client, "/api/v2/tickets/1.json")
	before := account.sends.Load()
	if got := bodyOf(t, client, "/api/v2/tickets/1.json"); got != "/api/v2/tickets/1.json" || account.sends.Load() != before {
		faults += "once the store was well it was not used again; "
	}
	return faults
}

// Behaviour E5: a store that gives another URL's body, fails or hangs is a miss, and is used again once it is well.
func TestABadStoreIsAMiss(t *testing.T) {
	ours := func(t *testing.T, store cache.Store, base http.RoundTripper) http.RoundTripper {
		transport, err := flyball.New(flyball.Options{
			Account: "acme", Base: base,
			Cache: cache.Options{Store: store, Rules: []cache.Rule{{Route: "GET /api/v2/tickets/{id}", Fresh: time.Hour}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = transport.Close() })
		return transport
	}
	synctest.Test(t, func(t *testing.T) {
		if faults := aBadStoreIsNoWorseThanNone(t, ours); faults != "" {
			t.Error(faults)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		twin := func(_ *testing.T, store cache.Store, base http.RoundTripper) http.RoundTripper {
			return trusting{store, base}
		}
		faults := aBadStoreIsNoWorseThanNone(t, twin)
		if !strings.Contains(faults, "another's entry") || !strings.Contains(faults, "failed") {
			t.Errorf("the check is blind: of the trusting way it says %q", faults)
		}
	})
}

func TestKeptOnDiskAnswersSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "cache")
		sim := simulator.New(simulator.Options{Origin: "https://acme.zendesk.com"})
		bodies := make([]string, 2)
		for run := range bodies {
			store, err := disk.Open(disk.Options{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			transport, err := flyball.New(flyball.Options{
				Account: "acme", Base: sim.RoundTripper(), Cache: cache.Options{Store: store, Static: true},
			})
			if err != nil {
				t.Fatal(err)
			}
			bodies[run] = bodyOf(t, &http.Client{Transport: transport}, "/api/v2/groups.json")
			_ = transport.Close()
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if sends := sim.Ledger().Sends; sends != 1 || bodies[0] != bodies[1] || !strings.Contains(bodies[0], "groups") {
			t.Errorf("%d sends, want 1; %.60q and %.60q", sends, bodies[0], bodies[1])
		}
	})
}
