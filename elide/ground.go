package elide

import (
	"hash/maphash"
	"time"
)

// A ground is what writes are known of by name: each name has a plot, shared
// with others that have the same hash, which only makes it forget more.
//
// What was seen of an object is worth something as long as no write has begun
// or ended on its plots since, none is under way, and no job is at work there.
type ground [4096]plot

type plot struct {
	turns   uint64    // begins and ends of writes
	writing int       // writes under way
	working time.Time // a job may be at work until then
}

var seed = maphash.MakeSeed()

func (g *ground) at(name string) *plot { return &g[maphash.String(seed, name)%uint64(len(g))] }

// state sums up the plots of names: it grows with every write. quiet says that
// nothing is under way on any of them.
func (g *ground) state(names []string, now time.Time) (turns uint64, quiet bool) {
	quiet = true
	for _, name := range names {
		p := g.at(name)
		turns += p.turns
		quiet = quiet && p.writing == 0 && !now.Before(p.working)
	}
	return turns, quiet
}

func (g *ground) begin(names []string) {
	for _, name := range names {
		p := g.at(name)
		p.turns++
		p.writing++
	}
}

// end ends a write; a job that it has left behind is at work until working.
func (g *ground) end(names []string, working time.Time) {
	for _, name := range names {
		p := g.at(name)
		p.turns++
		p.writing--
		if working.After(p.working) {
			p.working = working
		}
	}
}
