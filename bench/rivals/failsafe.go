package rivals

import (
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/adaptivethrottler"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
)

// long is a wait that no call here reaches.
const long = 24 * time.Hour

// failsafeRate follows failsafe-go's HTTP and rate limiter pages: a RoundTripper
// of NewRetryPolicyBuilder ("If a Retry-After header is present in the response,
// it will be used as a delay") around one smooth rate limiter that all callers
// share, with a max wait time so that it waits instead of failing.
func failsafeRate() policy {
	return policy{name: "failsafe-go rate limiter + retry, at L", dial: plain(func(t told, base http.RoundTripper) http.RoundTripper {
		limiter := ratelimiter.NewSmoothBuilder[*http.Response](uint(t.calls()), t.window).WithMaxWaitTime(long).Build()
		return failsafehttp.NewRoundTripper(base, failsafehttp.NewRetryPolicyBuilder().Build(), limiter)
	})}
}

// failsafeAdaptive follows failsafe-go's adaptive limiter page: the default
// concurrency limits (1 to 200, 20 at first) under the HTTP retry policy, waiting
// for a permit instead of failing. Told, a shared x/time/rate limiter stands
// before it.
func failsafeAdaptive() policy {
	return policy{name: "failsafe-go adaptive limiter + retry", dial: plain(func(t told, base http.RoundTripper) http.RoundTripper {
		limiter := adaptivelimiter.NewBuilder[*http.Response]().WithMaxWaitTime(long).Build()
		return failsafehttp.NewRoundTripper(limitedIfTold(t, base), failsafehttp.NewRetryPolicyBuilder().Build(), limiter)
	})}
}

// failsafeThrottler follows failsafe-go's adaptive throttler page ("adaptive
// throttling, as described in the Google SRE book"): calls are refused here with
// a probability that grows with the share of 429s of the last window.
func failsafeThrottler() policy {
	return policy{name: "failsafe-go adaptive throttler + retry", dial: plain(func(t told, base http.RoundTripper) http.RoundTripper {
		throttler := adaptivethrottler.NewBuilder[*http.Response]().
			HandleIf(refused).
			WithFailureRateThreshold(0.1, 20, t.window).
			Build()
		return failsafehttp.NewRoundTripper(base, failsafehttp.NewRetryPolicyBuilder().Build(), throttler)
	})}
}
