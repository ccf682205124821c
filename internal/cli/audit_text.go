package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/flyballhq/flyball/audit"
)

// shownRows is how many endpoints, clients and causes the text lists; the JSON
// has all.
const shownRows = 10

// printAudit writes the report for a terminal.
func printAudit(s Streams, r *audit.Report) error {
	var b strings.Builder
	for _, f := range r.Files {
		fmt.Fprintf(&b, "%s: %s, %s\n", f.Name, f.Format, fileCounts(f))
	}
	if r.Calls == 0 {
		fmt.Fprint(&b, "\nthere is no call to Zendesk's API in it: nothing to say\n")
		if r.OtherHosts > 0 {
			fmt.Fprintf(&b, "%s to other hosts than %s are left out (leave out --account to see them)\n", plural(r.OtherHosts, "call"), r.Host)
		}
		_, err := io.WriteString(s.Out, b.String())
		return err
	}
	asked := plural(r.Sends, "call")
	if r.Calls != r.Sends {
		asked = plural(r.Sends, "request") + " to Zendesk for " + plural(r.Calls, "call")
	}
	fmt.Fprintf(&b, "\n%s from %s to %s (UTC), %s refused with 429\n", asked,
		r.From.Format("2006-01-02 15:04"), r.To.Format("2006-01-02 15:04"), share(r.Refused, r.RefusedPercent))
	for _, c := range r.Turned {
		fmt.Fprintf(&b, "  flyball refused %s itself: %s\n", plural(c.Calls, "call"), c.Name)
	}
	for _, c := range r.Saved {
		fmt.Fprintf(&b, "  flyball spared %s a send: %s\n", plural(c.Calls, "call"), c.Name)
	}
	if r.OtherHosts > 0 {
		fmt.Fprintf(&b, "  %s to other hosts are left out\n", plural(r.OtherHosts, "call"))
	}
	if len(r.Hosts) > 1 {
		fmt.Fprintf(&b, "  they went to several hosts, mostly %s: a limit is one account's, so choose one with --account\n", r.Hosts[0].Name)
	}
	if r.StandFor > 0 {
		fmt.Fprintf(&b, "  the log is a sample, of about %s calls: findings are lower bounds\n", grouped(r.StandFor))
	}
	writeVerdict(&b, r)
	writeRefusals(&b, r)
	writeServices(&b, r)
	writeTable(&b, "ENDPOINT", r.Endpoints)
	writeTable(&b, "CLIENT", r.Clients)
	writeFindings(&b, r)
	writeReplay(&b, r.Replay)
	_, err := io.WriteString(s.Out, b.String())
	return err
}

func fileCounts(f audit.File) string {
	text := grouped(f.Calls) + " calls"
	if f.Other > 0 {
		text += ", " + grouped(f.Other) + " other lines left out"
	}
	if f.Unread > 0 {
		text += fmt.Sprintf(", %s lines not read (%s)", grouped(f.Unread), f.FirstUnread)
	}
	return text
}

func writeVerdict(b *strings.Builder, r *audit.Report) {
	verdict := "throttling is not needed"
	if r.Verdict.Needed {
		verdict = "throttling is needed"
	}
	fmt.Fprintf(b, "\n%s\n", strings.ToUpper(verdict))
	for _, reason := range r.Verdict.Reasons {
		fmt.Fprintf(b, "  %s\n", reason)
	}
}

func writeRefusals(b *strings.Builder, r *audit.Report) {
	if len(r.Causes) == 0 {
		return
	}
	fmt.Fprintf(b, "\nRefused: %s, in %s of %s minutes", grouped(r.Refused), grouped(r.RefusedMinutes), grouped(r.Minutes))
	if w := r.WorstMinute; w != nil {
		fmt.Fprintf(b, "; the worst was %s, %s of %s", w.At.Format("2006-01-02 15:04"), grouped(w.Refused), grouped(w.Sends))
	}
	fmt.Fprint(b, "\n")
	w := table(b)
	fmt.Fprint(w, "  429s\tSCOPE\tLIMIT\tEXAMPLE\n")
	for _, c := range r.Causes[:min(len(r.Causes), shownRows)] {
		limit := c.Limit
		if c.Inferred {
			limit += " (inferred)"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", grouped(c.Sends), c.Scope, limit, c.Example)
	}
	_ = w.Flush()
}

func writeServices(b *strings.Builder, r *audit.Report) {
	fmt.Fprintf(b, "\nNear the limit, of %s minutes with calls\n", grouped(r.Minutes))
	w := table(b)
	fmt.Fprint(w, "  COUNTER\tLIMIT A MINUTE\tBUSIEST MINUTE\tMINUTES AT 80-89 %\t90-99 %\t100 %\tCALLS AT 80-89 %\t90-99 %\t100 %\n")
	for _, s := range r.Services {
		limit := "unknown"
		if s.Limit > 0 {
			limit = grouped(s.Limit) + " (" + s.Source + ")"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s at %s", s.Name, limit, grouped(s.Busiest.Sends), s.Busiest.At.UTC().Format("01-02 15:04"))
		for _, band := range s.Bands {
			fmt.Fprintf(w, "\t%s", grouped(band.Minutes))
		}
		for _, band := range s.Bands {
			fmt.Fprintf(w, "\t%s", grouped(band.Sends))
		}
		fmt.Fprint(w, "\n")
	}
	_ = w.Flush()
}

func writeTable(b *strings.Builder, name string, rows []audit.Endpoint) {
	fmt.Fprint(b, "\n")
	w := table(b)
	fmt.Fprintf(w, "  %s\tCALLS\t%%\t429s\n", name)
	for _, e := range rows[:min(len(rows), shownRows)] {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", e.Name, grouped(e.Sends), percentText(e.Percent), grouped(e.Refused))
	}
	_ = w.Flush()
	if more := len(rows) - shownRows; more > 0 {
		fmt.Fprintf(b, "  and %s more (--json lists all)\n", grouped(more))
	}
}

func writeFindings(b *strings.Builder, r *audit.Report) {
	if len(r.Findings) == 0 {
		fmt.Fprint(b, "\nNothing is to be gained: no call was found that need not have been made.\n")
		return
	}
	fmt.Fprintf(b, "\nCalls that need not have been made: %s together, each counted once\n", share(r.Spared, r.SparedPercent))
	for _, f := range r.Findings {
		fmt.Fprintf(b, "\n  %s: %s%s\n", share(f.Calls, f.Percent), f.Title, details(f))
		if len(f.Routes) > 1 {
			fmt.Fprintf(b, "    mostly   %s\n", routesText(f.Routes))
		}
		fmt.Fprintf(b, "    such as  %s\n", f.Example)
		if f.Setting != "" {
			fmt.Fprintf(b, "    flyball  %s\n", f.Setting)
		}
		if f.Advice != "" {
			fmt.Fprintf(b, "    client   %s\n", f.Advice)
		}
	}
	writeLifetimes(b, r)
	for _, blind := range r.Blind {
		fmt.Fprintf(b, "\n%s.\n", blind)
	}
	if r.Settings != "" {
		fmt.Fprintf(b, "\nA configuration that does what flyball can do about it (flyball serve --config FILE):\n\n%s", indented(r.Settings))
	}
}

func writeLifetimes(b *strings.Builder, r *audit.Report) {
	if len(r.Lifetimes) == 0 {
		return
	}
	fmt.Fprint(b, "\nWhat a cache would have answered, by how long it keeps answers\n")
	w := table(b)
	fmt.Fprint(w, "  KEPT FOR\tCALLS\t%\tOUTDATED ANSWERS\n")
	for _, l := range r.Lifetimes {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", l.Span(), grouped(l.Calls), percentText(l.Percent), l.OutdatedText())
	}
	_ = w.Flush()
}

// details says how the calls of a finding divide.
func details(f audit.Finding) string {
	if len(f.Details) == 0 {
		return ""
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(f.Details)) {
		parts = append(parts, grouped(f.Details[name])+" "+name)
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func routesText(routes []audit.Count) string {
	const most = 3
	var parts []string
	for _, r := range routes[:min(len(routes), most)] {
		parts = append(parts, grouped(r.Calls)+" "+r.Name)
	}
	if more := len(routes) - most; more > 0 {
		parts = append(parts, "and "+strconv.Itoa(more)+" more")
	}
	return strings.Join(parts, ", ")
}

func table(b *strings.Builder) *tabwriter.Writer { return tabwriter.NewWriter(b, 0, 0, 2, ' ', 0) }

func share(n int, percent float64) string { return grouped(n) + " (" + percentText(percent) + " %)" }

func percentText(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(n) + " " + what + "s"
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}

func writeReplay(b *strings.Builder, p *audit.Replay) {
	if p == nil {
		return
	}
	fmt.Fprintf(b, "\nReplayed: %s calls from %s to %s, on a simulated account of %s a minute (%s)\n", grouped(p.Calls),
		p.From.Format("2006-01-02 15:04"), p.To.Format("15:04"), grouped(p.Limit), p.LimitSource)
	w := table(b)
	fmt.Fprint(w, "  \tAS IT WAS\tTHROUGH FLYBALL\n")
	row := func(name string, value func(o audit.Outcome) string) {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", name, value(p.AsItWas), value(p.Governed))
	}
	row("requests sent", func(o audit.Outcome) string { return grouped(o.Sends) })
	row("refused with 429", func(o audit.Outcome) string { return grouped(o.Refused) })
	row("gave up", func(o audit.Outcome) string { return grouped(o.GaveUp) })
	row("median", func(o audit.Outcome) string { return rounded(o.Median) })
	row("99th percentile", func(o audit.Outcome) string { return rounded(o.P99) })
	row("slowest", func(o audit.Outcome) string { return rounded(o.Slowest) })
	row("all answered after", func(o audit.Outcome) string { return rounded(o.Took) })
	_ = w.Flush()
	if p.Recorded > 0 {
		fmt.Fprintf(b, "  The log itself shows %s refused in that time: its clients waited in their own way, and others used the account too.\n", plural(p.Recorded, "request"))
	}
	if p.NotSimulated > 0 {
		fmt.Fprintf(b, "  %s calls are on endpoints that the simulator lacks: they count and are answered with 501.\n", grouped(p.NotSimulated))
	}
	if p.More {
		fmt.Fprintf(b, "  There were more calls in that time; the first are replayed.\n")
	}
}

// rounded writes a duration as people say it.
func rounded(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return short(d.Round(time.Second))
}
