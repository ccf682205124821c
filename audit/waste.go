package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/flyballhq/flyball/audit/accesslog"
)

// waste counts the calls that one finding would spare.
type waste struct {
	kind    Kind
	calls   int
	example string
	routes  map[string]int // calls by class of route; the classes are bounded
	details map[string]int
	merge   map[string]int // of routes, those that merging as it is spares
	audit   *Audit
}

// waste makes the counter of a kind.
func (a *Audit) waste(kind Kind) *waste {
	w := &waste{kind: kind, routes: make(map[string]int), details: make(map[string]int), merge: make(map[string]int), audit: a}
	a.wastes = append(a.wastes, w)
	return w
}

// spare counts m as a call that need not have been sent.
func (w *waste) spare(m *moment, detail, why string) {
	w.count(m.class(), 1, detail)
	if w.example == "" {
		w.example = m.cite() + why
	}
	if !m.spared {
		m.spared = true
		w.audit.spared++
	}
}

// spareEarlier counts n earlier calls of a class that need not have been sent,
// of which other findings spare some already.
func (w *waste) spareEarlier(class string, n, already int, detail, example string) {
	w.count(class, n, detail)
	w.audit.spared += max(0, n-already)
	if w.example == "" {
		w.example = example
	}
}

func (w *waste) count(class string, n int, detail string) {
	w.calls += n
	w.routes[class] += n
	if detail != "" {
		w.details[detail] += n
	}
	if detail == atOnce || detail == notTold {
		w.merge[class] += n
	}
}

// cite names a call for people, without what might be secret in it.
func (m *moment) cite() string {
	return fmt.Sprintf("%s %s by %s at %s (%s:%d)", m.Method, cite(accesslog.ScrubPath(m.Path, m.Query)), m.Client,
		m.At.UTC().Format("2006-01-02 15:04:05"), m.File, m.Line)
}

func (w *waste) finding(sends int) Finding {
	f := Finding{Kind: w.kind, Title: titles[w.kind], Calls: w.calls, Percent: percent(w.calls, sends), Example: w.example, Details: w.details}
	for _, class := range slices.SortedFunc(maps.Keys(w.routes), func(a, b string) int {
		return cmp.Or(cmp.Compare(w.routes[b], w.routes[a]), cmp.Compare(a, b))
	}) {
		f.Routes = append(f.Routes, Count{Name: class, Calls: w.routes[class]})
	}
	f.Setting, f.Advice = w.audit.remedy(&f)
	return f
}
