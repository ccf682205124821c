package budget

import (
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

var accountKey = primary.KeyFor(0, 0)

func (d *drive) primary() *window { return d.windows[accountKey] }

func TestEveryAnswerNarrowsTheWindowsEnd(t *testing.T) {
	d := newDrive(t).warm(700, 699)
	b := d.primary()
	before := b.ch - b.cl
	for range 20 {
		d.answer(d.must(&d.route), d.account(700, 690))
		d.pass(330 * time.Millisecond)
	}
	if after := b.ch - b.cl; after >= before/2 || after < 0 {
		t.Errorf("the end lies within %s after 20 answers, %s after one", after, before)
	}
	end := d.time(b.cl)
	if want := d.now.Truncate(time.Minute).Add(time.Minute); end.After(want) || d.time(b.ch).Before(want) {
		t.Errorf("[%s, %s] does not hold the true end %s", end, d.time(b.ch), want)
	}
}

func TestAnAnswerNearABoundaryNeitherOpensNorIsForgotten(t *testing.T) {
	d := newDrive(t).warm(700, 300)
	d.now = d.now.Truncate(time.Minute).Add(59 * time.Second)
	g := d.must(&d.route)
	stale := d.account(700, 699) // the next window's count with this one's reset
	d.answer(g, stale)
	if left := d.left(); left != 299 {
		t.Errorf("%d left of 300 after one send next to the boundary, want 299", left)
	}
	if dark := d.primary().dark; dark != 1 {
		t.Errorf("%d dark, want 1", dark)
	}
}

func TestAnAnswerWithoutHeadersIsDarkUntilALaterOneSpeaks(t *testing.T) {
	d := newDrive(t).warm(700, 600)
	d.answer(d.must(&d.route))
	d.answer(d.must(&d.route))
	if left := d.left(); left != 598 {
		t.Errorf("%d left of 600 after two silent answers, want 598", left)
	}
	d.answer(d.must(&d.route), d.account(700, 597))
	if left := d.left(); left != 597 {
		t.Errorf("%d left once the server has said 597", left)
	}
}

func TestASendThatDiedIsChargedUntilALaterAnswer(t *testing.T) {
	d := newDrive(t).warm(700, 600)
	d.Lose(d.now, d.must(&d.route))
	if left := d.left(); left != 599 {
		t.Errorf("%d left of 600 after a lost send, want 599", left)
	}
	d.pass(time.Second)
	d.answer(d.must(&d.route), d.account(700, 599))
	if left := d.left(); left != 599 {
		t.Errorf("%d left, want the 599 that the server says: the lost send never came", left)
	}
}

// Behaviour G6: what died in flight is charged until its window ends at the latest.
func TestNothingLostOutlivesItsWindow(t *testing.T) {
	d := newDrive(t).warm(700, 600)
	for range 50 {
		d.Lose(d.now, d.must(&d.route))
	}
	charged := func(left int) string {
		if left != 700 {
			return "the next window begins short"
		}
		return ""
	}
	leaking := d.primary().limit - d.primary().lost // a counter that only answers bring down
	d.pass(time.Minute)
	if fault := charged(d.left()); fault != "" {
		t.Errorf("%s: %d left", fault, d.left())
	}
	if charged(leaking) == "" {
		t.Error("the check finds nothing on a counter that leaks")
	}
}

func TestARefundLeavesNoTrace(t *testing.T) {
	d := newDrive(t).warm(700, 600)
	d.Refund(d.now, d.must(&d.route))
	if b := d.bucket(accountKey); b.Left != 600 || b.InFlight != 0 {
		t.Errorf("%d left, %d in flight", b.Left, b.InFlight)
	}
}

func TestASteepFallNeedsASecondWitness(t *testing.T) {
	d := newDrive(t).warm(700, 600)
	d.answer(d.must(&d.route), d.account(700, 0))
	if left := d.left(); left < 590 {
		t.Fatalf("%d left after one stray zero", left)
	}
	probe, _ := d.ask(&d.route)
	if _, v := d.ask(&d.route); v.OK || v.Reason != limit.Doubtful {
		t.Errorf("a second send beside the probe: %t, %q", v.OK, v.Reason)
	}
	d.answer(probe, d.account(700, 0))
	if left := d.left(); left != 0 {
		t.Errorf("%d left after two witnesses of zero", left)
	}
}

func TestARiseNeedsThreeWitnesses(t *testing.T) {
	d := newDrive(t).warm(700, 100)
	for n, remaining := range []int{400, 399, 398} {
		if left := d.left(); left > 100 {
			t.Errorf("%d left after %d witnesses of a rise", left, n)
		}
		d.answer(d.must(&d.route), d.account(700, remaining))
	}
	if left := d.left(); left < 390 {
		t.Errorf("%d left after three witnesses", left)
	}
}

func TestAWindowTurnsByTheClockHoweverLongItSlept(t *testing.T) {
	for _, windows := range []int{1, 3, 4} {
		d := newDrive(t).warm(700, 5)
		d.pass(time.Duration(windows) * time.Minute)
		b := d.bucket(accountKey)
		if b.Left != 700 || !b.Resets.After(d.now) || b.Resets.Sub(d.now) > time.Minute+2*time.Second {
			t.Errorf("after %d windows: %d left, ends in %s", windows, b.Left, b.Resets.Sub(d.now))
		}
	}
}

func TestOneProbePerService(t *testing.T) {
	d := newDrive(t)
	other := limit.Route{Service: "other", Class: "GET /o"}
	other.Add(limit.Draw{Rule: &limit.Rule{ID: "account", Service: "other", Kind: limit.Window, Window: time.Minute, Primary: true}, Cost: 1})
	for _, r := range []*limit.Route{&d.route, &other} {
		if got, v := d.volley(r, 5); len(got) != 1 || v.Reason != limit.Cold {
			t.Errorf("%s: %d sends before the first answer (%q), want one", r.Service, len(got), v.Reason)
		}
	}
}

func TestABucketLeftAloneIsColdAgain(t *testing.T) {
	d := newDrive(t).warm(700, 600)
	d.pass(10 * time.Minute)
	if got, v := d.volley(&d.route, 5); len(got) != 1 || v.Reason != limit.Cold {
		t.Errorf("%d sends after ten idle minutes (%q), want one probe", len(got), v.Reason)
	}
}

func TestAtMostTwoGoUntilTheNewWindowIsSeen(t *testing.T) {
	d := newDrive(t).warm(700, 600)
	d.now = d.now.Truncate(time.Minute).Add(62 * time.Second)
	got, v := d.volley(&d.route, 5)
	if len(got) != 2 || v.Reason != limit.Unconfirmed {
		t.Fatalf("%d sends (%q), want two", len(got), v.Reason)
	}
	d.pass(silence)
	if more, _ := d.volley(&d.route, 5); len(more) != 1 {
		t.Errorf("%d more after two seconds of silence, want one", len(more))
	}
}

func TestOnlyOneTriesAfterARefusal(t *testing.T) {
	d := newDrive(t).warm(700, 600)
	d.refuse(d.must(&d.route), primary, 5*time.Second, d.account(700, 0))
	if _, v := d.ask(&d.route); v.Reason != limit.Paused || v.Until.Sub(d.now) < 4*time.Second {
		t.Errorf("%q for %s, want a pause of 5s", v.Reason, v.Until.Sub(d.now))
	}
	d.pass(6 * time.Second)
	if got, v := d.volley(&d.route, 5); len(got) != 1 || v.Reason != limit.HalfOpen {
		t.Errorf("%d sends after the pause (%q), want one", len(got), v.Reason)
	} else if d.answer(got[0], d.account(700, 690)); true {
		if more, _ := d.volley(&d.route, 3); len(more) < 2 {
			t.Errorf("%d sends after the probe came back", len(more))
		}
	}
}

func TestAFifthGoesAtOnceAndTheRestIsPaced(t *testing.T) {
	d := newDrive(t).warm(700, 699)
	r := routeOf("GET /wide", 0)
	d.Account.route(0, &r).answers = 10_000 // a route known for long
	got, v := d.volley(&r, 700)
	if n := len(got); n < 130 || n > 145 || v.Reason != limit.Paced {
		t.Errorf("%d sends at once (%q), want about a fifth of 700", n, v.Reason)
	}
	sent := 0
	for end := d.now.Add(10 * time.Second); ; sent++ {
		g := d.must(&r)
		if d.now.After(end) {
			break
		}
		d.Refund(d.now, g)
	}
	if sent < 80 || sent > 240 {
		t.Errorf("%d sends in the next 10s, want 560 spread over 40s and at most twice the limit's rate", sent)
	}
}

func TestAChangedWindowIsLearnedFromTwoEnds(t *testing.T) {
	for _, real := range []time.Duration{10 * time.Second, 20 * time.Second} {
		d := newDrive(t)
		for range 200 {
			at := d.now.Add(50 * time.Millisecond)
			reset := (real - at.Sub(at.Truncate(real)) + time.Second - 1).Truncate(time.Second)
			d.answer(d.must(&d.route), limit.Reading{Rule: primary, Limit: 100, Remaining: 90, Reset: reset, HasReset: true})
			d.pass(300 * time.Millisecond)
		}
		if w := d.bucket(accountKey).Window; w != real {
			t.Errorf("window %s, want %s", w, real)
		}
	}
}

func TestWithoutHeadersThePlanCountsAfterThreeAnswers(t *testing.T) {
	planned := *primary
	planned.Limit = 200
	d := newDrive(t)
	d.route = limit.Route{Service: service, Class: "GET /x"}
	d.route.Add(limit.Draw{Rule: &planned, Cost: 1})
	for range 3 {
		d.answer(d.must(&d.route))
	}
	if b := d.bucket(accountKey); b.Limit != 200 || b.Left > 197 {
		t.Errorf("limit %d, %d left, want 197 of 200", b.Limit, b.Left)
	}
	sent := 3
	for end := d.now.Truncate(time.Minute).Add(time.Minute); ; sent++ {
		g := d.must(&d.route)
		if !d.now.Before(end) {
			break
		}
		d.answer(g)
	}
	if sent > 200 {
		t.Errorf("%d sends in a window of 200", sent)
	}
}

// TestAWindowALittleLongerIsNoOtherSpan has windows of 63 s: their first resets
// lie beyond the minute, and five minutes are not meant.
func TestAWindowALittleLongerIsNoOtherSpan(t *testing.T) {
	d := newDrive(t)
	for reset := 63; reset > 60; reset-- {
		d.answer(d.must(&d.route), limit.Reading{Rule: primary, Limit: 700, Remaining: 650, Reset: time.Duration(reset) * time.Second, HasReset: true})
		d.pass(900 * time.Millisecond)
	}
	if span := d.bucket(accountKey).Window; span != time.Minute {
		t.Errorf("resets of 63 to 61 s make the window %s, want a minute", span)
	}
	for range 2 { // five minutes are heard all the same
		d.answer(d.must(&d.route), limit.Reading{Rule: primary, Limit: 700, Remaining: 650, Reset: 200 * time.Second, HasReset: true})
	}
	if span := d.bucket(accountKey).Window; span != 5*time.Minute {
		t.Errorf("resets of 200 s make the window %s, want 5 minutes", span)
	}
}

// roundedDown is what an account says that cuts off its reset's fraction.
func (d *drive) roundedDown(remaining int) limit.Reading {
	r := d.account(700, remaining)
	r.Reset -= time.Second // at no whole second
	return r
}

// TestAZeroResetTellsThatTheServerRoundsDown has a window that looks a second
// too short until its last second says zero.
func TestAZeroResetTellsThatTheServerRoundsDown(t *testing.T) {
	d := newDrive(t)
	end := d.now.Truncate(time.Minute).Add(time.Minute)
	d.now = end.Add(-10250 * time.Millisecond)
	d.answer(d.must(&d.route), d.roundedDown(500))
	if shown := d.bucket(accountKey).Resets; !shown.Before(end) {
		t.Fatalf("resets at %s before anything was zero; the test shows nothing", shown)
	}
	d.now = end.Add(-700 * time.Millisecond)
	d.answer(d.must(&d.route), d.roundedDown(480))
	if shown := d.bucket(accountKey).Resets; shown.Before(end) {
		t.Errorf("resets %s before the true end, after a reset of 0", end.Sub(shown))
	}

	d.now = end.Add(30 * time.Second)
	next := end.Add(time.Minute)
	d.answer(d.must(&d.route), d.roundedDown(690))
	if b := d.primary(); d.time(b.cl).After(next) || d.time(b.ch).Before(next) {
		t.Errorf("the next window ends in [%s, %s], want that to hold %s", d.time(b.cl), d.time(b.ch), next)
	}
	blame := d.refuse(d.must(&d.route), primary, 29*time.Second, d.roundedDown(0))
	if blame.Until.Before(next) {
		t.Errorf("paused until %s before the window's end, by a Retry-After that is rounded down too", next.Sub(blame.Until))
	}

	// A whole minute to go is said by those alone who round up.
	d.now = next.Add(5 * time.Second)
	d.answer(d.must(&d.route), limit.Reading{Rule: primary, Limit: 700, Remaining: 690, Reset: time.Minute, HasReset: true})
	if d.primary().down {
		t.Error("after a reset of a whole minute it is still taken for rounded down")
	}
}
