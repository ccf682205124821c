package page_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/audit"
	"github.com/flyballhq/flyball/audit/page"
)

// hostile is what somebody may have written into a log.
const hostile = `"><script>alert(1)</script>&<img src=https://evil.example/x>`

func report() *audit.Report {
	start := time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)
	r := &audit.Report{
		Files: []audit.File{{Name: hostile, Format: "HAR", Calls: 12345, FirstUnread: hostile}}, Host: hostile,
		From: start, To: start.Add(49 * time.Hour), Calls: 12345, Sends: 12345, Minutes: 900,
		Verdict: audit.Verdict{Needed: true, Reasons: []string{hostile}},
		Refused: 12, RefusedPercent: 0.1, RefusedMinutes: 3, WorstMinute: &audit.Minute{At: start, Sends: 40, Refused: 7},
		Causes:    []audit.Cause{{Scope: "account", Limit: hostile, Inferred: true, Sends: 12, Example: hostile}},
		Services:  []audit.Service{{Name: "support", Sends: 12345, Limit: 400, Source: hostile, Bands: []audit.Band{{Name: "80-89 %", Minutes: 2, Sends: 31}}}},
		Endpoints: []audit.Endpoint{{Name: hostile, Sends: 12345, Percent: 100}}, Clients: []audit.Endpoint{{Name: hostile, Sends: 1, Percent: 500}},
		Spared: 1000, SparedPercent: 8.1,
		Findings:  []audit.Finding{{Kind: audit.Repeats, Title: "t", Calls: 1000, Percent: 8.1, Details: map[string]int{hostile: 1}, Example: hostile, Routes: []audit.Count{{Name: hostile, Calls: 9}}, Setting: hostile, Advice: hostile}},
		Lifetimes: []audit.Lifetime{{Seconds: 60, Calls: 1000, Percent: 8.1}}, Settings: hostile, Step: time.Minute,
	}
	for i := range 2000 {
		r.Series = append(r.Series, audit.Slot{At: start.Add(time.Duration(i) * time.Minute), Sends: i % 90, Peak: i % 90, Refused: i % 7})
	}
	return r
}

func written(t *testing.T, r *audit.Report) string {
	t.Helper()
	var b strings.Builder
	if err := page.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Whatever a log says stays text on the page.
func TestNothingFromALogBecomesMarkup(t *testing.T) {
	text := written(t, report())
	for _, bad := range []string{"<script", "<img", "alert(1)</"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if !strings.Contains(text, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Error("the hostile text is not on the page: the check cannot fail")
	}
}

// The page needs nothing else: it names no address but the SVG's namespace.
func TestThePageStandsAlone(t *testing.T) {
	quiet := report()
	quiet.Host = "acme.zendesk.com"
	text := strings.ReplaceAll(written(t, quiet), "https://evil.example/x", "")
	for _, link := range regexp.MustCompile(`(?:https?:)?//[^\s"'<>)]+|url\(|@import|<link`).FindAllString(text, -1) {
		if !strings.HasPrefix(link, "http://www.w3.org/") {
			t.Errorf("the page refers to %s", link)
		}
	}
}

// The chart is in the page's own colours, so that it can be read in dark and in
// light, and has a line for the limit.
func TestTheChartHasThePagesColours(t *testing.T) {
	text := written(t, report())
	if found := regexp.MustCompile(`rgba?\([^)]*\)`).FindAllString(text, -1); len(found) > 0 {
		t.Errorf("fixed colours: %q", found[:min(3, len(found))])
	}
	for _, want := range []string{"var(--sent)", "var(--bad)", "limit, 400 a minute", "12,345"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}

// A report without calls, or with one, is a page too.
func TestALittleIsAPageToo(t *testing.T) {
	if text := written(t, &audit.Report{}); !strings.Contains(text, "no call to Zendesk") {
		t.Errorf("no word of it: %s", text)
	}
	one := report()
	one.Series = one.Series[:1]
	if text := written(t, one); !strings.Contains(text, "<svg") {
		t.Error("no chart of one minute")
	}
	far := report()
	far.Series = []audit.Slot{{At: far.From, Sends: 1, Peak: 1}, {At: far.From.Add(20 * 365 * 24 * time.Hour), Sends: 2, Peak: 2}}
	if text := written(t, far); len(text) > 200<<10 {
		t.Errorf("%d bytes for two calls, years apart", len(text))
	}
}

// Whatever a report holds has its place on the page.
func TestThePageHasEverySection(t *testing.T) {
	r := report()
	r.Endpoints[0].Name, r.Clients[0].Name = "GET /api/v2/endpoint-of-it", "client-of-it"
	r.Settings, r.Verdict.Reasons = "settings-of-it", []string{"reason-of-it"}
	r.Causes[0].Limit, r.Services[0].Name, r.Findings[0].Title, r.Findings[0].Advice = "cause-of-it", "service-of-it", "finding-of-it", "advice-of-it"
	r.Findings[0].Setting, r.Lifetimes[0].Calls = "setting-of-it", 98765
	r.Blind = []audit.Blind{{Kind: "blind-of-it"}}
	r.Files = []audit.File{{Name: "file-of-it"}}
	r.Turned = []audit.Count{{Name: "turned-of-it", Calls: 3}}
	r.Replay = &audit.Replay{LimitSource: "replay-of-it", Recorded: 54321, Governed: audit.Outcome{Sends: 43210}}
	text := written(t, r)
	for _, want := range []string{
		"endpoint-of-it", "client-of-it", "settings-of-it", "reason-of-it", "cause-of-it", "service-of-it", "finding-of-it", "advice-of-it",
		"setting-of-it", "98,765", "blind-of-it", "file-of-it", "turned-of-it", "replay-of-it", "54,321", "43,210",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}
