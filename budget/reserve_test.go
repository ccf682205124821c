package budget

import (
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

func TestEachClassLeavesRoomForThoseAbove(t *testing.T) {
	d := newDrive(t).warm(700, 699)
	for range 30 {
		d.Account.expect(d.at(d.now), d.Account.route(d.at(d.now), &d.route), limit.Interactive)
	}
	b := d.Account.route(d.at(d.now), &d.route).primary()
	left := func(class limit.Class) float64 { return b.reserve(d.at(d.now), class).at(30 * time.Second) }
	if left(limit.Bulk) <= 0 || left(limit.Normal) <= 0 || left(limit.Interactive) != 0 {
		t.Errorf("bulk leaves %.1f, normal %.1f and interactive %.1f to urgent calls; want something, something, nothing",
			left(limit.Bulk), left(limit.Normal), left(limit.Interactive))
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
