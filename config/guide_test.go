package config

import (
	"os"
	"strings"
	"testing"
)

const guide = "../docs/guide/configuration.md"

// The guide's table has one row for each key, in the order of the code, with
// the default, variable, flag and moment of effect that the code has.
func TestTheGuideListsEveryKeyAsItIs(t *testing.T) {
	var want []string
	defaults := defaultsShown(t)
	for _, k := range Keys() {
		if k.Path == "admin.token" || k.Path == "alerts.webhook" { // in no file
			continue
		}
		flag := ""
		if k.Flag != "" {
			flag = "`--" + k.Flag + "`"
		}
		variable := ""
		if k.Variable != "" {
			variable = "`" + k.Variable + "`"
		}
		effect := "restart"
		if k.Live {
			effect = "at once"
		}
		value, ok := defaults[k.Path]
		if !ok {
			t.Errorf("config show does not show %s", k.Path)
		}
		if value != "" {
			value = "`" + value + "`"
		}
		want = append(want, strings.Join([]string{"`" + k.Path + "`", value, variable, flag, effect}, " | "))
	}
	var got []string
	for _, cells := range rows(t) {
		if len(cells) != 6 || cells[5] == "" {
			t.Errorf("the row %q does not have six cells, the last one with words", cells)
			continue
		}
		if cells[1] = strings.TrimSpace(cells[1]); !strings.HasPrefix(cells[1], "`") {
			cells[1] = "" // "none", and what that comes to
		}
		got = append(got, strings.Join(cells[:5], " | "))
	}
	for i := range max(len(want), len(got)) {
		w, g := "", ""
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			t.Errorf("row %d of %s:\n  %s\nwant\n  %s", i+1, guide, g, w)
		}
	}
}

// defaultsShown reads what config shows for an account with a client and a
// route of which nothing is said.
func defaultsShown(t *testing.T) map[string]string {
	t.Helper()
	c, err := Source{}.parse([]byte("accounts: [{name: acme, clients: [{name: a}], routes: [{match: /x, max_wait: 1s}], cache: {routes: [{match: /api/v2/users, fresh: 1s}]}}]"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, s := range c.settings() {
		values[s.key] = text(s.value)
	}
	for _, given := range []string{
		"accounts[].name", "accounts[].clients[].name", "accounts[].routes[].match", "accounts[].routes[].max_wait",
		"accounts[].cache.routes[].match", "accounts[].cache.routes[].fresh",
	} {
		values[given] = ""
	}
	return values
}

// rows are the cells of the guide's table of keys.
func rows(t *testing.T) [][]string {
	t.Helper()
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "\n## Keys\n")
	if !ok {
		t.Fatalf("%s has no table of keys", guide)
	}
	table, _, _ = strings.Cut(table, "\n## ")
	var all [][]string
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		all = append(all, cells)
	}
	return all
}

// The guide's examples are good files, and its messages are those of the code.
func TestTheGuidesExamplesAreGood(t *testing.T) {
	page, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	examples := strings.Split(string(page), "```yaml\n")[1:]
	if len(examples) == 0 {
		t.Fatal("the guide shows no file")
	}
	for _, example := range examples {
		example, _, _ = strings.Cut(example, "```")
		_, err := Source{}.parse([]byte(example))
		if err != nil {
			t.Errorf("%v in the example:\n%s", err, example)
		}
	}
}
