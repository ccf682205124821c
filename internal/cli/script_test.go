package cli_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flyballhq/flyball/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"flyball": func() {
		os.Exit(cli.Main(context.Background(), os.Args[1:], cli.OSStreams()))
	}})
}

// TestScripts runs the commands as a shell would; see testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_PROXY", "*")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start":    start,
			"occupied": occupied,
			"nothttp":  notHTTP,
			"cert":     cert,
			"ask":      ask,
			"expand":   expand,
			"webhook":  webhook,
			"becomes":  becomes,
		},
		RequireExplicitExec: true,
	})
}

// patience is how long a server may take to come up or to end.
const patience = 20 * time.Second

var (
	addresses = regexp.MustCompile(`https?://[^/\s]+`)
	served    = regexp.MustCompile(`flyball serves \S+ on`)
)

// start runs a command that serves, in this process: start NAME COMMAND...
// When the command has printed its addresses, they are in $NAME, $NAME_2, ...
// It is stopped at the script's end, and must then end by itself with 0.
func start(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: start NAME COMMAND...")
	}
	server, err := startCommand(ts.Getenv, args[1:]...)
	ts.Check(err)
	ts.Defer(func() { ts.Check(server.stop()) })
	for i, address := range server.addresses {
		name := args[0]
		if i > 0 {
			name = fmt.Sprintf("%s_%d", name, i+1)
		}
		ts.Setenv(name, address)
	}
}

// A server is a command that runs in this process until it is stopped.
type server struct {
	args      []string
	addresses []string // as printed, each once, in order
	stderr    *strings.Builder
	cancel    context.CancelFunc
	status    chan int
}

// startCommand returns when the command has printed a line that says how to go
// on, which is after its addresses.
func startCommand(env func(string) string, args ...string) (*server, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{args: args, stderr: new(strings.Builder), cancel: cancel, status: make(chan int, 1)}
	out, in := io.Pipe()
	go func() {
		status := cli.Main(ctx, args, cli.Streams{In: strings.NewReader(""), Out: in, Err: s.stderr, Env: env})
		in.Close()
		s.status <- status
	}()
	ready := make(chan bool, 1)
	go func() { // ends with the command
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			s.note(lines.Text(), ready)
		}
		ready <- false
	}()
	select {
	case up := <-ready:
		if up {
			return s, nil
		}
		return nil, fmt.Errorf("flyball %s: ended with %d: %s", strings.Join(args, " "), <-s.status, s.stderr)
	case <-time.After(patience):
		cancel()
		return nil, fmt.Errorf("flyball %s: printed no address within %s", strings.Join(args, " "), patience)
	}
}

func (s *server) note(line string, ready chan<- bool) {
	if strings.Contains(line, "what it saw") || strings.Contains(line, "longest wait") || strings.Contains(line, "have done") {
		ready <- true
		return
	}
	// The account, of "flyball serves ACCOUNT on ADDRESS", is not its own.
	for _, address := range addresses.FindAllString(served.ReplaceAllString(line, ""), -1) {
		known := false
		for _, have := range append(s.addresses, s.args...) {
			known = known || have == address
		}
		if !known {
			s.addresses = append(s.addresses, address)
		}
	}
}

// stop ends the command as a signal would.
func (s *server) stop() error {
	s.cancel()
	select {
	case status := <-s.status:
		if status != 0 {
			return fmt.Errorf("flyball %s: ended with %d: %s", strings.Join(s.args, " "), status, s.stderr)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("flyball %s: still runs %s after it was told to end", strings.Join(s.args, " "), patience)
	}
}

// occupied listens on a port, and puts its address into $NAME.
func occupied(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// notHTTP answers each connection in another protocol; its address is in $NAME.
func notHTTP(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.9\r\n")
			conn.Close()
		}
	}()
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// webhook takes what is posted to it, a line each, into a file; its address is
// in $NAME: webhook NAME FILE.
func webhook(ts *testscript.TestScript, _ bool, args []string) {
	file, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		text, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(file, "%s %s %s\n", r.Method, r.URL.Path, text)
	}))
	ts.Defer(func() { s.Close(); file.Close() })
	ts.Setenv(args[0], s.URL)
}

// ask makes a call as a client that does not wait does, and wants a status: ask
// STATUS CLIENT URL.
func ask(ts *testscript.TestScript, _ bool, args []string) {
	req, err := http.NewRequest(http.MethodGet, args[2], http.NoBody)
	ts.Check(err)
	req.Header = http.Header{"Authorization": {"Bearer very-secret"}, "Flyball-Client": {args[1]}, "Prefer": {"wait=0"}}
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	ts.Check(err)
	resp.Body.Close()
	if got := strconv.Itoa(resp.StatusCode); got != args[0] {
		ts.Fatalf("GET %s was answered %s, want %s", args[2], got, args[0])
	}
}

// becomes waits until a file has something in it: becomes FILE REGEXP.
func becomes(ts *testscript.TestScript, _ bool, args []string) {
	want, late := regexp.MustCompile("(?m)"+args[1]), time.After(patience)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		text := ts.ReadFile(args[0])
		if want.MatchString(text) {
			return
		}
		select {
		case <-look.C:
		case <-late:
			ts.Fatalf("%s has no %s within %s: %s", args[0], args[1], patience, text)
		}
	}
}

// expand puts the script's variables into a file: expand FILE.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// cert writes a certificate for 127.0.0.1 to cert.pem and its key to key.pem.
func cert(ts *testscript.TestScript, _ bool, _ []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
}
