package audit_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/audit"
)

// feed audits a text, and checks what must hold of any: no panic, no call
// without a time, no more findings than calls, errors that name the file.
func feed(t *testing.T, text []byte) {
	a := audit.New(audit.Options{})
	files, err := audit.Files(t.Context(), a, []string{"-"}, bytes.NewReader(text), nil)
	if err != nil && !strings.HasPrefix(err.Error(), "standard input") {
		t.Fatalf("the error does not name the file: %v", err)
	}
	r := a.Report()
	if len(files) == 1 && files[0].Calls < r.Calls+r.OtherHosts {
		t.Fatalf("%d calls read, %d taken", files[0].Calls, r.Calls)
	}
	if r.Spared > r.Sends || r.Refused > r.Sends || r.Spared < 0 {
		t.Fatalf("%d spared, %d refused of %d", r.Spared, r.Refused, r.Sends)
	}
	for _, f := range r.Findings {
		if f.Calls > r.Sends || f.Percent > 100 || f.Example == "" {
			t.Fatalf("%+v of %d", f, r.Sends)
		}
	}
	if r.Calls > 0 && r.To.Sub(r.From) < -24*time.Hour {
		t.Fatalf("from %s to %s", r.From, r.To)
	}
}

// seeds gives a reader's fuzz test a few of its lines, and broken ones.
func seeds(f *testing.F, format string) {
	w := newWeek(9)
	w.refusals()
	w.nothing()
	calls := w.sorted()[:12]
	var b bytes.Buffer
	logs[format](&b, calls)
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:b.Len()/2])
	f.Add(bytes.ReplaceAll(b.Bytes(), []byte(`"`), nil))
	f.Add(append(bytes.Clone(b.Bytes()), "\x00\xff\n\n{\"\n[\n"...))
	f.Fuzz(feed)
}

func FuzzHAR(f *testing.F)       { seeds(f, "har") }
func FuzzNginx(f *testing.F)     { seeds(f, "nginx") }
func FuzzCaddy(f *testing.F)     { seeds(f, "caddy") }
func FuzzEnvoy(f *testing.F)     { seeds(f, "envoy") }
func FuzzEnvoyJSON(f *testing.F) { seeds(f, "envoy-json") }
func FuzzOwn(f *testing.F)       { seeds(f, "own") }

func FuzzDebug(f *testing.F) {
	f.Add([]byte("2026-11-23 10:00:00,123 - urllib3.connectionpool - DEBUG - https://acme.zendesk.com:443 \"GET /api/v2/users/me.json HTTP/1.1\" 200 1234\n"))
	f.Add([]byte("2026-11-23 10:00:00 DEBUG ://\"GET /api/v2/ HTTP\" 2\n"))
	f.Fuzz(feed)
}
