// Package queue keeps the calls that wait, one line per bucket that blocks
// them, and says which line is to be looked at next.
//
// Reach for [Queue] first. It neither waits nor locks nor reads a clock.
// Within a line the most urgent class goes first, within a class the smallest
// tag: see [Rank] and [Fair].
package queue

import (
	"container/heap"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A Queue holds waiting values in lines. The zero value is empty.
type Queue[T any] struct {
	lines map[limit.Key]*Line[T]
	byDue dueLines[T]
	n     int
}

// A Line is what waits for one bucket.
type Line[T any] struct {
	Key   limit.Key
	until time.Time
	lanes [lanes]lane[T]
	n     int
	index int
}

// An Item is one waiting value.
type Item[T any] struct {
	Value  T
	rank   Rank
	line   *Line[T]
	index  int32
	served bool // with more than a starved lane's share, or moved: it has not left in vain
}

// Len is how many values wait.
func (q *Queue[T]) Len() int { return q.n }

// Line returns the bucket's line, nil when nothing waits for it.
func (q *Queue[T]) Line(key limit.Key) *Line[T] { return q.lines[key] }

// Push puts a value into the line of the bucket that blocks it, which is due
// at until. A line already there keeps its time unless the value goes first.
func (q *Queue[T]) Push(key limit.Key, now, until time.Time, rank Rank, value T) *Item[T] {
	it := &Item[T]{Value: value, rank: rank}
	q.put(it, key, now, until)
	return it
}

// Move takes an item to the line of another bucket.
func (q *Queue[T]) Move(it *Item[T], key limit.Key, now, until time.Time) {
	it.served = true // not in vain
	q.Remove(it)
	it.served = false
	q.put(it, key, now, until)
}

func (q *Queue[T]) put(it *Item[T], key limit.Key, now, until time.Time) {
	line := q.lines[key]
	if line == nil {
		if q.lines == nil {
			q.lines = map[limit.Key]*Line[T]{}
		}
		line = &Line[T]{Key: key, until: until}
		q.lines[key] = line
		heap.Push(&q.byDue, line)
	}
	it.line = line
	line.push(it, now)
	if line.Head() == it {
		q.Delay(line, until)
	}
	q.n++
}

// Remove takes an item out. Removing it again does nothing.
func (q *Queue[T]) Remove(it *Item[T]) {
	line := it.line
	if line == nil {
		return
	}
	in := &line.lanes[it.rank.Lane]
	heap.Remove(&in.items, int(it.index))
	if len(in.items) == 0 && !it.served {
		in.vain = true
	}
	line.n--
	it.line = nil
	q.n--
	if line.n == 0 {
		heap.Remove(&q.byDue, line.index)
		delete(q.lines, line.Key)
	}
}

// Delay sets when the line is due next.
func (q *Queue[T]) Delay(line *Line[T], until time.Time) {
	line.until = until
	heap.Fix(&q.byDue, line.index)
}

// Due returns the line that has been due the longest at now, nil when none is.
func (q *Queue[T]) Due(now time.Time) *Line[T] {
	if len(q.byDue) == 0 || q.byDue[0].until.After(now) {
		return nil
	}
	return q.byDue[0]
}

// Next is when a line is due next; false when nothing waits.
func (q *Queue[T]) Next() (time.Time, bool) {
	if len(q.byDue) == 0 {
		return time.Time{}, false
	}
	return q.byDue[0].until, true
}

// Len is how many values stand in the line; 0 for a nil line.
func (l *Line[T]) Len() int {
	if l == nil {
		return 0
	}
	return l.n
}

// Until is when the line is due next.
func (l *Line[T]) Until() time.Time { return l.until }

// Rank is the item's place among those that wait.
func (it *Item[T]) Rank() Rank { return it.rank }

// All calls yield with each item, in no order. The line must not be changed
// meanwhile.
func (l *Line[T]) All(yield func(*Item[T]) bool) {
	for i := range l.lanes {
		for _, it := range l.lanes[i].items {
			if !yield(it) {
				return
			}
		}
	}
}

// Before reports whether the line's head goes before the other's.
func (l *Line[T]) Before(other *Line[T]) bool { return l.Head().rank.Before(other.Head().rank) }

// Ahead is about how many of the line's items go before rank. Of a long line
// it counts a sample.
func (l *Line[T]) Ahead(rank Rank) int {
	if l == nil {
		return 0
	}
	n := 0
	for i := range min(rank.Lane, lanes) {
		n += len(l.lanes[i].items)
	}
	items := l.lanes[rank.Lane].items
	step, before := 1+len(items)/sampled, 0
	for i := 0; i < len(items); i += step {
		if items[i].rank.Before(rank) {
			before++
		}
	}
	return n + min(before*step, len(items))
}

// sampled is how many items of a long line are looked at.
const sampled = 256

// Lines calls yield with each line, in no order.
func (q *Queue[T]) Lines(yield func(*Line[T]) bool) {
	for _, line := range q.lines {
		if !yield(line) {
			return
		}
	}
}
