package elide

import (
	"hash/maphash"
	"time"
)

// mostPlots is how many names are told apart before the quiet ones are
// forgotten, and all that was seen with them.
const mostPlots = 1 << 16

// A ground is what writes are known of by name: each name that was written to
// has a plot.
//
// What was seen of an object is worth something as long as no write has begun
// or ended on its plots since, none is under way, and no job is at work there.
// Names that many objects share must not be taken for another's: one write
// would then make all of them be forgotten.
type ground struct {
	plots   map[uint64]*plot // by the name's hash
	steps   uint64           // begins and ends of writes
	cleared uint64           // the step at which plots were forgotten last
	full    int              // how many plots there may be before the next time
}

type plot struct {
	step    uint64    // at which a write began or ended here last
	writing int       // writes under way
	working time.Time // a job may be at work until then
}

var seed = maphash.MakeSeed()

func (p *plot) quiet(now time.Time) bool { return p.writing == 0 && !now.Before(p.working) }

// state is the last step that was taken on the plots of names: it grows with
// every write. quiet says that nothing is under way on any of them.
func (g *ground) state(names []string, now time.Time) (step uint64, quiet bool) {
	step, quiet = g.cleared, true
	for _, name := range names {
		if p := g.plots[maphash.String(seed, name)]; p != nil {
			step, quiet = max(step, p.step), quiet && p.quiet(now)
		}
	}
	return step, quiet
}

func (g *ground) begin(names []string, now time.Time) {
	g.clear(now)
	for _, name := range names {
		g.at(name).writing++
	}
}

// end ends a write; a job that it has left behind is at work until working.
func (g *ground) end(names []string, working time.Time) {
	for _, name := range names {
		p := g.at(name)
		p.writing--
		if working.After(p.working) {
			p.working = working
		}
	}
}

// at returns the plot of a name for one more step on it.
func (g *ground) at(name string) *plot {
	hash := maphash.String(seed, name)
	p := g.plots[hash]
	if p == nil {
		p = &plot{}
		g.plots[hash] = p
	}
	g.steps++
	p.step = g.steps
	return p
}

// clear forgets the quiet plots when there are too many.
func (g *ground) clear(now time.Time) {
	if g.plots == nil {
		g.plots, g.full = map[uint64]*plot{}, mostPlots
	}
	if len(g.plots) < g.full {
		return
	}
	for hash, p := range g.plots {
		if p.quiet(now) {
			delete(g.plots, hash)
		}
	}
	g.cleared = g.steps
	g.full = max(mostPlots, 2*len(g.plots))
}
