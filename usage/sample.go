package usage

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// lastLook is how long before a window's end it is looked at once more, so
// that little of its use is missed.
const lastLook = 3 * time.Millisecond

// A watched is one bucket as it was last seen.
type watched struct {
	resets       time.Time // zero when no window was open
	window       time.Duration
	limit        int
	ours, others int
	unseen       float64 // others' sends forecast since the last answer
	at           time.Time
}

// sample counts what has changed in the buckets since the last look, and
// returns when to look once more: shortly before a window ends.
func (h *History) sample(now time.Time, snap *limit.Snapshot) (again time.Time) {
	rows := make(map[row]*Figures)
	for i := range snap.Buckets {
		b := &snap.Buckets[i]
		if b.Kind != limit.Window || b.Key.Object != 0 || b.Key.Credential != 0 {
			continue
		}
		w := h.watched[b.Key]
		if w == nil {
			w = &watched{at: now}
			h.watched[b.Key] = w
		}
		f := new(Figures)
		w.look(now, b, f)
		rows[row{Bucket, bucketName(b.Key)}] = f
		if end := b.Resets.Add(-lastLook); end.After(now.Add(lastLook)) && (again.IsZero() || end.Before(again)) {
			again = end
		}
	}
	if len(rows) > 0 {
		h.count(now.Unix(), rows)
	}
	return again
}

// look counts one bucket's changes into f.
func (w *watched) look(now time.Time, b *limit.Bucket, f *Figures) {
	if !w.same(b) {
		w.end(f)
	}
	if b.Limit > 0 {
		f.n[Samples]++
		f.n[LimitSum] += int64(b.Limit)
	}
	// Until an answer of ours tells of others, they are but a forecast; of an
	// empty window they get no more.
	if b.Left > 0 {
		w.unseen += b.OthersRate * now.Sub(w.at).Seconds()
	}
	if b.Ours != w.ours || b.Others > w.others {
		w.unseen = 0
	}
	f.n[Ours] += int64(b.Ours - w.ours)
	f.n[Others] += int64(b.Others - w.others)
	w.resets, w.window, w.limit, w.ours, w.others, w.at = b.Resets, b.Window, b.Limit, b.Ours, b.Others, now
}

// same reports whether the bucket is still in the window last seen, whose end
// may have been corrected meanwhile.
func (w *watched) same(b *limit.Bucket) bool {
	if w.resets.IsZero() || b.Resets.IsZero() {
		return w.resets.Equal(b.Resets)
	}
	return b.Resets.Sub(w.resets) < w.window/2
}

// end draws up a window.
func (w *watched) end(f *Figures) {
	f.n[Unseen] += int64(1000 * w.unseen)
	w.unseen = 0
	used := w.ours + w.others
	w.ours, w.others = 0, 0
	if w.resets.IsZero() || w.limit <= 0 {
		return
	}
	f.n[Windows]++
	switch {
	case used >= w.limit:
		f.n[At100]++
	case 10*used >= 9*w.limit:
		f.n[At90]++
	case 10*used >= 8*w.limit:
		f.n[At80]++
	}
}
