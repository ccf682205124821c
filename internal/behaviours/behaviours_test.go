package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestPromisesAreRead(t *testing.T) {
	sections, err := readSections(promisesText)
	if err != nil {
		t.Fatal(err)
	}
	known := knownRows(sections)
	dueRows, err := rows(due)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range dueRows {
		if !known[row] {
			t.Errorf("row %s is listed but is not in promises.txt", row)
		}
	}
	for _, bad := range []string{
		"A1 | before | a heading", "## A\nA1 | once | x\nA1 | twice | x", "## A\nno row", "## A\na1 | too | small", "## A\nA1 | no promise",
	} {
		if got, err := readSections(bad); err == nil {
			t.Errorf("readSections(%q) = %v, want an error", bad, got)
		}
	}
}

func TestRowsSpellsOutRanges(t *testing.T) {
	got, err := rows("A1-A3 B7 I9-I11")
	if want := strings.Fields("A1 A2 A3 B7 I9 I10 I11"); err != nil || !slices.Equal(got, want) {
		t.Errorf("rows = %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"A", "A1-B2", "A0", "A1,A2"} {
		if got, err := rows(bad); err == nil {
			t.Errorf("rows(%q) = %v, want an error", bad, got)
		}
	}
}

func TestMarkedTestsAreFound(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             []keeper
	}{
		{
			"a Go test with a mark in its doc comment", "retry/a_test.go",
			"package a\n\n// TestX keeps two.\n//\n// Behaviour A6: forms\n// Behaviour D3: bounds\nfunc TestX(t *testing.T) {}\n",
			[]keeper{{"A6", "TestX", "retry/a_test.go"}, {"D3", "TestX", "retry/a_test.go"}},
		},
		{
			"a fuzz test of a nested module", "e2e/b_test.go",
			"package b\n\n// Behaviour I3: bytes\nfunc FuzzQuery(f *testing.F) {}\n",
			[]keeper{{"I3", "FuzzQuery", "e2e/b_test.go"}},
		},
		{
			"a mark in a string is none", "c_test.go",
			"package c\n\nconst x = `\n// Behaviour A1: not here\nfunc TestY() {}\n`\n", nil,
		},
		{"a mark in a program is not read", "c.go", "package c\n\n// Behaviour A1: here\nfunc TestX() {}\n", nil},
		{
			"a JavaScript test by its title", "e2e/list.test.mjs",
			"// Behaviour C1: data\n\ntest('250 tickets, 250 unique', async () => {})\n",
			[]keeper{{"C1", "250 tickets, 250 unique", "e2e/list.test.mjs"}},
		},
		{
			"a Python test by its name", "e2e/test_list.py",
			"import x\n# Behaviour C2: integer\ndef test_retry_after():\n  pass\n",
			[]keeper{{"C2", "test_retry_after", "e2e/test_list.py"}},
		},
		{
			"a script without tests by its file", "e2e/naive.py",
			"# Behaviour C1: data\nimport requests\n",
			[]keeper{{"C1", "naive.py", "e2e/naive.py"}},
		},
		{"node_modules is not ours", "e2e/node_modules/a/x.js", "// Behaviour C1: data\ntest('x')\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := collect(fstest.MapFS{tt.file: {Data: []byte(tt.text)}}, map[string]bool{"A6": true, "C1": true, "C2": true, "D3": true, "I3": true})
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("collect = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestMarksThatLeadNowhereAreFaults(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"above no test", "a_test.go", "package a\n\n// Behaviour A6: forms\nfunc helper() {}\n", "a_test.go:3:"},
		{"apart from its test", "a_test.go", "package a\n\n// Behaviour A6: forms\n\nfunc TestX() {}\n", "a_test.go:3:"},
		{"not a test's name", "a_test.go", "package a\n\n// Behaviour A6: forms\nfunc Testing() {}\n", "a_test.go:3:"},
		{"two rows in a line", "a_test.go", "package a\n\n// Behaviours A6, A7: forms\nfunc TestX() {}\n", "marks no test"},
		{"no promise in words", "a_test.go", "package a\n\n// Behaviour A6.\nfunc TestX() {}\n", "marks no test"},
		{"another spelling", "x.py", "# behavior A6: forms\ndef test_x():\n", "x.py:1:"},
		{"a row nobody promised", "a_test.go", "package a\n\n// Behaviour Z9: x\nfunc TestX() {}\n", "Z9, which is no row"},
		{"a file that does not parse", "a_test.go", "pakage a\n", "expected 'package'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := collect(fstest.MapFS{tt.file: {Data: []byte(tt.text)}}, map[string]bool{"A6": true})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("collect = %v, %v, want an error with %q", got, err, tt.want)
			}
		})
	}
}

func TestTableNamesTheTestsOfARow(t *testing.T) {
	sections := []section{{"A. Limits", []promise{{"A1", "alone", "one|budget"}, {"A2", "one at a time", "never serial"}}}}
	got := render(sections, []keeper{{"A1", "TestZ", "queue/z_test.go"}, {"A1", "TestX", "budget/x_test.go"}})
	for _, want := range []string{
		"## A. Limits",
		`| A1 | alone | one\|budget | ` + "`budget` [TestX](../budget/x_test.go)<br>`queue` [TestZ](../queue/z_test.go) |",
		"| A2 | one at a time | never serial | - |",
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("the table lacks the line %q:\n%s", want, got)
		}
	}
}

func TestStaleTableFailsTheCheck(t *testing.T) {
	root := t.TempDir()
	put(t, root, "docs/other.md", "")
	put(t, root, "a_test.go", "package a\n\n// Behaviour A6: forms\nfunc TestX() {}\n")
	if err := run(io.Discard, root, true, ""); err == nil || !strings.Contains(err.Error(), "make behaviours") {
		t.Errorf("check without a table = %v, want the way out", err)
	}
	if err := run(io.Discard, root, false, ""); err != nil {
		t.Fatal(err)
	}
	if err := run(io.Discard, root, true, ""); err != nil {
		t.Errorf("check after writing = %v, want nil", err)
	}
	put(t, root, "b_test.go", "package a\n\n// Behaviour A7: held\nfunc TestY() {}\n")
	if err := run(io.Discard, root, true, ""); err == nil {
		t.Error("check with one more test = nil, want stale")
	}
}

func TestRequiredRowWithoutTestFails(t *testing.T) {
	sections := []section{{"A", []promise{{row: "A1"}, {row: "A2"}, {row: "A3"}}}}
	keepers := []keeper{{row: "A2"}}
	var out strings.Builder
	if err := count(&out, sections, keepers, "A1-A2", "A2"); err != nil {
		t.Errorf("count with A2 required and kept = %v, want nil", err)
	}
	if want := "1 of the 2 due rows kept by a test (not yet: A1); 1 more rows"; !strings.Contains(out.String(), want) {
		t.Errorf("count printed %q, want %q in it", &out, want)
	}
	if err := count(io.Discard, sections, keepers, "A1-A2", "A2-A3"); err == nil || !strings.Contains(err.Error(), "no test keeps A3") {
		t.Errorf("count with A3 required and not kept = %v, want an error that names A3", err)
	}
}

func put(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
