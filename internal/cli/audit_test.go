package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/audit"
	"github.com/flyballhq/flyball/internal/cli"
)

// runIt runs a command and returns its status and what it printed.
func runIt(t *testing.T, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	s := cli.Streams{In: strings.NewReader(""), Out: &o, Err: &e, Env: func(string) string { return "" }}
	return cli.Main(t.Context(), args, s), o.String(), e.String()
}

// wasteful is a log with repeats, reads and writes that could be merged, and a
// write that changes nothing, as a HAR.
func wasteful(t *testing.T) string {
	t.Helper()
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	var entries []any
	add := func(after, took time.Duration, method, path, sent, body string) {
		entries = append(entries, map[string]any{
			"startedDateTime": start.Add(after), "time": took.Milliseconds(),
			"request":  map[string]any{"method": method, "url": "https://acme.zendesk.com" + path, "postData": map[string]any{"text": sent}},
			"response": map[string]any{"status": 200, "content": map[string]any{"text": body}},
		})
	}
	for i := range 30 {
		add(time.Duration(i)*4*time.Second, time.Second, "GET", "/api/v2/ticket_fields.json", "", "{}")
		add(5*time.Minute+time.Duration(i)*10*time.Millisecond, time.Second, "GET", fmt.Sprintf("/api/v2/users/%d.json", i+1), "", "{}")
		add(6*time.Minute+time.Duration(i)*10*time.Millisecond, time.Second, "PUT", fmt.Sprintf("/api/v2/tickets/%d.json", i+1), `{"ticket":{"status":"open"}}`, "{}")
	}
	add(time.Hour, time.Second, "GET", "/api/v2/tickets/7.json", "", `{"ticket":{"id":7,"status":"open"}}`)
	add(time.Hour+2*time.Second, time.Second, "PUT", "/api/v2/tickets/7.json", `{"ticket":{"status":"open"}}`, "{}")
	raw, err := json.Marshal(map[string]any{"log": map[string]any{"entries": entries}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "wasteful.har")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What audit proposes is a configuration that flyball takes, with every kind
// of setting in it.
func TestProposedSettingsAreAConfiguration(t *testing.T) {
	status, out, errs := runIt(t, "audit", "--account", "acme", "--json", wasteful(t))
	if status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	var report audit.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"name: acme", "match: GET /api/v2/ticket_fields", "fresh: 5m", "within: 1m",
		"match: GET /api/v2/users/*", "match: PUT /api/v2/tickets/*", "batch: allow",
	} {
		if !strings.Contains(report.Settings, want) {
			t.Errorf("the settings lack %q:\n%s", want, report.Settings)
		}
	}
	file := filepath.Join(t.TempDir(), "flyball.yaml")
	if err := os.WriteFile(file, []byte(report.Settings), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, errs := runIt(t, "config", "check", file); status != 0 {
		t.Errorf("config check = %d: %s%s\n%s", status, out, errs, report.Settings)
	}
}
