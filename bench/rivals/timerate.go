package rivals

import (
	"net/http"

	"golang.org/x/time/rate"
)

// timeRate follows the documentation of golang.org/x/time/rate: "Most callers
// should use Wait", on one Limiter of L calls a window and a burst of 1, the
// burst that harms least here. A caller that is refused all the same sleeps
// Retry-After and waits for the limiter again.
func timeRate() policy {
	return policy{name: "golang.org/x/time/rate at L", dial: plain(func(t told, base http.RoundTripper) http.RoundTripper {
		return limited(t, base)
	})}
}

func limited(t told, base http.RoundTripper) http.RoundTripper {
	limiter := rate.NewLimiter(rate.Limit(t.perSecond()), 1)
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if err := limiter.Wait(req.Context()); err != nil {
			return nil, err
		}
		return base.RoundTrip(req)
	})
}

// limitedIfTold puts a limiter before libraries that have none of their own, once
// they are told the rate.
func limitedIfTold(t told, base http.RoundTripper) http.RoundTripper {
	if !t.known {
		return base
	}
	return limited(t, base)
}
