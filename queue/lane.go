package queue

import (
	"container/heap"
	"time"

	"github.com/flyballhq/flyball/limit"
)

const (
	lanes = 3
	// floor is the share of a line's sends that a starved lane gets: one in
	// twenty.
	floor = 20
)

// LaneOf is the lane of a class: 0 goes first.
func LaneOf(class limit.Class) int {
	switch class {
	case limit.Interactive:
		return 0
	case limit.Normal:
		return 1
	default:
		return 2
	}
}

// classOf is the class whose lane it is.
func classOf(lane int) limit.Class {
	return [lanes]limit.Class{limit.Interactive, limit.Normal, limit.Bulk}[lane]
}

// A Rank is a place among those that wait: the lane first, then the fair tag,
// then the order of arrival.
type Rank struct {
	Lane int
	Tag  float64
	Seq  uint64
}

// Before reports whether r goes before other.
func (r Rank) Before(other Rank) bool {
	switch {
	case r.Lane != other.Lane:
		return r.Lane < other.Lane
	case r.Tag != other.Tag:
		return r.Tag < other.Tag
	default:
		return r.Seq < other.Seq
	}
}

// A lane is a line's items of one class.
type lane[T any] struct {
	items items[T]
	since time.Time // when it was last served by its rank, or the first came after that
	vain  bool      // the last one that left was not: whoever comes next waits on
}

func (l *Line[T]) push(it *Item[T], now time.Time) {
	in := &l.lanes[it.rank.Lane]
	if len(in.items) == 0 && !in.vain {
		in.since = now
	}
	heap.Push(&in.items, it)
	l.n++
}

// Head is the item that goes next by rank.
func (l *Line[T]) Head() *Item[T] {
	for i := range l.lanes {
		if len(l.lanes[i].items) > 0 {
			return l.lanes[i].items[0]
		}
	}
	return nil
}

// Next is the item to try now and the class it is to be judged as. That is
// the head and its own class, except that a lane which has waited for longer
// than patience gets one send in twenty, judged as one of the lane above: by
// its own forecast it would never fit. It gets them until one of its own goes
// by rank. It waits on when those in it give up: callers who never wait for
// that long would else never have a turn.
func (l *Line[T]) Next(now time.Time, patience func() time.Duration) (*Item[T], limit.Class) {
	top := l.Head()
	if l.above < floor-1 {
		return top, classOf(top.rank.Lane)
	}
	for i := lanes - 1; i > top.rank.Lane; i-- {
		if in := &l.lanes[i]; len(in.items) > 0 && now.Sub(in.since) > patience() {
			return in.items[0], classOf(i - 1)
		}
	}
	return top, classOf(top.rank.Lane)
}

// Served notes that it, which Next returned, was sent.
func (q *Queue[T]) Served(it *Item[T], now time.Time) {
	line := it.line
	if line == nil {
		return
	}
	if it != line.Head() {
		line.above = 0 // and its lane goes on to starve
		return
	}
	line.above++
	in := &line.lanes[it.rank.Lane]
	in.since, in.vain = now, false
	it.served = true
}
