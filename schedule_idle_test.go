package flyball_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
	"github.com/flyballhq/flyball/zendesk"
)

// A greedy schedule is alone, politeness and everything kept free are 0, the
// server states all, and calls wait at all times. Then budget is never idle
// beside a queue, which means two things.
//
// At every step: while the server's counter has something left, calls are held
// for its sake only by a gate that a send under way opens, at the beginning of
// a window by those sent around it, or by the pace.
//
// At the end of every window through which calls waited: what the pace held
// back was spent before. A tenth may remain, one send at the least: the
// pace spreads what is left over the time that is left, and the way to the
// server takes some of both.
type idling struct {
	since         time.Time   // when calls began to wait without a break; zero while none does
	from          time.Time   // the step before
	full          []time.Time // starts of the server's windows waited through
	waitedThrough int
}

// gates are the reasons to wait that a send under way ends.
var gates = []limit.Reason{limit.Cold, limit.Unconfirmed, limit.Doubtful, limit.HalfOpen}

func (r *referee) judgeIdle(snap limit.Snapshot) {
	if r.temper != greedy {
		return
	}
	var own limit.Bucket
	for _, b := range snap.Buckets {
		if b.Key.Service == zendesk.Support && b.Key.ID == zendesk.PrimaryID {
			own = b
		}
	}
	waiting := false
	for _, line := range snap.Lines {
		if line.Key == own.Key {
			waiting = true
			r.judgeHeldBack(snap.At, line, own)
		}
	}
	r.judgeWaiting(snap.At, waiting)
}

func (r *referee) judgeHeldBack(at time.Time, line limit.Line, own limit.Bucket) {
	switch {
	case own.Left == 0 || !own.PausedUntil.IsZero():
	case slices.Contains(gates, line.Reason) && own.InFlight > 0:
	case line.Reason == limit.Unconfirmed && at.Before(own.Resets.Add(2*time.Second-own.Window)): // the window before's may count in it
	case line.Reason == limit.Paced || line.Reason == limit.Queued || line.Reason == limit.Reserved:
		if p := &r.plans[0]; p.labelled && p.class != limit.Interactive && line.Reason == limit.Reserved {
			r.fail(idleness, "%d calls are held for others or higher classes, and there are none", line.Held)
		}
	default:
		r.fail(idleness, "%d left, %d in flight, and %d calls are held: %s", own.Left, own.InFlight, line.Held, line.Reason)
	}
}

// judgeWaiting notes each of the server's windows through which calls waited.
func (r *referee) judgeWaiting(now time.Time, waiting bool) {
	server := now.Add(r.server.ClockSkew)
	if start := windowOf(server, r.server.Window); !r.since.IsZero() && r.from.Before(start) {
		if before := start.Add(-r.server.Window); !r.since.After(before) {
			r.full = append(r.full, before)
		}
	}
	switch {
	case !waiting:
		r.since = time.Time{}
	case r.since.IsZero():
		r.since = server
	}
	r.from = server
}

// windowOf is when the clock's window began: windows are counted from 1970.
func windowOf(at time.Time, length time.Duration) time.Time {
	return time.Unix(0, at.UnixNano()/int64(length)*int64(length))
}

// judgeWindows compares the windows waited through with what the account let
// pass in them.
func (r *referee) judgeWindows(windows []simulator.Window) {
	for _, w := range windows {
		if !slices.ContainsFunc(r.full, w.Start.Equal) {
			continue
		}
		r.waitedThrough++
		if w.Admitted < w.Limit-max(1, w.Limit/10) {
			r.fail(idleness, "%d of %d used in the window from %s, and calls waited all through it", w.Admitted, w.Limit, w.Start.Format(time.TimeOnly))
		}
	}
}

// A tally sums up what referees saw, for who asks whether they saw anything.
type tally struct {
	runs, judged, dry, waited  int // schedules, those of them that put an invariant to the test
	calls, sends, refused, all int
}

func (t *tally) add(r *referee) {
	t.runs++
	t.calls += len(r.plans)
	t.sends += len(r.sends)
	t.refused += r.refused
	t.all += r.judged
	if r.judged > 0 {
		t.judged++
	}
	if r.judged > 0 && r.dry > 0 {
		t.dry++
	}
	if r.waitedThrough > 0 {
		t.waited++
	}
}

func (t *tally) String() string {
	return fmt.Sprintf("%d schedules of %d calls, %d sends, %d refused; limits were known in %d of them (%d sends) and reached in %d; windows were waited through in %d",
		t.runs, t.calls, t.sends, t.refused, t.judged, t.all, t.dry, t.waited)
}

// idleReferee says which invariant was hardly put to the test, "" if none.
func (t *tally) idleReferee() string {
	if t.judged*4 < t.runs || t.dry*10 < t.runs || t.waited*10 < t.runs {
		return "too few schedules put the invariants to the test: " + t.String()
	}
	return ""
}
