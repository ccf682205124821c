package archtest

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	inCode   = regexp.MustCompile("`([^`\n]+)`")
	goFile   = regexp.MustCompile(`^[\w./-]+\.go$`)
	testName = regexp.MustCompile(`^(Test|Fuzz|Example|Benchmark)[A-Z]\w*$`)
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example|Benchmark)\w*)\(`)
)

// CheckPages returns one line for each thing that a page below root names and
// that is not there: a Go file or a test in backquotes, or a file linked to.
// Paths in backquotes are seen from root, links from the page. pages are
// names of files below root.
func CheckPages(root fs.FS, pages ...string) ([]string, error) {
	tests, err := testsBelow(root)
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, page := range pages {
		text, err := fs.ReadFile(root, page)
		if err != nil {
			return nil, err
		}
		for _, name := range named(inCode, string(text)) {
			switch {
			case goFile.MatchString(name) && !exists(root, name):
				faults = append(faults, fmt.Sprintf("%s names `%s`, which is not there", page, name))
			case testName.MatchString(name) && !tests[name]:
				faults = append(faults, fmt.Sprintf("%s names `%s`, which no test file has", page, name))
			}
		}
		for _, target := range named(link, string(text)) {
			file, _, _ := strings.Cut(target, "#")
			if file == "" || strings.Contains(file, "://") {
				continue
			}
			if !exists(root, path.Join(path.Dir(page), file)) {
				faults = append(faults, fmt.Sprintf("%s links to %s, which is not there", page, target))
			}
		}
	}
	return faults, nil
}

// Pages lists the Markdown files below root that people read.
func Pages(root fs.FS) ([]string, error) {
	var pages []string
	err := walk(root, func(name string) error {
		if strings.HasSuffix(name, ".md") {
			pages = append(pages, name)
		}
		return nil
	})
	return pages, err
}

// testsBelow collects the names of all tests, examples and benchmarks.
func testsBelow(root fs.FS) (map[string]bool, error) {
	names := map[string]bool{}
	err := walk(root, func(name string) error {
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		for _, match := range testFunc.FindAllSubmatch(text, -1) {
			names[string(match[1])] = true
		}
		return err
	})
	return names, err
}

// walk calls visit for every file below root that is part of the project.
func walk(root fs.FS, visit func(name string) error) error {
	return fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "node_modules", "bin"}, d.Name()):
			return fs.SkipDir
		case d.Type().IsRegular():
			return visit(name)
		}
		return nil
	})
}

// named returns what a pattern's group finds in text, each once, sorted.
func named(pattern *regexp.Regexp, text string) []string {
	found := map[string]bool{}
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		found[match[1]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func exists(root fs.FS, name string) bool {
	_, err := fs.Stat(root, name)
	return err == nil
}
