package flyball_test

import (
	"context"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// longest is more virtual time than any schedule needs.
const longest = 24 * time.Hour

// watch judges every step: each time something happened, and at each instant
// that a hold names, when all that happens at that instant is over and before
// time goes on. It ends with the run.
func (r *referee) watch(giveUp context.CancelFunc) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	start := time.Now()
	for {
		select {
		case <-r.stop:
			return
		case <-r.poke:
		case <-timer.C:
		}
		synctest.Wait()
		timer.Reset(r.step())
		if time.Since(start) > longest {
			r.mu.Lock()
			r.fail(bounds, "the calls have not ended after %s", longest)
			r.mu.Unlock()
			giveUp()
			start = start.Add(10 * longest)
		}
	}
}

// step judges the state at an instant at which nothing more happens. It
// returns the time to the next instant that a hold names.
func (r *referee) step() time.Duration {
	snap := r.snapshot()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps++
	r.judgeCounts(snap)
	r.judgeWaiters(snap.At)
	r.judgeOwn(snap)
	next := r.judgeLines(snap)
	r.judgeIdle(snap)
	return next
}

// judgeCounts compares what flyball counts with what callers and the wire saw.
func (r *referee) judgeCounts(snap limit.Snapshot) {
	inLines := 0
	for _, line := range snap.Lines {
		inLines += line.Held
	}
	if snap.Waiting != r.held || inLines != r.held {
		r.fail(counts, "%d calls were told to be held, %d wait, %d in lines", r.held, snap.Waiting, inLines)
	}
	if most := r.options.MaxWaiting; most > 0 && snap.Waiting > most {
		r.fail(counts, "%d calls wait, %d may", snap.Waiting, most)
	}
	all := 0
	for _, n := range r.inFlight {
		all += n
	}
	for _, b := range snap.Buckets {
		switch {
		case b.Key.ID == zendesk.PrimaryID && b.InFlight != r.inFlight[b.Key.Service],
			b.Key.Service == budget.Own && b.Key.ID == "at most" && b.InFlight != all,
			b.InFlight < 0 || b.InFlight > all || b.Left < 0 || b.Limit > 0 && b.Left > b.Limit:
			r.fail(counts, "%s: %d in flight, %d of %d left; on the wire are %d, %d in all",
				b.Key, b.InFlight, b.Left, b.Limit, r.inFlight[b.Key.Service], all)
		}
	}
}

// judgeWaiters holds the held to their patience.
func (r *referee) judgeWaiters(now time.Time) {
	if r.held == 0 {
		return
	}
	for _, c := range r.calls {
		if c.stage == waits && !c.deadline.IsZero() && now.After(c.deadline) {
			r.fail(bounds, "a call is held by %s %s after its patience ended", c.hold.Bucket, now.Sub(c.deadline))
		}
	}
}

// judgeLines holds each line of held calls to its instant: it lies ahead, so a
// hold that has reached its own was judged anew, and no further ahead than
// what holds it can last.
func (r *referee) judgeLines(snap limit.Snapshot) (next time.Duration) {
	next = time.Minute
	buckets := map[limit.Key]*limit.Bucket{}
	for i := range snap.Buckets {
		buckets[snap.Buckets[i].Key] = &snap.Buckets[i]
	}
	for _, line := range snap.Lines {
		ahead := line.Until.Sub(snap.At)
		if line.Key == (limit.Key{}) || line.Reason == "" || ahead <= 0 {
			r.fail(holds, "%d calls are held by %q for %q until %s ahead", line.Held, line.Key, line.Reason, ahead)
		}
		if most, ok := lasts(line, buckets, snap.At); ok && ahead > most {
			r.fail(holds, "%d calls are held by %s for %s: %q lasts %s at most", line.Held, line.Key, ahead, line.Reason, most)
		}
		next = min(next, max(ahead, time.Millisecond))
	}
	return next
}

// lasts is the longest that a line may be held without being judged anew,
// where that is known. A narrow line, of which one call stands in its
// service's own line for all, lasts as long as that.
func lasts(line limit.Line, buckets map[limit.Key]*limit.Bucket, now time.Time) (time.Duration, bool) {
	most, ok := lastsFor(line.Reason, buckets[line.Key], now)
	whole := limit.Key{Service: line.Key.Service, ID: zendesk.PrimaryID}
	if b := buckets[whole]; ok && line.Key != whole && b != nil && b.Held > 0 {
		return max(most, b.Window+doubtful, b.PausedUntil.Sub(now)), true
	}
	return most, ok
}

const (
	probing  = 2 * time.Second  // how long a gate waits for its probe
	doubtful = 25 * time.Second // the slowest answer: so much may the server's clock be in doubt
)

// lastsFor is how long a reason to hold lasts: a gate for as long as it waits
// for its probe, a pause until it ends, everything else for a window.
func lastsFor(why limit.Reason, b *limit.Bucket, now time.Time) (time.Duration, bool) {
	switch why {
	case limit.Cold, limit.Unconfirmed, limit.Doubtful, limit.Walking:
		return probing, true
	case limit.Paused:
		if b == nil || b.PausedUntil.IsZero() {
			return 0, false
		}
		return max(b.PausedUntil.Sub(now), time.Millisecond), true // no hold is shorter
	default:
		if b == nil || b.Window == 0 {
			return 0, false
		}
		return b.Window + doubtful, true
	}
}

// judgeOwn holds sends to the bounds that we set ourselves, in the window that
// the bucket is in: the first second may be the one before's, as far as the
// server's clock is in doubt.
func (r *referee) judgeOwn(snap limit.Snapshot) {
	for _, b := range snap.Buckets {
		if !strings.HasPrefix(b.Key.ID, "client ") && b.Key.Service != budget.Own || b.Resets.IsZero() {
			continue
		}
		from := b.Resets.Add(1200*time.Millisecond - b.Window)
		if seen := r.ours[b.Key]; seen.limit != b.Limit {
			r.ours[b.Key] = ownSeen{b.Limit, snap.At}
		}
		if since := r.ours[b.Key].since; since.After(from) {
			from = since
		}
		if n := r.sendsOf(b.Key, from, b.Resets); n > b.Limit {
			r.fail(limits, "%d sends in a window of %s, which allows %d", n, b.Key, b.Limit)
		}
	}
}

// An ownSeen is a limit that we set and since when it is in force: a share of
// the server's is none before the server has said how much that is.
type ownSeen struct {
	limit int
	since time.Time
}

// sendsOf counts the sends that left after from and before until, and that a
// limit of our own counts.
func (r *referee) sendsOf(key limit.Key, from, until time.Time) (n int) {
	for _, s := range slices.Backward(r.sends) {
		if !s.at.After(from) {
			break
		}
		if s.at.Before(until) && (key.Service == budget.Own || key.Service == s.service) && (key.ID == "at most" || key.ID == "client "+s.by.client) {
			n++
		}
	}
	return n
}

// end judges what is left when every call has come back.
func (r *referee) end() {
	snap := r.snapshot()
	r.mu.Lock()
	defer r.mu.Unlock()
	if snap.Waiting != 0 || len(snap.Lines) != 0 || r.held != 0 {
		r.fail(counts, "%d calls still wait in %d lines; %d are told to be held", snap.Waiting, len(snap.Lines), r.held)
	}
	for _, b := range snap.Buckets {
		if b.InFlight != 0 || b.Held != 0 {
			r.fail(counts, "%s: %d still in flight, %d held", b.Key, b.InFlight, b.Held)
		}
	}
	for _, c := range r.calls {
		if c.stage != asks {
			r.fail(counts, "a call is still %s", c.stage)
		}
	}
	for i := range r.plans {
		if n := r.plans[i].returned; n != 1 {
			r.fail(answers, "call %d came back %d times", i, n)
		}
	}
	r.judgeLedger()
}

// judgeLedger takes the account's own word for what was done twice, and for
// how often it refused.
func (r *referee) judgeLedger() {
	l := r.sim.Ledger()
	stillborn := 0 // their caller left at the same instant
	for _, s := range r.sends {
		if s.status == 0 && s.answered.Equal(s.at) {
			stillborn++
		}
	}
	if l.Sends > len(r.sends) || l.Sends < len(r.sends)-stillborn {
		r.fail(answers, "%d sends reached the account, %d left", l.Sends, len(r.sends))
	}
	if l.DuplicateWrites > 0 {
		r.fail(answers, "%d writes were done twice", l.DuplicateWrites)
	}
	windows := int(l.To.Sub(l.From) / r.server.Window) // others may drain each of them first
	if real := l.Refused() - l.RefusedBy("fault"); real > 20+l.Sends/10+windows {
		r.fail(limits, "%d of %d sends refused for a limit's sake", real, l.Sends)
	}
	r.judgeWindows(l.WindowsOf("account"))
}
