package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/flyballhq/flyball/internal/cli"
)

// terminal opens a pseudo terminal: what a person types into and sees, and
// what a program has.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	var number, locked int32
	control(t, person, syscall.TIOCSPTLCK, unsafe.Pointer(&locked))
	control(t, person, syscall.TIOCGPTN, unsafe.Pointer(&number))
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

func control(t *testing.T, f *os.File, request uintptr, arg unsafe.Pointer) {
	t.Helper()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(arg)); errno != 0 {
		t.Fatal(errno)
	}
}

func mode(t *testing.T, f *os.File) (m syscall.Termios) {
	t.Helper()
	control(t, f, syscall.TCGETS, unsafe.Pointer(&m))
	return m
}

// A seen is what has come out of a terminal.
type seen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *seen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *seen) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), text)
}

// q and Ctrl-C end the view, which stays live through a restart of the gateway,
// and leave the terminal as it was.
func TestTopLeavesTheTerminalAsItWas(t *testing.T) {
	env := func(string) string { return "" }
	sim, err := startCommand(env, "sim", "--listen", "127.0.0.1:0", "--latency", "0s")
	if err != nil {
		t.Fatal(err)
	}
	defer sim.stop()
	for name, key := range map[string]string{"q": "q", "Ctrl-C": "\x03"} {
		t.Run(name, func(t *testing.T) {
			gate, err := startCommand(env, "serve", sim.addresses[0], "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			person, program := terminal(t)
			before := mode(t, program)
			var out seen
			go func() { // ends when the terminal is closed
				chunk := make([]byte, 4096)
				for {
					n, err := person.Read(chunk)
					if err != nil {
						return
					}
					_, _ = out.Write(chunk[:n])
				}
			}()
			ended := make(chan int, 1)
			go func() {
				ended <- cli.Main(context.Background(), []string{"top", "--admin", gate.addresses[1]}, cli.Streams{In: program, Out: program, Err: program, Env: env})
			}()
			await(t, func() bool { return out.has("q ends") })
			if during := mode(t, program); during == before {
				t.Error("keys are not read as they are typed: the check cannot fail")
			}
			if err := gate.stop(); err != nil {
				t.Fatal(err)
			}
			await(t, func() bool { return out.has("no answer now, trying again") })
			if _, err := person.WriteString(key); err != nil {
				t.Fatal(err)
			}
			select {
			case status := <-ended:
				if status != 0 {
					t.Errorf("it ended with %d", status)
				}
			case <-time.After(patience):
				t.Fatal("it did not end")
			}
			if after := mode(t, program); after != before {
				t.Errorf("the terminal's mode is %+v, want %+v", after, before)
			}
			await(t, func() bool { return out.has("\x1b[?25h\x1b[?1049l") })
		})
	}
}

// await returns when ok does, or fails.
func await(t *testing.T, ok func() bool) {
	t.Helper()
	for late := time.After(patience); !ok(); {
		select {
		case <-late:
			t.Fatal("it did not come")
		case <-time.After(10 * time.Millisecond):
		}
	}
}
