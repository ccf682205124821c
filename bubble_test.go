package flyball_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// recorder runs a handler and hands its answer over when it is complete, as
// tests often do.
func recorder(h http.Handler) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		req = req.Clone(req.Context())
		req.Body = http.NoBody
		h.ServeHTTP(w, req)
		return w.Result(), nil
	})
}

// Behaviour I11: in virtual time the simulator starts at any second of a minute, streams, and is cancelled.
func TestTheSimulatorIsAServerInVirtualTime(t *testing.T) {
	check := func(mount func(*simulator.Simulator) http.RoundTripper, settle time.Duration) (fault string) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(settle)
			if time.Now().Second() == 0 {
				fault += "it starts with the minute; "
			}
			sim := simulator.New(simulator.Options{
				Origin: "https://acme.zendesk.com", Latency: simulator.Fixed(time.Second),
				Faults: []simulator.Fault{{Path: "/api/v2/users.json", SlowBody: 10 * time.Second}},
			})
			client := &http.Client{Transport: mount(sim)}
			fault += streams(t, client) + cancels(t, client)
		})
		return fault
	}
	if fault := check((*simulator.Simulator).RoundTripper, 17*time.Second); fault != "" {
		t.Error(fault)
	}
	twin := func(sim *simulator.Simulator) http.RoundTripper { return recorder(sim) }
	if fault := check(twin, 0); fault == "" {
		t.Error("the check finds nothing on the faulty twin either")
	} else {
		t.Logf("the twin: %s", fault)
	}
}

func streams(t *testing.T, client *http.Client) string {
	start := time.Now()
	resp, err := client.Do(reading(t.Context(), "/api/v2/users.json"))
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	first := time.Since(start)
	io.Copy(io.Discard, resp.Body)
	if whole := time.Since(start); first >= whole {
		return fmt.Sprintf("the answer came whole after %s; ", whole)
	}
	return ""
}

func cancels(t *testing.T, client *http.Client) string {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	resp, err := client.Do(reading(ctx, "/api/v2/groups.json"))
	if err == nil {
		resp.Body.Close()
	}
	if took := time.Since(start); took > 100*time.Millisecond {
		return fmt.Sprintf("a call cancelled after 100ms took %s; ", took)
	}
	return ""
}

func reading(ctx context.Context, path string) *http.Request {
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://acme.zendesk.com"+path, nil)
	req.Header.Set("Authorization", "Bearer token")
	return req
}
