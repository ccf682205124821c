package flyball_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/memory"
	"github.com/flyballhq/flyball/elide"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// syncTickets writes 50 tickets with the values of round, and returns how many
// the account has not answered well.
func syncTickets(t *testing.T, client *http.Client, round string) (bad int) {
	t.Helper()
	for id := 1; id <= 50; id++ {
		body := fmt.Sprintf(`{"ticket":{"external_id":"e-%d","subject":%q}}`, id, round)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, fmt.Sprintf("https://acme.zendesk.com/api/v2/tickets/%d.json", id), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer sync")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(text), fmt.Sprintf(`"external_id":"e-%d"`, id)) {
			bad++
		}
	}
	return bad
}

// incidents counts those of the 50 tickets that follow a problem: what they
// say is not theirs alone.
func incidents(t *testing.T, sim *simulator.Simulator) (n int) {
	t.Helper()
	client := &http.Client{Transport: sim.RoundTripper()}
	for id := 1; id <= 50; id++ {
		got := fetch(t.Context(), client, fmt.Sprintf("/api/v2/tickets/%d.json", id))
		outer, _ := got.value.(map[string]any)
		ticket, _ := outer["ticket"].(map[string]any)
		if ticket["problem_id"] != nil {
			n++
		}
	}
	return n
}

func TestASyncThatWritesTheSameAgainCostsNothing(t *testing.T) {
	store, err := memory.New(memory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for name, o := range map[string]flyball.Options{
		"alone":           {},
		"below the cache": {Cache: cache.Options{Store: store, Rules: []cache.Rule{{Route: "GET /api/v2/tickets/{id}", Fresh: time.Minute}}}},
		"above merging":   {Batch: flyball.Batch{Routes: []string{"GET /api/v2/tickets/{id}"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := simulator.New(simulator.Options{Origin: "https://acme.zendesk.com"})
				o.Account, o.Base, o.Elide = "acme", sim.RoundTripper(), elide.Options{Within: time.Hour}
				transport, err := flyball.New(o)
				if err != nil {
					t.Fatal(err)
				}
				defer transport.Close()
				client := &http.Client{Transport: transport}
				sends := func() int { return sim.Ledger().Sends }

				bad := syncTickets(t, client, "first")
				first := sends()
				bad += syncTickets(t, client, "first")
				again := sends() - first
				bad += syncTickets(t, client, "second")
				changed := sends() - first - again
				// Some records share a plot with another, which only forgets.
				steady, shared := 50-incidents(t, sim), 6
				if bad != 0 || first < 50 || again < 50-steady || again > 50-steady+shared || changed < 50 {
					t.Errorf("%d answered badly; %d sends, the same again %d, all changed %d; want 50, %d or a few more, 50", bad, first, again, changed, 50-steady)
				}
				saved := 0
				for _, s := range transport.Snapshot().Saved {
					if s.Cause == limit.Elided {
						saved = s.Sends
					}
				}
				if saved != 50-again {
					t.Errorf("%d sends are told as saved, want %d", saved, 50-again)
				}
			})
		})
	}
}

func TestElideIsOffUntilAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.Options{Origin: "https://acme.zendesk.com"})
		transport, err := flyball.New(flyball.Options{Account: "acme", Base: sim.RoundTripper()})
		if err != nil {
			t.Fatal(err)
		}
		defer transport.Close()
		client := &http.Client{Transport: transport}
		syncTickets(t, client, "same")
		if bad := syncTickets(t, client, "same"); bad != 0 || sim.Ledger().Sends < 100 {
			t.Errorf("%d sends for 100 writes, %d answered badly", sim.Ledger().Sends, bad)
		}
	})
	if _, err := flyball.New(flyball.Options{Account: "acme", Elide: elide.Options{Within: -1}}); err == nil || !strings.Contains(err.Error(), "Elide: Within") {
		t.Errorf("got %v, want an error that names the option", err)
	}
}
