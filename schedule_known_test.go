package flyball_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/simulator"
	"github.com/flyballhq/flyball/zendesk"
)

// A limit could be known when a send left, if
//
//   - an answer that stated it (its figure, what remained, when it resets) had
//     come back before, or it is one of the catalogue's binding rules, in force
//     as documented;
//   - of the account's own limit, which is spent at once: its window is
//     confirmed by two answers, for one that surprises is doubted, to sends that
//     left after all doubt about where the window began; or its boundaries are known, for answers have stated
//     them for two windows and came soon, and no send was under way at the
//     one where the window began: those answered while it is in doubt are
//     forgotten when it is over, which is known and costs a refusal now and then;
//   - nobody but us draws on it: the account's own only where there are no
//     others;
//   - no answer of this account lies: no fault says a wrong count, spoils
//     headers' values or refuses for no reason (answers that say nothing, come
//     late or never do not lie);
//   - the server's counters restart where its clock says, in windows whose
//     length is the documented one or set, and not under 5 s: below that an
//     answer is too old to steer by when it comes.
//
// Then a server that refuses a send for the limit's sake has counted that many
// of our own in one window, and each of them was on the wire before: whoever
// counts could have known. Slots of jobs are out, for jobs end unseen.
type knowing struct {
	stated  map[string]time.Time // when an answer first stated a limit
	judged  int                  // sends whose refusal would have been a breach
	slowest time.Duration        // answer so far
	dry     int                  // answers that said that nothing remains
}

// bound are the catalogue's binding rules that schedules' calls draw on, by
// the simulator's names.
var bound = map[string]bool{"per-ticket-updates": true, "tickets-update": true, "incremental-exports": true}

// candid reports whether all answers of the schedule's account can be taken at
// their word.
func (s *schedule) candid() bool {
	o := &s.server
	for _, f := range o.Faults {
		if lies(f) {
			return false
		}
	}
	if o.Window != time.Minute && s.options.Window != o.Window || o.WindowJitter > 0 || o.OpenedByFirst || o.RoundDown {
		return false
	}
	stated := o.Headers == "" || o.Headers == simulator.HeadersCurrent || o.Headers == simulator.Headers2023
	return stated && o.BoundarySkew == 0 && o.Window >= 5*time.Second
}

// knowable reports whether the limit could be known when the send left.
func (r *referee) knowable(limit string, s *sent) bool {
	if !r.candid() || limit == "inflight-jobs" || limit == "account" && r.server.Others > 0 {
		return false
	}
	if at, ok := r.stated[bucketOf(limit, s)]; ok && at.Before(s.at) {
		return limit != "account" || r.steady(at, s) || r.confirmed(s)
	}
	_, changed := r.server.Limits[limit]
	return bound[limit] && !changed && (r.server.KeepWindows || r.server.Window == time.Minute)
}

// steady reports whether the account's boundaries were known when the send
// left: answers have stated them since, and none took a twentieth of a window.
func (r *referee) steady(since time.Time, s *sent) bool {
	return s.at.Sub(since) > 2*r.server.Window && r.slowest < r.server.Window/20 && !r.straddled(s)
}

// straddled reports whether a send was under way around the beginning of the
// window in which s was decided.
func (r *referee) straddled(s *sent) bool {
	const around = 300 * time.Millisecond
	start := windowOf(s.answered.Add(r.server.ClockSkew), r.server.Window).Add(-r.server.ClockSkew)
	return slices.ContainsFunc(r.sends[:s.n], func(before *sent) bool {
		return before.at.Before(start.Add(around)) && (before.answered.IsZero() || before.answered.After(start.Add(-around)))
	})
}

// confirmed reports whether the account's window was observed twice before the
// send left, by sends that left after the guard around the boundary (an eighth of a
// window, 1.5 s at most), a second of rounding, and the slowest answer so far.
func (r *referee) confirmed(s *sent) bool {
	decided := s.answered.Add(r.server.ClockSkew)
	clear := windowOf(decided, r.server.Window).Add(min(1500*time.Millisecond, r.server.Window/8) + time.Second + r.slowest)
	witnesses := 0
	for _, before := range slices.Backward(r.sends[:s.n]) {
		if before.status != 0 && before.stated && before.service == s.service && before.answered.Before(s.at) &&
			before.at.Add(r.server.ClockSkew).After(clear) {
			witnesses++
		}
	}
	return witnesses >= 2
}

// bucketOf is the limit's bucket that the send draws on, as the referee names
// it.
func bucketOf(limit string, s *sent) string {
	switch limit {
	case "account":
		return limit + " of " + string(s.service)
	case "per-ticket-updates":
		return limit + " of " + s.by.path
	default:
		return limit
	}
}

// judgeAnswer looks for a refusal that need not have been. The caller holds
// the lock.
func (r *referee) judgeAnswer(s *sent, req *http.Request, resp *http.Response) {
	if r.knowable("account", s) {
		r.judged++
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		r.refused++
		if limit := r.causeOf(req); limit != "" && r.knowable(limit, s) {
			r.fail(limits, "send %d of call %d was refused by %s, which could be known", s.n, s.by.id, bucketOf(limit, s))
		}
	}
	r.judgeKept(s, resp)
	r.read(s, resp)
}

// causeOf asks the account which limit refused the send; "" if none did.
func (r *referee) causeOf(req *http.Request) string {
	for _, seen := range r.sim.Ledger().Requests {
		if strings.HasSuffix(seen.Path, req.URL.RequestURI()) && seen.Cause != "fault" {
			return seen.Cause
		}
	}
	return ""
}

// judgeKept holds sends to what is kept free of the account's limit.
func (r *referee) judgeKept(s *sent, resp *http.Response) {
	n, remaining, ok := accountIn(resp)
	if !ok || s.service != zendesk.Support || !r.knowable("account", s) {
		return
	}
	if remaining == 0 {
		r.dry++
	}
	if r.cold(s) {
		return
	}
	reg := &r.options.Regulation
	if kept := max(reg.KeepFree, int(reg.KeepFreeShare*float64(n))); remaining < min(kept, n) {
		r.fail(limits, "send %d of call %d leaves %d, and %d are to be kept free", s.n, s.by.id, remaining, kept)
	}
}

// cold reports whether the send may be the probe that finds out what is left
// after more than five windows without an answer.
func (r *referee) cold(s *sent) bool {
	for _, before := range slices.Backward(r.sends[:s.n]) {
		if before.status != 0 && before.service == s.service && before.answered.Before(s.at) {
			return s.at.Sub(before.at) > 5*r.server.Window
		}
	}
	return true
}

// read notes which limits an answer states.
func (r *referee) read(s *sent, resp *http.Response) {
	note := func(limit string) {
		if name := bucketOf(limit, s); r.stated[name].IsZero() {
			r.stated[name] = s.answered
		}
	}
	r.slowest = max(r.slowest, s.answered.Sub(s.at))
	if _, _, ok := accountIn(resp); ok {
		s.stated = true
		note("account")
	}
	for key := range resp.Header {
		for _, prefix := range []string{"zendesk-ratelimit-", "zendesk-rate-limit-"} {
			if limit, ok := strings.CutPrefix(strings.ToLower(key), prefix); ok {
				note(limit)
			}
		}
	}
}

// accountIn reads the account's own counter out of an answer that states it
// with its reset.
func accountIn(resp *http.Response) (n, remaining int, ok bool) {
	for _, prefix := range []string{"Ratelimit", "Rate-Limit"} {
		if resp.Header.Get(prefix+"-Reset") == "" {
			continue
		}
		n, bad := strconv.Atoi(resp.Header.Get("X-Rate-Limit"))
		remaining, worse := strconv.Atoi(resp.Header.Get(prefix + "-Remaining"))
		return n, remaining, bad == nil && worse == nil
	}
	return 0, 0, false
}
