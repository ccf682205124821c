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
	turn  uint64    // when it had a turn as starved last, of the line's turns
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
// the head and its own class, except that lanes which have waited for longer
// than patience get one send in twenty, by turns, judged as the head would be:
// by its own forecast none of theirs would ever fit. A lane gets them until one
// of its own goes by rank. It waits on when those in it give up: callers who
// never wait for that long would else never have a turn.
func (l *Line[T]) Next(now time.Time, patience func() time.Duration) (*Item[T], limit.Class) {
	top := l.Head()
	class := classOf(top.rank.Lane)
	if l.above < floor-1 {
		return top, class
	}
	var starved *lane[T]
	for i := lanes - 1; i > top.rank.Lane; i-- {
		in := &l.lanes[i]
		if len(in.items) > 0 && now.Sub(in.since) > patience() && (starved == nil || in.turn < starved.turn) {
			starved = in
		}
	}
	if starved == nil {
		return top, class
	}
	return starved.items[0], class
}

// Served notes that it, which Next returned, was sent.
func (q *Queue[T]) Served(it *Item[T], now time.Time) {
	line := it.line
	if line == nil {
		return
	}
	in := &line.lanes[it.rank.Lane]
	if it != line.Head() { // and its lane goes on to starve
		line.above = 0
		line.turns++
		in.turn = line.turns
		return
	}
	line.above++
	in.since, in.vain = now, false
	it.served = true
}
