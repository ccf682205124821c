package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A client is a program on somebody's Zendesk client. It is called with a base
// URL, a task and ticket ids: "list" lists all tickets, "show" reads and
// "update" changes the given ones, "create" makes one for each argument, ten at
// once. It prints the ids of the tickets that it got to see, as a JSON list.
type client struct {
	name    string
	command func(t *testing.T) []string
}

var clients = []client{
	{"node-zendesk", node("clients/node-zendesk.js", "node-zendesk")},
	{"go-zendesk", func(t *testing.T) []string { return []string{built(t, ".", "./clients/go-zendesk")} }},
	{"requests", python("clients/on_requests.py", "requests")},
	{"axios", node("clients/axios.js", "axios")},
	{"fetch", node("clients/fetch.js", "")},
}

// quick bounds how many programs run at once that have little to wait for:
// tests with time-outs share the machine with them.
var quick = make(chan struct{}, 5)

// turn makes a test run beside the others, and its quick programs in turn.
func turn(t *testing.T) {
	t.Helper()
	t.Parallel()
	quick <- struct{}{}
	t.Cleanup(func() { <-quick })
}

// An outcome is what a program came to.
type outcome struct {
	ids   []int64 // nil after a crash
	crash string  // empty when the program ended well
	took  time.Duration
}

func (o outcome) String() string {
	if o.crash != "" {
		return fmt.Sprintf("crashed after %v: %s", o.took.Round(time.Millisecond), o.crash)
	}
	return fmt.Sprintf("%d tickets, %d different, in %v", len(o.ids), o.different(), o.took.Round(time.Millisecond))
}

// different counts the tickets; what is no ticket has no id.
func (o outcome) different() int {
	ids := slices.Compact(slices.Sorted(slices.Values(o.ids)))
	return len(slices.DeleteFunc(ids, func(id int64) bool { return id == 0 }))
}

// run runs the program against base and waits until it ends, as it must within
// patience.
func (c client) run(t *testing.T, patience time.Duration, base, task string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	line := append(c.command(t), append([]string{base, task}, args...)...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	var out bytes.Buffer
	errs, err := os.Create(filepath.Join(t.TempDir(), "stderr")) // into a full pipe Node writes half of its report
	if err != nil {
		t.Fatal(err)
	}
	defer errs.Close()
	cmd.Stdout, cmd.Stderr = &out, errs
	began := time.Now()
	err = cmd.Run()
	o := outcome{took: time.Since(began)}
	switch {
	case ctx.Err() != nil:
		o.crash = fmt.Sprintf("still running after %v", patience)
	case err != nil:
		o.crash = fmt.Sprintf("%v: %s", err, gist(errs.Name()))
	default:
		o.ids, err = ids(out.Bytes())
		if err != nil {
			o.crash = fmt.Sprintf("%v in %q", err, out.String())
		}
	}
	return o
}

// ids reads a list of ids, in which null stands for what had none.
func ids(text []byte) ([]int64, error) {
	var list []*int64
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	ids := make([]int64, len(list))
	for i, id := range list {
		if id != nil {
			ids[i] = *id
		}
	}
	return ids, nil
}

// gist is the line of the crash report in a file that names the error.
func gist(file string) string {
	report, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(report)), "\n")
	named := lines[len(lines)-1]
	for _, line := range slices.Backward(lines) {
		if errorName.MatchString(line) {
			named = strings.TrimSpace(line)
			break
		}
	}
	return named[:min(len(named), 200)]
}

// errorName is how Node and Python begin the line with the error.
var errorName = regexp.MustCompile(`^(?:\w+\.)*(?:[A-Z]\w*)?Error\b`)

func node(script, module string) func(*testing.T) []string {
	return func(t *testing.T) []string {
		t.Helper()
		program, err := exec.LookPath("node")
		if err != nil {
			missing(t, "no node on this machine")
		}
		if module != "" {
			if _, err := os.Stat(filepath.Join("node_modules", module)); err != nil {
				missing(t, "npm package "+module+" is not installed (e2e/run does it)")
			}
		}
		return []string{program, script}
	}
}

// pythons are tried in this order: Debian's packages are for Debian's Python,
// which is not always the first on the path.
var pythons = []string{"/usr/bin/python3", "python3"}

func python(script, module string) func(*testing.T) []string {
	find := sync.OnceValue(func() string {
		for _, program := range pythons {
			if exec.Command(program, "-c", "import "+module).Run() == nil {
				return program
			}
		}
		return ""
	})
	return func(t *testing.T) []string {
		t.Helper()
		program := find()
		if program == "" {
			missing(t, "no Python here has the package "+module+" (Debian: python3-"+module+")")
		}
		return []string{program, script}
	}
}

// missing skips a test for want of a client, or fails it where e2e/run says
// that every client is installed.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("FLYBALL_E2E_COMPLETE") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// programs holds what built makes, until TestMain removes it.
var programs struct {
	sync.Mutex
	dir   string
	built map[string]string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if programs.dir != "" {
		_ = os.RemoveAll(programs.dir)
	}
	os.Exit(code)
}

// built builds the Go program pkg of the module at dir, once, and returns its
// path.
func built(t *testing.T, dir, pkg string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if path := programs.built[pkg]; path != "" {
		return path
	}
	if programs.dir == "" {
		dir, err := os.MkdirTemp("", "flyball-e2e-") //nolint:usetesting // it outlives the test that is first to need it
		if err != nil {
			t.Fatal(err)
		}
		programs.dir, programs.built = dir, map[string]string{}
	}
	path := filepath.Join(programs.dir, filepath.Base(pkg))
	if out, err := exec.Command("go", "build", "-C", dir, "-o", path, pkg).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	programs.built[pkg] = path
	return path
}

func named(name string) client {
	return clients[slices.IndexFunc(clients, func(c client) bool { return c.name == name })]
}
