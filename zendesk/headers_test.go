package zendesk

import (
	"net/http"
	"testing"
	"time"
)

func TestReadKnowsThreeSpellings(t *testing.T) {
	for name, h := range map[string]http.Header{
		"2023": {"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"696"}, "Rate-Limit": {"700"}, "Rate-Limit-Remaining": {"696"}, "Rate-Limit-Reset": {"43"}},
		"2024": {"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"696"}, "Ratelimit-Limit": {"700"}, "Ratelimit-Remaining": {"696"}, "Ratelimit-Reset": {"43"}},
		"raw":  {"x-rate-limit": {"700"}, "X-RATE-LIMIT-REMAINING": {"696"}, "x-Rate-Limit-Reset": {"43"}},
	} {
		r := routeOf(t, "GET", "/api/v2/users")
		a := New(UnknownPlan).Read(&r, 200, h)
		got := a.Readings()
		if len(got) != 1 || got[0].Limit != 700 || got[0].Remaining != 696 || !got[0].HasReset || got[0].Reset != 43*time.Second || !got[0].Rule.Primary {
			t.Errorf("%s: read %+v", name, got)
		}
		if !a.Counted || a.Refused {
			t.Errorf("%s: counted %v refused %v", name, a.Counted, a.Refused)
		}
	}
}

func recordedHeader() http.Header {
	return http.Header{
		"Date": {"Thu, 08 Feb 2024 17:44:18 GMT"}, "Content-Type": {"application/json; charset=utf-8"},
		"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"673"},
		"Ratelimit-Limit": {"700"}, "Ratelimit-Remaining": {"673"}, "Ratelimit-Reset": {"42"},
		"Zendesk-Ratelimit-Tickets-Index": {"total=100; remaining=99; resets=43"},
		"Cache-Control":                   {"max-age=0, private, must-revalidate"},
		"Etag":                            {`W/"5a1b8b0f0b4b1f0e5a1b8b0f0b4b1f0e"`}, "X-Request-Id": {"808d59e87fdb27f9-SEA"}, "Server": {"cloudflare"},
	}
}

func BenchmarkRead(b *testing.B) {
	r := routeOf(b, "GET", "/api/v2/tickets")
	p, h := New(Enterprise), recordedHeader()
	b.ReportAllocs()
	for b.Loop() {
		if a := p.Read(&r, 200, h); len(a.Readings()) != 2 {
			b.Fatal("two readings expected")
		}
	}
}
