// Command behaviours finds the test behind each promise of promises.txt and
// writes the table docs/behaviours.md. It runs from the module's root:
//
//	go run ./internal/behaviours          # write the table, print the count
//	go run ./internal/behaviours -check   # fail if the table is stale instead
//
// Either way a required promise without a test, and a mark that leads to no
// test or no promise, is a failure. Whether the tests pass is for go test.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

//go:generate go run . -root ../..

func main() {
	root := flag.String("root", ".", "folder of the main module")
	check := flag.Bool("check", false, "compare docs/behaviours.md instead of writing it")
	flag.Parse()
	if err := run(os.Stdout, *root, *check, due); err != nil {
		fmt.Fprintln(os.Stderr, "behaviours:", err)
		os.Exit(1)
	}
}

// run collects, prints the count, and writes or compares the table. A row of
// required whose last test is gone is an error.
func run(out io.Writer, root string, check bool, required string) error {
	sections, err := readSections(promisesText)
	if err != nil {
		return err
	}
	keepers, err := collect(os.DirFS(root), knownRows(sections))
	if err != nil {
		return err
	}
	if err := count(out, sections, keepers, due, required); err != nil {
		return err
	}
	table := filepath.Join(root, "docs", "behaviours.md")
	want := render(sections, keepers)
	if check {
		return compare(table, want)
	}
	return os.WriteFile(table, []byte(want), 0o644)
}

// count prints how many of the due promises are kept, and fails when a
// required one is not. Both lists are in the form that rows reads.
func count(out io.Writer, sections []section, keepers []keeper, due, required string) error {
	dueRows, err := rows(due)
	if err != nil {
		return err
	}
	requiredRows, err := rows(required)
	if err != nil {
		return err
	}
	notKept := missing(dueRows, keepers)
	all := len(knownRows(sections))
	fmt.Fprintf(out, "behaviours: %d of the %d due rows kept by a test", len(dueRows)-len(notKept), len(dueRows))
	if len(notKept) > 0 {
		fmt.Fprintf(out, " (not yet: %s)", strings.Join(notKept, " "))
	}
	fmt.Fprintf(out, "; %d more rows come later\n", all-len(dueRows))
	if lost := missing(requiredRows, keepers); len(lost) > 0 {
		return fmt.Errorf("no test keeps %s: mark one by a line \"// Behaviour %s: ...\" directly above it",
			strings.Join(lost, ", "), lost[0])
	}
	return nil
}

// compare fails when the table in the tree is not the one wanted.
func compare(table, want string) error {
	got, err := os.ReadFile(table)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && string(got) != want:
		return fmt.Errorf("%s is stale: run \"make behaviours\" and commit it", table)
	}
	return err
}

func knownRows(sections []section) map[string]bool {
	known := map[string]bool{}
	for _, s := range sections {
		for _, p := range s.promises {
			known[p.row] = true
		}
	}
	return known
}
