package memory

import (
	"sync"

	"github.com/flyballhq/flyball/cache"
)

// placeSize is about what one entry's place under one tag costs, and the tag's
// own where it is the only one under it.
const placeSize = 256

// An index finds entries by tag. An entry is in it from before it can be got
// until it has gone, for whatever reason, so it is bounded as the entries are.
// Entries are told apart by address, and counted, for one may be put twice: what
// goes does not take along the places of what came in its stead.
type index struct {
	mu sync.Mutex
	of map[string]map[*cache.Entry]int
}

func (x *index) add(e *cache.Entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, tag := range e.Tags {
		if x.of[tag] == nil {
			x.of[tag] = map[*cache.Entry]int{}
		}
		x.of[tag][e]++
	}
}

func (x *index) remove(e *cache.Entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, tag := range e.Tags {
		if x.of[tag][e]--; x.of[tag][e] <= 0 {
			delete(x.of[tag], e)
		}
		if len(x.of[tag]) == 0 {
			delete(x.of, tag)
		}
	}
}

func (x *index) with(tag string) []*cache.Entry {
	x.mu.Lock()
	defer x.mu.Unlock()
	found := make([]*cache.Entry, 0, len(x.of[tag]))
	for e := range x.of[tag] {
		found = append(found, e)
	}
	return found
}
