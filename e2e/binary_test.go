package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// The program as people run it: flyball serve in front of flyball sim, each a
// process of its own, with every client on it.
func TestThePrograms(t *testing.T) {
	t.Parallel()
	flyball := built(t, "..", "./cmd/flyball")
	sim := start(t, regexp.MustCompile(`listens on (http://\S+)`), flyball, "sim", "--listen", "127.0.0.1:0",
		"--latency", "5ms", "--fault", "status=429,every=4,path="+secondPages+",retry-after=1.5")
	gateway := start(t, regexp.MustCompile(`base URL for clients +(http://\S+)/api/v2`), flyball, "serve", sim,
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			if o := c.run(t, time.Minute, gateway, "list"); !whole(o) {
				t.Errorf("through flyball serve: %v", o)
			}
		})
	}
	resp := get(t, sim+"/_sim/ledger")
	defer resp.Body.Close()
	var ledger simulator.Ledger
	if err := json.NewDecoder(resp.Body).Decode(&ledger); err != nil {
		t.Fatal(err)
	}
	if ledger.Refused() == 0 {
		t.Error("the account refused nothing: nothing was tried")
	}
}

// start starts a program that runs until the test ends, and returns what it
// says of itself where says matches. It has to end well when it is told to.
func start(t *testing.T, says *regexp.Regexp, program string, args ...string) string {
	t.Helper()
	return starts(t, []*regexp.Regexp{says}, program, args...)[0]
}

// starts is start for a program that says several things, in this order.
func starts(t *testing.T, says []*regexp.Regexp, program string, args ...string) []string {
	t.Helper()
	said, _ := launch(t, says, program, args...)
	return said
}

// launch is starts for a program that stop may end sooner than the test.
func launch(t *testing.T, says []*regexp.Regexp, program string, args ...string) (said []string, stop func()) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told, read := make(chan string, len(says)), make(chan struct{})
	go func() { // ends with the program
		defer close(read)
		wanted := says
		for lines := bufio.NewScanner(out); len(wanted) > 0 && lines.Scan(); {
			if m := wanted[0].FindStringSubmatch(lines.Text()); m != nil {
				told <- m[1]
				wanted = wanted[1:]
			}
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s %s did not end well: %v", program, args[0], err)
		}
	})
	t.Cleanup(stop)
	for range says {
		select {
		case text := <-told:
			said = append(said, text)
		case <-read:
			t.Fatalf("%s %s ended at once", program, args[0])
		case <-time.After(30 * time.Second):
			t.Fatalf("%s %s does not say where it is", program, args[0])
		}
	}
	return said, stop
}
