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

// ahead says which rivals are ahead of flyball in a scenario, figure by figure,
// and what their others and our people pay.
func (tab *table) ahead(scenario string) string {
	ours, rivals := tab.sides(scenario)
	if ours == nil || rivals == nil {
		return ""
	}
	var b strings.Builder
	for _, m := range merits() {
		if before := m.before(ours, rivals); len(before) > 0 {
			fmt.Fprintf(&b, "- Ahead of flyball in %s: %s.\n", m.name, prices(before))
		}
	}
	if equals := tab.equals(scenario); len(equals) > 0 {
		fmt.Fprintf(&b, "- As good as flyball in all three: %s.\n", strings.Join(equals, "; "))
	} else {
		b.WriteString("- As good as flyball in all three: none.\n")
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

// equals are the rivals that are as good as flyball by every merit.
func (tab *table) equals(scenario string) (names []string) {
	ours, rivals := tab.sides(scenario)
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

// sides are flyball, labelled, and its rivals in a scenario.
func (tab *table) sides(scenario string) (ours *result, rivals []*result) {
	for _, r := range tab.results {
		switch {
		case r.scenario.name != scenario:
		case !isFlyball(r):
			rivals = append(rivals, r)
		case ours == nil:
			ours = r
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
