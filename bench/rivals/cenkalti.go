package rivals

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/cenkalti/backoff/v5"
)

// cenkalti follows cenkalti/backoff's own example (ExampleRetry): "If we are being
// rate limited, return a RetryAfter to specify how long to wait", under an
// ExponentialBackOff with the library's defaults. Told, a shared x/time/rate
// limiter stands before it.
func cenkalti() policy {
	return policy{name: "cenkalti/backoff v5", dial: plain(func(t told, base http.RoundTripper) http.RoundTripper {
		base = limitedIfTold(t, base)
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			return backoff.Retry(req.Context(), func() (*http.Response, error) { return backedOff(base, req) },
				backoff.WithBackOff(backoff.NewExponentialBackOff()))
		})
	})}
}

func backedOff(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := base.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusTooManyRequests {
		return resp, err
	}
	discard(resp)
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		return nil, backoff.RetryAfter(seconds)
	}
	return nil, fmt.Errorf("%s: %s", req.URL.Path, resp.Status)
}
