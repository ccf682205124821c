package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/limit"
)

const token = "correct horse battery staple"

func handler(t *testing.T, opts admin.Options) http.Handler {
	t.Helper()
	if opts.Snapshot == nil {
		opts.Snapshot = func() limit.Snapshot { return limit.Snapshot{Account: "acme.zendesk.com"} }
	}
	h, err := admin.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(t *testing.T, h http.Handler, host, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	req.Host = host
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("%s: Content-Type %q, want JSON", path, got)
	}
	if !json.Valid(w.Body.Bytes()) {
		t.Errorf("%s: %q is not JSON", path, w.Body)
	}
	return w
}

// getAny reads a page that need not be JSON.
func getAny(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s = %d %s", path, w.Code, w.Body)
	}
	return w
}

func TestEveryBucketIsShown(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 20, 0, time.UTC)
	h := handler(t, admin.Options{Version: "v1", Snapshot: func() limit.Snapshot {
		return limit.Snapshot{At: at, Account: "acme.zendesk.com", Waiting: 3, Sends: 4, Saved: []limit.Saving{{Cause: limit.Merged, Calls: 5, Sends: 4}}, Buckets: []limit.Bucket{
			{
				Key: limit.Key{Service: "support", ID: "account"}, Limit: 700, Left: 0, Window: time.Minute, Resets: at.Add(40 * time.Second),
				Source: limit.FromHeader, PausedUntil: at.Add(12500 * time.Millisecond), PauseCause: "Number of allowed API requests per minute exceeded",
				InFlight: 2, Ours: 500, Others: 200, OthersRate: 3.3333333, Held: 3, Wait: 8500 * time.Millisecond, Refusals: 1,
			},
			{Key: limit.Key{Service: "support", ID: "ticket-updates", Object: 18446744073709551615, Credential: 255}, Kind: limit.Object},
		}}
	}})
	got := get(t, h, "127.0.0.1:4291", "/api/limits").Body.String()
	want := `{"account":"acme.zendesk.com","at":"2026-11-23T10:00:20Z","waiting":3,"version":"v1","sends":4,"saved":[{"cause":"merged","calls":5,"sends":4,"percent":50}],"buckets":[` +
		`{"bucket":"support/account","service":"support","id":"account","kind":"window","source":"header",` +
		`"limit":700,"left":0,"window_seconds":60,"resets_at":"2026-11-23T10:01:00Z","reset_seconds":40,` +
		`"paused_until":"2026-11-23T10:00:32.5Z","pause_seconds":12.5,"pause_cause":"Number of allowed API requests per minute exceeded",` +
		`"in_flight":2,"ours":500,"others":200,"others_per_second":3.333,"held":3,"wait_seconds":8.5,"harm":0,"refusals":1},` +
		`{"bucket":"support/ticket-updates of 18446744073709551615","service":"support","id":"ticket-updates","object":"18446744073709551615","credential":"ff","kind":"object","source":"unknown",` +
		`"limit":null,"left":null,"window_seconds":null,"resets_at":null,"reset_seconds":null,"paused_until":null,"pause_seconds":null,` +
		`"in_flight":0,"ours":0,"others":0,"others_per_second":0,"held":0,"wait_seconds":0,"harm":0,"refusals":0}]}` + "\n"
	if got != want {
		t.Errorf("/api/limits =\n%s\nwant\n%s", got, want)
	}
	var doc admin.Limits
	if err := json.Unmarshal([]byte(got), &doc); err != nil || *doc.Buckets[0].Limit != 700 || doc.Buckets[1].Limit != nil {
		t.Errorf("read back: %v, %+v", err, doc)
	}
}

func TestNoBucketsIsAnEmptyList(t *testing.T) {
	if got := get(t, handler(t, admin.Options{}), "localhost", "/api/limits").Body.String(); !strings.Contains(got, `"buckets":[]`) {
		t.Errorf("/api/limits = %s, want an empty list", got)
	}
}

// Behaviour H1: loopback unless told, and a non-loopback admin address needs a token
func TestANonLoopbackAdminAddressNeedsAToken(t *testing.T) {
	tests := []struct {
		addr, token string
		ok          bool
	}{
		{"127.0.0.1:4291", "", true},
		{"127.9.9.9:4291", "", true},
		{"[::1]:4291", "", true},
		{"localhost:0", "", true},
		{"[::ffff:127.0.0.1]:1", "", true},
		{":4291", "", false},
		{"0.0.0.0:4291", "", false},
		{"[::]:4291", "", false},
		{"192.168.1.5:4291", "", false},
		{"localhost.evil.example:4291", "", false},
		{"0.0.0.0:4291", token, true},
		{":4291", token, true},
		{"4291", token, false},
		{"", "", false},
	}
	check := func(allow func(addr, token string) error) error {
		var faults []error
		for _, test := range tests {
			if err := allow(test.addr, test.token); (err == nil) != test.ok {
				faults = append(faults, fmt.Errorf("CheckAddress(%q, %q) = %v, want ok %v", test.addr, test.token, err, test.ok))
			}
		}
		return errors.Join(faults...)
	}
	if err := check(admin.CheckAddress); err != nil {
		t.Error(err)
	}
	// The twin listens wherever it is told.
	twin := func(addr, _ string) error {
		_, _, err := net.SplitHostPort(addr)
		return err
	}
	if err := check(twin); err == nil {
		t.Error("the check passes a program that listens anywhere without a token")
	}
}

func TestTheTokenIsAskedForEverythingButHealth(t *testing.T) {
	h := handler(t, admin.Options{Token: token})
	basic := httptest.NewRequest(http.MethodGet, "/", nil)
	basic.SetBasicAuth("anybody", token)
	tests := []struct {
		name, path, authorization string
		want                      int
	}{
		{"no token", "/api/limits", "", 401},
		{"no token, no such page", "/secret", "", 401},
		{"no token, use", "/api/usage", "", 401},
		{"no token, clients", "/api/clients", "", 401},
		{"no token, calls", "/api/calls", "", 401},
		{"no token, events", "/api/events", "", 401},
		{"no token, description", "/api/openapi.yaml", "", 401},
		{"a wrong one", "/api/limits", "Bearer wrong", 401},
		{"a part of it", "/api/limits", "Bearer correct", 401},
		{"nothing after Bearer", "/api/limits", "Bearer ", 401},
		{"the token", "/api/limits", "Bearer " + token, 200},
		{"the token as a password", "/api/limits", basic.Header.Get("Authorization"), 200},
		{"no such page", "/nothing", "Bearer " + token, 404},
		{"health", "/healthz", "", 200},
		{"readiness", "/readyz", "", 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// With a token, any Host is as good as another.
			if w := get(t, h, "flyball.example", test.path, "Authorization", test.authorization); w.Code != test.want {
				t.Errorf("GET %s = %d %s, want %d", test.path, w.Code, w.Body, test.want)
			}
		})
	}
}

func TestWithoutATokenOnlyLoopbackAndListedHostsAreAnswered(t *testing.T) {
	h := handler(t, admin.Options{AllowedHosts: []string{"flyball.internal"}})
	for host, want := range map[string]int{
		"127.0.0.1:4291": 200, "localhost": 200, "[::1]:4291": 200, "flyball.internal:4291": 200,
		"evil.example": 403, "127.0.0.1.evil.example:4291": 403, "": 403,
	} {
		if w := get(t, h, host, "/api/limits"); w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
		if w := get(t, h, host, "/healthz"); w.Code != 200 {
			t.Errorf("Host %q: /healthz = %d, want 200: probes come by address", host, w.Code)
		}
	}
}

func TestReadyMeansListeningAndNotDraining(t *testing.T) {
	ready := false
	h := handler(t, admin.Options{Ready: func() bool { return ready }})
	if w := get(t, h, "10.0.0.7:4291", "/readyz"); w.Code != 503 {
		t.Errorf("/readyz = %d, want 503", w.Code)
	}
	ready = true
	if w := get(t, h, "10.0.0.7:4291", "/readyz"); w.Code != 200 {
		t.Errorf("/readyz = %d, want 200", w.Code)
	}
}

func TestNothingCanBeChanged(t *testing.T) {
	w := httptest.NewRecorder()
	handler(t, admin.Options{}).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "http://localhost/api/limits", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST = %d, Allow %q; want 405 and GET, HEAD", w.Code, w.Header().Get("Allow"))
	}
}

func TestASnapshotIsRequired(t *testing.T) {
	if _, err := admin.New(admin.Options{}); err == nil || !strings.Contains(err.Error(), "Snapshot") {
		t.Errorf("New = %v, want an error that names Snapshot", err)
	}
}

func TestMetricsAreShownUnderTheSameRulesAsTheLimits(t *testing.T) {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte(`"flyball_waiting_calls 3"`))
	})
	h := handler(t, admin.Options{Token: token, Metrics: metrics})
	if w := get(t, h, "localhost", "/metrics"); w.Code != 401 {
		t.Errorf("without the token /metrics = %d, want 401", w.Code)
	}
	if w := get(t, h, "flyball.example", "/metrics", "Authorization", "Bearer "+token); w.Code != 200 || !strings.Contains(w.Body.String(), "waiting_calls") {
		t.Errorf("with the token /metrics = %d %s, want the metrics", w.Code, w.Body)
	}
	if w := get(t, handler(t, admin.Options{Metrics: metrics}), "evil.example", "/metrics"); w.Code != 403 {
		t.Errorf("under a name that is not ours /metrics = %d, want 403", w.Code)
	}
	if w := get(t, handler(t, admin.Options{}), "localhost", "/metrics"); w.Code != 404 {
		t.Errorf("without metrics /metrics = %d, want 404", w.Code)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- admin.Serve(ctx, l, handler(t, admin.Options{})) }()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/api/limits", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("got %d, want 200", resp.StatusCode)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}
