package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A keeper is a test that keeps a promise.
type keeper struct {
	row  string
	test string // TestRetryIsChargedAgain
	file string // retry/charge_test.go, with slashes, from the root
}

var (
	// The form that marks a test, in Go, JavaScript, Python and shell alike.
	mark = regexp.MustCompile(`^\s*(?://|#)\s*Behaviour ([A-Z][1-9][0-9]*): \S`)
	// What was surely meant as a mark; without this a slip would go unseen.
	nearMark = regexp.MustCompile(`(?i)^\s*(?://|#|/?\*)*\s*Behaviou?rs?:? [A-Z][1-9][0-9]*\b`)

	goTest     = regexp.MustCompile(`^(Test|Fuzz)([^a-z]|$)`)
	scriptFile = regexp.MustCompile(`\.(js|mjs|cjs|ts|py|sh|rb|php)$`)
	scriptTest = regexp.MustCompile("\\b(?:test|it)\\(\\s*(?:'([^']+)'|\"([^\"]+)\"|`([^`]+)`)|" +
		`^\s*(?:async\s+)?(?:def|function)\s+(\w+)`)
)

// collect finds every marked test below root. Marks that lead nowhere (a slip
// of form, not above a test, an unknown row) are the error, all at once.
func collect(root fs.FS, known map[string]bool) ([]keeper, error) {
	var keepers []keeper
	var faults []error
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{".git", "node_modules", "testdata", "bin"}, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		read := reader(name)
		if read == nil {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		found, err := read(name, text)
		keepers = append(keepers, found...)
		if err != nil {
			faults = append(faults, err)
		}
		return nil
	})
	for _, k := range keepers {
		if !known[k.row] {
			faults = append(faults, fmt.Errorf("%s: %s keeps %s, which is no row of promises.txt", k.file, k.test, k.row))
		}
	}
	return keepers, errors.Join(append(faults, err)...)
}

// reader returns what reads the marks of a file of that name, or nil.
func reader(name string) func(string, []byte) ([]keeper, error) {
	switch {
	case strings.HasSuffix(name, "_test.go"):
		return goKeepers
	case scriptFile.MatchString(name):
		return scriptKeepers
	}
	return nil
}

// goKeepers reads the doc comments of test functions. It parses the file, so
// that a mark inside a string is not taken for one.
func goKeepers(name string, text []byte) ([]keeper, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	tests := map[*ast.CommentGroup]string{}
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Doc != nil && goTest.MatchString(fn.Name.Name) {
			tests[fn.Doc] = fn.Name.Name
		}
	}
	var keepers []keeper
	var faults []error
	for _, group := range file.Comments {
		for _, comment := range group.List {
			m := mark.FindStringSubmatch(comment.Text)
			test, isDoc := tests[group]
			switch {
			case m != nil && isDoc:
				keepers = append(keepers, keeper{row: m[1], test: test, file: name})
			case m != nil || nearMark.MatchString(comment.Text):
				faults = append(faults, badMark(name, files.Position(comment.Pos()).Line, comment.Text))
			}
		}
	}
	return keepers, errors.Join(faults...)
}

// scriptKeepers reads a script line by line. A mark belongs to the test that
// is opened on the next line of code; where that opens none, to the file.
func scriptKeepers(name string, text []byte) ([]keeper, error) {
	var keepers []keeper
	var faults []error
	var open []string // rows marked since the last line of code
	settle := func(test string) {
		for _, row := range open {
			keepers = append(keepers, keeper{row: row, test: test, file: name})
		}
		open = nil
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		trimmed := strings.TrimSpace(line)
		isComment := strings.HasPrefix(trimmed, "//") || strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, "*")
		if m := mark.FindStringSubmatch(line); m != nil {
			open = append(open, m[1])
		} else if isComment && nearMark.MatchString(line) {
			faults = append(faults, badMark(name, n, trimmed))
		} else if trimmed != "" && !isComment && open != nil {
			settle(scriptTestName(line, name))
		}
	}
	settle(path.Base(name))
	return keepers, errors.Join(faults...)
}

// scriptTestName is the name that a line gives to a test, else the file's.
func scriptTestName(line, file string) string {
	if m := scriptTest.FindStringSubmatch(line); m != nil {
		for _, name := range m[1:] {
			if name != "" {
				return name
			}
		}
	}
	return path.Base(file)
}

func badMark(file string, line int, text string) error {
	return fmt.Errorf("%s:%d: %q marks no test: write %q, one row a line, in the comment directly above the test",
		file, line, text, "Behaviour A6: what it promises")
}
