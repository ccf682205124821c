package audit

import (
	"fmt"
	"strconv"
	"time"
)

// judge answers whether throttling is needed. It is where refusals happen more
// than now and then, or where an account with a known limit comes to its end.
func (r *Report) judge() {
	v := &r.Verdict
	limited, most := r.Refused, (*Cause)(nil)
	for i := range r.Causes {
		switch c := &r.Causes[i]; {
		case c.Scope == never:
			limited -= c.Sends // throttling would not help these
		case most == nil:
			most = c
		}
	}
	switch {
	case limited > 0 && (r.limitedMinutes >= 2 || float64(limited) >= 0.001*float64(r.Sends)):
		v.Needed = true
		v.say("%s of %s (%s %%) %s answered with 429, in %s of %s", number(limited), plural(r.Sends, "request"), trim(percent(limited, r.Sends)),
			were(limited), plural(r.limitedMinutes, "minute"), number(r.Minutes))
	case limited > 0:
		v.say("%s of %s %s answered with 429, all in one minute: a client that waits as Retry-After says is enough for these", number(limited), plural(r.Sends, "request"), were(limited))
	default:
		v.say("none of %s was answered with 429 for a limit's sake", plural(r.Sends, "request"))
	}
	r.judgeFlyball()
	for i := range r.Services {
		r.judgeService(&r.Services[i])
	}
	if v.Needed && most != nil {
		part := "most of them"
		if most.Sends*2 <= limited {
			part = "the largest part, " + number(most.Sends) + ","
		}
		v.say("%s for %s", part, most.name())
	}
}

// judgeFlyball judges the calls that flyball stood before: without it those that
// it held or refused would have met the limits.
func (r *Report) judgeFlyball() {
	v := &r.Verdict
	if r.Held > 0 {
		v.Needed = v.Needed || float64(r.Held) >= 0.001*float64(r.Calls)
		v.say("flyball held %s of %s for a second or more, the longest for %s: that is the throttling", number(r.Held), plural(r.Calls, "call"), r.LongestHold.Round(100*time.Millisecond))
	}
	for _, t := range r.Turned {
		v.Needed = true
		v.say("flyball itself refused %s of %s (%s), which their clients saw as a 429 though Zendesk was not asked: spare calls as below, or allow a longer max_wait",
			number(t.Calls), plural(r.Calls, "call"), t.Name)
	}
}

func (r *Report) judgeService(s *Service) {
	v := &r.Verdict
	if s.Limit == 0 {
		if s.Name == "support" {
			through := ""
			if r.Refused > 0 {
				through = "; up to " + number(s.Passed) + " a minute were let through"
			}
			v.say("the limit is not known (say it with --plan or --limit): the busiest minute had %s%s", plural(s.Busiest.Sends, "request"), through)
		}
		return
	}
	near, over := s.Bands[1], s.Bands[2]
	minutes := near.Minutes + over.Minutes
	if over.Minutes > 0 || near.Minutes >= 2 {
		v.Needed = true
	}
	if minutes > 0 {
		v.say("%s: %s at 90-99 %% and %s at 100 %% of %s a minute (%s)", s.Name, plural(near.Minutes, "minute"), number(over.Minutes), number(s.Limit), s.Source)
		return
	}
	v.say("%s: the busiest minute used %s of %s (%s)", s.Name, number(s.Busiest.Sends), number(s.Limit), s.Source)
}

// name says what a cause is, for people.
func (c Cause) name() string {
	text := map[string]string{
		"account": "the account's own limit", "endpoint": "an endpoint's limit", "object": "a limit on one object",
		"jobs": "the number of jobs at once", "unknown": "a limit that the log does not tell, on",
	}[c.Scope]
	text += " " + c.Limit
	if c.Inferred {
		text += " (inferred from the counts)"
	}
	return text
}

func (v *Verdict) say(format string, args ...any) {
	v.Reasons = append(v.Reasons, fmt.Sprintf(format, args...))
}

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// plural writes "1 call" and "2 calls".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(n) + " " + what + "s"
}

// number writes 1234567 as 1,234,567.
func number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// trim writes a percentage without the zeros at its end.
func trim(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) }
