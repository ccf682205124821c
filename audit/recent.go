package audit

import (
	"math"
	"time"
)

// recent remembers the values used last, at most so many, each by a key.
type recent[V any] struct {
	kind   Kind // what it is for
	most   int
	at     map[uint64]int32
	slots  []slot[V]
	newest int32
	oldest int32
	// need is how long after its last use a value still matters; reach is the
	// least time after which one had to make room.
	need, reach time.Duration
	// drop is told of each value that makes room; may be nil.
	drop func(*V)
}

type slot[V any] struct {
	key          uint64
	used         instant
	newer, older int32
	value        V
}

const none = -1

func newRecent[V any](kind Kind, most int, need time.Duration) *recent[V] {
	return &recent[V]{kind: kind, most: most, need: need, reach: math.MaxInt64, at: make(map[uint64]int32), newest: none, oldest: none}
}

// blind says how far back the memory reached, if that was not far enough.
func (r *recent[V]) blind() (b Blind, ok bool) {
	return Blind{Kind: r.kind, Reach: r.reach, Most: r.most}, r.reach < r.need
}

// get uses the value of key now, the zero value when it is new. The pointer is
// valid until the next get.
func (r *recent[V]) get(key uint64, now instant) (v *V, known bool) {
	if i, ok := r.at[key]; ok {
		r.slots[i].used = now
		r.unlink(i)
		r.link(i)
		return &r.slots[i].value, true
	}
	i := int32(len(r.slots))
	if len(r.slots) < r.most {
		r.slots = append(r.slots, slot[V]{})
	} else {
		i = r.oldest
		if r.drop != nil {
			r.drop(&r.slots[i].value)
		}
		r.reach = min(r.reach, time.Duration(max(0, now-r.slots[i].used)))
		r.unlink(i)
		delete(r.at, r.slots[i].key)
		r.slots[i] = slot[V]{}
	}
	r.slots[i].key, r.slots[i].used = key, now
	r.at[key] = i
	r.link(i)
	return &r.slots[i].value, false
}

// find returns the value of key without using it, nil when it is unknown.
func (r *recent[V]) find(key uint64) *V {
	if i, ok := r.at[key]; ok {
		return &r.slots[i].value
	}
	return nil
}

func (r *recent[V]) link(i int32) {
	r.slots[i].older, r.slots[i].newer = r.newest, none
	if r.newest != none {
		r.slots[r.newest].newer = i
	}
	r.newest = i
	if r.oldest == none {
		r.oldest = i
	}
}

func (r *recent[V]) unlink(i int32) {
	s := &r.slots[i]
	if s.newer != none {
		r.slots[s.newer].older = s.older
	} else {
		r.newest = s.older
	}
	if s.older != none {
		r.slots[s.older].newer = s.newer
	} else {
		r.oldest = s.newer
	}
}

// each visits every value.
func (r *recent[V]) each(visit func(*V)) {
	for i := range r.slots {
		visit(&r.slots[i].value)
	}
}
