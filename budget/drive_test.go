package budget

import (
	"math"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A drive is an account with a clock of its own and a server that says what
// the test wants.
type drive struct {
	*Account
	t     *testing.T
	now   time.Time
	mute  bool // no Date
	route limit.Route
}

const service limit.Service = "support"

var primary = &limit.Rule{ID: "account", Service: service, Kind: limit.Window, Window: time.Minute, Primary: true}

func routeOf(class string, object uint64, rules ...*limit.Rule) limit.Route {
	r := limit.Route{Service: service, Class: class, Object: object}
	for _, rule := range append([]*limit.Rule{primary}, rules...) {
		r.Add(limit.Draw{Rule: rule, Cost: 1})
	}
	return r
}

// newDrive begins at second 20 of a minute.
func newDrive(t *testing.T) *drive {
	return &drive{
		Account: New(Options{Seed: 1}), t: t, now: time.Date(2026, 3, 1, 12, 0, 20, 0, time.UTC),
		route: routeOf("GET /x", 0),
	}
}

func (d *drive) pass(by time.Duration) { d.now = d.now.Add(by) }

// ask asks for leave on r and charges it.
func (d *drive) ask(r *limit.Route) (*Grant, Verdict) {
	g := new(Grant)
	v := d.Admit(d.now, r, Ask{Crowded: true}, g)
	if !v.OK && !v.Until.After(d.now) {
		d.t.Errorf("held until %s, which is not later than now", v.Until.Sub(d.now))
	}
	return g, v
}

// must asks until leave is given.
func (d *drive) must(r *limit.Route) *Grant {
	d.t.Helper()
	for range 10_000 {
		g, v := d.ask(r)
		if v.OK {
			return g
		}
		d.now = v.Until
	}
	d.t.Fatal("no leave after 10,000 waits")
	return nil
}

// answer ends g 100 ms after now with 200 and what the server said.
func (d *drive) answer(g *Grant, said ...limit.Reading) (Blame, bool) {
	return d.answerAs(g, limit.Answer{Status: 200}, nil, said...)
}

func (d *drive) answerAs(g *Grant, a limit.Answer, refusal *limit.Refusal, said ...limit.Reading) (Blame, bool) {
	t0 := d.now
	d.pass(100 * time.Millisecond)
	if !d.mute && a.Date.IsZero() {
		a.Date = d.now.Truncate(time.Second)
	}
	a.Counted = true
	for _, r := range said {
		a.Add(r)
	}
	return d.Observe(d.now, t0, d.now, g, &a, refusal)
}

// refuse ends g with a 429.
func (d *drive) refuse(g *Grant, rule *limit.Rule, wait time.Duration, said ...limit.Reading) Blame {
	d.t.Helper()
	b, ok := d.answerAs(g, limit.Answer{Status: 429, RetryAfter: wait, HasRetryAfter: wait > 0}, &limit.Refusal{Limit: true, Rule: rule}, said...)
	if !ok {
		d.t.Fatal("a refusal was not blamed on anything")
	}
	return b
}

// account is what the service's header says, with the clock minute's reset.
func (d *drive) account(total, remaining int) limit.Reading {
	at := d.now.Add(50 * time.Millisecond)
	left := time.Minute - at.Sub(at.Truncate(time.Minute))
	return limit.Reading{Rule: primary, Limit: total, Remaining: remaining, Reset: (left + time.Second - 1).Truncate(time.Second), HasReset: true}
}

// warm makes the account known: a limit with so much left.
func (d *drive) warm(total, remaining int) *drive {
	d.answer(d.must(&d.route), d.account(total, remaining))
	return d
}

func (d *drive) bucket(key limit.Key) limit.Bucket {
	d.t.Helper()
	for _, b := range d.Snapshot(d.now).Buckets {
		if b.Key == key {
			return b
		}
	}
	d.t.Fatalf("no bucket %s", key)
	return limit.Bucket{}
}

func (d *drive) left() int { return d.bucket(primary.KeyFor(0, 0)).Left }

// volley asks n times at one instant and returns the grants.
func (d *drive) volley(r *limit.Route, n int) (grants []*Grant, last Verdict) {
	for range n {
		g, v := d.ask(r)
		if last = v; !v.OK {
			break
		}
		grants = append(grants, g)
	}
	return grants, last
}

func TestHeadersWithoutResetOrDateAreHeard(t *testing.T) {
	d := newDrive(t)
	d.mute = true
	for remaining := 699; remaining > 695; remaining-- {
		d.answer(d.must(&d.route), limit.Reading{Rule: primary, Limit: 700, Remaining: remaining})
	}
	for range 2 {
		got, v := d.volley(&d.route, 4)
		if len(got) < 3 {
			t.Errorf("%d sends at once after four answers (%s), want the burst of 700 a minute", len(got), v.Reason)
		}
		for _, g := range got {
			d.Refund(d.now, g)
		}
		d.pass(2 * time.Minute)
		for remaining := 699; remaining > 696; remaining-- {
			d.answer(d.must(&d.route), limit.Reading{Rule: primary, Limit: 700, Remaining: remaining})
			d.pass(10 * time.Second)
		}
	}
}

func TestAnObjectsNewWindowForgetsTheOld(t *testing.T) {
	rule := &limit.Rule{ID: "per-ticket", Service: service, Kind: limit.Object, Scope: limit.PerObject, Mark: limit.Binding, Limit: 5, Window: 10 * time.Minute}
	d := newDrive(t).warm(700, 699)
	r := routeOf("PUT /t", 7, rule)
	say := func(remaining int, reset time.Duration) limit.Reading {
		return limit.Reading{Rule: rule, Limit: 5, Remaining: remaining, Reset: reset, HasReset: true}
	}
	for remaining := 4; remaining >= 1; remaining-- {
		d.answer(d.must(&r), d.account(700, 690), say(remaining, 2*time.Second))
	}
	d.pass(1500 * time.Millisecond) // the server's window has turned, ours not quite
	d.answer(d.must(&r), d.account(700, 689), say(4, 600*time.Second))
	before := d.now
	d.answer(d.must(&r), d.account(700, 688), say(3, 599*time.Second))
	if held := d.now.Sub(before); held > time.Minute {
		t.Errorf("held %s although the server said that 4 remain", held)
	}
}

func TestTwoCountersOfOneObjectAreBothKept(t *testing.T) {
	one := &limit.Rule{ID: "one", Service: service, Kind: limit.Object, Scope: limit.PerObject, Mark: limit.Binding, Limit: 2, Window: 10 * time.Minute}
	two := &limit.Rule{ID: "two", Service: service, Kind: limit.Object, Scope: limit.PerObject, Mark: limit.Binding, Limit: 9, Window: 10 * time.Minute}
	d := newDrive(t).warm(700, 699)
	r := routeOf("PUT /t", 7, one, two)
	d.answer(d.must(&r), d.account(700, 698))
	if used := d.bucket(one.KeyFor(7, 0)).Ours; used != 1 {
		t.Errorf("%d used of the first counter, want 1", used)
	}
}

func TestASlowSendDoesNotStopEviction(t *testing.T) {
	rule := &limit.Rule{ID: "per-ticket", Service: service, Kind: limit.Object, Scope: limit.PerObject, Mark: limit.Binding, Limit: 30, Window: 10 * time.Minute}
	d := newDrive(t)
	d.Account = New(Options{Seed: 1, MaxObjects: 50})
	d.warm(1_000_000, 999_999)
	slow := routeOf("PUT /t", 1, rule)
	under := d.must(&slow)
	remaining := 999_990
	for i := range 500 {
		r := routeOf("PUT /t", uint64(i+2), rule)
		d.answer(d.must(&r), d.account(1_000_000, remaining))
		remaining--
	}
	if n := len(d.objects.byKey); n > 51 {
		t.Errorf("%d objects are kept, want 50", n)
	}
	d.answer(under, d.account(1_000_000, remaining))
	if used := d.bucket(rule.KeyFor(1, 0)).Ours; used != 1 {
		t.Errorf("%d sends counted of the slow one, want 1", used)
	}
}

func TestAnAbsurdDateMakesNoWindowEndless(t *testing.T) {
	rule := &limit.Rule{ID: "per-ticket", Service: service, Kind: limit.Object, Scope: limit.PerObject, Mark: limit.Binding, Limit: 1, Window: 10 * time.Minute}
	for _, year := range []int{1, 1970, 2200, 2262, 2263, 9999} {
		d := newDrive(t).warm(700, 699)
		r := routeOf("PUT /t", 7, rule)
		date := time.Date(year, 12, 31, 23, 59, 59, 0, time.UTC)
		d.answerAs(d.must(&r), limit.Answer{Status: 200, Date: date}, nil, d.account(700, 698))
		before := d.now
		d.answerAs(d.must(&r), limit.Answer{Status: 200, Date: date}, nil, d.account(700, 697))
		d.answerAs(d.must(&r), limit.Answer{Status: 200, Date: date}, nil, d.account(700, 696))
		if held := d.now.Sub(before); held > 21*time.Minute {
			t.Errorf("year %d: held %s by a window of 10 minutes", year, held)
		}
	}
}

func TestACostAboveTheLimitGoesAlone(t *testing.T) {
	d := newDrive(t).warm(1, 1)
	r := limit.Route{Service: service, Class: "POST /dear"}
	r.Add(limit.Draw{Rule: primary, Cost: 2})
	before := d.now
	d.answer(d.must(&r), d.account(1, 0))
	if held := d.now.Sub(before); held > 3*time.Minute {
		t.Errorf("held %s", held)
	}
}

func TestAChangedLimitIsBelievedWhenSeenTwiceInARow(t *testing.T) {
	key := primary.KeyFor(0, 0)
	d := newDrive(t).warm(700, 699)
	say := func(total, remaining int) int {
		d.answer(d.must(&d.route), d.account(total, remaining))
		return d.bucket(key).Limit
	}
	if got := say(200, 198); got != 700 {
		t.Errorf("limit %d after one strange answer, want 700", got)
	}
	say(700, 697)
	if got := say(200, 196); got != 700 {
		t.Errorf("limit %d after two strange answers with a usual one between, want 700", got)
	}
	if got := say(200, 195); got != 200 {
		t.Errorf("limit %d after two alike in a row, want 200", got)
	}
	if left := d.left(); left > 195 {
		t.Errorf("%d left of 200 of which 195 remain", left)
	}
}

func TestAnAnswerFromBeforeTheNewWindowIsLeftOver(t *testing.T) {
	d := newDrive(t).warm(700, 300)
	early := d.must(&d.route)
	t0 := d.now
	d.pass(10 * time.Second) // the server's window turns 20 s before ours would
	g := d.must(&d.route)
	next := limit.Reading{Rule: primary, Limit: 700, Remaining: 699, Reset: time.Minute, HasReset: true}
	d.answer(g, next)
	d.pass(time.Second)
	old := limit.Answer{Status: 200, Counted: true}
	old.Add(limit.Reading{Rule: primary, Limit: 700, Remaining: 3, Reset: 39 * time.Second, HasReset: true})
	d.Observe(d.now, t0, t0.Add(11*time.Second), early, &old, nil)
	if left := d.left(); left < 600 {
		t.Errorf("%d left: the last window's count was believed of this one", left)
	}
}

func TestAbsurdTimesDoNoHarm(t *testing.T) {
	d := newDrive(t).warm(700, 699)
	for _, skew := range []time.Duration{-time.Hour, -time.Second, time.Second, time.Hour} {
		g := d.must(&d.route)
		a := limit.Answer{Status: 200, Counted: true, Date: d.now.Truncate(time.Second)}
		a.Add(d.account(700, 690))
		d.Observe(d.now, d.now.Add(skew), d.now, g, &a, nil)
		if d.clk.lo > d.clk.hi {
			t.Fatalf("t0 %s from t1: the clock's estimate is turned round", skew)
		}
	}
	d.pass(-30 * time.Second) // the local clock steps back
	d.answer(d.must(&d.route), d.account(700, 689))
	if left := d.left(); left < 0 || left > 700 {
		t.Errorf("%d left", left)
	}
}

func TestLimitsOfZeroAndOfEveryoneDivideNothing(t *testing.T) {
	for _, total := range []int{0, 1, math.MaxInt} {
		d := newDrive(t)
		for range 20 {
			g, v := d.ask(&d.route)
			if v.OK {
				d.answer(g, d.account(total, max(0, total-1)))
			} else {
				d.now = v.Until
			}
			d.Best(d.now, &d.route, "", func(limit.Key) int { return math.MaxInt32 })
		}
	}
}

func TestJobsWaitForASlotOneByOne(t *testing.T) {
	jobs := &limit.Rule{ID: "jobs", Service: service, Kind: limit.Slots, Mark: limit.Binding, Limit: 30}
	d := newDrive(t).warm(700, 699)
	r := routeOf("POST /many", 0, jobs)
	r.Job = limit.StartsJob
	d.refuse(d.must(&r), jobs, 0, d.account(700, 698))
	d.pass(11 * time.Second)
	if got, _ := d.volley(&r, 10); len(got) > 1 {
		t.Errorf("%d jobs start together after the server had no slot, want one to try", len(got))
	}
}

func TestManyNamesOfLimitsAreBounded(t *testing.T) {
	d := newDrive(t).warm(700, 699)
	r := routeOf("GET /y", 5)
	for i := range 100 {
		scope := []limit.Scope{limit.PerAccount, limit.PerObject, limit.Unknown}[i%3]
		made := &limit.Rule{ID: string(rune('a'+i%26)) + string(rune('a'+i/26)), Service: service, Kind: limit.Window, Scope: scope}
		d.answer(d.must(&r), d.account(700, 690), limit.Reading{Rule: made, Limit: 100, Remaining: 90, Reset: 9 * time.Second, HasReset: true})
	}
	rt := d.Account.route(0, &r)
	if len(rt.draws) > limit.MaxDraws || len(rt.byOne) > limit.MaxDraws {
		t.Errorf("a route draws on %d counters and %d objects", len(rt.draws), len(rt.byOne))
	}
}
