package main

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// render writes docs/behaviours.md: each promise with the tests that keep it.
func render(sections []section, keepers []keeper) string {
	var b strings.Builder
	b.WriteString(`<!-- Written by "make behaviours"; do not edit. -->
# Behaviours

What went wrong in gateways and clients that deal with rate limits, measured or reported by their users, and what
flyball promises instead. Each promise is kept by the tests beside it. Such a test also runs its check against a small faulty twin, the naive way, and sees it
fail there; a "send" is one request that reaches Zendesk, and the judge of sends is the simulator's ledger. A row
without a test is not kept yet.

The words of the promises are in ` + "`internal/behaviours/promises.txt`" + `. A test takes its place here by a line
` + "`// Behaviour A6: what it promises`" + ` (in scripts ` + "`# Behaviour A6: ...`" + `) in the comment directly above it.
`)
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n| row | seen elsewhere | promise | kept by |\n|---|---|---|---|\n", s.title)
		for _, p := range s.promises {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", p.row, cell(p.seen), cell(p.text), links(p.row, keepers))
		}
	}
	return b.String()
}

// links names the tests of one row, as links from the docs folder.
func links(row string, keepers []keeper) string {
	var all []string
	for _, k := range sorted(keepers) {
		if k.row == row {
			all = append(all, fmt.Sprintf("`%s` [%s](../%s)", path.Dir(k.file), cell(k.test), k.file))
		}
	}
	if all == nil {
		return "-"
	}
	return strings.Join(slices.Compact(all), "<br>")
}

// sorted orders keepers by file, so that the page does not depend on the walk.
func sorted(keepers []keeper) []keeper {
	return slices.SortedFunc(slices.Values(keepers), func(a, b keeper) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.test, b.test))
	})
}

// cell keeps a text inside its column.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// missing returns those of rows that no test keeps, in order.
func missing(rows []string, keepers []keeper) []string {
	return slices.DeleteFunc(slices.Clone(rows), func(row string) bool {
		return slices.ContainsFunc(keepers, func(k keeper) bool { return k.row == row })
	})
}
