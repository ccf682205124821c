package simulator

import (
	"slices"
	"strings"
	"time"
)

// LimitInForce is one limit as the account applies it.
type LimitInForce struct {
	Name   string
	N      int
	Window time.Duration // 0 for jobs: so many at once
	Header string        // of its endpoint header; empty is none
}

// Limits lists the limits in force, by name.
func (s *Simulator) Limits() []LimitInForce {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []LimitInForce
	add := func(r *rule) {
		row := LimitInForce{r.name, r.n, r.window, r.header}
		if r.concurrent {
			row.Window = 0
		}
		if !slices.Contains(list, row) {
			list = append(list, row)
		}
	}
	for _, r := range s.limits.services {
		add(r)
	}
	for _, guards := range s.limits.guards {
		for _, g := range guards {
			add(g.rule)
		}
	}
	if s.limits.jobs != nil {
		add(s.limits.jobs)
	}
	slices.SortFunc(list, func(a, b LimitInForce) int { return strings.Compare(a.Name, b.Name) })
	return list
}
