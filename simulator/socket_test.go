package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// socket is an account on a loopback port.
func socket(t *testing.T, o Options) (*Simulator, *httptest.Server) {
	t.Helper()
	o.Latency = Fixed(0)
	s := New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server
}

func do(t *testing.T, server *httptest.Server, method, path, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	r, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return client{t: t}.read(r)
}

func TestSocketAnswersLikeTheTransport(t *testing.T) {
	_, server := socket(t, Options{})
	r, body := do(t, server, "GET", "/api/v2/tickets?page[size]=2", "")
	wantHeaders(t, r, "X-Rate-Limit", "700", "Ratelimit-Limit", "700", "Content-Type", "application/json; charset=utf-8")
	var page struct {
		Tickets []struct{ ID int }
		Links   struct{ Next string }
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Tickets) != 2 || !strings.HasPrefix(page.Links.Next, server.URL+"/api/v2/tickets") {
		t.Fatalf("%v: %s", err, body)
	}
	r, body = do(t, server, "HEAD", "/api/v2/tickets", "")
	if r.StatusCode != 200 || body != "" || r.ContentLength <= 0 {
		t.Errorf("HEAD: %d, %d bytes announced", r.StatusCode, r.ContentLength)
	}
	r, body = do(t, server, "GET", "/attachments/token/any?size=3000000", "")
	if r.StatusCode != 200 || len(body) != 3_000_000 {
		t.Errorf("attachment: %d, %d bytes", r.StatusCode, len(body))
	}
	r, body = do(t, server, "GET", "/api/v2/no_such", "")
	if r.StatusCode != 501 || !strings.Contains(body, "NotSimulated") {
		t.Errorf("unknown endpoint: %d %s", r.StatusCode, body)
	}
}

func TestSocketCutsConnections(t *testing.T) {
	for _, cut := range []Cut{CutBefore, CutAfter, CutBody} {
		s, server := socket(t, Options{Faults: []Fault{{Cut: cut, Method: "POST"}}})
		req, _ := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/api/v2/tickets", strings.NewReader(oneTicket))
		req.Header.Set("Authorization", "Bearer token")
		r, err := server.Client().Do(req)
		if cut == CutBody && err == nil {
			_, err = io.ReadAll(r.Body)
			_ = r.Body.Close()
		}
		if err == nil {
			t.Errorf("cut %s: answered", cut)
		}
		if l := s.Ledger(); l.Cuts != 1 || l.Changed["ticket create"] == 0 != (cut == CutBefore) {
			t.Errorf("cut %s: %d cuts, changed %v", cut, l.Cuts, l.Changed)
		}
	}
}

// TestControlPaths steers the account over the socket, without being counted.
func TestControlPaths(t *testing.T) {
	s, server := socket(t, Options{Limit: 2})
	r, body := do(t, server, "POST", "/_sim/faults", "status=503,nth=2\n\nstatus=429,retry-after=0,path=/x*\n")
	if want := `{"faults":["status=503,nth=2","status=429,retry-after=0,path=/x*"]}`; r.StatusCode != 200 || body != want {
		t.Fatalf("%d %s, want %s", r.StatusCode, body, want)
	}
	if r, body = do(t, server, "POST", "/_sim/faults", "colour=red"); r.StatusCode != 400 || !strings.Contains(body, "the keys are") {
		t.Errorf("a bad fault: %d %s", r.StatusCode, body)
	}
	for _, want := range []int{200, 503, 429} {
		if r, _ = do(t, server, "GET", "/api/v2/groups", ""); r.StatusCode != want {
			t.Errorf("%d, want %d", r.StatusCode, want)
		}
	}
	r, body = do(t, server, "GET", "/_sim/ledger?requests=1", "")
	var l Ledger
	if err := json.Unmarshal([]byte(body), &l); err != nil || l.Sends != 3 || l.RefusedBy("account") != 1 || len(l.Requests) != 1 || l.Requests[0].Status != 429 {
		t.Errorf("%v: %d %s", err, r.StatusCode, body)
	}
	if _, body = do(t, server, "DELETE", "/_sim/faults", ""); body != `{"faults":[]}` {
		t.Error(body)
	}
	if r, _ = do(t, server, "POST", "/_sim/reset", ""); r.StatusCode != 200 || s.Ledger().Sends != 0 {
		t.Errorf("reset: %d, %d sends", r.StatusCode, s.Ledger().Sends)
	}
	if r, _ = do(t, server, "GET", "/api/v2/groups", ""); r.StatusCode != 200 {
		t.Errorf("after a reset: %d", r.StatusCode)
	}
	if r, body = do(t, server, "GET", "/_sim/nothing", ""); r.StatusCode != 404 || !strings.Contains(body, "/_sim/ledger") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
}
