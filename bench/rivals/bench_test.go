package rivals

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

var (
	seeds = flag.Int("seeds", 0, "run the whole comparison with so many seeds")
	first = flag.Uint64("first", 1001, "the first seed")
	write = flag.String("write", "", "folder of benchmarks.md and rivals.svg; empty is none")
	hold  = flag.Bool("hold", false, "fail where flyball misses a bar")
)

// TestBench is the comparison that make bench runs; without -seeds it is skipped.
func TestBench(t *testing.T) {
	if *seeds == 0 {
		t.Skip("make bench runs this")
	}
	debug.SetGCPercent(400)
	p := page{date: time.Now(), first: *first, seeds: *seeds, commit: commit()}
	flyballs := policies()[:2]
	t.Run("alone", func(t *testing.T) { p.alone = compare(t, alone(), policies(), true, *first, *seeds) })
	t.Run("apart", func(t *testing.T) { p.apart = compare(t, []scenario{four()}, apart(), true, *first, *seeds) })
	t.Run("robust", func(t *testing.T) { p.robust = compare(t, robustness(), flyballs, false, *first, *seeds) })
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
	for _, s := range alone() {
		for _, equal := range p.alone.equals(s.name) {
			t.Errorf("%s: %s is as good as flyball", s.name, equal)
		}
	}
	for _, r := range p.alone.with(p.apart).with(p.robust).results {
		if missed := r.scenario.bar.missed(*r); isFlyball(r) && missed != "" {
			t.Errorf("%s, %s: misses %s", r.policy.name, r.scenario.name, missed)
		}
	}
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
