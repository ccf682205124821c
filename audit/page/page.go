package page

import (
	_ "embed"
	"fmt"
	"html"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/audit"
)

//go:embed style.css
var style string

// rows is how many endpoints, clients and causes the page lists.
const rows = 25

// A sheet is the page being written. It is plain text and not html/template,
// which would cost the program 13 MB.
type sheet struct{ strings.Builder }

// Write writes the report as a page.
func Write(w io.Writer, r *audit.Report) error {
	var s sheet
	s.head(r)
	s.verdict(r)
	if r.Calls > 0 {
		s.put("<h2>Calls over time (UTC)</h2>\n<figure role=\"img\" aria-label=\"calls and refusals over time; the tables below have the figures\">%v</figure>\n", raw(overTime(r)))
		s.refusals(r)
		s.services(r)
		s.findings(r)
		s.lifetimes(r)
		s.settings(r)
		s.replay(r.Replay)
		s.ranking("Endpoints", "endpoint", r.Endpoints)
		s.ranking("Clients", "client", r.Clients)
	}
	s.files(r)
	s.put("</main></body></html>\n")
	_, err := io.WriteString(w, s.String())
	return err
}

// raw is text that is HTML already.
type raw string

// put writes a format whose text values are escaped, for they come out of logs.
func (s *sheet) put(format string, values ...any) {
	for i, v := range values {
		switch v := v.(type) {
		case string:
			values[i] = html.EscapeString(v)
		case int:
			values[i] = grouped(v)
		case float64:
			values[i] = strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	fmt.Fprintf(s, format, values...)
}

func (s *sheet) head(r *audit.Report) {
	title := "Zendesk API audit"
	if r.Host != "" {
		title += ": " + r.Host
	}
	s.put("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
	s.put("<meta name=\"color-scheme\" content=\"light dark\">\n<title>%v</title>\n<style>\n%v</style></head>\n<body><main>\n<h1>%v</h1>\n", title, raw(style), title)
	if r.Calls > 0 {
		s.put("<p>%v to %v (UTC)</p>\n", r.From.Format("2 January 2006 15:04"), r.To.Format("2 January 2006 15:04"))
	}
}

func (s *sheet) verdict(r *audit.Report) {
	if r.Calls == 0 {
		s.put("<p>There is no call to Zendesk's API in it.</p>\n")
		return
	}
	class, words := "good", "Throttling is not needed"
	if r.Verdict.Needed {
		class, words = "bad", "Throttling is needed"
	}
	s.put("<section class=\"verdict %v\"><h2>%v</h2><ul>\n", class, words)
	for _, reason := range r.Verdict.Reasons {
		s.put("<li>%v</li>\n", reason)
	}
	s.put("</ul></section>\n<dl class=\"cards\">\n")
	s.card("calls", grouped(r.Calls), "")
	if r.Calls != r.Sends {
		s.card("requests to Zendesk", grouped(r.Sends), "")
	}
	s.card("refused with 429", grouped(r.Refused), percent(r.RefusedPercent))
	for _, t := range r.Turned {
		s.card("refused by flyball itself", grouped(t.Calls), t.Name)
	}
	s.card("need not have been made", grouped(r.Spared), percent(r.SparedPercent))
	s.put("</dl>\n")
}

func (s *sheet) card(name, figure, share string) {
	s.put("<div><dt>%v</dt><dd>%v <small>%v</small></dd></div>\n", name, figure, share)
}

func (s *sheet) refusals(r *audit.Report) {
	if len(r.Causes) == 0 {
		return
	}
	s.put("<h2>Refusals by cause</h2>\n<p>In %v of %v minutes", r.RefusedMinutes, r.Minutes)
	if m := r.WorstMinute; m != nil {
		s.put("; the worst was %v, %v of %v calls", m.At.UTC().Format("2 Jan 15:04"), m.Refused, m.Sends)
	}
	s.put(".</p>\n")
	s.table("429s", "scope", "limit", "example")
	for _, c := range r.Causes[:min(len(r.Causes), rows)] {
		limit := c.Limit
		if c.Inferred {
			limit += " (inferred)"
		}
		s.put("<tr><td class=\"n\">%v</td><td>%v</td><td>%v</td><td><code>%v</code></td></tr>\n", c.Sends, c.Scope, limit, c.Example)
	}
	s.endTable()
}

func (s *sheet) services(r *audit.Report) {
	s.put("<h2>Near the limit</h2>\n")
	s.table("counter", "limit a minute", "busiest minute", "minutes at 80-89 %", "90-99 %", "100 %", "calls at 80-89 %", "90-99 %", "100 %")
	for _, v := range r.Services {
		limit := "unknown"
		if v.Limit > 0 {
			limit = grouped(v.Limit) + " (" + v.Source + ")"
		}
		s.put("<tr><td>%v</td><td>%v</td><td class=\"n\">%v</td>", v.Name, limit, v.Busiest.Sends)
		for _, b := range v.Bands {
			s.put("<td class=\"n\">%v</td>", b.Minutes)
		}
		for _, b := range v.Bands {
			s.put("<td class=\"n\">%v</td>", b.Sends)
		}
		s.put("</tr>\n")
	}
	s.endTable()
}

func (s *sheet) findings(r *audit.Report) {
	if len(r.Findings) == 0 {
		s.put("<h2>Nothing is to be gained</h2>\n<p>No call was found that need not have been made.</p>\n")
		return
	}
	s.put("<h2>Calls that need not have been made</h2>\n<p>%v together (%v), each counted once. One call may be wasted in more ways than one.</p>\n", r.Spared, percent(r.SparedPercent))
	for _, f := range r.Findings {
		s.put("<section class=\"finding\"><h3>%v <small>%v %v</small></h3>%v\n<dl>", f.Title, f.Calls, percent(f.Percent), bar(f.Percent, "sent"))
		for _, name := range slices.Sorted(maps.Keys(f.Details)) {
			s.put("<dt>%v</dt><dd>%v</dd>", name, f.Details[name])
		}
		for i, route := range f.Routes {
			if i == 5 {
				break
			}
			s.put("<dt><code>%v</code></dt><dd>%v</dd>", route.Name, route.Calls)
		}
		s.put("</dl>\n<p>Such as <code>%v</code></p>\n", f.Example)
		if f.Setting != "" {
			s.put("<p>flyball: <code>%v</code></p>\n", f.Setting)
		}
		if f.Advice != "" {
			s.put("<p>Client: %v</p>\n", f.Advice)
		}
		s.put("</section>\n")
	}
	for _, b := range r.Blind {
		s.put("<p>%v.</p>\n", b.String())
	}
}

func (s *sheet) lifetimes(r *audit.Report) {
	if len(r.Lifetimes) == 0 {
		return
	}
	s.put("<h2>What a cache would have answered</h2>\n")
	s.table("kept for", "calls", "%", "", "outdated answers")
	for _, l := range r.Lifetimes {
		s.put("<tr><td>%v</td><td class=\"n\">%v</td><td class=\"n\">%v</td><td class=\"w\">%v</td><td>%v</td></tr>\n",
			l.Span(), l.Calls, l.Percent, bar(l.Percent, "sent"), l.OutdatedText())
	}
	s.endTable()
}

func (s *sheet) settings(r *audit.Report) {
	if r.Settings != "" {
		s.put("<h2>A configuration that does what flyball can do about it</h2>\n<pre>%v</pre>\n", r.Settings)
	}
}

func (s *sheet) replay(p *audit.Replay) {
	if p == nil {
		return
	}
	s.put("<h2>The same calls, made again</h2>\n<p>%v calls from %v to %v, on a simulated account of %v a minute (%v)",
		p.Calls, p.From.Format("2 January 15:04"), p.To.Format("15:04"), p.Limit, p.LimitSource)
	if p.Recorded > 0 {
		s.put("; the log itself shows %v refused with 429 in that time", p.Recorded)
	}
	if p.NotSimulated > 0 {
		s.put("; %v of them on endpoints that the simulator lacks", p.NotSimulated)
	}
	s.put(".</p>\n")
	s.table("", "as it was", "through flyball")
	was, now := p.AsItWas, p.Governed
	for _, row := range []struct {
		name     string
		was, now any
	}{
		{"requests sent", was.Sends, now.Sends},
		{"refused with 429", was.Refused, now.Refused},
		{"gave up", was.GaveUp, now.GaveUp},
		{"median", spell(was.Median), spell(now.Median)},
		{"99th percentile", spell(was.P99), spell(now.P99)},
		{"slowest", spell(was.Slowest), spell(now.Slowest)},
		{"all answered after", spell(was.Took), spell(now.Took)},
	} {
		s.put("<tr><th scope=\"row\">%v</th><td class=\"n\">%v</td><td class=\"n\">%v</td></tr>\n", row.name, row.was, row.now)
	}
	s.endTable()
}

func spell(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func (s *sheet) ranking(title, name string, list []audit.Endpoint) {
	s.put("<h2>%v</h2>\n", title)
	s.table(name, "calls", "%", "", "429s")
	for _, e := range list[:min(len(list), rows)] {
		s.put("<tr><td><code>%v</code></td><td class=\"n\">%v</td><td class=\"n\">%v</td><td class=\"w\">%v</td><td class=\"n\">%v</td></tr>\n",
			e.Name, e.Sends, e.Percent, bar(e.Percent, "sent"), e.Refused)
	}
	s.endTable()
	if more := len(list) - rows; more > 0 {
		s.put("<p>And %v more.</p>\n", more)
	}
}

func (s *sheet) files(r *audit.Report) {
	s.put("<h2>Read</h2>\n")
	s.table("file", "format", "calls", "other lines", "not read")
	for _, f := range r.Files {
		s.put("<tr><td>%v</td><td>%v</td><td class=\"n\">%v</td><td class=\"n\">%v</td><td class=\"n\" title=\"%v\">%v</td></tr>\n",
			f.Name, f.Format, f.Calls, f.Other, f.FirstUnread, f.Unread)
	}
	s.endTable()
}

func (s *sheet) table(columns ...string) {
	s.put("<div class=\"scroll\"><table><thead><tr>")
	for _, c := range columns {
		s.put("<th scope=\"col\">%v</th>", c)
	}
	s.put("</tr></thead><tbody>\n")
}

func (s *sheet) endTable() { s.put("</tbody></table></div>\n") }

// bar is a share as a length.
func bar(percent float64, colour string) raw {
	return raw(fmt.Sprintf(`<span class="bar" aria-hidden="true"><i style="width:%.2f%%;background:var(--%s)"></i></span>`, min(max(percent, 0), 100), colour))
}

func percent(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) + " %" }

// grouped writes 1234567 as 1,234,567.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
