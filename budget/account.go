package budget

import (
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// Options tunes an account. The zero value is what Zendesk needs.
type Options struct {
	Name string // for snapshots
	// Window replaces the window of the services' own counters, for a
	// simulator whose clock minute is shorter; 0 keeps the provider's.
	Window time.Duration
	// MaxObjects is how many tickets, users and organizations are counted
	// apart at once; default 100,000.
	MaxObjects int
	// Seed makes the jitter of pauses repeatable; 0 draws one.
	Seed uint64
	// Regulation is what is held back besides.
	Regulation
}

// An Account holds the buckets of one account. Make one with [New].
type Account struct {
	options   Options
	epoch     time.Time
	clk       clock
	windows   map[limit.Key]*window
	primaries []*window         // of them, each service's own counter
	owned     map[string]*owned // of them, those of limits that we set, by the name of the client's bucket
	pauses    map[limit.Key]*window
	objects   objects
	slots     *slots
	routes    map[routeKey]*route
	sightings map[string]sighting
	rnd       *rand.Rand

	mystery   routeKey // the route of the latest refusal that nothing explains
	mysteryAt instant
}

// New returns an account of which nothing is known yet.
func New(o Options) *Account {
	if o.MaxObjects <= 0 {
		o.MaxObjects = maxObjects
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	o.Regulation = o.Regulation.withDefaults()
	return &Account{
		options:   o,
		windows:   map[limit.Key]*window{},
		owned:     map[string]*owned{},
		pauses:    map[limit.Key]*window{},
		objects:   objects{most: o.MaxObjects},
		routes:    map[routeKey]*route{},
		sightings: map[string]sighting{},
		rnd:       rand.New(rand.NewPCG(o.Seed, 0)),
	}
}

// at is a time on the account's own clock, which starts one hour before the
// first use so that no instant of interest is zero.
func (a *Account) at(t time.Time) instant {
	if a.epoch.IsZero() {
		a.epoch = t.Add(-time.Hour)
	}
	return t.Sub(a.epoch)
}

func (a *Account) time(t instant) time.Time { return a.epoch.Add(t) }

// A Verdict answers whether a send may go.
type Verdict struct {
	OK bool
	// Until is when asking again is worthwhile unless an answer on Bucket
	// comes first; it is later than the instant of asking.
	Until  time.Time
	Bucket limit.Key
	Reason limit.Reason
	// Whole says that Bucket is the service's own counter: it holds every
	// call to the service alike.
	Whole bool
	// Counted says that the call was counted as demand of its class.
	Counted bool
}

// A Grant is what one admitted send was charged to. It must be ended once, by
// [Account.Observe], [Account.Lose] or [Account.Refund]; until then the route
// it was asked for must stay as it is.
type Grant struct {
	of      *limit.Route
	route   *route
	windows []charge
	objects []charged
	slots   *slots // nil when it takes none

	// Where windows and objects begin: room for what most routes draw on, so
	// that a grant is small and yet needs no memory of its own. For that it
	// must not be copied.
	someWindows [4]charge
	someObjects [2]charged
}

// begin makes a grant anew for one send on r.
func (g *Grant) begin(r *limit.Route, rt *route) {
	*g = Grant{of: r, route: rt}
	g.windows, g.objects = g.someWindows[:0], g.someObjects[:0]
}

// A charge is small: a grant has room for four, and ten thousand may wait.
type charge struct {
	b          *window
	due        instant
	generation uint32
	cost       int16
	probe      bool
}

type charged struct {
	o    *object
	cost int
}

// Buckets calls yield with each bucket the grant was charged to.
func (g *Grant) Buckets(yield func(limit.Key) bool) {
	for _, c := range g.windows {
		if !yield(c.b.key) {
			return
		}
	}
	for _, c := range g.objects {
		if !yield(c.o.key) {
			return
		}
	}
	if g.slots != nil && !yield(g.slots.key) {
		return
	}
	if g.route != nil {
		yield(walkKey(g.of))
	}
}

// Buckets yields each bucket that a send on r would draw on.
func (a *Account) Buckets(now time.Time, r *limit.Route) iter.Seq[limit.Key] {
	return func(yield func(limit.Key) bool) {
		rt := a.route(a.at(now), r)
		if key := r.PauseKey(); key.Object != 0 && !yield(key) {
			return
		}
		for _, one := range rt.byOne {
			if !yield(one.KeyFor(r.Object, r.Credential)) {
				return
			}
		}
		if r.Job == limit.StartsJob && a.slots != nil && !yield(a.slots.key) || !yield(walkKey(r)) {
			return
		}
		for _, d := range rt.draws {
			if !yield(d.b.key) {
				return
			}
		}
	}
}

func walkKey(r *limit.Route) limit.Key { return limit.Key{Service: r.Service, ID: r.Class} }

// Admit asks for leave to make one send on r at now and, when it is given,
// charges every bucket it draws on into g, all or nothing.
func (a *Account) Admit(now time.Time, r *limit.Route, ask Ask, g *Grant) (v Verdict) {
	t := a.at(now)
	rt := a.route(t, r)
	g.begin(r, rt)
	if !a.askNarrow(t, rt, r, ask, g, &v) || !a.askOwn(t, rt, ask, g, &v) {
		return v
	}
	for i := range rt.draws {
		d := &rt.draws[i]
		counted := ask.Uncounted && d.b.rule.Primary
		if counted {
			d.b.expect(t, ask.Class, &a.clk)
		}
		if !a.askWindow(t, d.b, d.cost, ask, g, &v) {
			v.Whole, v.Counted = d.b.rule.Primary, counted
			return v
		}
	}
	a.commit(t, g)
	v.OK = true
	return v
}

// askWindow asks one counter and, when it lets the send go, notes it in g.
// Otherwise it says why in v, which is large: only refusals fill it.
func (a *Account) askWindow(t instant, b *window, cost int, ask Ask, g *Grant, v *Verdict) bool {
	due, until, why := b.ask(t, cost, ask, &a.clk)
	if why != "" {
		*v = a.hold(t, until, b.key, why)
		return false
	}
	g.add(b, cost, due)
	return true
}

// expect counts a call as demand of its class on the service.
func (b *window) expect(t instant, class limit.Class, clk *clock) {
	b.roll(t, clk)
	b.demand.seen[class]++
}

// askNarrow asks the buckets that are not the whole account's.
func (a *Account) askNarrow(t instant, rt *route, r *limit.Route, ask Ask, g *Grant, v *Verdict) bool {
	if len(a.pauses) > 0 {
		if !a.askPauses(t, r, ask, g, v) {
			return false
		}
	}
	for _, one := range rt.byOne {
		o := a.objects.get(t, one.KeyFor(r.Object, r.Credential), one.Rule)
		if until, why := o.ask(t, one.cost); why != "" {
			*v = a.hold(t, until, o.key, why)
			return false
		}
		g.objects = append(g.objects, charged{o, one.cost})
	}
	if r.Job == limit.StartsJob && a.slots != nil {
		if until, why := a.slots.ask(t); why != "" {
			*v = a.hold(t, until, a.slots.key, why)
			return false
		}
		g.slots = a.slots
	}
	if !rt.walks() {
		*v = a.hold(t, t+silence, walkKey(r), limit.Walking)
		return false
	}
	return true
}

func (a *Account) askPauses(t instant, r *limit.Route, ask Ask, g *Grant, v *Verdict) bool {
	keys := [2]limit.Key{r.PauseKey(), walkKey(r)}
	for i, key := range keys {
		b := a.pauses[key]
		if b == nil || i == 1 && key == keys[0] {
			continue
		}
		if !a.askWindow(t, b, 1, ask, g, v) {
			return false
		}
	}
	return true
}

func (a *Account) hold(t, until instant, key limit.Key, why limit.Reason) Verdict {
	return Verdict{Until: a.time(max(until, t+time.Millisecond)), Bucket: key, Reason: why}
}

func (g *Grant) add(b *window, cost int, due instant) {
	g.windows = append(g.windows, charge{b: b, cost: int16(min(cost, math.MaxInt16)), due: due})
}

func (a *Account) commit(t instant, g *Grant) {
	for i := range g.windows {
		c := &g.windows[i]
		c.generation, c.probe = c.b.take(t, c.due, int(c.cost))
	}
	for _, c := range g.objects {
		c.o.take(t, c.cost, &a.clk)
	}
	if g.slots != nil {
		g.slots.take(t)
	}
	g.route.inFlight++
}

// Charge charges a send that was made without asking, such as one that the
// transport repeated by itself. client is the name of the bucket that the
// client's quota fills, "" where it has none.
func (a *Account) Charge(now time.Time, r *limit.Route, client string, g *Grant) {
	t := a.at(now)
	rt := a.route(t, r)
	g.begin(r, rt)
	force := func(b *window, cost int) {
		b.roll(t, &a.clk)
		g.add(b, cost, b.next)
	}
	for _, b := range a.ownLimits(rt, client) {
		force(b, 1)
	}
	for _, d := range rt.draws {
		force(d.b, d.cost)
	}
	for _, one := range rt.byOne {
		g.objects = append(g.objects, charged{a.objects.get(t, one.KeyFor(r.Object, r.Credential), one.Rule), one.cost})
	}
	a.commit(t, g)
}

// Lose ends a grant whose send died after it left: the server may have
// counted it.
func (a *Account) Lose(now time.Time, g *Grant) {
	t := a.at(now)
	a.end(t, g)
	for _, c := range g.windows {
		c.b.lose(t, int(c.cost))
	}
	for _, c := range g.objects {
		c.o.settle(t, c.cost, true, &a.clk)
	}
}

// Refund ends a grant whose send provably never left.
func (a *Account) Refund(now time.Time, g *Grant) {
	t := a.at(now)
	a.end(t, g)
	if g.slots != nil {
		g.slots.giveBack()
	}
	for _, c := range g.objects {
		c.o.settle(t, c.cost, false, &a.clk)
	}
}

// end takes the grant out of what is in flight.
func (a *Account) end(t instant, g *Grant) {
	for _, c := range g.windows {
		c.b.busy -= int(c.cost)
		if c.probe {
			c.b.gate.leave(c.generation)
		}
		c.b.roll(t, &a.clk)
	}
	g.route.inFlight--
}

// Jobs takes in what an answer said of background jobs and returns the bucket
// that they fill.
func (a *Account) Jobs(now time.Time, jobs []limit.Job) limit.Key {
	if a.slots == nil {
		return limit.Key{}
	}
	a.slots.jobs(a.at(now), jobs)
	return a.slots.key
}
