package rivals

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// trusting follows the examples under "Using rate limit headers in your
// application" on Zendesk's page "Best practices for avoiding rate limiting":
// read remaining and reset of every answer, go on while something remains, else
// sleep until the reset; on a 429 sleep Retry-After. What was read is shared by
// all callers, as Okta's Terraform provider does for its API (its governed
// transport). Told, it stops at the others' share of the limit, which is that
// provider's max_api_capacity.
func trusting() policy {
	return policy{name: "trust the last remaining header", dial: plain(func(t told, base http.RoundTripper) http.RoundTripper {
		return &trust{base: base, seen: &header{remaining: t.limit}, keep: float64(t.limit) * t.others}
	})}
}

// trust holds calls back while the last answer said that no more than keep
// remains, or than what is asked for until the reset at so much a second.
type trust struct {
	base        http.RoundTripper
	seen        *header
	keep        float64
	keepASecond float64
}

// header is what the last answer said.
type header struct {
	mu        sync.Mutex
	remaining int
	reset     time.Time
}

func (x *trust) RoundTrip(req *http.Request) (*http.Response, error) {
	x.hold()
	return x.send(req)
}

// hold returns when enough remains.
func (x *trust) hold() {
	for wait := x.wait(); wait > 0; wait = x.wait() {
		time.Sleep(wait)
	}
}

func (x *trust) send(req *http.Request) (*http.Response, error) {
	resp, err := x.base.RoundTrip(req)
	if err == nil {
		x.seen.learn(resp.Header)
	}
	return resp, err
}

// wait is the time until the reset, or until less must be kept, and 0 for none.
func (x *trust) wait() time.Duration {
	x.seen.mu.Lock()
	defer x.seen.mu.Unlock()
	left := time.Until(x.seen.reset)
	over := x.keep + x.keepASecond*left.Seconds() - float64(x.seen.remaining)
	if over < 0 || left <= 0 {
		return 0
	}
	if x.seen.remaining > 0 && x.keepASecond > 0 {
		left = min(left, time.Duration(over/x.keepASecond*float64(time.Second))+time.Millisecond)
	}
	return left
}

func (h *header) learn(answer http.Header) {
	remaining, err := strconv.Atoi(answer.Get("Ratelimit-Remaining"))
	if err != nil {
		return
	}
	reset, err := strconv.Atoi(answer.Get("Ratelimit-Reset"))
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remaining, h.reset = remaining, time.Now().Add(time.Duration(reset)*time.Second)
}
