package simulator

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// limitHeaders are the names of the limit headers of an answer.
func limitHeaders(r *http.Response) []string {
	return slices.Sorted(func(yield func(string) bool) {
		for k := range maps.Keys(r.Header) {
			if strings.Contains(k, "Rate") && strings.Contains(strings.ToLower(k), "limit") && !yield(k) {
				return
			}
		}
	})
}

func TestHeaderModes(t *testing.T) {
	for mode, want := range map[HeaderMode]string{
		"":                "Ratelimit-Limit Ratelimit-Remaining Ratelimit-Reset X-Rate-Limit X-Rate-Limit-Remaining Zendesk-Ratelimit-Tickets-Index",
		HeadersCurrent:    "Ratelimit-Limit Ratelimit-Remaining Ratelimit-Reset X-Rate-Limit X-Rate-Limit-Remaining Zendesk-Ratelimit-Tickets-Index",
		Headers2023:       "Rate-Limit Rate-Limit-Remaining Rate-Limit-Reset X-Rate-Limit X-Rate-Limit-Remaining Zendesk-Rate-Limit-Tickets-Index",
		HeadersXRateLimit: "X-Rate-Limit X-Rate-Limit-Remaining",
		HeadersNone:       "",
	} {
		simulate(t, Options{Latency: Fixed(0), Headers: mode, Plan: "sandbox", Limit: 2}, func(t *testing.T, s *Simulator, c client) {
			until(17500 * time.Millisecond)
			r, _ := c.get("/api/v2/tickets.json")
			if got := strings.Join(limitHeaders(r), " "); got != want {
				t.Errorf("mode %q: %s\nwant %s", mode, got, want)
			}
			for k, v := range map[string]string{
				"X-Rate-Limit": "2", "X-Rate-Limit-Remaining": "1", "Ratelimit-Remaining": "1", "Rate-Limit-Reset": "43", "Ratelimit-Reset": "43",
				"Zendesk-Ratelimit-Tickets-Index": "total=100; remaining=99; resets=43",
			} {
				if got := r.Header.Get(k); got != "" && got != v {
					t.Errorf("mode %q: %s is %q, want %q", mode, k, got, v)
				}
			}
			c.get("/api/v2/groups")
			r, _ = c.get("/api/v2/groups")
			if r.StatusCode != 429 || r.Header.Get("Retry-After") != "43" {
				t.Errorf("mode %q: refused by %d, Retry-After %q", mode, r.StatusCode, r.Header.Get("Retry-After"))
			}
		})
	}
}

func TestBareRefusalsCarryOnlyRetryAfter(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0), Limit: 1, BareRefusals: true}, func(t *testing.T, s *Simulator, c client) {
		until(0)
		c.get("/api/v2/groups")
		r, _ := c.get("/api/v2/groups")
		if got := limitHeaders(r); len(got) != 0 || r.Header.Get("Retry-After") != "60" {
			t.Errorf("refused with %v, Retry-After %q", got, r.Header.Get("Retry-After"))
		}
	})
}

// TestResetIsSecondsToTheClockMinute holds what 3,737 recorded answers show: the
// date and the reset add up to a minute of the clock, or are a second late in a
// few of a hundred, and are never early.
func TestResetIsSecondsToTheClockMinute(t *testing.T) {
	simulate(t, Options{Plan: "high-volume"}, func(t *testing.T, s *Simulator, c client) {
		late := 0
		const calls = 2000
		for range calls {
			r, _ := c.get("/api/v2/groups")
			date, err := http.ParseTime(r.Header.Get("Date"))
			if err != nil {
				t.Fatal(err)
			}
			reset, err := time.ParseDuration(r.Header.Get("Ratelimit-Reset") + "s")
			if err != nil || reset < time.Second || reset > time.Minute {
				t.Fatalf("reset %q: %v", r.Header.Get("Ratelimit-Reset"), err)
			}
			switch date.Add(reset).Unix() % 60 {
			case 0:
			case 1:
				late++
			default:
				t.Fatalf("date %s and reset %s", date, reset)
			}
		}
		if share := float64(late) / calls; share < 0.01 || share > 0.08 {
			t.Errorf("%.1f %% of the sums are a second late; recorded: 3.3 %%", 100*share)
		}
	})
}

// TestBoundarySkewMakesRemainingAndResetDisagree looks for both recorded cases:
// a new count with an old reset, and an old count with a new reset.
func TestBoundarySkewMakesRemainingAndResetDisagree(t *testing.T) {
	simulate(t, Options{Latency: Fixed(0), BoundarySkew: 900 * time.Millisecond, Seed: 3}, func(t *testing.T, s *Simulator, c client) {
		early, late := 0, 0
		for range 20 {
			until(30 * time.Second)
			for range 50 {
				c.get("/api/v2/groups")
			}
			pass(29*time.Second + 950*time.Millisecond)
			r, _ := c.get("/api/v2/groups")
			if r.Header.Get("X-Rate-Limit-Remaining") == "699" && r.Header.Get("Ratelimit-Reset") == "1" {
				early++
			}
			pass(50 * time.Millisecond)
			r, _ = c.get("/api/v2/groups")
			if r.Header.Get("X-Rate-Limit-Remaining") < "660" && r.Header.Get("Ratelimit-Reset") == "60" {
				late++
			}
		}
		if early == 0 || late == 0 {
			t.Errorf("20 boundaries: %d early, %d late", early, late)
		}
	})
}

func TestOtherHeaders(t *testing.T) {
	simulate(t, Options{Latency: Fixed(100 * time.Millisecond)}, func(t *testing.T, s *Simulator, c client) {
		r, _ := c.get("/api/v2/groups")
		wantHeaders(t, r, "Server", "cloudflare", "X-Zendesk-Api-Version", "v2", "X-Zendesk-Zorg", "yes",
			"Cf-Ray", r.Header.Get("X-Request-Id"), "Cache-Control", "max-age=0, private, must-revalidate")
		if !strings.HasSuffix(r.Header.Get("X-Request-Id"), "-SEA") || !strings.HasPrefix(r.Header.Get("Etag"), `W/"`) {
			t.Errorf("request id %q, etag %q", r.Header.Get("X-Request-Id"), r.Header.Get("Etag"))
		}
		if len(r.Header.Values("Set-Cookie")) != 2 {
			t.Errorf("cookies: %q", r.Header.Values("Set-Cookie"))
		}
	})
}
