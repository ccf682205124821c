package cli_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A configured is flyball serve with a file, in front of a simulator.
type configured struct {
	file, text string // text has %s where what may change stands
	gate       *server
	client     *http.Client
}

// startConfigured starts both, and stops them when the test ends.
func startConfigured(t *testing.T, text, first string) *configured {
	t.Helper()
	env := func(string) string { return "" }
	sim, err := startCommand(env, "sim", "--listen", "127.0.0.1:0", "--latency", "0s")
	if err != nil {
		t.Fatal(err)
	}
	c := &configured{
		file: filepath.Join(t.TempDir(), "flyball.yaml"), client: &http.Client{Transport: &http.Transport{}},
		text: strings.ReplaceAll(text, "SIM", sim.addresses[0]),
	}
	c.write(t, first)
	c.gate, err = startCommand(env, "serve", "--config", c.file, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.stop(t)
		if err := sim.stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// write replaces the file at once, as a deployment does.
func (c *configured) write(t *testing.T, what string) {
	t.Helper()
	fresh := c.file + ".new"
	if err := os.WriteFile(fresh, fmt.Appendf(nil, c.text, what), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fresh, c.file); err != nil {
		t.Fatal(err)
	}
}

// call makes one call as client, which is willing to wait for long.
func (c *configured) call(ctx context.Context, client string) (status int, applied, refusal string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.gate.addresses[0]+"/api/v2/tickets/1", nil)
	if err != nil {
		return 0, "", "", err
	}
	req.Header = http.Header{"Authorization": {"Bearer any"}, "Flyball-Client": {client}, "Prefer": {"wait=600"}}
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		refusal = string(text)
	}
	return resp.StatusCode, resp.Header.Get("Preference-Applied"), refusal, err
}

// What the file changes holds for the next calls, a wrong file changes
// nothing, and every call is answered meanwhile.
func TestServeReadsItsFileAgainUnderLoadAndDropsNoCall(t *testing.T) {
	c := startConfigured(t, "max_wait: %s\naccounts: [{name: acme, upstream: SIM}]\n", "30s")
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 30 {
				status, applied, refusal, err := c.call(t.Context(), "load")
				if err != nil || status != http.StatusOK || applied != "wait=30" && applied != "wait=40" {
					t.Errorf("status %d, wait %q: %s %v; want 200, and one configuration's wait", status, applied, refusal, err)
				}
			}
		})
	}
	for i := range 30 {
		c.write(t, []string{"40s", "a while", "30s"}[i%3])
		hangUp(t)
		if status, _, refusal, err := c.call(t.Context(), "load"); err != nil || status != http.StatusOK {
			t.Errorf("status %d: %s %v after writing", status, refusal, err)
		}
	}
	callers.Wait()
	c.eventually(t, "wait=30") // signals may come late, and two as one
	c.text = strings.Replace("retries: 5\n"+c.text, "upstream", "keep_free: 10%%, upstream", 1)
	c.write(t, "40s")
	hangUp(t)
	c.eventually(t, "wait=40")
	log := c.stop(t)
	if want := "now in force: accounts[0].keep_free, max_wait; in force after a restart: retries"; !strings.Contains(log, want) {
		t.Errorf("the log does not say %q:\n%s", want, log)
	}
}

// hangUp sends this process, and so the gateway, what kill -HUP does.
func hangUp(t *testing.T) {
	t.Helper()
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(syscall.SIGHUP)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// stop ends the gateway and returns its log.
func (c *configured) stop(t *testing.T) string {
	t.Helper()
	c.client.CloseIdleConnections()
	gate := c.gate
	c.gate = nil
	if gate == nil {
		return ""
	}
	if err := gate.stop(); err != nil {
		t.Error(err)
	}
	return gate.stderr.String()
}

// eventually waits until calls are given a wait.
func (c *configured) eventually(t *testing.T, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		_, applied, _, err := c.call(ctx, "load")
		if err != nil {
			t.Fatalf("calls are not given %s within %s: %q, %v", want, patience, applied, err)
		}
		if applied == want {
			return
		}
	}
}

// until calls until the answer is want.
func (c *configured) until(t *testing.T, client string, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		status, _, refusal, err := c.call(ctx, client)
		if err != nil {
			t.Fatalf("%s is not answered %d within %s: %s %v", client, want, patience, refusal, err)
		}
		if status == want {
			return
		}
	}
}

// A client is held to its quota, by the name it has in the file, and nobody
// else is. Another quota is in force as soon as the file says so.
func TestServeKeepsQuotasFromItsFile(t *testing.T) {
	c := startConfigured(t, "accounts: [{name: acme, upstream: SIM, clients: [{name: etl, at_most: %s, max_wait: 0s}]}]\n", "1/min")
	for i, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
		status, _, refusal, err := c.call(t.Context(), "ETL")
		if err != nil || status != want {
			t.Fatalf("call %d of etl: %d %s %v, want %d", i+1, status, refusal, err, want)
		}
		if want != http.StatusOK && !strings.Contains(refusal, "flyball/client etl") {
			t.Errorf("refused with %s, want the client's own limit named", refusal)
		}
	}
	if status, _, refusal, err := c.call(t.Context(), "app"); err != nil || status != http.StatusOK {
		t.Errorf("a call of another client: %d %s %v, want 200", status, refusal, err)
	}
	c.write(t, "600/min")
	hangUp(t)
	for range 3 {
		c.until(t, "etl", http.StatusOK)
	}
	c.write(t, "3/min")
	hangUp(t)
	c.until(t, "etl", http.StatusTooManyRequests)
	log := c.stop(t)
	if want := "now in force: at_most and max_share of etl"; !strings.Contains(log, want) {
		t.Errorf("the log does not say %q:\n%s", want, log)
	}
}
