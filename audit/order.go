package audit

import (
	"container/heap"
	"errors"
	"io"
)

// lookahead is how many calls of each file are read ahead, to put them in the
// order in which they began: logs are written when calls end.
const lookahead = 512

// ordered reads calls of several files in the order of time.
type ordered struct {
	ahead queue
	seq   uint64
}

// A waiting call and where it came from.
type waiting struct {
	call Call
	seq  uint64 // keeps the order of calls of one moment
	from *source
}

type queue []*waiting

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].call.At.Equal(q[j].call.At) {
		return q[i].seq < q[j].seq
	}
	return q[i].call.At.Before(q[j].call.At)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*waiting)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}

// add reads the first calls of a source.
func (o *ordered) add(s *source) error {
	for range lookahead {
		if err := o.more(s, new(waiting)); err != nil || s.ended {
			return err
		}
	}
	return nil
}

// more reads the source's next call into w and queues it.
func (o *ordered) more(s *source, w *waiting) error {
	switch err := s.next(&w.call); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	o.seq++
	w.seq, w.from = o.seq, s
	heap.Push(&o.ahead, w)
	return nil
}

// next hands the earliest call to take; io.EOF is the end.
func (o *ordered) next(take func(*Call)) error {
	if len(o.ahead) == 0 {
		return io.EOF
	}
	w := heap.Pop(&o.ahead).(*waiting)
	take(&w.call)
	return o.more(w.from, w)
}
