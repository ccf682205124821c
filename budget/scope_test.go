package budget

import (
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

var (
	export = &limit.Rule{ID: "export", Service: service, Kind: limit.Window, Mark: limit.Binding, Limit: 10, Window: time.Minute}
	ticket = &limit.Rule{ID: "per-ticket", Service: service, Kind: limit.Object, Scope: limit.PerObject, Mark: limit.Binding, Limit: 30, Window: 10 * time.Minute}
)

func TestARefusalIsPutDownToTheNarrowestBucket(t *testing.T) {
	for _, tt := range []struct {
		name      string
		route     limit.Route
		named     *limit.Rule
		remaining int // the account's, -1 unsaid
		left      int // what we believe before
		want      limit.Key
	}{
		{"the body names the endpoint", routeOf("GET /export", 0, export), export, 500, 600, export.KeyFor(0, 0)},
		{"the body names the ticket", routeOf("PUT /t", 7, ticket), ticket, 500, 600, ticket.KeyFor(7, 0)},
		{"the body names another route's limit", routeOf("GET /plain", 0), export, 500, 600, limit.Key{Service: service, ID: "GET /plain"}},
		{"the account has some left", routeOf("GET /plain", 0), nil, 500, 600, limit.Key{Service: service, ID: "GET /plain"}},
		{"the account has some left, the route has an object", routeOf("GET /one", 9), nil, 500, 600, limit.Key{Service: service, ID: "GET /one", Object: 9}},
		{"the account has some left, the endpoint is documented", routeOf("GET /export", 0, export), nil, 500, 600, export.KeyFor(0, 0)},
		{"the account has none left", routeOf("GET /plain", 0), nil, 0, 600, accountKey},
		{"nothing is said, and we count hardly any", routeOf("GET /plain", 0), nil, -1, 2, accountKey},
		{"nothing is said, and we count plenty", routeOf("GET /plain", 0), nil, -1, 600, limit.Key{Service: service, ID: "GET /plain"}},
	} {
		d := newDrive(t).warm(700, tt.left)
		var said []limit.Reading
		if tt.remaining >= 0 {
			said = append(said, d.account(700, tt.remaining))
		}
		g := new(Grant)
		d.Charge(d.now, &tt.route, "", g)
		if got := d.refuse(g, tt.named, 20*time.Second, said...).Bucket; got != tt.want {
			t.Errorf("%s: blamed %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestTwoUnexplainedRefusalsOnTwoRoutesStopTheAccount(t *testing.T) {
	for _, apart := range []time.Duration{time.Second, 10 * time.Second} {
		d := newDrive(t).warm(700, 600)
		one, two := routeOf("GET /one", 0), routeOf("GET /two", 0)
		d.refuse(d.must(&one), nil, 20*time.Second)
		d.pass(apart)
		got := d.refuse(d.must(&two), nil, 20*time.Second).Bucket
		if near := apart < volley; near != (got == accountKey) {
			t.Errorf("%s apart: blamed %s", apart, got)
		}
	}
}

func TestAPauseIsNeverShorterThanAskedNorThanASecond(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Millisecond, time.Second, 7500 * time.Millisecond, 20 * time.Second, 24 * time.Hour} {
		d := newDrive(t).warm(700, 600)
		r := routeOf("GET /plain", 0)
		blame := d.refuse(d.must(&r), nil, wait, d.account(700, 500))
		floor := max(wait, time.Second)
		if got := blame.Until.Sub(d.now); got < floor || got > floor+jitter {
			t.Errorf("Retry-After %s: paused for %s", wait, got)
		}
	}
}

func TestRefusalsInARowWaitLongerAndOneVolleyCountsOnce(t *testing.T) {
	d := newDrive(t).warm(700, 600)
	r := routeOf("GET /plain", 0)
	volley, _ := d.volley(&r, 3)
	for _, g := range volley {
		d.refuse(g, nil, time.Second, d.account(700, 500))
	}
	b := d.pauses[limit.Key{Service: service, ID: "GET /plain"}]
	if b.refusals != 1 || b.refused != 3 {
		t.Errorf("a volley of three: %d in a row, %d in all", b.refusals, b.refused)
	}
	d.refuse(d.must(&r), nil, time.Second, d.account(700, 500))
	if b.refusals != 2 {
		t.Errorf("%d in a row after the probe was refused too", b.refusals)
	}
	d.answer(d.must(&r), d.account(700, 500))
	if b.refusals != 0 || b.halfOpen {
		t.Errorf("a success leaves %d in a row, half-open %t", b.refusals, b.halfOpen)
	}
}

func TestARefusalBesideABoundaryIsTriedAgainAfterIt(t *testing.T) {
	d := newDrive(t).warm(700, 300)
	d.now = d.now.Truncate(time.Minute).Add(59500 * time.Millisecond)
	g := d.must(&d.route)
	boundary := d.now.Truncate(time.Minute).Add(time.Minute)
	until := d.refuse(g, primary, 60*time.Second).Until
	if got := until.Sub(boundary); got > 4*time.Second {
		t.Errorf("paused until %s after the boundary: the wait is the next window's", got)
	}
	d.now = until
	again := d.refuse(d.must(&d.route), primary, 55*time.Second).Until
	if got := again.Sub(d.now); got < 55*time.Second {
		t.Errorf("paused for %s by the second refusal, want the 55s asked for", got)
	}
}

func TestASilentLimitIsLearnedGrownAndForgotten(t *testing.T) {
	d := newDrive(t).warm(700, 699)
	r := routeOf("GET /silent", 0)
	key := limit.Key{Service: service, ID: "GET /silent"}
	for range 6 {
		d.answer(d.must(&r), d.account(700, 600))
	}
	end := d.now.Truncate(time.Minute).Add(time.Minute)
	if blame := d.refuse(d.must(&r), nil, (end.Sub(d.now) + time.Second - 1).Truncate(time.Second), d.account(700, 600)); blame.Learned != 6 {
		t.Fatalf("learned %d from six answers and a refusal", blame.Learned)
	}
	for range 40 { // full windows, no refusal
		d.answer(d.must(&r), d.account(700, 600))
	}
	if got := d.bucket(key).Limit; got < 7 {
		t.Errorf("limit %d after full and clean windows, want it tried higher", got)
	}
	d.pass(2 * time.Hour)
	if got := d.bucket(key).Limit; got != 0 {
		t.Errorf("limit %d after two hours without use, want it forgotten", got)
	}
}

// A limit that was learned by mistake does not hold a route for hours: it is
// tried higher in steps that double. Where it holds, each try is one refusal.
func TestALimitLearnedTooLowIsOutgrown(t *testing.T) {
	d := newDrive(t).warm(700, 699)
	r := routeOf("GET /silent", 0)
	key := limit.Key{Service: service, ID: "GET /silent"}
	for range 60 {
		d.answer(d.must(&r), d.account(700, 600))
	}
	end := d.now.Truncate(time.Minute).Add(time.Minute)
	d.refuse(d.must(&r), nil, (end.Sub(d.now) + time.Second - 1).Truncate(time.Second), d.account(700, 600))
	if got := d.bucket(key).Limit; got != 60 {
		t.Fatalf("learned %d, want 60: the check is of something else", got)
	}
	start := d.now
	for d.bucket(key).Limit < 180 && d.now.Before(start.Add(2*time.Hour)) {
		d.answer(d.must(&r), d.account(700, 600))
	}
	if took := d.now.Sub(start); took > 20*time.Minute {
		t.Errorf("three times as much was tried after %s", took)
	}
}

func TestAHeaderTiesAnEndpointAndItsAbsenceUnties(t *testing.T) {
	hint := &limit.Rule{ID: "hinted", Service: service, Kind: limit.Window, Mark: limit.Hint, Limit: 100, Window: time.Minute}
	d := newDrive(t).warm(700, 699)
	r := routeOf("GET /hinted", 0, hint)
	say := func(remaining int) limit.Reading {
		said := d.account(20, remaining)
		said.Rule = hint
		return said
	}
	d.answer(d.must(&r), d.account(700, 690), say(0))
	if _, v := d.ask(&r); v.OK || v.Bucket != hint.KeyFor(0, 0) {
		t.Fatalf("a header that says 0 holds nobody: %+v", v)
	}
	for range 3 {
		for range 8 {
			d.answer(d.must(&r), d.account(700, 600))
		}
		d.pass(time.Minute)
	}
	if b := d.bucket(hint.KeyFor(0, 0)); b.Source == limit.FromHeader {
		t.Error("still believed after windows of answers without the header")
	}
}

func TestAnUnknownNameIsPerObjectUntilTwoShareACountdown(t *testing.T) {
	made := &limit.Rule{ID: "made-up", Service: service, Kind: limit.Window, Scope: limit.Unknown, Mark: limit.Hint}
	say := func(remaining int) limit.Reading {
		return limit.Reading{Rule: made, Limit: 10, Remaining: remaining, Reset: 40 * time.Second, HasReset: true}
	}
	for _, shared := range []bool{true, false} {
		d := newDrive(t).warm(700, 699)
		for i := range 5 {
			r := routeOf("GET /one", uint64(1+i%2))
			remaining := 9 - i/2
			if shared {
				remaining = 9 - i
			}
			d.answer(d.must(&r), d.account(700, 600), say(remaining))
		}
		if _, whole := d.windows[made.KeyFor(0, 0)]; whole != shared {
			t.Errorf("a shared countdown %t: taken for the account's %t", shared, whole)
		}
	}
}

func TestATicketTakesThirtyUpdatesInTenMinutes(t *testing.T) {
	d := newDrive(t).warm(700, 699)
	one, two := routeOf("PUT /t", 1, ticket), routeOf("PUT /t", 2, ticket)
	start := d.now
	for range 30 {
		d.answer(d.must(&one), d.account(700, 600))
	}
	if d.now.Sub(start) > 5*time.Minute {
		t.Errorf("thirty updates took %s", d.now.Sub(start))
	}
	if _, v := d.ask(&one); v.OK || v.Bucket != ticket.KeyFor(1, 0) || v.Reason != limit.Spent {
		t.Errorf("the 31st: %+v", v)
	}
	d.answer(d.must(&two), d.account(700, 600)) // another ticket goes on
	d.pass(10 * time.Minute)
	d.answer(d.must(&one), d.account(700, 699))
	for i := range 100 {
		r := routeOf("PUT /t", uint64(100+i), ticket)
		d.answer(d.must(&r), d.account(700, 600))
		d.pass(time.Minute)
	}
	if n := len(d.objects.byKey); n > 15 {
		t.Errorf("%d tickets are kept, want those of the last ten minutes", n)
	}
}
