package rivals

import (
	"fmt"
	"strings"
)

// byPolicy is a table of one scenario, a row for each policy.
func (tab *table) byPolicy(name string) string {
	var b strings.Builder
	b.WriteString("| policy | 429s to us per 1,000 | refusals callers saw per 1,000 | others' calls refused % | budget used % | makespan / bound | interactive p50 s | interactive p99 s | most sends in 1 s |\n")
	b.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	if idle := tab.idles[name]; idle != nil {
		b.WriteString(idle.row())
	}
	for _, r := range tab.results {
		if r.scenario.name == name {
			b.WriteString(r.row())
		}
	}
	return b.String()
}

func (r *result) row() string {
	f := r.figures
	used, makespan := fmt.Sprintf("%.1f", f.used()), fmt.Sprintf("%.3f", f.makespan.Seconds()/max(1, f.bound.Seconds()))
	if r.scenario.idle {
		used, makespan = "-", "-"
	}
	return fmt.Sprintf("| %s | %.1f | %.1f | %s | %s | %s | %.2f | %.2f | %d |\n", r.policy.name,
		f.per1k(), f.callerPer1k(), r.harm(), used, makespan, f.wait(0.5).Seconds(), f.wait(0.99).Seconds(), f.peak)
}

func (r *result) harm() string {
	if r.figures.others == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", r.figures.harm())
}

// byScenario is a table of one policy, a row for each scenario and its bar.
func (tab *table) byScenario(policy string) string {
	var b strings.Builder
	b.WriteString("| scenario | 429s to us per 1,000 | refusals callers saw per 1,000 | others' calls refused % | budget used % | interactive p50 s | interactive p99 s | most sends in 1 s | asked | missed |\n")
	b.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|---|---|\n")
	for _, r := range tab.results {
		if r.policy.name == policy {
			b.WriteString(r.barRow())
		}
	}
	return b.String()
}

func (r *result) barRow() string {
	f := r.figures
	used := "-"
	if !r.scenario.unlimited {
		used = fmt.Sprintf("%.1f", f.used())
	}
	name := r.scenario.name + r.details()
	return fmt.Sprintf("| %s | %.1f | %.1f | %s | %s | %.2f | %.2f | %d | %s | %s |\n", name,
		f.per1k(), f.callerPer1k(), r.harm(), used, f.wait(0.5).Seconds(), f.wait(0.99).Seconds(), f.peak,
		r.scenario.bar.asked(), r.scenario.bar.missed(*r))
}

// details are figures that only some scenarios have.
func (r *result) details() string {
	f := r.figures
	switch {
	case r.scenario.bar.first > 0:
		return fmt.Sprintf(" (at most %d refused in its first window, %d in a later one)", f.endpoint[0], f.endpoint[1])
	case len(f.share) > 1:
		return fmt.Sprintf(" (served %s)", strings.Trim(strings.ReplaceAll(fmt.Sprint(f.share), " ", " : "), "[]"))
	}
	return ""
}
