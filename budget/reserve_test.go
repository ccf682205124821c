package budget

import (
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

func TestEachClassLeavesRoomForThoseAbove(t *testing.T) {
	d := newDrive(t).warm(700, 699)
	for range 30 {
		d.Account.route(d.at(d.now), &d.route).primary().expect(d.at(d.now), limit.Interactive, &d.clk)
	}
	b := d.Account.route(d.at(d.now), &d.route).primary()
	left := func(class limit.Class) float64 { return b.reserve(d.at(d.now), class).at(30 * time.Second) }
	if left(limit.Bulk) <= 0 || left(limit.Normal) <= 0 || left(limit.Interactive) != 0 {
		t.Errorf("bulk leaves %.1f, normal %.1f and interactive %.1f to urgent calls; want something, something, nothing",
			left(limit.Bulk), left(limit.Normal), left(limit.Interactive))
	}
}

// What is expected of urgent calls falls as long as none comes. Nothing is
// answered meanwhile that could tell of it: who is held for them asks again.
func TestACallIsNotHeldForUrgentCallsThatDoNotCome(t *testing.T) {
	goes := func(expected int, next func(now time.Time, v Verdict) time.Time) time.Duration {
		d := newDrive(t).warm(400, 399)
		d.pass(time.Second)
		d.answer(d.must(&d.route), d.account(400, 398))
		for range expected {
			d.Account.route(d.at(d.now), &d.route).primary().expect(d.at(d.now), limit.Interactive, &d.clk)
		}
		for start := d.now; ; {
			var g Grant
			v := d.Admit(d.now, &d.route, Ask{Class: limit.Bulk, Crowded: true}, &g)
			if v.OK {
				return d.now.Sub(start)
			}
			d.now = next(d.now, v)
		}
	}
	for expected := range 500 {
		told := goes(expected, func(_ time.Time, v Verdict) time.Time { return v.Until })
		first := goes(expected, func(now time.Time, _ Verdict) time.Time { return now.Add(50 * time.Millisecond) })
		if told > first+2*time.Second {
			t.Errorf("%d urgent calls came: a call is held for %s, and could have gone after %s", expected, told, first)
		}
	}
}

func TestACallThatStartsNoJobGivesItsSlotBack(t *testing.T) {
	jobs := &limit.Rule{ID: "jobs", Service: service, Kind: limit.Slots, Mark: limit.Binding, Limit: 30}
	d := newDrive(t).warm(700, 699)
	r := routeOf("POST /many", 0, jobs)
	r.Job = limit.StartsJob
	g := d.must(&r)
	if used := d.slots.used(); used != 1 {
		t.Fatalf("%d slots are used by one call, want one", used)
	}
	d.Refund(d.now, g)
	if used := d.slots.used(); used != 0 {
		t.Errorf("%d slots are used after the call was never sent", used)
	}
}
