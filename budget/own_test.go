package budget

import (
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// What a client sends to one service is no part of its share of another.
func TestEachServiceHasItsOwnShare(t *testing.T) {
	other := &limit.Rule{ID: "account", Service: "help-center", Kind: limit.Window, Window: time.Minute, Primary: true}
	articles := limit.Route{Service: other.Service, Class: "GET /articles"}
	articles.Add(limit.Draw{Rule: other, Cost: 1})
	d := newDrive(t).warm(10, 9)
	d.answer(d.must(&articles), limit.Reading{Rule: other, Limit: 700, Remaining: 699})
	ask := Ask{Class: limit.Interactive, Client: "client etl", Quota: Quota{MaxShare: 0.2}}
	sends := func(r *limit.Route, n int) (sent int) {
		for range n {
			g := new(Grant)
			if d.Admit(d.now, r, ask, g).OK {
				d.answer(g)
				sent++
			}
		}
		return sent
	}
	if n := sends(&articles, 20); n != 20 {
		t.Errorf("%d of 20 sent of a share of 140", n)
	}
	if n := sends(&d.route, 20); n != 2 {
		t.Errorf("%d sent of a share of 2, whatever went elsewhere", n)
	}
}

// Minutes of our own are the server's as soon as its clock is known, so that
// none has the budget of two.
func TestOurMinutesAreTheServers(t *testing.T) {
	d := newDrive(t)
	d.options.AtMost = 60
	d.warm(700, 699).must(&d.route)
	own := limit.Key{Service: Own, ID: atMost}
	first := d.bucket(own).Resets
	if off := first.Sub(first.Truncate(time.Minute)); off > 1200*time.Millisecond {
		t.Errorf("the first minute ends %s after the server's", off)
	}
	d.now = first.Add(time.Second)
	if second := d.bucket(own).Resets; second.Sub(first) < 59*time.Second {
		t.Errorf("the second minute lasts %s", second.Sub(first))
	}
}

// A limit that is learned within a window leaves nothing more in it.
func TestALearnedLimitLeavesNoMoreThanItself(t *testing.T) {
	d := newDrive(t)
	for range 5 {
		d.answer(d.must(&d.route)) // states nothing
	}
	b := d.refuse(d.must(&d.route), primary, 60*time.Second-time.Duration(d.now.Add(100*time.Millisecond).Second())*time.Second)
	if b.Learned == 0 {
		t.Fatal("nothing was learned")
	}
	w := d.windows[b.Bucket]
	if w.left() > w.limit || w.min > w.limit {
		t.Errorf("%d of %d left", w.left(), w.limit)
	}
}
