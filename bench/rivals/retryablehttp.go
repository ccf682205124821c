package rivals

import (
	"net/http"

	"github.com/hashicorp/go-retryablehttp"
)

// retryableHTTP follows go-retryablehttp's README: NewClient with its defaults
// (4 retries; "DefaultBackoff ... tries to parse Retry-After response header when
// a 429 is found"), used through StandardClient. PassthroughErrorHandler hands
// the last answer on, so that the caller knows how long to wait. Told, a shared
// x/time/rate limiter stands before it.
func retryableHTTP() policy {
	return policy{name: "hashicorp/go-retryablehttp", dial: plain(func(t told, base http.RoundTripper) http.RoundTripper {
		client := retryablehttp.NewClient()
		client.HTTPClient = &http.Client{Transport: limitedIfTold(t, base)}
		client.Logger = nil
		client.ErrorHandler = retryablehttp.PassthroughErrorHandler
		return &retryablehttp.RoundTripper{Client: client}
	})}
}
