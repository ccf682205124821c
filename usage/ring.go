package usage

import "slices"

// A ring is the history at one resolution: closed steps, oldest first, and the
// one under way.
type ring struct {
	every int64 // seconds in a step
	most  int   // steps kept
	steps []step
	bytes int
	now   *open
	// dropped says that the history reaches back further than the steps.
	dropped bool
}

// add puts figures into the step of a second, which is never earlier than the
// step under way: a clock that was set back counts there.
func (h *History) add(r *ring, second int64, rows map[row]*Figures) {
	start := second - mod(second, r.every)
	switch {
	case r.now == nil:
		r.now = newOpen(start)
	case start > r.now.start:
		h.close(r)
		r.now = newOpen(start)
	}
	for k, f := range rows {
		r.now.at(k).Add(f)
	}
}

// close packs the step under way and forgets what is too old.
func (h *History) close(r *ring) {
	o := r.now
	r.now = nil
	if o == nil || len(o.rows) == 0 {
		return
	}
	o.fold()
	h.append(r, o)
	from := o.start - int64(r.most-1)*r.every
	for len(r.steps) > 0 && r.steps[0].start < from {
		h.forget(r)
	}
}

func (h *History) append(r *ring, o *open) {
	s := step{start: o.start, names: make([]*name, 0, len(o.rows))}
	size := 0
	for k := range o.rows {
		n := h.names[k]
		if n == nil {
			n = &name{row: k}
			h.names[k] = n
			h.nameBytes += nameOverhead + len(k.name)
		}
		n.steps++
		s.names = append(s.names, n)
		size += 24
	}
	data := make([]byte, 0, size)
	for _, n := range s.names {
		data = pack(data, o.rows[n.row])
	}
	s.data = slices.Clip(slices.Clone(data))
	r.steps = append(r.steps, s)
	r.bytes += s.size()
}

// forget drops the oldest step.
func (h *History) forget(r *ring) {
	r.dropped = true
	s := &r.steps[0]
	for _, n := range s.names {
		if n.steps--; n.steps == 0 {
			delete(h.names, n.row)
			h.nameBytes -= nameOverhead + len(n.name)
		}
	}
	r.bytes -= s.size()
	*s = step{}
	r.steps = r.steps[1:]
}

// trim drops the oldest steps of the fullest ring until all fit.
func (h *History) trim() {
	for h.bytes() > h.maxBytes {
		fullest := &h.rings[0]
		for i := range h.rings {
			if h.rings[i].bytes > fullest.bytes {
				fullest = &h.rings[i]
			}
		}
		if len(fullest.steps) == 0 {
			return
		}
		h.forget(fullest)
	}
}

func (h *History) bytes() int {
	sum := h.nameBytes
	for i := range h.rings {
		sum += h.rings[i].bytes
	}
	return sum
}

// mod is never negative.
func mod(a, b int64) int64 { return ((a % b) + b) % b }
