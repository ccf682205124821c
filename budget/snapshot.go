package budget

import (
	"cmp"
	"slices"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// shownObjects bounds the objects in a snapshot.
const shownObjects = 100

// Snapshot describes every bucket in use, in the order of service and name.
// Of objects it shows those used last.
func (a *Account) Snapshot(now time.Time) limit.Snapshot {
	t := a.at(now)
	snap := limit.Snapshot{At: now, Account: a.options.Name}
	for _, set := range []map[limit.Key]*window{a.windows, a.pauses} {
		for _, b := range set {
			b.roll(t, &a.clk)
			snap.Buckets = append(snap.Buckets, a.describe(t, b))
		}
	}
	shown := 0
	for o := a.objects.newest; o != nil && shown < shownObjects; o = o.older {
		if !o.idle(t) {
			snap.Buckets = append(snap.Buckets, a.describeObject(t, o))
			shown++
		}
	}
	if a.slots != nil {
		snap.Buckets = append(snap.Buckets, a.describeSlots(t))
	}
	slices.SortFunc(snap.Buckets, func(x, y limit.Bucket) int {
		return cmp.Or(cmp.Compare(x.Key.Service, y.Key.Service), cmp.Compare(x.Kind, y.Kind),
			cmp.Compare(x.Key.ID, y.Key.ID), cmp.Compare(x.Key.Object, y.Key.Object))
	})
	return snap
}

func (a *Account) describe(t instant, b *window) limit.Bucket {
	d := limit.Bucket{
		Key: b.key, Kind: b.rule.Kind, Limit: b.limit, Window: b.w, Source: b.source,
		InFlight: b.busy, Refusals: b.refused, Others: b.othersSeen(), OthersRate: b.othersRate(),
		Ours: b.ours + b.dark, Harm: b.harm,
	}
	switch {
	case !b.heard:
		d.Others = 0
	case b.open && b.min <= 0: // this window's part is drawn up at its end
		d.Harm += b.othersRefused(t)
	}
	if b.limit > 0 {
		d.Left = max(0, b.left())
	}
	if b.open {
		d.Resets = a.time(b.ch)
	}
	if t < b.pauseUntil {
		d.PausedUntil, d.PauseCause, d.Left = a.time(b.pauseUntil), b.cause, 0
	}
	return d
}

func (a *Account) describeObject(t instant, o *object) limit.Bucket {
	d := limit.Bucket{
		Key: o.key, Kind: limit.Object, Limit: int(o.limit), Window: o.rule.Window, Source: limit.Documented,
		Left: max(0, int(o.limit-o.used-o.pending)), InFlight: int(o.pending), Ours: int(o.used), Refusals: int(o.refused),
	}
	if o.heard {
		d.Source = limit.FromHeader
	}
	if o.end != 0 {
		d.Resets = a.time(o.end)
	}
	if t < o.pauseUntil {
		d.PausedUntil, d.Left = a.time(o.pauseUntil), 0
	}
	return d
}

func (a *Account) describeSlots(t instant) limit.Bucket {
	s := a.slots
	d := limit.Bucket{Key: s.key, Kind: limit.Slots, Limit: s.limit, Source: limit.Documented, Ours: s.used(), Refusals: s.refused}
	d.Left = max(0, s.limit-s.used())
	if s.heard {
		d.Left, d.Source = s.free, limit.FromHeader
	}
	if t < s.pauseUntil {
		d.PausedUntil, d.PauseCause, d.Left = a.time(s.pauseUntil), s.cause, 0
	}
	return d
}

// Standing is what is left of a window now, zero when its limit is not known.
func (a *Account) Standing(now time.Time, key limit.Key) limit.Standing {
	b := a.windows[key]
	if b == nil || b.limit <= 0 {
		return limit.Standing{}
	}
	t := a.at(now)
	b.roll(t, &a.clk)
	s := limit.Standing{Limit: b.limit, Left: max(0, b.left())}
	if t < b.pauseUntil {
		s.Left = 0
	}
	if b.open && b.ch > t {
		s.Reset = time.Duration(b.ch - t)
	}
	return s
}
