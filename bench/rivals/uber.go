package rivals

import (
	"net/http"

	"go.uber.org/ratelimit"
)

// uberRate follows go.uber.org/ratelimit's README: ratelimit.New(L, Per(window))
// and Take before each call; the default slack of 10. A refused caller sleeps
// Retry-After and takes again.
func uberRate() policy {
	return policy{name: "go.uber.org/ratelimit at L", dial: plain(func(t told, base http.RoundTripper) http.RoundTripper {
		limiter := ratelimit.New(t.calls(), ratelimit.Per(t.window))
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			limiter.Take()
			return base.RoundTrip(req)
		})
	})}
}
