package flyball_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// The twins below are the ways of doing that were found elsewhere, each with
// its fault. A promise's check must fail on the twin.

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func discard(resp *http.Response) {
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// sleepsOn429 is the vendor's own snippet: each call sleeps by itself.
func sleepsOn429(_ *testing.T, base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		for {
			resp, err := base.RoundTrip(again(req))
			if err != nil || resp.StatusCode != 429 {
				return resp, err
			}
			discard(resp)
			time.Sleep(retryAfter(resp))
		}
	})
}

// again is the request with its body anew.
func again(req *http.Request) *http.Request {
	if req.GetBody == nil {
		return req
	}
	clone := req.Clone(req.Context())
	clone.Body, _ = req.GetBody()
	return clone
}

func retryAfter(resp *http.Response) time.Duration {
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return time.Duration(max(1, seconds)) * time.Second
}

// stopsAll is a gate that one 429 shuts for every call.
func stopsAll(_ *testing.T, base http.RoundTripper) http.RoundTripper {
	var mu sync.Mutex
	var until time.Time
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		for {
			mu.Lock()
			wait := time.Until(until)
			mu.Unlock()
			time.Sleep(wait)
			resp, err := base.RoundTrip(again(req))
			if err != nil || resp.StatusCode != 429 {
				return resp, err
			}
			discard(resp)
			mu.Lock()
			until = time.Now().Add(retryAfter(resp))
			mu.Unlock()
		}
	})
}

// learnsByRoute believes "0 remaining" for the path that said it, alone.
func learnsByRoute(_ *testing.T, base http.RoundTripper) http.RoundTripper {
	var mu sync.Mutex
	until := map[string]time.Time{}
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		for {
			mu.Lock()
			wait := time.Until(until[req.URL.Path])
			mu.Unlock()
			time.Sleep(wait)
			resp, err := base.RoundTrip(again(req))
			if err != nil {
				return nil, err
			}
			reset, _ := strconv.Atoi(resp.Header.Get("Ratelimit-Reset"))
			if resp.Header.Get("Ratelimit-Remaining") == "0" {
				mu.Lock()
				until[req.URL.Path] = time.Now().Add(time.Duration(reset) * time.Second)
				mu.Unlock()
			}
			if resp.StatusCode != 429 {
				return resp, nil
			}
			discard(resp)
			time.Sleep(retryAfter(resp))
		}
	})
}

// oneAtATime lets each call wait for the one before it.
func oneAtATime(_ *testing.T, base http.RoundTripper) http.RoundTripper {
	turn := make(chan struct{}, 1) // a mutex would stop virtual time
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		turn <- struct{}{}
		defer func() { <-turn }()
		return base.RoundTrip(req)
	})
}

// trustsTheLast sends while the last answer seen says that something remains,
// and stops until the reset when it says that nothing does.
func trustsTheLast(_ *testing.T, base http.RoundTripper) http.RoundTripper {
	var mu sync.Mutex
	remaining, until := 1, time.Time{}
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		for {
			mu.Lock()
			wait := time.Until(until)
			if remaining > 0 {
				wait = 0
			} else if wait <= 0 {
				remaining = 1
			}
			mu.Unlock()
			time.Sleep(max(0, wait))
			resp, err := base.RoundTrip(again(req))
			if err != nil {
				return nil, err
			}
			mu.Lock()
			if left, err := strconv.Atoi(resp.Header.Get("Ratelimit-Remaining")); err == nil {
				reset, _ := strconv.Atoi(resp.Header.Get("Ratelimit-Reset"))
				remaining, until = left, time.Now().Add(time.Duration(reset)*time.Second)
			}
			mu.Unlock()
			if resp.StatusCode != 429 {
				return resp, nil
			}
			discard(resp)
			time.Sleep(retryAfter(resp))
		}
	})
}

// typedIn spaces calls by a limit that somebody typed in.
func typedIn(perMinute int) way {
	return func(_ *testing.T, base http.RoundTripper) http.RoundTripper {
		var mu sync.Mutex
		var next time.Time
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			mu.Lock()
			at := next
			if now := time.Now(); at.Before(now) {
				at = now
			}
			next = at.Add(time.Minute / time.Duration(perMinute))
			mu.Unlock()
			time.Sleep(time.Until(at))
			return base.RoundTrip(req)
		})
	}
}

// A trial is one load on one account, and what its check found wrong ("" for
// nothing).
type trial struct {
	seed uint64
	sim  simulator.Options
	run  func(t *testing.T, a *account) (fault string)
}

// keeps runs the trial through flyball, where its check must find nothing, and
// through the twin, where it must find the fault.
func (tr trial) keeps(t *testing.T, by, twin way) {
	t.Helper()
	one := func(by way) (fault string) {
		synctest.Test(t, func(t *testing.T) { fault = tr.run(t, newAccount(t, tr.seed, tr.sim, by)) })
		return fault
	}
	if fault := one(by); fault != "" {
		t.Error(fault)
	}
	if fault := one(twin); fault == "" {
		t.Error("the check finds nothing on the faulty twin either")
	} else {
		t.Logf("the twin: %s", fault)
	}
}

func newText(s string) io.Reader { return strings.NewReader(s) }
