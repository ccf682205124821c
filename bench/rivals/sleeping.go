package rivals

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// sleeping follows Zendesk's page "Best practices for avoiding rate limiting":
// on a 429, read Retry-After, sleep so many seconds, call again. That is what
// every caller here does by itself, so nothing stands between it and the account.
func sleeping() policy {
	return policy{name: "sleep on 429 (Zendesk's page)", dial: plain(func(_ told, base http.RoundTripper) http.RoundTripper {
		return base
	})}
}

// sleepingTogether is the same page's advice in its strongest form: one caller's
// 429 stops all callers until its Retry-After has passed.
func sleepingTogether() policy {
	return policy{name: "the same, one sleep for all callers", dial: plain(func(_ told, base http.RoundTripper) http.RoundTripper {
		return &sleep{base: base}
	})}
}

// sleep holds every call back until the last Retry-After has passed.
type sleep struct {
	base http.RoundTripper

	mu    sync.Mutex
	until time.Time
}

func (s *sleep) RoundTrip(req *http.Request) (*http.Response, error) {
	for wait := s.wait(); wait > 0; wait = s.wait() {
		time.Sleep(wait)
	}
	resp, err := s.base.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		s.stop(retryAfter(resp))
	}
	return resp, err
}

func (s *sleep) wait() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Until(s.until)
}

func (s *sleep) stop(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until := time.Now().Add(d); until.After(s.until) {
		s.until = until
	}
}

func discard(resp *http.Response) {
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}
