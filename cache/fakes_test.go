package cache

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// shelf is a store with the least that one needs.
type shelf struct {
	mu      sync.Mutex
	entries map[string]*Entry
}

func (s *shelf) Get(key string) (*Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[key], nil
}

func (s *shelf) Put(e *Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[e.Key] = e
	return nil
}

func (s *shelf) Drop(tags ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, e := range s.entries {
		if slices.ContainsFunc(e.Tags, func(tag string) bool { return slices.Contains(tags, tag) }) {
			delete(s.entries, key)
		}
	}
	return nil
}

func (s *shelf) Close() error { return nil }

// plain is an API in which each path is one resource.
type plain struct{ limit.Keeper }

func (plain) Route(req *http.Request) limit.Route {
	return limit.Route{Class: "GET " + req.URL.Path, Job: map[string]limit.JobRole{"/bulk": limit.StartsJob, "/jobs": limit.ReportsJob}[req.URL.Path]}
}
func (plain) Settled() []string { return []string{"GET /settled"} }
func (plain) Holds(tags []string, _ *limit.Route, u *url.URL) []string {
	return append(tags, u.Path)
}

func (plain) Touches(tags []string, _ *limit.Route, _ string, u *url.URL) []string {
	if u.Path == "/bulk" {
		return append(tags, "/kept")
	}
	return append(tags, u.Path)
}

func (plain) Restate(_ *limit.Route, h http.Header, now limit.Standing) {
	if h.Get("X-Left") != "" {
		h.Set("X-Left", "now")
	}
}

func (plain) Jobs(_ *limit.Route, body []byte) []limit.Job {
	id, state, ok := strings.Cut(string(body), " ")
	if !ok {
		return nil
	}
	return []limit.Job{{ID: id, Ended: state == "ended"}}
}

// An origin answers with what the test sets, and keeps what it was asked.
type origin struct {
	mu     sync.Mutex
	status int
	header http.Header
	body   string
	cut    bool // the body breaks off
	wait   time.Duration
	asked  []*http.Request
	before func(*http.Request) // called when a request has come
}

func (o *origin) RoundTrip(req *http.Request) (*http.Response, error) {
	if o.before != nil {
		o.before(req)
	}
	o.mu.Lock()
	wait := o.wait
	o.mu.Unlock()
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, req)
	body := io.Reader(strings.NewReader(o.body))
	if o.cut {
		body = io.MultiReader(body, breaks{})
	}
	resp := &http.Response{StatusCode: o.status, Header: o.header.Clone(), Body: io.NopCloser(body), ContentLength: -1, Request: req}
	if req.Header.Get("If-None-Match") != "" && req.Header.Get("If-None-Match") == o.header.Get("Etag") && o.status == 200 {
		resp.StatusCode, resp.Body = http.StatusNotModified, http.NoBody
	}
	return resp, nil
}

// waits sets how long the next answers take.
func (o *origin) waits(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wait = d
}

type breaks struct{}

func (breaks) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A world is a cache before an origin.
type world struct {
	*testing.T
	origin *origin
	store  *shelf
	rt     http.RoundTripper
	saved  []limit.Cause
	mu     sync.Mutex
}

func newWorld(t *testing.T, o Options) *world {
	w := &world{T: t, origin: &origin{status: 200, header: http.Header{}, body: "body"}, store: &shelf{entries: map[string]*Entry{}}}
	if o.Store == nil {
		o.Store = w.store
	}
	if err := o.Check(plain{}); err != nil {
		t.Fatal(err)
	}
	c := New(o, Seams{Account: "acme.example", Provider: plain{}, Sink: func(e event.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.saved = append(w.saved, e.Cause)
	}})
	t.Cleanup(c.Close)
	w.rt = c.Layer()(w.origin)
	return w
}

func (w *world) request(ctx context.Context, method, path string, header ...string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, method, "https://acme.example"+path, nil)
	if err != nil {
		w.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	call := &limit.Call{Route: plain{}.Route(req), Arrived: time.Now(), Sends: 1}
	return req.WithContext(limit.WithCall(ctx, call))
}

// ask makes one call and reads its answer; an error fails the test.
func (w *world) ask(method, path string, header ...string) (*http.Response, string) {
	w.Helper()
	resp, err := w.rt.RoundTrip(w.request(w.Context(), method, path, header...))
	if err != nil {
		w.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	return resp, string(body)
}

func (w *world) get(header ...string) (*http.Response, string) {
	w.Helper()
	return w.ask("GET", "/kept", header...)
}

func (w *world) sends() int {
	w.origin.mu.Lock()
	defer w.origin.mu.Unlock()
	return len(w.origin.asked)
}

// last is what the origin was asked last.
func (w *world) last() *http.Request {
	w.origin.mu.Lock()
	defer w.origin.mu.Unlock()
	return w.origin.asked[len(w.origin.asked)-1]
}

// wants fails the test unless the origin was asked n times.
func (w *world) wants(n int, what string) {
	w.Helper()
	if got := w.sends(); got != n {
		w.Errorf("%s: %d sends, want %d", what, got, n)
	}
}
