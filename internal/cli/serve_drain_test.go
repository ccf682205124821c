package cli_test

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A log is rotated also while a gateway drains: SIGHUP opens it anew until the
// last call has ended, and the lines of those calls go to the new file.
func TestSIGHUPIsObeyedWhileServeDrains(t *testing.T) {
	env := func(string) string { return "" }
	answer := make(chan struct{})
	account := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-answer
	}))
	defer account.Close()
	finish := sync.OnceFunc(func() { close(answer) })
	defer finish()
	file := filepath.Join(t.TempDir(), "access.log")
	gate, err := startCommand(env, "serve", account.URL, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--access-log", file)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, gate.addresses[0]+"/api/v2/tickets.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer any")
	resp, err := http.DefaultClient.Do(req) // its end is still to come
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	gate.cancel()
	eventually(t, "the gateway drains", func() bool { return notReady(t, gate.addresses[1]) })
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	hangUp(t)
	eventually(t, "the access log is opened anew", func() bool {
		_, err := os.Stat(file)
		return !errors.Is(err, fs.ErrNotExist)
	})
	finish()
	if err := gate.stop(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(file); err != nil || strings.Count(string(text), "\n") != 1 {
		t.Errorf("the new access log holds %q %v, want the call's line", text, err)
	}
}

func notReady(t *testing.T, admin string) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, admin+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusServiceUnavailable
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for late := time.After(patience); !holds(); {
		select {
		case <-late:
			t.Fatalf("not within %s: %s", patience, what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
