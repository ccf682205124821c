package cli_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/observe"
)

// An account whose answers a governing gateway would touch in every way that
// it has, and that remembers what it was asked.
type oddAccount struct {
	mu  sync.Mutex
	got string
}

func (a *oddAccount) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked, _ := httputil.DumpRequest(r, true)
	a.mu.Lock()
	a.got = withoutLines(string(asked), "Flyball-") // addressed to the gateway
	a.mu.Unlock()
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Add("Set-Cookie", "a=1")
	h.Add("Set-Cookie", "b=2")
	h["x-Odd-CASE"] = []string{"1", "2"}
	h.Set("Link", `<https://`+r.Host+`/api/v2/tickets.json?page=2>; rel="next"`)
	h.Set("Content-Type", "application/json")
	h.Set("X-Rate-Limit", "700")
	h.Set("X-Rate-Limit-Remaining", "650")
	h.Set("ratelimit-reset", "17")
	status := http.StatusOK
	switch r.URL.Path {
	case "/429":
		h.Set("Retry-After", "2.5")
		status = http.StatusTooManyRequests
	case "/429/bare":
		status = http.StatusTooManyRequests
	case "/503":
		h.Set("Retry-After", "0")
		status = http.StatusServiceUnavailable
	case "/204":
		w.WriteHeader(http.StatusNoContent)
		return
	case "/304":
		h.Set("Etag", `W/"1"`)
		w.WriteHeader(http.StatusNotModified)
		return
	case "/redirect":
		h.Set("Location", "https://"+r.Host+"/api/v2/tickets/1.json")
		status = http.StatusCreated
	case "/gzip":
		h.Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		_, _ = io.WriteString(z, `{"next_page":"https://x/y"}`)
		return
	case "/chunked":
		h.Set("Trailer", "X-End")
		w.WriteHeader(status)
		for range 3 {
			_, _ = io.WriteString(w, "piece ")
			w.(http.Flusher).Flush()
		}
		h.Set("X-End", "here")
		return
	case "/long":
		text := strings.Repeat("0123456789", 100_000)
		h.Set("Content-Length", fmt.Sprint(len(text)))
		_, _ = io.WriteString(w, text)
		return
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"tickets":[],"next_page":"https://%s/api/v2/tickets.json?page=2","job_status":{"url":"https://%s/j"}}`, r.Host, r.Host)
}

func withoutLines(text, prefix string) string {
	lines := slices.DeleteFunc(strings.SplitAfter(text, "\r\n"), func(line string) bool { return strings.HasPrefix(line, prefix) })
	return strings.Join(lines, "")
}

var dates = regexp.MustCompile(`(?m)^Date: .*\r\n`)

// exchange sends text on a connection of its own and returns the header as it
// came, but for its date, and the body with its trailer.
func exchange(t *testing.T, address, text string) (head, body string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(text, " ")
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(all)), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%v: %q", err, all[:min(len(all), 300)])
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	top, _, _ := strings.Cut(string(all), "\r\n\r\n")
	return dates.ReplaceAllString(top+"\r\n", ""), string(read) + fmt.Sprint(resp.Trailer)
}

// Beside a plain proxy, the account is asked the same and the client is
// answered the same, byte for byte.
func TestObservingIsAPlainProxyOnTheWire(t *testing.T) {
	account := &oddAccount{}
	upstream := httptest.NewServer(account)
	defer upstream.Close()
	u, _ := url.Parse(upstream.URL)
	base := gateway.Base(u)
	defer base.(*http.Transport).CloseIdleConnections()
	plain := httptest.NewServer(&httputil.ReverseProxy{Transport: base, Rewrite: func(pr *httputil.ProxyRequest) { pr.SetURL(u) }})
	defer plain.Close()
	env := func(string) string { return "" }
	watching := started(t, env, upstream.URL, "--observe", "--allow-origin", "https://app.example.com")
	governing := started(t, env, upstream.URL)

	const wishes = "Prefer: wait=5\r\nFlyball-Class: bulk\r\nFlyball-Client: x\r\nFlyball-Batch: allow\r\nOrigin: https://app.example.com\r\nUser-Agent: odd/1\r\nAuthorization: Basic dTpw\r\n"
	differs := 0
	for _, line := range []string{
		"GET /429", "GET /429/bare", "GET /503", "GET /204", "GET /304", "GET /redirect", "GET /gzip", "GET /chunked", "GET /long", "HEAD /long",
		"GET /api/v2/search.json?query=type%3Aticket&page=2", "GET /odd%2Fpath", "OPTIONS /api/v2/tickets.json", "PUT /api/v2/tickets/1.json", "DELETE /api/v2/tickets/1.json",
		"GET /api/v2/job_statuses/1.json",
	} {
		t.Run(line, func(t *testing.T) {
			text := line + " HTTP/1.1\r\nHost: acme.example\r\nConnection: close\r\n" + wishes
			if strings.HasPrefix(line, "PUT") {
				text += "Content-Length: 15\r\n\r\n{\"ticket\":{\"a\"}"
			} else if strings.HasPrefix(line, "OPTIONS") {
				text += "Access-Control-Request-Method: PUT\r\n\r\n"
			} else {
				text += "\r\n"
			}
			wantHead, wantBody := exchange(t, strings.TrimPrefix(plain.URL, "http://"), text)
			wantAsked := account.got
			head, body := exchange(t, strings.TrimPrefix(watching, "http://"), text)
			if account.got != wantAsked {
				t.Errorf("the account was asked\n%s\nbeside a plain proxy\n%s", account.got, wantAsked)
			}
			if head != wantHead {
				t.Errorf("answered\n%s\nbeside a plain proxy\n%s", head, wantHead)
			}
			if body != wantBody {
				t.Errorf("the body is %.200q, beside a plain proxy %.200q", body, wantBody)
			}
			if !strings.Contains(line, "429") && !strings.Contains(line, "503") { // which it would hold
				if head, body := exchange(t, strings.TrimPrefix(governing, "http://"), text); head != wantHead || body != wantBody {
					differs++
				}
			}
		})
	}
	if differs < 10 {
		t.Errorf("only %d of the answers differ when governed: the check sees little", differs)
	}
}

func started(t *testing.T, env func(string) string, upstream string, flags ...string) string {
	t.Helper()
	s, err := startCommand(env, append([]string{"serve", upstream, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s.addresses[0]
}

// The admin address tells both: what passed, and what governing would have
// done with it.
func TestObservingReports(t *testing.T) {
	env := func(string) string { return "" }
	sim, err := startCommand(env, "sim", "--listen", "127.0.0.1:0", "--latency", "1ms", "--limit", "10", "--window", "30s")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sim.stop() }()
	gate, err := startCommand(env, "serve", sim.addresses[0], "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--window", "30s", "--max-wait", "1s", "--observe")
	if err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	client := &http.Client{Transport: base}
	refused := 0
	for i := range 40 {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s/api/v2/tickets/%d.json", gate.addresses[0], i+1), nil)
		req.Header.Set("Authorization", "Bearer any")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	var r observe.Report
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); r.Governed.Calls < 40 && ctx.Err() == nil; <-tick.C {
		resp, err := client.Get(gate.addresses[1] + "/api/observe")
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(resp.Body).Decode(&r)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	if r.Passed.Calls != 40 || r.Passed.Refused != refused || refused == 0 || r.Governed.GaveUp == 0 || r.Governed.Refused != 0 || r.Unobserved != 0 {
		t.Errorf("after 40 calls, %d of them refused by the account: %+v", refused, r)
	}
	if err := gate.stop(); err != nil {
		t.Fatal(err)
	}
}
