package observe_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/observe"
	"github.com/flyballhq/flyball/simulator"
)

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Ten times what the account allows comes at once: the trials of most are held
// for minutes or not begun at all, and no call waits for any.
func TestNoTrialDelaysACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.Options{Origin: acme, Limit: 10, Latency: simulator.Fixed(time.Second)})
		watch, err := observe.New(observe.Options{Base: sim.RoundTripper(), Govern: flyball.Options{Account: acme}, Most: 50})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close() // ends the trials that are held: else the bubble never does
		began := time.Now()
		var all sync.WaitGroup
		for i := range 100 {
			req := reading(t, "/api/v2/users/me.json?n="+strconv.Itoa(i)) // none may join another
			all.Go(func() {
				resp, err := watch.RoundTrip(req)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			})
		}
		all.Wait()
		if took := time.Since(began); took != time.Second {
			t.Errorf("the calls took %s, want the account's 1s", took)
		}
		if r := watch.Report(); r.Unobserved != 50 || r.Passed.Calls != 100 {
			t.Errorf("%d not observed of %d, want 50 of 100", r.Unobserved, r.Passed.Calls)
		}
	})
}

// A request passes as it is, and so do an answer and an error.
func TestWhatPassesIsNotTouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got *http.Request
		broken := errors.New("broken")
		answer := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}
		watch, err := observe.New(observe.Options{
			Govern: flyball.Options{Account: acme},
			Base: transport(func(req *http.Request) (*http.Response, error) {
				if got = req; req.Method == http.MethodPost {
					return nil, broken
				}
				return answer, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		req := reading(t, "/api/v2/users/me.json")
		if resp, err := watch.RoundTrip(req); resp != answer || err != nil || got != req {
			t.Errorf("another request or answer: %v %v %v", got, resp, err)
		}
		req.Method, req.Body = http.MethodPost, io.NopCloser(strings.NewReader("{}"))
		if resp, err := watch.RoundTrip(req); resp != nil || err != broken {
			t.Errorf("got %v %v, want the base's error", resp, err)
		}
		time.Sleep(time.Minute)
		if r := watch.Report(); r.Passed.Calls != 2 || r.Passed.Failed != 1 || r.Governed.Calls != 2 {
			t.Errorf("%+v", r)
		}
	})
}

// Jobs' answers are looked at as they stream past: the slots that they take
// are given back when they end, and no trial is held for ever.
func TestTrialsSeeJobsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.Options{Origin: acme, JobLag: func(int) time.Duration { return time.Second }})
		watch, err := observe.New(observe.Options{Base: sim.RoundTripper(), Govern: flyball.Options{Account: acme}})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		for range 40 { // more than run at once
			req := reading(t, "/api/v2/tickets/update_many.json?ids=1,2")
			req.Method, req.Body = http.MethodPut, io.NopCloser(strings.NewReader(`{"ticket":{"priority":"high"}}`))
			req.Header.Set("Content-Type", "application/json")
			started, text := read(t, watch, req)
			if started.StatusCode != http.StatusOK {
				t.Fatalf("%s %s", started.Status, text)
			}
			_, id, _ := strings.Cut(text, `"id":"`)
			id, _, _ = strings.Cut(id, `"`)
			time.Sleep(2 * time.Second)
			read(t, watch, reading(t, "/api/v2/job_statuses/"+id+".json"))
		}
		time.Sleep(time.Minute)
		if r := watch.Report(); r.Governed.Calls != 80 || r.Waiting != 0 || r.Governed.Held > 10 {
			t.Errorf("%+v", r)
		}
	})
}

func read(t *testing.T, rt http.RoundTripper, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func reading(t *testing.T, path string) *http.Request {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, acme+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer any")
	return req
}
