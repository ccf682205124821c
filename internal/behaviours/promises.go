package main

import (
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// promises.txt has a heading for each section and one row a line: its name,
// what was seen elsewhere, and the promise, parted by " | ".
//
//go:embed promises.txt
var promisesText string

// due lists the promises that are kept today; the check fails when one of
// them has no test. The others come with later features.
const due = "A1-A16 B1-B7 C1-C6 D1-D4 E1-E9 F1-F4 F6 H1-H7 I1-I11"

// A section is a group of promises under one heading.
type section struct {
	title    string
	promises []promise
}

// A promise is one row: what flyball does where others went wrong.
type promise struct {
	row  string // A6
	seen string // what went wrong elsewhere
	text string
}

// readSections reads the form of promises.txt.
func readSections(text string) ([]section, error) {
	var sections []section
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if title, ok := strings.CutPrefix(line, "## "); ok {
			sections = append(sections, section{title: title})
			continue
		}
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || !rowName.MatchString(cells[0]) || len(sections) == 0 || seen[cells[0]] {
			return nil, fmt.Errorf("read promises: %q is no new row %q below a heading", line, "A6 | seen elsewhere | promise")
		}
		seen[cells[0]] = true
		last := &sections[len(sections)-1]
		last.promises = append(last.promises, promise{row: cells[0], seen: cells[1], text: cells[2]})
	}
	return sections, nil
}

var (
	rowName  = regexp.MustCompile(`^[A-Z][1-9][0-9]*$`)
	rowRange = regexp.MustCompile(`^([A-Z])([1-9][0-9]*)(?:-([A-Z])([1-9][0-9]*))?$`)
)

// rows spells out a list such as "A1-A3 B7", in its order.
func rows(list string) ([]string, error) {
	var all []string
	for _, span := range strings.Fields(list) {
		m := rowRange.FindStringSubmatch(span)
		if m == nil || m[3] != "" && m[3] != m[1] {
			return nil, fmt.Errorf("read rows: %q is neither a row nor a range such as A1-A3", span)
		}
		first, _ := strconv.Atoi(m[2])
		last := first
		if m[4] != "" {
			last, _ = strconv.Atoi(m[4])
		}
		for n := first; n <= last; n++ {
			all = append(all, m[1]+strconv.Itoa(n))
		}
	}
	return all, nil
}
