package archtest_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/internal/archtest"
)

// A program that uses flyball as a library links the standard library and
// flyball's own packages: README.md states the number of other modules, 0.
func TestAProgramThatUsesTheLibraryLinksNoOtherModule(t *testing.T) {
	if found := otherModules(t, "testdata/consumer", "."); len(found) != 0 {
		t.Errorf("testdata/consumer links %v, want flyball alone", found)
	}
	// The same check on the command, which does use libraries, must find them.
	if found := otherModules(t, root, "./cmd/flyball"); len(found) == 0 {
		t.Error("the check finds no other module in cmd/flyball either: it cannot fail")
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "0 other modules"; !strings.Contains(string(readme), want) {
		t.Errorf("README.md does not say %q", want)
	}
	program, err := os.ReadFile("testdata/consumer/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if want := "```go\n" + string(program) + "```"; !strings.Contains(string(readme), want) {
		t.Error("the program in README.md is not testdata/consumer/main.go, which is known to build")
	}
}

// otherModules builds the program in dir and returns what the go command
// notes in it beside flyball itself, and any package of another module that
// its build would read.
func otherModules(t *testing.T, dir, program string) []string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program")
	run(t, dir, "build", "-o", binary, program)
	var found []string
	for line := range strings.Lines(run(t, dir, "version", "-m", binary)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "dep" && words[1] != archtest.Module {
			found = append(found, words[1])
		}
	}
	listed := run(t, dir, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", program)
	for path := range strings.FieldsSeq(listed) {
		if path != archtest.Module && !strings.HasPrefix(path, archtest.Module+"/") && !strings.HasPrefix(path, "example.com/consumer") {
			found = append(found, path)
		}
	}
	return found
}

// run runs one go command in dir, with no network and none of the caller's
// flags.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "GOPROXY=off")
	out, err := cmd.Output()
	if err != nil {
		var text string
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			text = string(exit.Stderr)
		}
		t.Fatalf("go %s in %s: %v\n%s", strings.Join(args, " "), dir, err, text)
	}
	return string(out)
}
