//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/flyballhq/flyball/audit"
)

var logMB = flag.Int("log", 100, "size of the log that TestALongLogIsReadInLittleMemory writes, in MB; a full gigabyte takes half a minute more")

// mostForAudit is what flyball audit may take of memory, whatever the log's length.
const mostForAudit = 200 << 20

// flyball audit as people run it on a long log: with a bar that tells how far
// it is, in memory that does not grow with the log. No two calls are of the
// same client or ticket, so that nothing is small by being alike.
func TestALongLogIsReadInLittleMemory(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "access.log")
	calls := writeLog(t, log, int64(*logMB)<<20)
	cmd := exec.CommandContext(t.Context(), built(t, "..", "./cmd/flyball"), "audit", "--json", log)
	var report bytes.Buffer
	cmd.Stdout = &report
	person, program, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	defer person.Close()
	cmd.Stderr = program
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program.Close()
	shown, _ := io.ReadAll(person) // ends with an error, as a terminal does that nobody has open
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	var r audit.Report
	if err := json.Unmarshal(report.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Calls != calls {
		t.Errorf("%d calls read, want %d", r.Calls, calls)
	}
	if !regexp.MustCompile(`[1-9][0-9.]*% .*MB in .*[1-9][0-9,]* calls read`).Match(shown) {
		t.Errorf("no bar is shown while it reads:\n%.2000s", shown)
	}
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	t.Logf("%d MB, %d calls: %d MB of memory at most, %s of processor time", *logMB, calls, peak>>20, cmd.ProcessState.UserTime())
	if peak > mostForAudit {
		t.Errorf("%d MB of memory at most, want %d", peak>>20, mostForAudit>>20)
	}
}

// writeLog writes an nginx access log of a size, and returns its calls.
func writeLog(t *testing.T, name string, size int64) (calls int) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	at := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	for written := int64(0); written < size; calls++ {
		n, err := fmt.Fprintf(w, "10.0.0.1 - c%d@example.com [%s] \"GET /api/v2/tickets/%d.json HTTP/1.1\" 200 %d \"-\" \"x/1\"\n",
			calls, at.Add(time.Duration(calls)*100*time.Millisecond).Format("02/Jan/2006:15:04:05 -0700"), calls, calls)
		if err != nil {
			t.Fatal(err)
		}
		written += int64(n)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return calls
}
