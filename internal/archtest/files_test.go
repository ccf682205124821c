package archtest_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/flyballhq/flyball/internal/archtest"
)

func TestFilesNameNoMachineAndTestsDoNotSleep(t *testing.T) {
	faults, err := archtest.CheckFiles(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// The banned words are put together here, or this file would break the rules.
func TestCheckFilesFindsEachFault(t *testing.T) {
	const sleeps = "func TestX(t *testing.T) { time.Sleep(1) }\n"
	tests := []struct {
		name, path, text string
		want             string // part of the one fault; "" is none
	}{
		{"plain text is fine", "README.md", "go run ./cmd/flyball demo\n", ""},
		{"a path of an API is fine", "x.go", "package x // GET /api/v2/tickets and /home/work/\n", ""},
		{"no npm registry", "e2e/package-lock.json", "https://registry." + "npmjs.org/x", "e2e/package-lock.json:1: \"registry."},
		{"no module proxy", "Makefile", "a:\n\tGOPROXY=https://proxy." + "golang.org", "Makefile:2:"},
		{"no path of this machine", "docs/x.md", "see " + "/wo" + "rk/main/x", "holds a path of one machine"},
		{"nor of a home folder", "x.sh", "cd " + "/ro" + "ot/go", "holds a path of one machine"},
		{"nothing beside the clone", "x_test.go", "package x // ../sha" + "red/facts", "holds a path of one machine"},
		{"no work left in code", "x.go", "package x // TO" + "DO: more", "leaves something for later"},
		{"a binary is no text", "flyball.bin", "\x00 /wo" + "rk/main", ""},
		{"nothing in node_modules is ours", "e2e/node_modules/a/x.js", "/wo" + "rk/main", ""},
		{"a test does not sleep", "x_test.go", "package x\n" + sleeps, "x_test.go:2:28: time.Sleep"},
		{"except in a bubble", "x_test.go", "package x\nimport \"testing/synctest\"\n" + sleeps, ""},
		{"a comment may speak of time.Sleep", "x_test.go", "package x\n\n// No time.Sleep(1) here.\n", ""},
		{"a program may sleep", "x.go", "package x\n" + sleeps, ""},
		{"a test must parse", "x_test.go", "pakage x", "x_test.go:1:1: expected 'package'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := archtest.CheckFiles(fstest.MapFS{tt.path: {Data: []byte(tt.text)}})
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case tt.want == "" && len(got) != 0:
				t.Errorf("CheckFiles = %q, want no fault", got)
			case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
				t.Errorf("CheckFiles = %q, want one fault with %q", got, tt.want)
			}
		})
	}
}
