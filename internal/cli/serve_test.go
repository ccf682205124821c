package cli_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"
)

// TestServeLeavesNothingBehind starts a simulator and a gateway, makes calls,
// stops both, and looks for goroutines that stayed.
func TestServeLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	env := func(string) string { return "" }
	sim, err := startCommand(env, "sim", "--listen", "127.0.0.1:0", "--latency", "0s")
	if err != nil {
		t.Fatal(err)
	}
	gate, err := startCommand(env, "serve", sim.addresses[0], "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{}
	client := &http.Client{Transport: base}
	for range 5 {
		fetch(t, client, gate.addresses[0]+"/api/v2/tickets/1.json", http.StatusOK)
	}
	fetch(t, client, gate.addresses[1]+"/readyz", http.StatusOK)
	base.CloseIdleConnections()
	for _, s := range []*server{gate, sim} {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for runtime.NumGoroutine() > before {
		select {
		case <-ctx.Done():
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, want %d as before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func fetch(t *testing.T, client *http.Client, url string, want int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer any")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		t.Fatalf("GET %s: %s %s %v, want %d", url, resp.Status, text, err, want)
	}
}
