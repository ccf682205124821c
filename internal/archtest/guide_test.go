package archtest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/internal/cli"
)

var flagName = regexp.MustCompile(`--[a-z]+(-[a-z]+)*`)

// The guide's table of flags is that of the help, in both directions.
func TestGuidesListTheFlagsOfTheirCommand(t *testing.T) {
	for page, command := range map[string]string{"gateway.md": "serve", "simulator.md": "sim", "audit.md": "audit", "watch.md": "watch"} {
		guide := tableUnder(t, "docs/guide/"+page, "## Flags")
		help := helpOf(t, command)
		for _, missing := range without(flagName.FindAllString(help, -1), guide) {
			if missing != "--help" {
				t.Errorf("docs/guide/%s does not list %s of flyball %s", page, missing, command)
			}
		}
		for _, extra := range without(flagName.FindAllString(guide, -1), help) {
			t.Errorf("docs/guide/%s lists %s, which flyball %s does not have", page, extra, command)
		}
	}
}

// The guides explain everything that the gateway may say: its errors, its log
// lines, its reasons, and the fields that the admin address shows; and every
// option of the library.
func TestGuidesExplainWhatIsSaid(t *testing.T) {
	for _, said := range []struct{ page, what, files, pattern string }{
		{"gateway.md", "the error", "gateway/*.go", `\bError\b.*"(Flyball[A-Z]\w+)"`},
		{"gateway.md", "the log line", "gateway/*.go", `\.(?:Warn|Info|Error)\("([^";:]+)`},
		{"gateway.md", "the log line", "gateway/*.go", `lineLog\{[\w.]+, "([^"]+)"`},
		{"gateway.md", "the reason", "limit/wait.go", `Reason = "([^"]+)"`},
		{"gateway.md", "the field", "admin/limits.go", "`json:\"(\\w+)"},
		{"admin.md", "the field", "admin/usage.go", "`json:\"(\\w+)"},
		{"admin.md", "the field", "admin/clients.go", "`json:\"(\\w+)"},
		{"admin.md", "the field", "admin/calls.go", "`json:\"(\\w+)"},
		{"admin.md", "the field", "admin/events.go", "`json:\"(\\w+)"},
		{"admin.md", "the field", "admin/now.go", "`json:\"(\\w+)"},
		{"admin.md", "the kind of event", "admin/events.go", `event\.\w+: "(\w+)"`},
		{"admin.md", "the log line", "usage/*.go", `\.Warn\("([^";:]+)`},
		{"library.md", "the option", "options.go", `(?m)^\t([A-Z]\w+) +\S`},
		{"simulator.md", "the key", "simulator/faultspec.go", `\badd\("([^"]+)"`},
	} {
		guide := pageText(t, "docs/guide/"+said.page)
		found := saidIn(t, said.files, regexp.MustCompile(said.pattern))
		if len(found) == 0 {
			t.Errorf("nothing in %s is like %s: the check cannot fail", said.files, said.pattern)
		}
		for _, missing := range without(found, guide) {
			t.Errorf("docs/guide/%s does not explain %s %q", said.page, said.what, missing)
		}
	}
}

// helpOf is what a command's --help prints.
func helpOf(t *testing.T, command string) string {
	t.Helper()
	var out, errs bytes.Buffer
	streams := cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(string) string { return "" }}
	if status := cli.Main(t.Context(), []string{command, "--help"}, streams); status != 0 {
		t.Fatalf("flyball %s --help = %d: %s", command, status, errs.String())
	}
	_, flags, _ := strings.Cut(out.String(), "\nFlags:\n")
	return flags
}

// tableUnder is the page's text from a heading to the next one.
func tableUnder(t *testing.T, page, heading string) string {
	t.Helper()
	_, text, ok := strings.Cut(pageText(t, page), heading+"\n")
	if !ok {
		t.Fatalf("%s has no %q", page, heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

func pageText(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// saidIn returns what the pattern's group finds in the program's files.
func saidIn(t *testing.T, files string, pattern *regexp.Regexp) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, files))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range pattern.FindAllStringSubmatch(string(text), -1) {
			found = append(found, match[1])
		}
	}
	return found
}

// without returns the words that text does not hold.
func without(words []string, text string) []string {
	var missing []string
	for _, word := range words {
		if !strings.Contains(text, word) {
			missing = append(missing, word)
		}
	}
	return missing
}
