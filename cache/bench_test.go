package cache

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// BenchmarkHit is a fresh answer of 2 KB out of a store that costs nothing.
func BenchmarkHit(b *testing.B) {
	origin := roundTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: 200, Body: io.NopCloser(strings.NewReader(strings.Repeat("x", 2048))), ContentLength: 2048,
			Header: http.Header{
				"Content-Type": {"application/json; charset=utf-8"}, "Cache-Control": {"max-age=0, private, must-revalidate"},
				"Etag": {`W/"5d41402abc4b2a76b9719d911017c592"`}, "Strict-Transport-Security": {"max-age=31536000;"},
				"Vary": {"Accept-Encoding"}, "X-Request-Id": {"8f0c1d2e3b4a5968-FRA"}, "X-Runtime": {"0.181934"}, "Server": {"cloudflare"},
				"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"699"}, "Ratelimit-Limit": {"700"}, "Ratelimit-Remaining": {"699"}, "Ratelimit-Reset": {"30"},
			}, Request: req,
		}, nil
	})
	c := New(Options{Store: &shelf{entries: map[string]*Entry{}}, Rules: []Rule{{Route: "GET /kept", Fresh: time.Hour}}}, Seams{Account: "acme", Provider: plain{}})
	defer c.Close()
	rt := c.Layer()(origin)
	req, _ := http.NewRequestWithContext(b.Context(), "GET", "https://acme.example/kept", nil)
	req.Header.Set("Authorization", "Bearer x")
	req.Header.Set("Accept", "application/json")
	req = req.WithContext(limit.WithCall(req.Context(), &limit.Call{Route: plain{}.Route(req)}))
	b.ReportAllocs()
	for b.Loop() {
		resp, err := rt.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
