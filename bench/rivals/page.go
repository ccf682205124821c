package rivals

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// A page is what docs/benchmarks.md says of the comparison.
type page struct {
	date         time.Time
	first        uint64 // seed
	seeds        int
	took         time.Duration
	commit       string
	alone, apart *table
	odd, robust  *table
}

const (
	begins = "<!-- rivals: written by make bench -->"
	ends   = "<!-- rivals: end -->"
)

const preamble = `## Beside other ways of keeping to a limit

All in virtual time against flyball's simulator, which is written from the published and recorded facts and not from flyball: an account of 700
requests a minute, other consumers who ask for a share of it in bursts and do not try again, 64 workers with a backlog of 16 windows,
and interactive calls, 60 a minute, that arrive at random with a credential of their own. Latency is log-normal, median 180 ms, 50 to 500 ms.
Every policy meets the same windows, others and arrivals, seed by seed, and does all of the work: where a library gives up, its caller waits as long
as Retry-After says and calls again.

- *429s to us* and *refusals callers saw* are per 1,000 calls that callers made.
- *Others' calls refused* is the share of the other consumers' calls that met a 429: what our load costs people who are not asked.
- *Budget used* is ours of what the others' demand leaves, over whole windows; above 100 somebody else paid.
- *Makespan / bound*: the bound serves others and interactive calls first and gives bulk the rest of each window at once; below 1 somebody else paid.
- *Interactive* is from arrival to success. *Most sends in 1 s* is of the worst seed.
- *Told* policies know the mean of the others' demand, which nobody can look up; those without a rate of their own have golang.org/x/time/rate before them.
  All that need a rate know the limit. flyball is told nothing but the account's name; *nothing labelled* is that and no more.

Each rival's set-up is one small file of bench/rivals, which quotes the documented use that it follows.
`

func (p page) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s of %s, %d seeds from %d, %s: `make bench SEEDS=%d`.\n\n", begins, preamble,
		p.date.Format("2 January 2006"), p.commit, p.seeds, p.first, p.took.Round(time.Second), p.seeds)
	b.WriteString("![Interactive p99, others' calls refused and 429s of each policy](rivals.svg)\n")
	for _, s := range alone() {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n%s", s.name, p.alone.byPolicy(s.name), p.alone.ahead(s.name))
	}
	fmt.Fprintf(&b, "\n### %s\n\n%s", four().name, p.apart.byPolicy(four().name))
	b.WriteString(odd)
	for _, s := range oddWindows() {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n%s", s.name, p.odd.byPolicy(s.name), p.odd.ahead(s.name))
	}
	all := p.all()
	fmt.Fprintf(&b, "\n### What flyball is held to, everything labelled\n\n%s", all.byScenario(flyballLabelled().name))
	fmt.Fprintf(&b, "\n### What flyball is held to, nothing labelled\n\n%s", all.byScenario(flyballUnlabelled().name))
	b.WriteString(notes + ends + "\n")
	return b.String()
}

const notes = `
Interactive calls are in proportion to the limit where it is not 700. Where the account's own limit does not bound the load, budget used says nothing.
Some rivals draw their jitter from Go's unseeded source, so their last digits change from run to run.
`

// odd stands before the tables of windows that no recording shows.
const odd = `
Recorded windows are whole minutes of the UTC clock, and their resets are rounded up. The next three accounts, with others at 30 %, are what happens where
a server does otherwise: each window between 57 and 63 s long, so that they leave the clock; a window that begins with the
first call after the last one's end, as a counter with an expiry has it; and a reset and a Retry-After whose fraction is cut off, so that
"Retry-After: 0" comes up to a second before the window's end (callers here wait a second then; who takes it at its word goes in a loop). One
rival of each kind meets them.
`

// all is every scenario that flyball is held to in one process.
func (p page) all() *table { return p.alone.with(p.odd).with(p.robust) }

// with is both tables' results as one.
func (tab *table) with(more *table) *table {
	return &table{results: append(append([]*result{}, tab.results...), more.results...)}
}

// write puts the page's part into the file and leaves the rest of it.
func (p page) write(file string) error {
	old, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if len(old) == 0 {
		old = []byte("# Benchmarks\n\n")
	}
	return os.WriteFile(file, []byte(between(string(old), p.String())), 0o644)
}

// between replaces what lies between the marks, or puts the text at the end.
func between(old, text string) string {
	head, rest, found := strings.Cut(old, begins)
	if !found {
		return strings.TrimRight(old, "\n") + "\n\n" + text
	}
	_, tail, _ := strings.Cut(rest, ends+"\n")
	return head + text + tail
}
