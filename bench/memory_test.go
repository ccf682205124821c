//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary play a child's role, as the program does.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "role" {
		exit(playRole(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

// largest is what a gateway may grow by for any body: copy buffers, pooled
// packers, and a heap that doubles before it is collected. A body of 100 MB kept
// in memory is far above it.
const largest = 32 << 20

// zeros are a body of any length that costs nothing to make.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// account plays the upstream: it sends as many bytes as the path says, and
// takes whatever comes.
func account(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		taken, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return
		}
		now := time.Now()
		h := w.Header()
		h.Set("Content-Type", r.URL.Query().Get("type"))
		h.Set("X-Rate-Limit", "1000000")
		h.Set("X-Rate-Limit-Remaining", "999999")
		h.Set("Ratelimit-Reset", strconv.FormatInt(60-now.Unix()%60, 10))
		h.Set("Taken", strconv.FormatInt(taken, 10))
		bytes, _ := strconv.ParseInt(r.URL.Query().Get("bytes"), 10, 64)
		_, _ = io.CopyN(w, zeros{}, bytes)
	}))
	t.Cleanup(s.Close)
	return s
}

func startGateway(t *testing.T, upstream string) *child {
	c, err := startChild(t.Context(), "", asGateway, upstream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	return c
}

// TestBodiesPassInConstantMemory sends bodies both ways through a gateway in a
// process of its own and looks at the most memory that it ever held.
func TestBodiesPassInConstantMemory(t *testing.T) {
	for _, test := range []struct {
		name     string
		down, up int64
		calls    int
		kind     string
	}{
		{"256 KB pages", 256 << 10, 0, 200, "application/octet-stream"},
		{"256 KB of JSON", 256 << 10, 0, 200, "application/json"},
		{"100 MB download", 100 << 20, 0, 1, "application/octet-stream"},
		{"100 MB of JSON", 100 << 20, 0, 1, "application/json"},
		{"256 KB uploads", 0, 256 << 10, 200, ""},
		{"100 MB upload", 0, 100 << 20, 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			gateway := startGateway(t, account(t).URL)
			url := fmt.Sprintf("http://%s/api/v2/uploads.json?bytes=%d&type=%s", gateway.addr, test.down, test.kind)
			transfer(t, url, 0, -1) // what the first call of all needs is not the bodies'
			before := resident(t, gateway.cmd.Process.Pid, "VmHWM")
			for range test.calls {
				transfer(t, url, test.up, test.down)
			}
			after := resident(t, gateway.cmd.Process.Pid, "VmHWM")
			t.Logf("most resident before %d KiB, after %d KiB", before>>10, after>>10)
			if after-before > largest {
				t.Errorf("the gateway grew by %d MiB over bodies of %d MiB", (after-before)>>20, max(test.down, test.up)>>20)
			}
		})
	}
}

// TestMemoryCheckSeesAKeptBody holds the check above against a process that
// does keep 100 MB.
func TestMemoryCheckSeesAKeptBody(t *testing.T) {
	before := resident(t, os.Getpid(), "VmHWM")
	kept, err := io.ReadAll(io.LimitReader(zeros{}, 100<<20))
	if err != nil {
		t.Fatal(err)
	}
	if grown := resident(t, os.Getpid(), "VmHWM") - before; grown <= largest {
		t.Errorf("100 MB kept (%d bytes) look like %d bytes", len(kept), grown)
	}
}

// transfer makes one call with a body of up bytes and reads its answer, which
// must be of down bytes if that is not negative.
func transfer(t *testing.T, url string, up, down int64) {
	t.Helper()
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if up > 0 {
		method, body = http.MethodPost, io.LimitReader(zeros{}, up)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = up
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || down >= 0 && n != down || resp.Header.Get("Taken") != strconv.FormatInt(up, 10) {
		t.Fatalf("%s %s: status %d, %d bytes back, %s of %d bytes taken, %v", method, url, resp.StatusCode, n, resp.Header.Get("Taken"), up, err)
	}
}

// resident reads one of a process's memory figures, in bytes: VmRSS is what it
// holds now, VmHWM the most it ever held.
func resident(t *testing.T, pid int, figure string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skipf("this system does not tell a process's memory: %v", err)
	}
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(figure+":")); ok {
			kib, err := strconv.ParseInt(strings.Fields(string(rest))[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Skipf("/proc/%d/status has no %s", pid, figure)
	return 0
}

// idleMost is the most that a gateway without calls may hold.
const idleMost = 25 << 20

// TestIdleGatewayIsSmall builds the real program, lets it serve, makes one
// call, and looks at what it holds.
func TestIdleGatewayIsSmall(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "flyball")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "./cmd/flyball")
	build.Dir = ".."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build flyball: %v\n%s", err, text)
	}
	listen := freeAddress(t)
	serve := exec.CommandContext(t.Context(), binary, "serve", account(t).URL, "--listen", listen, "--admin", "127.0.0.1:0")
	serve.Cancel = func() error { return serve.Process.Signal(syscall.SIGTERM) }
	serve.WaitDelay = 10 * time.Second
	var said bytes.Buffer
	serve.Stdout, serve.Stderr = &said, &said
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = serve.Wait() }) // the test's context, which tells it to end, is over by then
	awaitListener(t, listen)
	transfer(t, "http://"+listen+"/api/v2/tickets.json?bytes=2048&type=application/json", 0, 2048)
	most := resident(t, serve.Process.Pid, "VmHWM")
	t.Logf("resident %d KiB, at most %d KiB", resident(t, serve.Process.Pid, "VmRSS")>>10, most>>10)
	if most > idleMost {
		t.Errorf("an idle gateway holds %d MiB, more than %d MiB", most>>20, idleMost>>20)
	}
}

// freeAddress is a loopback address that nothing listens on at this moment.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// awaitListener waits until something listens on addr.
func awaitListener(t *testing.T, addr string) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return
		}
		<-tick.C
	}
	t.Fatalf("nothing listens on %s after 10 s", addr)
}
