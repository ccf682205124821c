package rivals

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// awsAdaptive drives the AWS SDK's retry.NewAdaptiveMode as the SDK's own attempt
// middleware does: an attempt token before each send, its release with the
// outcome, then RetryDelay. A 429 is declared a throttle and retryable by the
// options meant for that, the retry quota is off (ratelimit.None) and the number
// of attempts unbounded, both documented; and Retry-After, which the SDK does not
// read, is obeyed. Told, a shared x/time/rate limiter stands before it.
func awsAdaptive() policy {
	return policy{name: "AWS SDK adaptive retryer", dial: plain(func(t told, base http.RoundTripper) http.RoundTripper {
		a := &adaptive{base: limitedIfTold(t, base), retryer: retry.NewAdaptiveMode(awsOptions)}
		return roundTripper(a.roundTrip)
	})}
}

func awsOptions(o *retry.AdaptiveModeOptions) {
	o.Throttles = append(o.Throttles, retry.IsErrorThrottleFunc(isThrottle))
	o.StandardOptions = append(o.StandardOptions, func(o *retry.StandardOptions) {
		o.MaxAttempts = 0
		o.RateLimiter = ratelimit.None
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(isThrottle))
	})
}

func isThrottle(err error) aws.Ternary {
	if e := (throttled{}); errors.As(err, &e) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// throttled is a 429 as an error.
type throttled struct{ wait time.Duration }

func (e throttled) Error() string { return fmt.Sprintf("429: retry after %s", e.wait) }

type adaptive struct {
	base    http.RoundTripper
	retryer *retry.AdaptiveMode
}

func (a *adaptive) roundTrip(req *http.Request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := a.attempt(req)
		if err == nil || !a.retryer.IsErrorRetryable(err) {
			return resp, err
		}
		delay, failed := a.retryer.RetryDelay(attempt, err)
		if failed != nil {
			return nil, failed
		}
		if e := (throttled{}); errors.As(err, &e) {
			delay = max(delay, e.wait)
		}
		time.Sleep(delay)
	}
}

func (a *adaptive) attempt(req *http.Request) (*http.Response, error) {
	release, err := a.retryer.GetAttemptToken(costly{req.Context()})
	if err != nil {
		return nil, err
	}
	resp, err := a.base.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		discard(resp)
		err = throttled{retryAfter(resp)}
	}
	if failed := release(err); failed != nil {
		return nil, failed
	}
	return resp, err
}

// costly is a context whose Done takes a microsecond. The SDK's wait for a token
// is a loop whose last waits round to nothing; on a clock that stands still while
// code runs it would never end.
type costly struct{ context.Context }

func (c costly) Done() <-chan struct{} {
	time.Sleep(time.Microsecond)
	return c.Context.Done()
}
