package config_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"github.com/flyballhq/flyball/config"
	"github.com/flyballhq/flyball/limit"
)

const bearer = "Bearer 0123456789"

var policies = `
max_wait: 50s
accounts:
  - name: acme
    clients:
      - {name: etl, match: {email: etl@example.com}, class: bulk, ceiling: normal, max_wait: 8s}
      - {name: staff, match: {email: "*@example.com", header: [People, agents]}, class: interactive, batch: allow}
      - {name: python, match: {user_agent: [zenpy, "*requests*"]}}
      - {name: token, match: {credential_sha256: ` + hashOf(bearer)[:12] + `}, max_wait: 0s}
    routes:
      - {match: GET /api/v2/incremental/*, class: bulk, max_wait: 10m}
      - {match: /api/v2/tickets/*/comments, class: interactive}
      - {match: GET /api/v2/tickets/*, batch: allow}
      - {match: POST /api/v2/imports/*, max_wait: 1s}
`

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func TestACallIsDecidedByItsClientAndItsRoute(t *testing.T) {
	c, err := config.Load(config.Source{File: write(t, policies)})
	if err != nil {
		t.Fatal(err)
	}
	settings := c.Settings()
	for _, tt := range []struct {
		name, call string
		headers    []string // key, value...
		email      string
		client     string
		class      string // "" for none said
		ceiling    limit.Class
		wait       time.Duration
	}{
		{name: "a stranger", call: "GET /api/v2/tickets", ceiling: limit.Interactive, wait: 50 * time.Second},
		{name: "a stranger's export", call: "GET /api/v2/incremental/tickets/cursor.json", class: "bulk", ceiling: limit.Interactive, wait: 10 * time.Minute},
		{name: "HEAD counts as GET", call: "HEAD /api/v2/incremental/tickets", class: "bulk", ceiling: limit.Interactive, wait: 10 * time.Minute},
		{name: "another method", call: "POST /api/v2/incremental/tickets", ceiling: limit.Interactive, wait: 50 * time.Second},
		{name: "a segment in the middle", call: "POST /api/v2/tickets/12/comments.json", class: "interactive", ceiling: limit.Interactive, wait: 50 * time.Second},
		{name: "one segment, not two", call: "POST /api/v2/tickets/12/13/comments", ceiling: limit.Interactive, wait: 50 * time.Second},
		{name: "by e-mail", call: "GET /api/v2/tickets", email: "etl@example.com/token", client: "etl", class: "bulk", ceiling: limit.Normal, wait: 8 * time.Second},
		{name: "by e-mail, in another case", call: "GET /x", email: "ETL@Example.com", client: "etl", class: "bulk", ceiling: limit.Normal, wait: 8 * time.Second},
		{name: "by a pattern that comes later", call: "GET /x", email: "ann@example.com", client: "staff", class: "interactive", ceiling: limit.Interactive, wait: 50 * time.Second},
		{name: "an OAuth client's secret is no e-mail", call: "GET /x", email: "s3cret", ceiling: limit.Interactive, wait: 50 * time.Second},
		{name: "its own name goes first", call: "GET /x", headers: []string{"Flyball-Client", "ETL"}, email: "ann@example.com", client: "etl", class: "bulk", ceiling: limit.Normal, wait: 8 * time.Second},
		{name: "one of its names", call: "GET /x", headers: []string{"Flyball-Client", " agents "}, client: "staff", class: "interactive", ceiling: limit.Interactive, wait: 50 * time.Second},
		{name: "a name nobody has", call: "GET /x", headers: []string{"Flyball-Client", "me"}, email: "etl@example.com", ceiling: limit.Interactive, wait: 50 * time.Second},
		{name: "by product", call: "GET /x", headers: []string{"User-Agent", "Zenpy/2.0"}, client: "python", ceiling: limit.Interactive, wait: 50 * time.Second},
		{name: "by a part of the program's name", call: "GET /x", headers: []string{"User-Agent", "python-requests/2.32"}, client: "python", ceiling: limit.Interactive, wait: 50 * time.Second},
		{name: "by credential, before the program", call: "GET /x", headers: []string{"Authorization", bearer, "User-Agent", "zenpy"}, client: "token", ceiling: limit.Interactive, wait: 0},
		{name: "the less urgent class, the client's", call: "GET /api/v2/tickets/1/comments", email: "etl@example.com", client: "etl", class: "bulk", ceiling: limit.Normal, wait: 8 * time.Second},
		{name: "the less urgent class, the route's", call: "GET /api/v2/incremental/x", email: "ann@example.com", client: "staff", class: "bulk", ceiling: limit.Interactive, wait: 10 * time.Minute},
		{name: "the shorter wait, the client's", call: "GET /api/v2/incremental/x", email: "etl@example.com", client: "etl", class: "bulk", ceiling: limit.Normal, wait: 8 * time.Second},
		{name: "the shorter wait, the route's", call: "POST /api/v2/imports/x", email: "etl@example.com", client: "etl", class: "bulk", ceiling: limit.Normal, wait: time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := settings.Decide(request(t, tt.call, tt.email, tt.headers...))
			client, class := d.Client, ""
			if d.HasClass {
				class = d.Class.String()
			}
			if client != tt.client || class != tt.class || d.Ceiling != tt.ceiling || d.MaxWait != tt.wait {
				t.Errorf("Decide = client %q, class %q, ceiling %v, wait %v; want %q, %q, %v, %v",
					client, class, d.Ceiling, d.MaxWait, tt.client, tt.class, tt.ceiling, tt.wait)
			}
		})
	}
}

// A route may not lift a client above its ceiling.
func TestARouteDoesNotLiftAClientAboveItsCeiling(t *testing.T) {
	c, err := config.Load(config.Source{File: write(t, "accounts:\n  - name: acme\n    clients: [{name: a, ceiling: normal}]\n    routes: [{match: /x, class: interactive}]\n")})
	if err != nil {
		t.Fatal(err)
	}
	d := c.Settings().Decide(request(t, "GET /x", "", "Flyball-Client", "a"))
	if !d.HasClass || d.Class != limit.Normal {
		t.Errorf("Decide = %+v, want class normal", d)
	}
}

func request(t *testing.T, call, email string, headers ...string) *http.Request {
	t.Helper()
	var method, path string
	for i := range call {
		if call[i] == ' ' {
			method, path = call[:i], call[i+1:]
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "https://acme.zendesk.com"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if email != "" {
		r.SetBasicAuth(email, "x")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func BenchmarkDecide(b *testing.B) {
	l, err := config.Open(config.Source{File: "testdata/good/whole.yaml"})
	if err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.Context(), "GET", "https://acme.zendesk.com/api/v2/incremental/tickets/cursor.json", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.SetBasicAuth("etl@example.com/token", "x")
	r.Header.Set("User-Agent", "zenpy/2.0")
	b.ReportAllocs()
	for b.Loop() {
		l.Settings().Decide(r)
	}
}
