package rivals

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	seeds = flag.Int("seeds", 0, "run the whole comparison with so many seeds")
	first = flag.Uint64("first", 1001, "the first seed")
	write = flag.String("write", "", "folder of benchmarks.md and rivals.svg; empty is none")
	only  = flag.String("policies", "", "only policies whose name matches this expression")
	where = flag.String("scenarios", "", "only scenarios whose name matches this expression")
	hold  = flag.Bool("hold", false, "fail where flyball misses a bar")
)

// TestBench is the comparison that make bench runs; without -seeds it is skipped.
func TestBench(t *testing.T) {
	if *seeds == 0 {
		t.Skip("make bench runs this")
	}
	debug.SetGCPercent(400)
	p := page{date: time.Now(), first: *first, seeds: *seeds, commit: commit()}
	if *write != "" && *only+*where != "" {
		t.Fatal("-write needs the whole comparison: leave -policies and -scenarios out")
	}
	t.Run("alone", func(t *testing.T) {
		p.alone = compare(t, matching(t, alone()), named(t, policies()), true, *first, *seeds)
	})
	t.Run("apart", func(t *testing.T) {
		p.apart = compare(t, matching(t, []scenario{four()}), named(t, apart()), true, *first, *seeds)
	})
	t.Run("odd", func(t *testing.T) {
		p.odd = compare(t, matching(t, oddWindows()), named(t, meetingOddWindows()), true, *first, *seeds)
	})
	t.Run("robust", func(t *testing.T) {
		p.robust = compare(t, matching(t, robustness()), named(t, policies()[:2]), false, *first, *seeds)
	})
	p.took = time.Since(p.date)
	fmt.Println(p)
	if *write != "" {
		save(t, p, *write)
	}
	if *hold {
		p.holds(t)
	}
}

// holds fails where flyball misses a bar, or a rival is as good in all three
// figures.
func (p page) holds(t *testing.T) {
	for _, s := range append(alone(), oddWindows()...) {
		ours, rivals := p.alone.with(p.odd).sides(s.name)
		for _, r := range ours {
			for _, name := range equal(r, rivals) {
				t.Errorf("%s: %s is as good as %s", s.name, name, r.policy.name)
			}
		}
	}
	for _, r := range p.all().with(p.apart).results {
		if missed := r.scenario.bar.missed(*r); isFlyball(r) && missed != "" {
			t.Errorf("%s, %s: misses %s", r.policy.name, r.scenario.name, missed)
		}
	}
}

// matching are the scenarios asked for.
func matching(t *testing.T, all []scenario) []scenario {
	pattern := expression(t, *where)
	return slices.DeleteFunc(all, func(s scenario) bool { return !pattern.MatchString(s.name) })
}

// named are the policies asked for.
func named(t *testing.T, all []policy) []policy {
	pattern := expression(t, *only)
	return slices.DeleteFunc(slices.Clone(all), func(p policy) bool { return !pattern.MatchString(p.name) })
}

func expression(t *testing.T, text string) *regexp.Regexp {
	t.Helper()
	pattern, err := regexp.Compile(text)
	if err != nil {
		t.Fatalf("-policies and -scenarios take regular expressions: %v", err)
	}
	return pattern
}

func save(t *testing.T, p page, folder string) {
	t.Helper()
	if err := p.write(filepath.Join(folder, "benchmarks.md")); err != nil {
		t.Error(err)
	}
	svg, err := p.alone.draw(others(0.3).name)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "rivals.svg"), svg, 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}

// commit is the source's, as git tells it.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "an unknown commit"
	}
	return "commit " + strings.TrimSpace(string(out))
}
