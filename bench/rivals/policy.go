package rivals

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// A kind is what a call is for.
type kind int

const (
	bulk kind = iota
	interactive
)

// told is what a policy is told of the account. Every policy may know its limit,
// for the plan's page states it; the others' mean is what nobody can look up.
type told struct {
	limit  int
	window time.Duration
	known  bool    // told the others' mean
	others float64 // that mean, as a share of the limit
	share  int     // of so many processes: each takes its part of the rate; 0: all of it
}

// calls is the number of calls a window to plan with.
func (t told) calls() int {
	return max(1, int(float64(t.limit)*(1-t.others))/max(1, t.share))
}

// perSecond is the same as a rate.
func (t told) perSecond() float64 { return float64(t.calls()) / t.window.Seconds() }

// A policy is a way of calling an account.
type policy struct {
	name string
	// told policies know the others' mean.
	told bool
	// shared policies take 1/n of the rate in each of n processes.
	shared bool
	// dial makes one process's way to the account, and what ends it.
	dial func(t told, base http.RoundTripper) (http.RoundTripper, func())
	// label puts what the caller knows of the call into its context; nil is
	// nothing.
	label func(ctx context.Context, k kind, client string) context.Context
}

// plain is a dial for what needs no end.
func plain(wrap func(t told, base http.RoundTripper) http.RoundTripper) func(told, http.RoundTripper) (http.RoundTripper, func()) {
	return func(t told, base http.RoundTripper) (http.RoundTripper, func()) { return wrap(t, base), func() {} }
}

// roundTripper makes a transport of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// retryAfter is how long a refused caller waits: what the answer says, and a
// second where it says nothing or 0.
func retryAfter(resp *http.Response) time.Duration {
	if resp == nil {
		return time.Second
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return time.Duration(max(1, seconds)) * time.Second
}

func refused(resp *http.Response, err error) bool {
	return err != nil || resp.StatusCode == http.StatusTooManyRequests
}

// policies are all that meet in one process, flyball first.
func policies() []policy {
	return []policy{
		flyballLabelled(), flyballUnlabelled(),
		sleeping(), sleepingTogether(), trusting(),
		retryableHTTP(), cenkalti(), awsAdaptive(),
		timeRate(), uberRate(), failsafeRate(), failsafeAdaptive(), failsafeThrottler(),
		knowing(trusting()), knowing(retryableHTTP()), knowing(cenkalti()), knowing(awsAdaptive()),
		knowing(timeRate()), knowing(uberRate()), knowing(failsafeRate()), knowing(failsafeAdaptive()),
		handMade(), handKept(),
	}
}

// apart are those that meet in four processes.
func apart() []policy {
	return []policy{
		flyballLabelled(), flyballUnlabelled(), sleeping(), trusting(), awsAdaptive(),
		timeRate(), fourth(timeRate()), fourth(knowing(timeRate())), fourth(handKept()),
	}
}

// meetingOddWindows are flyball and one rival of each kind: those that obey
// refusals, that read headers, that adapt, that keep a rate, and the strongest.
func meetingOddWindows() []policy {
	return []policy{
		flyballLabelled(), flyballUnlabelled(), sleeping(), trusting(), awsAdaptive(), timeRate(), knowing(timeRate()), handKept(),
	}
}

// knowing is a policy told the others' mean.
func knowing(p policy) policy {
	p.name, p.told = p.name+", told", true
	return p
}

// fourth is a policy that takes a quarter of the rate in each of four processes.
func fourth(p policy) policy {
	p.name, p.shared = p.name+", a quarter each", true
	return p
}
