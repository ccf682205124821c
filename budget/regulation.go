package budget

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// Own is the service of the limits that we set ourselves; a client's share of
// a service's limit is that service's.
const Own limit.Service = "flyball"

// A Regulation is what is held back beside what the server's limits demand.
// The zero value adds nothing to what is learned.
type Regulation struct {
	// AtMost is how many sends a minute are made in all; 0 sets no bound.
	AtMost int
	// KeepFree is how many calls of each service's own limit are never used
	// by us, whatever is left; 0 keeps none.
	KeepFree int
	// KeepFreeShare is the same as a share of the limit, in [0, 1); the
	// greater of the two holds.
	KeepFreeShare float64
	// Politeness is how much of the forecast of others is left to them.
	// Default 1; negative leaves nothing.
	Politeness float64
	// Burst is how many times faster than its even pace a limit may be spent.
	// Default 2.
	Burst float64
}

// A Quota bounds one client. The zero value sets no bound.
type Quota struct {
	AtMost   int     // sends a minute; 0 sets no bound
	MaxShare float64 // share of the service's own limit, in (0, 1]; 0 sets no bound
}

// Check reports the first value that makes no sense.
func (r Regulation) Check() error {
	switch {
	case r.AtMost < 0:
		return fmt.Errorf("regulation.AtMost: %d is negative; 0 sets no bound", r.AtMost)
	case r.KeepFree < 0:
		return fmt.Errorf("regulation.KeepFree: %d is negative; 0 keeps none", r.KeepFree)
	case !(r.KeepFreeShare >= 0 && r.KeepFreeShare < 1):
		return fmt.Errorf("regulation.KeepFreeShare: %g is not between 0 and 1; 0.15 keeps 15 %%", r.KeepFreeShare)
	case !(r.Politeness <= 10):
		return fmt.Errorf("regulation.Politeness: %g is above 10; 1 leaves others what they are expected to use", r.Politeness)
	case r.Burst != 0 && !(r.Burst >= 1 && r.Burst <= 100):
		return fmt.Errorf("regulation.Burst: %g is not between 1 and 100; 2 is the default", r.Burst)
	default:
		return nil
	}
}

// Check reports the first value that makes no sense.
func (q Quota) Check() error {
	switch {
	case q.AtMost < 0:
		return fmt.Errorf("quota.AtMost: %d is negative; 0 sets no bound", q.AtMost)
	case !(q.MaxShare >= 0 && q.MaxShare <= 1):
		return fmt.Errorf("quota.MaxShare: %g is not between 0 and 1; 0.5 is half of the account", q.MaxShare)
	default:
		return nil
	}
}

// Check reports the first value of r, or of quotas by client, that makes no
// sense.
func Check(r Regulation, quotas map[string]Quota) error {
	if err := r.Check(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(quotas)) {
		if err := quotas[name].Check(); err != nil {
			return fmt.Errorf("quotas[%q]: %w", name, err)
		}
	}
	return nil
}

func (r Regulation) withDefaults() Regulation {
	switch {
	case r.Politeness < 0:
		r.Politeness = 0
	case r.Politeness == 0:
		r.Politeness = 1
	}
	if r.Burst <= 0 {
		r.Burst = burstCap
	}
	return r
}

// kept is what is never used of a service's own limit.
func (r *Regulation) kept(limit int) int {
	return min(limit, max(r.KeepFree, int(r.KeepFreeShare*float64(limit))))
}

// Regulate puts r in force, for the next send that is asked for. Of the limits
// that we set it drops those that r and quotas, by the name of the client's
// bucket, set no more, and returns their keys: nobody is held for them again.
// The others keep what they have counted.
func (a *Account) Regulate(now time.Time, r Regulation, quotas map[string]Quota) (dropped []limit.Key) {
	t := a.at(now)
	a.options.Regulation = r.withDefaults()
	for key, b := range a.windows {
		if !b.own {
			continue
		}
		q := quotas[key.ID]
		if key.ID == atMost {
			q = Quota{AtMost: r.AtMost}
		}
		switch {
		case key.Service == Own && q.AtMost > 0:
			a.own(t, a.ownedBy(key.ID), Own, key.ID, q.AtMost)
		case key.Service != Own && q.MaxShare > 0: // its figure comes with the next call
		default:
			delete(a.windows, key)
			o := a.ownedBy(key.ID)
			*o = slices.DeleteFunc(*o, func(own *window) bool { return own == b })
			if len(*o) == 0 {
				delete(a.owned, key.ID)
			}
			dropped = append(dropped, key)
		}
	}
	return dropped
}

// atMost names the bucket of the whole account's bound.
const atMost = "at most"

// An owned is the limits that we set for one client, or for all: one of all its
// sends, under the service [Own], and one of its share in each service.
type owned []*window

// ownedBy returns the limits of the client's bucket, made if need be.
func (a *Account) ownedBy(client string) *owned {
	o := a.owned[client]
	if o == nil {
		o = &owned{}
		a.owned[client] = o
	}
	return o
}

// own returns the window of a limit that we set, made if need be.
func (a *Account) own(t instant, o *owned, service limit.Service, id string, perMinute int) *window {
	i := slices.IndexFunc(*o, func(b *window) bool { return b.key.Service == service })
	if i < 0 {
		key := limit.Key{Service: service, ID: id}
		b := a.newWindow(key, &limit.Rule{ID: id, Service: service, Kind: limit.Window, Mark: limit.Binding, Window: time.Minute, Source: "configuration"}, t)
		b.own, b.source = true, limit.Configured
		a.windows[key] = b
		i, *o = len(*o), append(*o, b)
	}
	b := (*o)[i]
	if !b.aligned && a.clk.known {
		// The first minute began before the clock was known. It ends with the
		// clock's: were the second to be cut short instead, it would have a
		// budget of its own in the same minute.
		b.aligned = true
		if b.roll(t, &a.clk); b.open {
			b.cl, b.ch = a.clk.end(t, b.w)
		}
	}
	if b.limit != perMinute {
		b.min += perMinute - b.limit
		b.limit = perMinute
	}
	return b
}

// askOwn asks the limits that we set: of the account, and of the client.
func (a *Account) askOwn(t instant, rt *route, ask Ask, g *Grant, v *Verdict) bool {
	if a.options.AtMost > 0 && !a.askWindow(t, a.own(t, a.ownedBy(atMost), Own, atMost, a.options.AtMost), 1, ask, g, v) {
		return false
	}
	if ask.Quota == (Quota{}) {
		return true
	}
	client := a.ownedBy(ask.Client)
	if n := ask.Quota.AtMost; n > 0 && !a.askWindow(t, a.own(t, client, Own, ask.Client, n), 1, ask, g, v) {
		return false
	}
	b := rt.primary()
	if ask.Quota.MaxShare <= 0 || b == nil || !b.governs() {
		return true
	}
	// Each service's share fills a bucket of its own: one figure for all would
	// be that of the service asked last.
	share := max(1, int(ask.Quota.MaxShare*float64(b.limit)*time.Minute.Seconds()/b.w.Seconds()))
	return a.askWindow(t, a.own(t, client, b.key.Service, ask.Client, share), 1, ask, g, v)
}

// ownLimits returns the limits that we set which a call of client on rt has
// met so far.
func (a *Account) ownLimits(rt *route, client string) []*window {
	var all []*window
	for _, id := range [2]string{atMost, client} {
		o := a.owned[id]
		if o == nil {
			continue
		}
		for _, b := range *o {
			if p := rt.primary(); b.key.Service == Own || p != nil && b.key.Service == p.key.Service {
				all = append(all, b)
			}
		}
	}
	return all
}

// primary is the service's own counter, which every send on the route draws
// on; nil when the service has none.
func (r *route) primary() *window {
	if n := len(r.draws); n > 0 && r.draws[n-1].b.rule.Primary {
		return r.draws[n-1].b
	}
	return nil
}
