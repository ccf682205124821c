package elide

import (
	"fmt"
	"testing"
	"time"
)

// A sync that writes thousands of records leaves what was seen of others: only
// writes to what an object depends on make it be forgotten.
func TestWritesToOthersAreNotHeardOf(t *testing.T) {
	var g ground
	now := time.Now()
	depends := []string{"tickets/1", "records", "everything"}
	before, _ := g.state(depends, now)
	for i := range mostPlots - 1 {
		name := []string{fmt.Sprint("tickets/", i+2)}
		g.begin(name, now)
		g.end(name, time.Time{})
	}
	if after, quiet := g.state(depends, now); after != before || !quiet {
		t.Error("a write to another was taken for one to it")
	}
	own := []string{"records"}
	g.begin(own, now)
	if after, quiet := g.state(depends, now); after == before || quiet {
		t.Error("a write to all records was not heard of")
	}
}

// Plots are bounded. With those that are forgotten goes all that was seen; a
// write under way and a job at work stay known.
func TestForgottenPlotsTakeWhatWasSeenWithThem(t *testing.T) {
	var g ground
	now := time.Now()
	written, working, under := []string{"written"}, []string{"job"}, []string{"under way"}
	g.begin(working, now)
	g.end(working, now.Add(time.Minute))
	g.begin(under, now)
	g.begin(written, now)
	g.end(written, time.Time{})
	before, _ := g.state(written, now)
	for i := range 3 * mostPlots {
		name := []string{fmt.Sprint(i)}
		g.begin(name, now)
		g.end(name, time.Time{})
		if len(g.plots) > mostPlots {
			t.Fatalf("%d plots", len(g.plots))
		}
	}
	if after, _ := g.state(written, now); after <= before {
		t.Errorf("what was forgotten stands at %d, and stood at %d: a sight from before would be believed", after, before)
	}
	for _, name := range [][]string{working, under} {
		if _, quiet := g.state(name, now); quiet {
			t.Errorf("%s is forgotten", name)
		}
	}
	g.end(under, time.Time{})
	if _, quiet := g.state(under, now); !quiet {
		t.Error("a write that has ended is under way for ever")
	}
}
