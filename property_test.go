package flyball_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

// A server whose minute is shorter is found out: nothing is configured.
func TestLearnsTheWindowFromTwoEnds(t *testing.T) {
	for _, window := range []time.Duration{10 * time.Second, 20 * time.Second} {
		for seed := range uint64(10) {
			t.Run(fmt.Sprintf("%s, seed %d", window, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := newAccount(t, 300+seed, simulator.Options{Window: window, Limit: 60}, governed)
					start := time.Now()
					workers(32, 600, func(i int) {
						if status, err := a.call(t.Context(), "GET", user(i)); err != nil || status == 429 {
							t.Errorf("call %d: %d, %v", i, status, err)
						}
					})
					if n := a.Ledger().Refused(); n != 0 {
						t.Errorf("%d refusals, want none", n)
					}
					if took := time.Since(start); took > 14*window {
						t.Errorf("600 calls at 60 a window of %s took %s", window, took)
					}
				})
			})
		}
	}
}

// Every fourth send refused with Retry-After 0 is slow, not endless.
func TestARetryAfterOfZeroIsBearable(t *testing.T) {
	for _, body := range simulator.Bodies() {
		permanent := body == simulator.BodyTotals || body == simulator.BodyDepth
		for i, wait := range []string{"0", "none", "0", "none"} {
			bare := i >= 2
			t.Run(fmt.Sprintf("%s, %s, bare %t", body, wait, bare), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := newAccount(t, 310, simulator.Options{BareRefusals: bare, Faults: []simulator.Fault{{Every: 4, Status: 429, RetryAfter: wait, Body: body}}}, governed)
					start := time.Now()
					workers(8, 160, func(i int) {
						if status, err := a.call(t.Context(), "GET", user(i)); err != nil || status == 429 && !permanent {
							t.Errorf("call %d: %d, %v", i, status, err)
						}
					})
					if took := time.Since(start); took > 5*time.Minute {
						t.Errorf("160 calls took %s", took)
					} else {
						t.Logf("160 calls took %s", took)
					}
				})
			})
		}
	}
}

// waitForms are ways of saying Retry-After that were seen. A date is put into
// words once the bubble's clock is known.
var waitForms = []string{"none", "0", "5", "7.5", "date"}

// accountNow is newAccount for a test that has slept by itself.
func accountNow(t *testing.T, seed uint64, o simulator.Options, by way) *account {
	t.Helper()
	o.Seed, o.Origin = seed, "https://acme.zendesk.com"
	sim := simulator.New(o)
	return &account{sim, &http.Client{Transport: by(t, sim.RoundTripper())}}
}

func refusedWith(wait string) string {
	if wait == "date" {
		return time.Now().Add(8 * time.Second).UTC().Format(http.TimeFormat)
	}
	return wait
}

func TestUpdatesSideBySideAreAllDoneDespiteRefusals(t *testing.T) {
	for _, wait := range waitForms {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%s, seed %d", wait, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Duration(seed) * 17 * time.Second)
					faults := []simulator.Fault{{Method: "PUT", Nth: []int{2, 5, 8}, Status: 429, RetryAfter: refusedWith(wait)}}
					a := accountNow(t, 320+seed, simulator.Options{Faults: faults}, governed)
					workers(10, 10, func(i int) {
						ctx := flyball.WithMaxWait(t.Context(), 50*time.Second)
						status, err := a.send(ctx, "PUT", fmt.Sprintf("/api/v2/tickets/%d.json", i+1), `{"ticket":{"priority":"high"}}`)
						if err != nil || status != 200 {
							t.Errorf("ticket %d: %d, %v", i+1, status, err)
						}
					})
					if n := a.Ledger().Refused(); n != 3 {
						t.Errorf("%d refusals, want the three that were made", n)
					}
				})
			})
		}
	}
}

func TestARefusedPageComesSoon(t *testing.T) {
	for _, wait := range waitForms {
		for _, body := range simulator.Bodies() {
			if body == simulator.BodyTotals || body == simulator.BodyDepth {
				continue // permanent
			}
			t.Run(fmt.Sprintf("%s, %s", wait, body), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(17 * time.Second)
					faults := []simulator.Fault{{Path: "/api/v2/tickets?*after*", Count: 1, Status: 429, RetryAfter: refusedWith(wait), Body: body}}
					a := accountNow(t, 330, simulator.Options{Tickets: 250, Faults: faults}, governed)
					next := nextPage(t, a, "/api/v2/tickets?page[size]=100")
					start := time.Now()
					nextPage(t, a, next)
					if took := time.Since(start); took > 15*time.Second {
						t.Errorf("the refused page took %s", took)
					}
					if n := a.Ledger().Refused(); n != 1 {
						t.Errorf("%d refusals, want one", n)
					}
				})
			})
		}
	}
}

// nextPage reads one page and returns the path of the next.
func nextPage(t *testing.T, a *account, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://acme.zendesk.com"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	resp, err := a.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var page struct {
		Tickets []struct{ ID int }
		Links   struct{ Next string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil || resp.StatusCode != 200 || len(page.Tickets) != 100 {
		t.Fatalf("%s: %d, %d tickets, %v", path, resp.StatusCode, len(page.Tickets), err)
	}
	return strings.TrimPrefix(page.Links.Next, "https://acme.zendesk.com")
}
