package gateway_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/gateway"
)

// Whoever is refused is named in the log, before the call was looked at as
// well as after, and is not remembered for a call that nobody could serve.
func TestARefusedCallerIsNamedInTheLog(t *testing.T) {
	account := upstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	decide := func(r *http.Request) gateway.Decision {
		if r.Header.Get("Authorization") == "Bearer known" {
			return gateway.Decision{Client: "etl"}
		}
		return gateway.Decision{}
	}
	for name, tt := range map[string]struct {
		drained bool
		header  []string
		body    string
		status  int
		client  string
	}{
		"an upgrade of a program":        {false, []string{"Upgrade", "websocket", "User-Agent", "viewer/1.0"}, "", 501, "client=viewer"},
		"an upgrade of a known client":   {false, []string{"Upgrade", "websocket", "Authorization", "Bearer known"}, "", 501, "client=etl"},
		"too long a body of a named one": {false, []string{"Flyball-Client", "loader"}, strings.Repeat("x", 100), 413, "client=loader"},
		"a drain, a program":             {true, []string{"User-Agent", "viewer/1.0"}, "", 503, "client=viewer"},
		"a drain, a known client":        {true, []string{"Authorization", "Bearer known"}, "", 503, "client=etl"},
		"a drain, nobody":                {true, []string{"User-Agent", ""}, "", 503, "client=unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			log := &record{}
			g := start(t, gateway.Options{Upstream: account, Decide: decide, MaxBodyBytes: 10, Log: slog.New(slog.NewTextHandler(log, nil))})
			if tt.drained {
				if err := g.stop(); err != nil {
					t.Fatal(err)
				}
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://gateway/api/v2/tickets", strings.NewReader(tt.body))
			for i := 0; i < len(tt.header); i += 2 {
				r.Header.Set(tt.header[i], tt.header[i+1])
			}
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if text := log.String(); !strings.Contains(text, "call refused by the gateway") || !strings.Contains(text, tt.client+" ") {
				t.Errorf("the log does not say %s:\n%s", tt.client, text)
			}
			if known := g.Clients(); !tt.drained && slices.Contains(known, strings.TrimPrefix(tt.client, "client=")) {
				t.Errorf("clients = %q, want none for a call that nobody could serve", known)
			}
		})
	}
}
