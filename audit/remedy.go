package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// remedy says what flyball does about a finding, by the keys of its
// configuration, and what the client can do.
func (a *Audit) remedy(f *Finding) (setting, advice string) {
	top := f.Routes[0].Name
	switch f.Kind {
	case Unchanged, Repeats:
		const advice = "keep the answer in the client, and drop it when it is written"
		span, _ := a.lifetimes.best(top)
		if span == 0 {
			return "", advice
		}
		return fmt.Sprintf("cache.routes: match: %s, fresh: %s", top, short(span)), advice
	case Reads, Writes:
		return mergeRemedy(f)
	case Nothing:
		return "elide.within: " + short(rightAfter), "compare with what was read before writing"
	case Polling:
		return "", "read " + exports[top] + " from where the last one ended"
	case FanOut:
		return "", "use " + instead[top]
	case FindOne:
		return "", "ask for the object by its id, or search for it"
	}
	return "", ""
}

// mergeRemedy says what merging does: it needs calls under way at once.
func mergeRemedy(f *Finding) (setting, advice string) {
	advice = "ask for one show_many?ids= of up to 100; or send them at once, and flyball merges them"
	if f.Kind == Writes {
		advice = "write one job of up to 100; or send them at once, and flyball makes it of them"
	}
	if f.Details[atOnce]+f.Details[notTold] == 0 {
		return "", advice
	}
	return "batch: allow, for those under way at once", advice
}

// pattern writes a kind of call as the configuration's routes do.
func pattern(class string) string { return strings.ReplaceAll(class, "{id}", "*") }

// short writes a lifetime as a configuration does: 10s, 1m, 1h.
func short(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

const (
	// mostRules bounds the routes that are proposed to be kept.
	mostRules = 20
	// worthIt is the share of all sends that a rule must spare, in thousandths.
	worthIt = 1
)

// proposal is what flyball can do about the findings.
func (a *Audit) proposal(r *Report) (p Proposal) {
	p.Keep = a.keep(r.Sends)
	merged := map[string]int{}
	for _, w := range a.wastes {
		if w.kind == Nothing && w.calls > 0 {
			p.Elide, p.Elided = rightAfter, w.calls
		}
		maps.Copy(merged, w.merge) // no kind of call is in two
	}
	for _, class := range slices.Sorted(maps.Keys(merged)) {
		p.Merge = append(p.Merge, Count{class, merged[class]})
	}
	return p
}

// keep lists the routes worth keeping, those that spare most first.
func (a *Audit) keep(sends int) []Kept {
	var list []Kept
	for class := range a.lifetimes.routes {
		if span, calls := a.lifetimes.best(class); span > 0 && calls*1000 >= sends*worthIt && !strings.Contains(class, "{other}") {
			list = append(list, Kept{class, span, calls})
		}
	}
	slices.SortFunc(list, func(x, y Kept) int {
		return cmp.Or(cmp.Compare(y.Calls, x.Calls), cmp.Compare(x.Route, y.Route))
	})
	return list[:min(len(list), mostRules)]
}

// account is the account of which the report is, as a configuration names it:
// the one asked for, else the one at Zendesk to which most of the sends went.
func (r *Report) account() string {
	host := r.Host
	if host == "" && len(r.Hosts) > 0 && strings.HasSuffix(strings.ToLower(r.Hosts[0].Name), zendeskHost) {
		host = r.Hosts[0].Name // other names may be a proxy's
	}
	name := strings.TrimSuffix(strings.ToLower(host), zendeskHost)
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		return "acme  # write your account's name here: the log does not tell it"
	}
	return name
}

const zendeskHost = ".zendesk.com"

// settings writes a proposal as a configuration; "" when there is nothing in
// it.
func settings(p *Proposal, account string) string {
	var b strings.Builder
	if len(p.Keep) > 0 {
		b.WriteString("    cache:\n      routes:\n")
	}
	for _, k := range p.Keep {
		fmt.Fprintf(&b, "        - match: %s\n          fresh: %s  # %s\n", k.Route, short(k.Fresh), plural(k.Calls, "call"))
	}
	if p.Elide > 0 {
		fmt.Fprintf(&b, "    elide:\n      within: %s  # %s\n", short(p.Elide), plural(p.Elided, "call"))
	}
	if len(p.Merge) > 0 {
		b.WriteString("    routes:\n")
	}
	for _, m := range p.Merge {
		fmt.Fprintf(&b, "      - match: %s\n        batch: allow  # %s\n", pattern(m.Name), plural(m.Calls, "call"))
	}
	if b.Len() == 0 {
		return ""
	}
	return "accounts:\n  - name: " + account + "\n" + b.String()
}
