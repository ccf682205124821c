package gateway_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/memory"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/limit"
)

// A keepingGateway answers the calls on its routes out of its cache.
type keepingGateway struct {
	addr  string
	sends atomic.Int64
	saved atomic.Int64
	names chan string // of the clients whose calls were saved
	told  chan string // what those who watch were told of calls at their end
}

// keep starts a gateway with a cache. hide wraps its transport.
func keep(t *testing.T, hide func(http.RoundTripper) http.RoundTripper) *keepingGateway {
	t.Helper()
	k := &keepingGateway{names: make(chan string, 1000), told: make(chan string, 1000)}
	var origin string
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.sends.Add(1)
		h := w.Header()
		h.Set("Content-Type", "application/json; charset=utf-8")
		h.Set("Cache-Control", "max-age=0, private, must-revalidate")
		h.Set("Etag", `W/"v1"`)
		h.Set("X-Rate-Limit", "700")
		h.Set("X-Rate-Limit-Remaining", "699")
		h.Set("Link", "<"+origin+`/api/v2/tickets.json?page=2>; rel="next"`)
		h.Add("Set-Cookie", "a=b")
		h.Add("X-Two", "1")
		h.Add("X-Two", "2")
		text := fmt.Sprintf(`{"ticket":{"id":%q},"next_page":"%s/api/v2/tickets.json?page=2"}`, r.URL.Path, origin)
		if strings.HasPrefix(r.URL.Path, "/api/v2/users/") {
			text = fmt.Sprintf(`{"user":{"notes":%q},"next_page":"%s/api/v2/x"}`, strings.Repeat("long ", 40_000), origin)
		}
		var body io.Writer = w
		if r.Header.Get("Accept-Encoding") == "gzip" {
			h.Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			defer packed.Close()
			body = packed
		} else if strings.HasPrefix(r.URL.Path, "/api/v2/tickets/2") { // announced, and without a link
			text = strings.ReplaceAll(text, origin, "https://elsewhere.example")
			h.Set("Content-Length", strconv.Itoa(len(text)))
			h.Set("Accept-Ranges", "bytes")
			h.Set("Etag", `"strong"`)
		}
		_, _ = io.WriteString(body, text)
	}))
	t.Cleanup(upstream.Close)
	origin = upstream.URL
	account, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	store, err := memory.New(memory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	transport, err := flyball.New(flyball.Options{
		Account: upstream.URL, Base: gateway.Base(account),
		Cache: cache.Options{Store: store, Rules: []cache.Rule{
			{Route: "GET /api/v2/tickets/{id}", Fresh: time.Hour}, {Route: "GET /api/v2/users/{id}", Fresh: time.Hour}, {Route: "GET /api/v2/tickets", Fresh: time.Hour},
		}},
		OnEvent: func(e event.Event) {
			if e.Kind == event.Saved && e.Cause == limit.Cached {
				k.saved.Add(1)
				k.names <- e.Call.Client
			}
			if e.Kind == event.Done {
				k.told <- fmt.Sprint("done ", e.Status, e.Err, e.Call.Client, e.Call.Class, e.Call.SavedBy, e.Call.Sends, e.Call.Route.Class)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = transport.Close() })
	g, err := gateway.New(gateway.Options{Upstream: account, Transport: hide(transport), OnServed: func(s event.Served) {
		s.Receipt.Left, s.Receipt.Upstream = 0, 0
		k.told <- fmt.Sprint("served ", s.Client, s.Status, s.Bytes > 0, s.Cut, s.Refused, s.Request.URL, s.Header["Age"] != nil, s.Receipt)
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	k.addr = strings.TrimPrefix(server.URL, "http://")
	return k
}

// raw sends a request as it stands and returns the answer, without what the
// time changes in it, and with the gateway's address as GATEWAY.
func (k *keepingGateway) raw(t *testing.T, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", k.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	method, _, _ := strings.Cut(request, " ")
	request = strings.ReplaceAll(request, "HOST", "Host: "+k.addr+"\r\nAuthorization: Bearer x")
	request = strings.ReplaceAll(request, "PORT", k.addr[strings.LastIndexByte(k.addr, ':')+1:])
	if _, err := io.WriteString(conn, request+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("Content-Encoding") == "gzip" { // two accounts' addresses are not packed alike
		unpacked, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body, err = io.ReadAll(unpacked); err != nil {
			t.Fatal(err)
		}
		resp.ContentLength = min(resp.ContentLength, 0)
		resp.Header.Del("Content-Length")
	}
	var text strings.Builder
	fmt.Fprintln(&text, resp.Status, resp.ContentLength, resp.TransferEncoding, resp.Close)
	_ = resp.Header.Write(&text)
	text.Write(body)
	said := regexp.MustCompile(`(?m)^(Date|Age|X-Rate-Limit-Reset|Ratelimit-Reset):.*\r\n`).ReplaceAllString(text.String(), "")
	said = regexp.MustCompile(`(ttl=|dur=|Remaining: )\d+`).ReplaceAllString(said, "${1}N")
	return strings.ReplaceAll(strings.ReplaceAll(said, k.addr, "GATEWAY"), k.addr[strings.LastIndexByte(k.addr, ':'):], ":PORT")
}

func TestAHitPastTheProxyIsThatThroughIt(t *testing.T) {
	asIs := func(t http.RoundTripper) http.RoundTripper { return t }
	hidden := func(t http.RoundTripper) http.RoundTripper { return struct{ http.RoundTripper }{t} }
	short, long := keep(t, asIs), keep(t, hidden)
	for _, prime := range []string{"/api/v2/tickets/1.json", "/api/v2/tickets/2.json", "/api/v2/users/1.json", "/api/v2/tickets/a|b.json", "/api/v2/tickets.json?a=%7c|&b"} {
		for _, encoding := range []string{"", "\r\nAccept-Encoding: gzip"} {
			request := "GET " + prime + " HTTP/1.1\r\nHOST" + encoding
			if a, b := short.raw(t, request), long.raw(t, request); a != b {
				t.Errorf("%s: the first answers differ:\n%s\n%s", prime, a, b)
			}
		}
	}
	before := short.sends.Load()
	requests := []string{
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST",
		"GET /api/v2/tickets/1.json HTTP/1.0\r\nHOST",
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST\r\nConnection: close",
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST\r\nConnection: Keep-Alive",
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST\r\nConnection: X-Hop\r\nX-Hop: 1",
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST\r\nTe: trailers",
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST\r\nAccept-Encoding: gzip",
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST\r\nIf-None-Match: W/\"v1\"",
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST\r\nIf-None-Match: W/\"v2\"",
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST\r\nFlyball-Client: app\r\nFlyball-Class: interactive\r\nFlyball-Batch: allow",
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST\r\nPrefer: wait=3, respond-async",
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST\r\nPrefer: wait=3",
		"GET /api/v2/tickets/1.json HTTP/1.1\r\nHOST\r\nForwarded: for=1.2.3.4\r\nX-Forwarded-For: 1.2.3.4\r\nUser-Agent: x",
		"GET /api/v2/users/1.json HTTP/1.1\r\nHOST",
		"GET /api/v2/tickets/a|b.json HTTP/1.1\r\nHOST",
		"GET /api/v2/tickets.json?a=%7c|&b HTTP/1.1\r\nHOST",
		"HEAD /api/v2/tickets/1.json HTTP/1.1\r\nHOST",
		"GET /api/v2/tickets/2.json HTTP/1.1\r\nHOST",
		"GET /api/v2/tickets/2.json HTTP/1.1\r\nHOST\r\nIf-None-Match: \"strong\"",
		"GET /api/v2/users/1.json HTTP/1.1\r\nHOST\r\nAccept-Encoding: gzip",
	}
	// More names of the gateway than forms of an entry are kept.
	for _, name := range []string{"localhost:PORT", "a.localhost:PORT", "b.localhost", "c.localhost:1", "[::1]:PORT", "elsewhere.example"} {
		for _, path := range []string{"tickets/1.json", "tickets/2.json", "users/1.json"} {
			plain := "GET /api/v2/" + path + " HTTP/1.1\r\nHost: " + name + "\r\nAuthorization: Bearer x"
			requests = append(requests, plain, plain+"\r\nAccept-Encoding: gzip")
		}
	}
	for _, request := range append(requests, requests...) { // once more: now links have been turned already
		a, b := short.raw(t, request), long.raw(t, request)
		if a != b {
			t.Errorf("%s\npast the proxy:\n%.1500s\nthrough it:\n%.1500s", request, a, b)
		}
		if len(a) < 100 || strings.Contains(a, "; hit") && strings.Contains(a, "Set-Cookie") {
			t.Errorf("%s: answered %s", request, a)
		}
	}
	if short.sends.Load() != long.sends.Load() || short.saved.Load() != long.saved.Load() || short.saved.Load() < 10 || short.sends.Load() > before+3 {
		t.Errorf("past the proxy %d sends and %d saved, through it %d and %d", short.sends.Load(), short.saved.Load(), long.sends.Load(), long.saved.Load())
	}
	for range short.saved.Load() {
		if a, b := <-short.names, <-long.names; a != b || a == "" {
			t.Errorf("a hit past the proxy is %q's, through it %q's", a, b)
		}
	}
	calls := 2*10 + 2*2*len(requests) // primed and asked, each told twice
	if a, b := take(t, short.told, calls), take(t, long.told, calls); !slices.Equal(a, b) {
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("past the proxy those who watch are told %q, through it %q", a[i], b[i])
			}
		}
	}
}

// take returns n things told, in order of their text.
func take(t *testing.T, told chan string, n int) []string {
	t.Helper()
	all := make([]string, n)
	for i := range all {
		all[i] = within(t, told, "end of a call")
	}
	slices.Sort(all)
	return all
}

// discards is a client that takes everything and keeps nothing.
type discards struct{ header http.Header }

func (d *discards) Header() http.Header              { return d.header }
func (d *discards) Write(p []byte) (int, error)      { return len(p), nil }
func (d *discards) WriteHeader(int)                  {}
func (d *discards) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkHit is the gateway's own work for an answer out of its cache, past
// the proxy and through it.
func BenchmarkHit(b *testing.B) {
	account := &url.URL{Scheme: "https", Host: "acme.zendesk.com"}
	text := `{"ticket":{"id":1,"description":"` + strings.Repeat("a word ", 280) + `"}}`
	base := roundTrips(func(req *http.Request) (*http.Response, error) {
		h := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Etag": {`W/"1"`}, "X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"699"}}
		for i := range 12 {
			h.Set(fmt.Sprintf("X-Header-%d", i), "value")
		}
		return &http.Response{StatusCode: 200, Header: h, Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)), Request: req}, nil
	})
	for name, hide := range map[string]func(http.RoundTripper) http.RoundTripper{
		"past":    func(t http.RoundTripper) http.RoundTripper { return t },
		"through": func(t http.RoundTripper) http.RoundTripper { return struct{ http.RoundTripper }{t} },
	} {
		b.Run(name, func(b *testing.B) {
			store, _ := memory.New(memory.Options{})
			defer store.Close()
			transport, err := flyball.New(flyball.Options{
				Account: "acme", Base: base,
				Cache: cache.Options{Store: store, Rules: []cache.Rule{{Route: "GET /api/v2/tickets/{id}", Fresh: time.Hour}}},
			})
			if err != nil {
				b.Fatal(err)
			}
			defer transport.Close()
			g, err := gateway.New(gateway.Options{Upstream: account, Transport: hide(transport)})
			if err != nil {
				b.Fatal(err)
			}
			req := httptest.NewRequest(http.MethodGet, "/api/v2/tickets/1.json", nil)
			req.Host = "127.0.0.1:4290" // links in the answer are to lead here
			req.Header = http.Header{"Authorization": {"Basic YWdlbnQ="}, "Accept": {"application/json"}, "Accept-Encoding": {"gzip"}, "User-Agent": {"python-requests/2.32.3"}, "Connection": {"keep-alive"}}
			w := &discards{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				g.ServeHTTP(w, req)
			}
			if !strings.Contains(w.header.Get("Cache-Status"), "; hit") {
				b.Fatalf("no hit: %v", w.header)
			}
		})
	}
}

type roundTrips func(*http.Request) (*http.Response, error)

func (f roundTrips) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
