package rivals

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A merit is a figure of which less is better.
type merit struct {
	name   string
	of     func(r *result) float64
	least  float64 // difference that counts
	format string
}

// merits are the three figures that count together: ours refused, harm, and how
// long a person waits.
func merits() []merit {
	return []merit{
		{"429s to us", func(r *result) float64 { return r.figures.per1k() }, 0.1, "%.1f per 1,000"},
		{"others' calls refused", func(r *result) float64 { return r.figures.harm() }, 0.1, "%.1f %%"},
		{"interactive p99", func(r *result) float64 { return r.figures.wait(0.99).Seconds() }, 0.05, "%.2f s"},
	}
}

// ahead says which rivals are ahead of flyball, labelled and not, in a scenario,
// figure by figure, and what their others and their people pay.
func (tab *table) ahead(scenario string) string {
	ours, rivals := tab.sides(scenario)
	if rivals == nil {
		return ""
	}
	var b strings.Builder
	for _, r := range ours {
		for _, m := range merits() {
			if before := m.before(r, rivals); len(before) > 0 {
				fmt.Fprintf(&b, "- Ahead of %s in %s: %s.\n", r.policy.name, m.name, prices(before))
			}
		}
		equals := "none"
		if names := equal(r, rivals); names != nil {
			equals = strings.Join(names, "; ")
		}
		fmt.Fprintf(&b, "- As good as %s in all three: %s.\n", r.policy.name, equals)
	}
	return b.String()
}

// before are the rivals ahead of ours, the best first.
func (m merit) before(ours *result, rivals []*result) (list []*result) {
	for _, r := range rivals {
		if m.of(r) < m.of(ours)-m.least {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b *result) int { return cmp.Compare(m.of(a), m.of(b)) })
	return list
}

// prices names the first results with all merits, and counts the others.
func prices(list []*result) string {
	const most = 3
	var parts []string
	for _, r := range list[:min(most, len(list))] {
		parts = append(parts, fmt.Sprintf("%s (%s)", r.policy.name, r.price()))
	}
	if len(list) > most {
		parts = append(parts, fmt.Sprintf("and %d more", len(list)-most))
	}
	return strings.Join(parts, "; ")
}

// equal are the rivals that are as good as ours by every merit.
func equal(ours *result, rivals []*result) (names []string) {
	for _, r := range rivals {
		worse := false
		for _, m := range merits() {
			worse = worse || m.of(r) > m.of(ours)+m.least
		}
		if !worse {
			names = append(names, r.policy.name)
		}
	}
	return names
}

// sides are flyball, labelled and not, and its rivals in a scenario.
func (tab *table) sides(scenario string) (ours, rivals []*result) {
	for _, r := range tab.results {
		switch {
		case r.scenario.name != scenario:
		case isFlyball(r):
			ours = append(ours, r)
		default:
			rivals = append(rivals, r)
		}
	}
	return ours, rivals
}

// price is all merits of a result.
func (r *result) price() string {
	var parts []string
	for _, m := range merits() {
		if m.name != "others' calls refused" || r.figures.others > 0 {
			parts = append(parts, m.name+" "+fmt.Sprintf(m.format, m.of(r)))
		}
	}
	return strings.Join(parts, ", ")
}
