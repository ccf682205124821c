package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A Bound is the least that a call must wait, and for which bucket.
type Bound struct {
	Wait   time.Duration
	Bucket limit.Key
	Limit  int
	Window time.Duration
	Reason limit.Reason
}

// Best returns the bound that a call on r cannot beat with ahead(bucket) calls
// before it in that bucket's line. Refusing a call on anything but this bound
// would refuse calls that others' silence lets through. client is the name of
// the bucket that the client's quota fills, "" where it has none.
func (a *Account) Best(now time.Time, r *limit.Route, client string, ahead func(limit.Key) int) Bound {
	t := a.at(now)
	rt := a.route(t, r)
	var best Bound
	for _, d := range rt.draws {
		best.raise(d.b.bound(t, ahead(d.b.key), &a.clk))
	}
	if len(a.owned) > 0 {
		for _, b := range a.ownLimits(rt, client) {
			best.raise(b.bound(t, ahead(b.key), &a.clk))
		}
	}
	if len(a.pauses) > 0 {
		for _, key := range [2]limit.Key{r.PauseKey(), walkKey(r)} {
			if b := a.pauses[key]; b != nil {
				best.raise(b.bound(t, ahead(key), &a.clk))
			}
		}
	}
	for _, one := range rt.byOne {
		o := a.objects.byKey[one.KeyFor(r.Object, r.Credential)]
		if o == nil {
			continue
		}
		if until, why := o.ask(t, one.cost); why != "" {
			best.raise(Bound{Wait: until - t, Bucket: o.key, Limit: int(o.limit), Window: o.rule.Window, Reason: why})
		}
	}
	if r.Job == limit.StartsJob && a.slots != nil {
		if until, why := a.slots.pause.blocks(t); why != "" {
			best.raise(Bound{Wait: until - t, Bucket: a.slots.key, Limit: a.slots.limit, Reason: why})
		}
	}
	return best
}

// Expect is how long a call of class is likely to wait that has ahead others
// before it in a bucket's line: a forecast, off by a burst of others'. 0 when
// the bucket is none that can be forecast.
func (a *Account) Expect(now time.Time, key limit.Key, class limit.Class, ahead int) time.Duration {
	b := a.windows[key]
	if b == nil {
		b = a.pauses[key]
	}
	if b == nil || !b.governs() {
		return 0
	}
	t := a.at(now)
	b.roll(t, &a.clk)
	return b.wait(t, class, ahead)
}

func (b *window) wait(t instant, class limit.Class, ahead int) time.Duration {
	start, place := max(t, b.pauseUntil), float64(ahead+1)
	kept, tl := b.reserve(t, class), max(0, b.cl-start)
	free := float64(b.left()-b.keptFree()) - kept.at(tl)
	if place <= free {
		pace := b.pace(tl, free)
		return max(start, b.next) - t + time.Duration(place*float64(pace))
	}
	window := max(1, float64(b.limit-b.keptFree())-kept.at(b.w))
	return max(start, b.cl) - t + time.Duration((place-max(0, free))/window*float64(b.w))
}

func (best *Bound) raise(b Bound) {
	if b.Wait > best.Wait {
		*best = b
	}
}

func (b *window) bound(t instant, ahead int, clk *clock) Bound {
	b.roll(t, clk)
	bound := Bound{Bucket: b.key, Limit: b.limit, Window: b.w}
	if until, why := b.pause.blocks(t); why != "" {
		bound.Wait, bound.Reason = until-t, why
	}
	if !b.governs() || b.cold() {
		return bound
	}
	if why := b.usedUp(); why != "" && b.open && b.w >= shortest && b.cl-t > bound.Wait {
		bound.Wait, bound.Reason = b.cl-t, why
	}
	if line := time.Duration(max(0, ahead-int(b.ahead))) * b.fastest(); line > bound.Wait {
		bound.Wait, bound.Reason = line, limit.Queued
	}
	return bound
}

// usedUp says why nobody is let go before the window's end, "" when somebody
// may be. Of what is kept free it believes only what the server said: left
// counts some answers twice for a while, which far from zero is a false alarm.
func (b *window) usedUp() limit.Reason {
	switch {
	case b.left() < 1:
		return limit.Spent
	case b.heard && b.min-b.keptFree() < 1:
		return limit.Reserved
	default:
		return ""
	}
}

// Servable is how many sends of the bucket fit into patience, 0 when its
// limit is unknown.
func (b Bound) Servable(patience time.Duration) int {
	if b.Limit <= 0 || b.Window <= 0 {
		return 0
	}
	return max(1, int(float64(b.Limit)*patience.Seconds()/b.Window.Seconds()))
}

// Limit returns the limit and window of a bucket, both zero when unknown.
func (a *Account) Limit(now time.Time, key limit.Key) Bound {
	for _, set := range []map[limit.Key]*window{a.windows, a.pauses} {
		if b := set[key]; b != nil && b.governs() {
			b.roll(a.at(now), &a.clk)
			return Bound{Bucket: key, Limit: b.limit, Window: b.w}
		}
	}
	if o := a.objects.byKey[key]; o != nil {
		return Bound{Bucket: key, Limit: int(o.limit), Window: o.rule.Window}
	}
	return Bound{Bucket: key}
}

// Primary returns the limit and window that the route's service counts all
// calls by, both zero when unknown.
func (a *Account) Primary(now time.Time, r *limit.Route) Bound {
	draws := r.Draws()
	if len(draws) == 0 {
		return Bound{}
	}
	for _, b := range a.primaries {
		if b.rule == draws[0].Rule && b.governs() {
			b.roll(a.at(now), &a.clk)
			return Bound{Bucket: b.key, Limit: b.limit, Window: b.w}
		}
	}
	return a.Limit(now, r.KeyOf(draws[0]))
}
