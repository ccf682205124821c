package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file is refused or read, whatever it holds; and what is read is shown as a
// file that says the same.
func FuzzAConfigurationReadsAsItIsShown(f *testing.F) {
	for _, pattern := range []string{"testdata/wrong/*.yaml", "testdata/good/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds in %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte("accounts: &a\n  - name: acme\n    clients: *a\n"))
	f.Add([]byte("accounts: [{name: a, routes: [{match: GET //*, class: bulk}, {match: /a/.json/, max_wait: 0s}]}]"))
	f.Add([]byte("tls: {cert: \"\\u2028\\x01\", key: 'it''s'}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Source{}.parse(text)
		if err != nil {
			if strings.Contains(err.Error(), "%!") {
				t.Errorf("a message is not well formed: %s", err)
			}
			return
		}
		var out bytes.Buffer
		if _, err := c.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		again, err := Source{}.parse(out.Bytes())
		if err != nil {
			t.Fatalf("shown as:\n%s\nwhich is refused: %v", out.Bytes(), err)
		}
		had, have := c.settings(), again.settings()
		for i := range had {
			if len(had) != len(have) || had[i].path != have[i].path || said(had[i]) != said(have[i]) {
				t.Fatalf("%s is %q and shown as:\n%s", had[i].path, said(had[i]), out.Bytes())
			}
		}
	})
}

func said(s setting) string { return text(s.value) }

func TestAnAliasOfAliasesIsBounded(t *testing.T) {
	list := "[" + strings.Repeat("*c,", 1000) + "]"
	bomb := "accounts:\n - name: a\n   clients: [&c {name: x, match: {email: [" + strings.Repeat("a,", 1000) + "]}}]\n" +
		" - name: b\n   clients: " + list + "\n"
	_, err := Source{File: "bomb.yaml"}.parse([]byte(bomb))
	if err == nil || !strings.Contains(err.Error(), "bomb.yaml:1: the file holds more than 50000 values") {
		t.Errorf("parse = %.300v, want a refusal for its size", err)
	}
}
