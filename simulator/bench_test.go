package simulator

import (
	"testing"
	"time"
)

// BenchmarkCall is the cost of one call through the RoundTripper without latency.
func BenchmarkCall(b *testing.B) {
	s := New(Options{Latency: Fixed(0), Window: time.Millisecond * 10, Limits: map[string]Limit{"account": {Off: true}}})
	c := client{nil, s.RoundTripper()}
	b.ReportAllocs()
	for b.Loop() {
		r, err := c.try(b.Context(), "GET", "/api/v2/tickets/1", "")
		if err != nil || r.StatusCode != 200 {
			b.Fatal(r, err)
		}
		_ = r.Body.Close()
	}
}
