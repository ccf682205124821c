package cli_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/flyballhq/flyball/admin"
)

// With --usage-file a gateway that is started again shows what the one before
// it has counted.
func TestUseIsRememberedOverARestart(t *testing.T) {
	env := func(string) string { return "" }
	sim, err := startCommand(env, "sim", "--listen", "127.0.0.1:0", "--latency", "0s")
	if err != nil {
		t.Fatal(err)
	}
	defer sim.stop()
	file := filepath.Join(t.TempDir(), "usage")
	for run := 1; run <= 2; run++ {
		gate, err := startCommand(env, "serve", sim.addresses[0], "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--usage-file", file)
		if err != nil {
			t.Fatal(err)
		}
		fetch(t, http.DefaultClient, gate.addresses[0]+"/api/v2/tickets/1.json", http.StatusOK)
		fetch(t, http.DefaultClient, gate.addresses[0]+"/api/v2/tickets/2.json", http.StatusOK)
		for _, window := range []string{"10m", "6h", "30d"} {
			if doc := usageOf(t, gate.addresses[1], window); doc.Sum.Calls != int64(2*run) || doc.Sum.Sends != int64(2*run) {
				t.Errorf("run %d, %s: %d calls and %d sends, want %d", run, window, doc.Sum.Calls, doc.Sum.Sends, 2*run)
			}
		}
		if err := gate.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func usageOf(t *testing.T, address, window string) (doc admin.Usage) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/api/usage?window="+window, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc
}
