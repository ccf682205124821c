package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A file rule says what no line of a file may hold.
type fileRule struct {
	only   string         // ending of the names it holds for; "" is every file
	banned *regexp.Regexp // written so that this source does not match itself
	why    string
}

var fileRules = []fileRule{
	{
		banned: regexp.MustCompile(`(proxy|sum)[.]golang[.]org|registry[.](npmjs[.]org|yarnpkg[.]com)|` +
			`(deb|security)[.]debian[.]org|pypi[.]org|pythonhosted[.]org|[/.]crates[.]io`),
		why: "names a package registry's host: each machine has its own, set in its package client " +
			"(for a package-lock.json: npm install --omit-lockfile-registry-resolved)",
	},
	{
		banned: regexp.MustCompile(`(^|[^\w.])/(w[o]rk|f[a]rm|r[o]ot)/[a-z.]|/tmp/(f[b]|w[t])/|[.][.]/shared[/]`),
		why:    "holds a path of one machine: a clone must work anywhere (tests have testdata and t.TempDir)",
	},
	{
		only:   ".go",
		banned: regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`),
		why:    "leaves something for later: do it, or write it into an issue",
	},
}

// CheckFiles returns one line for each text file below root that breaks a
// rule which the compiler does not know.
func CheckFiles(root fs.FS) ([]string, error) {
	var faults []string
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if slices.Contains([]string{".git", "node_modules", "bin"}, d.Name()) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil // a work tree's .git is a file
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		if !bytes.ContainsRune(text, 0) { // with a NUL it is no text
			faults = append(faults, lineFaults(path, string(text))...)
		}
		if strings.HasSuffix(path, "_test.go") {
			faults = append(faults, sleepFaults(path, text)...)
		}
		return nil
	})
	return faults, err
}

// lineFaults holds each line against the rules for files of that name.
func lineFaults(path, text string) []string {
	var faults []string
	for _, rule := range fileRules {
		if !strings.HasSuffix(path, rule.only) || !rule.banned.MatchString(text) {
			continue
		}
		n := 0
		for line := range strings.Lines(text) {
			n++
			if found := rule.banned.FindString(line); found != "" {
				faults = append(faults, fmt.Sprintf("%s:%d: %q %s", path, n, found, rule.why))
			}
		}
	}
	return faults
}

// sleepFaults finds calls of time.Sleep in a test file without a bubble: such
// a test is slow when it passes and wrong when the machine is busy.
func sleepFaults(path string, text []byte) []string {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", path, err)}
	}
	for _, spec := range file.Imports {
		if name, _ := strconv.Unquote(spec.Path.Value); name == "testing/synctest" {
			return nil
		}
	}
	var faults []string
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == "time" {
				faults = append(faults, fmt.Sprintf("%s: time.Sleep in a test without a synctest bubble: "+
					"wait for what should happen, or run it in virtual time", files.Position(sel.Pos())))
			}
		}
		return true
	})
	return faults
}
