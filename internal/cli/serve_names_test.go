package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Page links lead to the name that the caller asked for, if it was allowed,
// or that a trusted proxy passes on; else to the listener's address.
func TestServeIsToldItsNames(t *testing.T) {
	env := func(string) string { return "" }
	sim, err := startCommand(env, "sim", "--listen", "127.0.0.1:0", "--latency", "0s")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "flyball.yaml")
	if err := os.WriteFile(file, []byte("allowed_hosts: file.example\naccounts: [{name: acme, upstream: "+sim.addresses[0]+"}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		flags           []string
		host, forwarded string
		want            string // the origin of links, "" for the listener's
	}{
		"nothing said":            {nil, "one.example", "", ""},
		"a name":                  {[]string{"--allow-host", "one.example"}, "one.example", "", "http://one.example"},
		"the second of two":       {[]string{"--allow-host", "one.example", "--allow-host", "two.example:8000"}, "two.example:8000", "", "http://two.example:8000"},
		"the file's":              {[]string{"--config", file}, "file.example", "", "http://file.example"},
		"the flag over the file":  {[]string{"--config", file, "--allow-host", "one.example"}, "file.example", "", ""},
		"a proxy that is trusted": {[]string{"--trust-peer", "10.0.0.0/8", "--trust-peer", "127.0.0.1"}, "", "proxy.example", "https://proxy.example"},
		"a proxy that is not":     {[]string{"--trust-peer", "10.0.0.0/8"}, "", "proxy.example", ""},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"serve", sim.addresses[0], "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, tt.flags...)
			gate, err := startCommand(env, args...)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if want == "" {
				want = gate.addresses[0]
			}
			if got := nextFrom(t, gate.addresses[0], tt.host, tt.forwarded); got != want+"/api/v2/tickets" {
				t.Errorf("the next page is at %s, want it on %s", got, want)
			}
			if err := gate.stop(); err != nil {
				t.Error(err)
			}
		})
	}
	if err := sim.stop(); err != nil {
		t.Error(err)
	}
}

// nextFrom asks for a page under a name, and returns where the next one is,
// without its query.
func nextFrom(t *testing.T, gate, host, forwarded string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, gate+"/api/v2/tickets.json?page[size]=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("Authorization", "Bearer any")
	if forwarded != "" {
		req.Header.Set("X-Forwarded-Host", forwarded)
		req.Header.Set("X-Forwarded-Proto", "https")
	}
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	resp, err := base.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var page struct{ Links struct{ Next string } }
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(page.Links.Next, "?")
	return before
}
