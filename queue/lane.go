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
	items  items[T]
	since  time.Time // when it last had more than a starved lane's share, or the first came after that
	vain   bool      // the last one that left was not served so: whoever comes next waits on
	passed int       // sends of higher lanes since it had one
	by     int       // the lane that the latest of them was judged by
}

func (l *Line[T]) push(it *Item[T], now time.Time) {
	in := &l.lanes[it.rank.Lane]
	if len(in.items) == 0 && !in.vain {
		in.since, in.passed = now, 0
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
// than patience gets one send in twenty, judged as those that pass it: by its
// own forecast it would never fit. It gets them until it has more by rank. It
// waits on when those in it give up: callers who never wait for that long would
// else never have a turn.
func (l *Line[T]) Next(now time.Time, patience func() time.Duration) (*Item[T], limit.Class) {
	top := l.Head()
	for i := lanes - 1; i >= top.rank.Lane; i-- {
		if in := &l.lanes[i]; len(in.items) > 0 && in.starved() && now.Sub(in.since) > patience() {
			return in.items[0], classOf(in.by)
		}
	}
	return top, classOf(top.rank.Lane)
}

func (in *lane[T]) starved() bool { return in.passed >= floor-1 }

// Pass notes that a send of the rank, judged as a class, went that draws on the
// line's bucket, whether it stood in the line or not.
func (l *Line[T]) Pass(rank Rank, as limit.Class) {
	for i := rank.Lane + 1; i < lanes; i++ {
		l.lanes[i].passed++
		l.lanes[i].by = LaneOf(as)
	}
}

// Served notes that it, which Next returned, was sent.
func (q *Queue[T]) Served(it *Item[T], now time.Time) {
	if it.line == nil {
		return
	}
	in := &it.line.lanes[it.rank.Lane]
	if !in.starved() { // else its lane goes on to starve
		in.since, in.vain = now, false
		it.served = true
	}
	in.passed = 0
}
