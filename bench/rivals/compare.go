package rivals

import (
	"sync"
	"testing"
)

// A result is what a policy came to in a scenario over all seeds.
type result struct {
	scenario scenario
	policy   policy
	figures  figures
	idle     figures // of the scenario without bulk, where it was run
}

// A table is one scenario under many policies, or many under a few.
type table struct {
	results []*result
	// idles are the runs without bulk, by scenario's name.
	idles map[string]*result
}

// compare runs policies in scenarios from seeds first to first+n-1, side by side
// on as many cores as go test has parallel tests. With idle, each scenario is
// run without bulk too.
func compare(t *testing.T, scenarios []scenario, policies []policy, idle bool, first uint64, n int) *table {
	tab := &table{idles: make(map[string]*result)}
	var mu sync.Mutex
	bySeed := make(map[string][]figures)
	t.Run("idle", func(t *testing.T) {
		for _, s := range scenarios {
			if !idle {
				break
			}
			still := s
			still.idle = true
			r := &result{scenario: still, policy: policy{name: "(no bulk at all)", dial: sleeping().dial}}
			tab.idles[s.name] = r
			each(t, r, first, n, func(i int, f figures) {
				mu.Lock()
				defer mu.Unlock()
				if bySeed[s.name] == nil {
					bySeed[s.name] = make([]figures, n)
				}
				bySeed[s.name][i] = f
			})
		}
	})
	t.Run("all", func(t *testing.T) {
		for _, s := range scenarios {
			for _, p := range policies {
				r := &result{scenario: s, policy: p}
				tab.results = append(tab.results, r)
				each(t, r, first, n, nil)
			}
		}
	})
	tab.relate(bySeed)
	return tab
}

// each runs a result's seeds in a test of their own.
func each(t *testing.T, r *result, first uint64, n int, also func(i int, f figures)) {
	t.Run(r.policy.name+", "+r.scenario.name, func(t *testing.T) {
		t.Parallel()
		for i := range n {
			f := run(t, r.scenario, r.policy, first+uint64(i))
			r.figures.add(f)
			if also != nil {
				also(i, f)
			}
		}
	})
}

// relate tells each result what the scenario does without bulk.
func (tab *table) relate(bySeed map[string][]figures) {
	for _, r := range tab.results {
		idle := tab.idles[r.scenario.name]
		if idle == nil {
			continue
		}
		r.idle = idle.figures
		for _, f := range bySeed[r.scenario.name] {
			r.figures.bound += leastMakespan(f, r.scenario.backlog())
		}
	}
}
