package telemetry_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const contrib = "contrib/"

var metricName = regexp.MustCompile(`\bflyball_[a-z_]+`)

// metricNames are the metrics that there are, with what a histogram adds to its own.
func metricNames(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{"flyball_access_log_dropped_total": true} // there with an access log: see TestAStuckDiskHoldsNoCallBackAndItsLossIsCounted
	for line := range strings.Lines(scrape(t, exercised())) {
		if name := metricName.FindString(line); name != "" && !strings.HasPrefix(line, "# HELP") {
			all[name] = true
		}
	}
	return all
}

func TestRulesAndDashboardNameOnlyMetricsThatExist(t *testing.T) {
	all := metricNames(t)
	for _, file := range []string{"flyball.rules.yml", "flyball.rules_test.yml", "flyball.dashboard.json"} {
		text, err := os.ReadFile(contrib + file)
		if err != nil {
			t.Fatal(err)
		}
		found := metricName.FindAllString(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s names no metric", file)
		}
		for _, name := range found {
			if !all[name] {
				t.Errorf("%s names %s, which does not exist", file, name)
			}
		}
	}
}

// The guide explains every metric, and none besides.
func TestTheGuideListsTheMetricsThatThereAre(t *testing.T) {
	text, err := os.ReadFile("../docs/guide/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| metric | labels | counts |")
	table, _, _ = strings.Cut(table, "\n\n")
	listed := map[string]bool{}
	for row := range strings.Lines(table) {
		cell, _, _ := strings.Cut(strings.TrimPrefix(row, "|"), "|")
		first := metricName.FindString(cell)
		for _, word := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune("` ,", r) }) {
			if strings.HasPrefix(word, "_") { // flyball_bucket_limit, _remaining
				word = "flyball_bucket" + word
			}
			listed[strings.TrimSpace(word)] = true
		}
		if first == "" && strings.Contains(row, "flyball") {
			t.Errorf("the row %q names no metric", row)
		}
	}
	for name := range metricNames(t) {
		for _, of := range []string{"_bucket", "_sum", "_count"} {
			if base := strings.TrimSuffix(name, of); strings.HasSuffix(base, "_seconds") && base != name {
				name = base
			}
		}
		if !listed[name] {
			t.Errorf("the guide does not list %s", name)
		}
	}
}

func TestTheDashboardIsWhole(t *testing.T) {
	text, err := os.ReadFile(contrib + "flyball.dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	seen, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range board.Panels {
		if seen[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		seen[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %q shows nothing", p.Title)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("the panels %q and %q overlap", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

func TestPromtoolAcceptsTheRulesAndTheirTests(t *testing.T) {
	promtool(t, "", "check", "rules", contrib+"flyball.rules.yml")
	promtool(t, "", "test", "rules", contrib+"flyball.rules_test.yml")
}

// Each expression of the dashboard is PromQL: promtool reads it as a rule.
func TestPromtoolAcceptsTheDashboardsExpressions(t *testing.T) {
	text, err := os.ReadFile(contrib + "flyball.dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	n := 0
	for _, m := range regexp.MustCompile(`"expr": ("(?:[^"\\]|\\.)*")`).FindAllStringSubmatch(string(text), -1) {
		var expr string
		if err := json.Unmarshal([]byte(m[1]), &expr); err != nil {
			t.Fatal(err)
		}
		expr = strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*").Replace(expr)
		quoted, _ := json.Marshal(expr)
		n++
		rules.WriteString("  - record: dashboard:" + strings.Repeat("x", n) + "\n    expr: " + string(quoted) + "\n")
	}
	if n < 20 {
		t.Errorf("%d expressions were found, and the dashboard has more", n)
	}
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "rules", path)
}
