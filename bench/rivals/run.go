package rivals

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// run is one scenario under one policy from one seed, in a bubble of its own.
func run(t *testing.T, s scenario, p policy, seed uint64) (f figures) {
	synctest.Test(t, func(t *testing.T) { f = inBubble(t, s, p, seed) })
	return f
}

func inBubble(t *testing.T, s scenario, p policy, seed uint64) figures {
	// Bubbles start at second 0 of a minute; loads do not.
	time.Sleep(time.Duration(rand.New(rand.NewPCG(seed, 1)).Int64N(int64(600 * time.Second))))
	s.sim.Seed, s.sim.Origin = seed, origin
	s.sim.KeepRequests = 1 << 20
	start := time.Now()
	sim := simulator.New(s.sim)
	c := &callers{scenario: s, policy: p}
	c.done = make([]atomic.Int64, len(s.clients()))
	for range max(1, s.processes) {
		way, end := p.dial(toldOf(s, p), sim.RoundTripper())
		defer end()
		c.ways = append(c.ways, way)
	}
	end := c.work(t.Context(), seed)
	return count(c, sim.Ledger(), start, end)
}

// toldOf is what the policy knows of the account.
func toldOf(s scenario, p policy) told {
	t := told{limit: s.limit(), window: s.window()}
	if p.told {
		t.known, t.others = true, s.sim.Others
	}
	if p.shared {
		t.share = s.processes
	}
	return t
}
