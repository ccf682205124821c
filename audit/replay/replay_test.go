package replay_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/audit"
	"github.com/flyballhq/flyball/audit/replay"
)

// crowd is four programs that together ask for more than 200 calls a minute
// for five minutes: half of it the same few fields again, and users one by one.
func crowd() []audit.Call {
	start := time.Date(2026, 11, 16, 9, 0, 7, 0, time.UTC)
	var calls []audit.Call
	for i := range 2000 {
		c := audit.Call{
			At: start.Add(time.Duration(i) * 150 * time.Millisecond), Took: 500 * time.Millisecond,
			Client: "etl", Who: fmt.Sprintf("etl%d", i%4), Method: "GET", Path: fmt.Sprintf("/api/v2/users/%d.json", 9000+i%700),
			Status: 200, Sends: 1, Bytes: int64(100 + i%700), File: "x", Line: i + 1,
		}
		if i%2 == 0 {
			c.Path, c.Bytes = fmt.Sprintf("/api/v2/ticket_fields/%d.json", 1+i%10), int64(1+i%10)
		}
		calls = append(calls, c)
	}
	return calls
}

func audited(calls []audit.Call, limit int) *audit.Report {
	a := audit.New(audit.Options{Limit: limit})
	for i := range calls {
		a.Take(&calls[i])
	}
	return a.Report()
}

// Both sides make every recorded call on accounts of the log's limit; naively
// many are refused, through flyball none, and the proposed settings spare
// sends. Replayed again, it comes out the same.
func TestReplayShowsWhatFlyballWouldHaveDone(t *testing.T) {
	calls := crowd()
	r := audited(calls, 200)
	if len(r.Proposal.Keep) == 0 {
		t.Fatalf("nothing proposed: %+v", r.Findings)
	}
	out, err := replay.Run(t.Context(), r, calls)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", *out)
	if out.Calls != len(calls) || out.Limit != 200 {
		t.Errorf("%d calls, limit %d; want %d, 200", out.Calls, out.Limit, len(calls))
	}
	was, now := out.AsItWas, out.Governed
	if was.Refused < 20 || was.Slowest < 30*time.Second || now.Slowest > was.Slowest/10 || was.Sends-was.Refused < len(calls)-was.GaveUp {
		t.Errorf("as it was: %+v, want refusals, and a send for each call that was answered", was)
	}
	if now.Refused != 0 || now.GaveUp != 0 {
		t.Errorf("through flyball: %+v, want none refused", now)
	}
	if now.Sends > len(calls)*6/10 {
		t.Errorf("through flyball: %d sends for %d calls, want the half that repeats spared", now.Sends, len(calls))
	}
	twice, err := replay.Run(t.Context(), r, calls)
	if err != nil {
		t.Fatal(err)
	}
	if twice.AsItWas != was {
		t.Errorf("replayed again: %+v, then %+v", was, twice.AsItWas)
	}
}

// Where the log does not say the limit, a replay is on an account that refuses
// as the log's did, not on a roomier one on which all is well.
func TestAnUnknownLimitIsWhatWasLetThrough(t *testing.T) {
	calls := crowd()[:1600] // 400 a minute, from 7 s after the minute
	minute, n := time.Time{}, 0
	for i := range calls {
		if at := calls[i].At.Truncate(time.Minute); at != minute {
			minute, n = at, 0
		}
		if n++; n > 210 {
			calls[i].Status, calls[i].Refused = 429, 1
		}
	}
	out, err := replay.Run(t.Context(), audited(calls, 0), calls)
	if err != nil {
		t.Fatal(err)
	}
	if out.Limit != 210 || !strings.HasPrefix(out.LimitSource, "the most that was let through") || out.AsItWas.Refused == 0 || out.Recorded == 0 {
		t.Errorf("%+v, want refusals on an account of 210 a minute", out)
	}
}

// The repeats of refused calls that a log holds are not made twice.
func TestRecordedRepeatsAreNotReplayed(t *testing.T) {
	start := time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)
	var calls []audit.Call
	for i, status := range []int{429, 429, 200, 200} {
		calls = append(calls, audit.Call{
			At: start.Add(time.Duration(i) * 20 * time.Second), Client: "a", Who: "a", Method: "GET", Path: "/api/v2/groups.json",
			Status: status, Sends: 1, Refused: status / 429,
		})
	}
	out, err := replay.Run(t.Context(), audited(calls, 700), calls)
	if err != nil {
		t.Fatal(err)
	}
	if out.Calls != 2 || out.AsItWas.Sends != 2 {
		t.Errorf("%+v, want 2 calls: the first with its repeats, and the last", out)
	}
}

// A replay that is stopped ends soon and says so.
func TestAStoppedReplayEnds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	calls := crowd()
	if _, err := replay.Run(ctx, audited(calls, 200), calls); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// A caller that the log shows with one call at a time has one at a time, and
// falls behind where answers are slower; one with many at once does not.
func TestACallerHasNoMoreUnderWayThanItHad(t *testing.T) {
	start := time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)
	slowest := func(took time.Duration) time.Duration {
		var calls []audit.Call
		for i := range 150 {
			calls = append(calls, audit.Call{
				At: start.Add(time.Duration(i) * 100 * time.Millisecond), Took: took, Client: "a", Who: "a",
				Method: "GET", Path: fmt.Sprintf("/api/v2/users/%d.json", i), Status: 200, Sends: 1,
			})
		}
		out, err := replay.Run(t.Context(), audited(calls, 700), calls)
		if err != nil {
			t.Fatal(err)
		}
		return out.AsItWas.Slowest
	}
	if got := slowest(90 * time.Millisecond); got < 5*time.Second {
		t.Errorf("one at a time: the slowest took %s, want it to wait for those before", got)
	}
	if got := slowest(2 * time.Second); got > time.Second {
		t.Errorf("twenty at a time: the slowest took %s", got)
	}
}
