package gateway_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/limit"
)

const (
	page     = "https://app.example.com"
	stranger = "https://evil.example.com"
)

// An account that says of other origins what Zendesk does.
func corsAccount(sends *atomic.Int32) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sends.Add(1)
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "X-Zendesk-API-Warn,X-Zendesk-User-Id")
		h.Set("Vary", "Accept-Encoding")
		h.Set("X-Rate-Limit", "700")
		h.Set("X-Rate-Limit-Remaining", "0")
		h.Set("ratelimit-reset", "41")
		h.Set("zendesk-ratelimit-tickets-index", "total=100; remaining=99; resets=41")
		if r.URL.Path == "/limited" {
			h.Set("Retry-After", "41")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}
}

func TestPagesOfListedOriginsAloneMayRead(t *testing.T) {
	for name, c := range map[string]struct {
		method, path string
		header       []string // name, value, ...
		origins      []string
		status       int
		sent         bool
		allowed      bool   // the answer may be read by the page
		says         string // part of the body
	}{
		"a page that calls":             {path: "/x", header: []string{"Origin", page, "Authorization", "Bearer t"}, status: 200, sent: true, allowed: true},
		"bearer in another case":        {path: "/x", header: []string{"Origin", page, "Authorization", "bearer t"}, status: 200, sent: true, allowed: true},
		"a page without a credential":   {path: "/x", header: []string{"Origin", page}, status: 200, sent: true, allowed: true},
		"the account's 429":             {path: "/limited", header: []string{"Origin", page, "Authorization", "Bearer t"}, status: 429, sent: true, allowed: true},
		"Basic":                         {path: "/x", header: []string{"Origin", page, "Authorization", "Basic dTpw"}, status: 403, allowed: true, says: "OAuth token"},
		"cookies":                       {path: "/x", header: []string{"Origin", page, "Authorization", "Bearer t", "Cookie", "_zendesk_session=1"}, status: 403, allowed: true, says: "cookies"},
		"our own refusal":               {path: "/x", header: []string{"Origin", page, "Upgrade", "websocket", "Connection", "Upgrade"}, status: 501, allowed: true, says: "FlyballNoUpgrade"},
		"a preflight":                   {method: "OPTIONS", path: "/x", header: []string{"Origin", page, "Access-Control-Request-Method", "PUT"}, status: 204, allowed: true},
		"a plain OPTIONS":               {method: "OPTIONS", path: "/x", header: []string{"Origin", page}, status: 200, sent: true, allowed: true},
		"a stranger":                    {path: "/x", header: []string{"Origin", stranger, "Authorization", "Bearer t"}, status: 200, sent: true},
		"a stranger with Basic":         {path: "/x", header: []string{"Origin", stranger, "Authorization", "Basic dTpw"}, status: 200, sent: true},
		"a stranger's preflight":        {method: "OPTIONS", path: "/x", header: []string{"Origin", stranger, "Access-Control-Request-Method", "GET"}, status: 403, says: "FlyballOriginNotAllowed"},
		"another port":                  {path: "/x", header: []string{"Origin", page + ":8443"}, status: 200, sent: true},
		"a longer name":                 {path: "/x", header: []string{"Origin", page + ".evil.example"}, status: 200, sent: true},
		"null":                          {path: "/x", header: []string{"Origin", "null"}, status: 200, sent: true},
		"two origins":                   {path: "/x", header: []string{"Origin", page, "Origin", stranger}, status: 200, sent: true},
		"no page":                       {path: "/x", status: 200, sent: true},
		"nobody is listed":              {path: "/x", header: []string{"Origin", page}, origins: []string{}, status: 200, sent: true},
		"a preflight, nobody is listed": {method: "OPTIONS", path: "/x", header: []string{"Origin", page, "Access-Control-Request-Method", "GET"}, origins: []string{}, status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			var sends atomic.Int32
			origins := []string{"http://localhost:5173", page}
			if c.origins != nil {
				origins = c.origins
			}
			g := start(t, gateway.Options{Upstream: upstream(t, corsAccount(&sends)), Origins: origins})
			resp, body := do(t, client(t), request(t, c.method, g.url+c.path, nil, c.header...))
			if resp.StatusCode != c.status || (sends.Load() > 0) != c.sent || !strings.Contains(body, c.says) {
				t.Errorf("answered %d %q after %d sends, want %d, sent: %v, %q", resp.StatusCode, body, sends.Load(), c.status, c.sent, c.says)
			}
			if fault := readable(resp.Header, c.allowed); fault != "" {
				t.Error(fault)
			}
			if vary := strings.Join(resp.Header["Vary"], ", "); strings.Contains(vary, "Origin") != (len(origins) > 0) {
				t.Errorf("Vary: %q", vary)
			}
		})
	}
}

// readable says what is wrong with an answer's words about who may read it.
func readable(h http.Header, allowed bool) string {
	if !allowed {
		for name := range h {
			if strings.HasPrefix(name, "Access-Control-") {
				return "a stranger is told " + name + ": " + h.Get(name)
			}
		}
		return ""
	}
	if got := h["Access-Control-Allow-Origin"]; len(got) != 1 || got[0] != page {
		return "Access-Control-Allow-Origin is " + strings.Join(got, " and ")
	}
	if h["Access-Control-Allow-Credentials"] != nil {
		return "credentials are allowed"
	}
	exposed := h["Access-Control-Expose-Headers"]
	if len(exposed) != 1 {
		return "Access-Control-Expose-Headers is said " + strings.Join(exposed, " and ")
	}
	want := []string{"Retry-After", "Server-Timing", "Cache-Status", "Flyball-Refused", "Link", "Location"}
	for name := range h {
		if lower := strings.ToLower(name); strings.Contains(lower, "ratelimit") || strings.Contains(lower, "rate-limit") {
			want = append(want, name, "X-Zendesk-API-Warn") // from the account, as these
		}
	}
	names := strings.Split(exposed[0], ", ")
	for _, w := range want {
		found := 0
		for _, name := range names {
			if strings.EqualFold(name, w) {
				found++
			}
		}
		if found != 1 {
			return w + " is not exposed once in " + exposed[0]
		}
	}
	return ""
}

// A refusal made while the call was held, and a fault, are read by the page as
// well: it has to know when to come back.
func TestPagesReadRefusalsAndFaults(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		header string
	}{
		"a wait too long": {&limit.WaitError{Bucket: limit.Key{Service: "support", ID: "account"}, Reason: limit.Queued, RetryAt: time.Now().Add(5 * time.Second)}, 429, "Retry-After"},
		"a fault":         {http.ErrServerClosed, 502, "Proxy-Status"},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, gateway.Options{
				Upstream: mustParse("http://127.0.0.1:1"), Origins: []string{page},
				Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, c.err }),
			})
			resp, body := get(t, g.url+"/x", "Origin", page, "Authorization", "Bearer t")
			if resp.StatusCode != c.status || resp.Header.Get(c.header) == "" {
				t.Errorf("answered %d %v %s, want %d with %s", resp.StatusCode, resp.Header, body, c.status, c.header)
			}
			if fault := readable(resp.Header, true); fault != "" {
				t.Error(fault)
			}
		})
	}
}

func TestAPreflightAllowsWhatAPageMaySay(t *testing.T) {
	long := strings.Repeat("x", 65)
	for name, c := range map[string]struct{ asked, want string }{
		"what pages send":         {"authorization,content-type,Flyball-Class", "authorization, content-type, flyball-class"},
		"nothing":                 {"", ""},
		"an intermediary's words": {"authorization, x-forwarded-host, Forwarded, via, cookie", "authorization"},
		"what is no name":         {"a b, é, <script>, " + long + ", ok", "ok"},
		"more than anybody sends": {strings.Repeat("a,", 500), strings.TrimSuffix(strings.Repeat("a, ", 64), ", ")},
	} {
		t.Run(name, func(t *testing.T) {
			var sends atomic.Int32
			g := start(t, gateway.Options{Upstream: upstream(t, corsAccount(&sends)), Origins: []string{page}})
			ask := []string{"Origin", page, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Private-Network", "true"}
			if c.asked != "" {
				ask = append(ask, "Access-Control-Request-Headers", c.asked)
			}
			resp, _ := do(t, client(t), request(t, "OPTIONS", g.url+"/api/v2/tickets/1.json", nil, ask...))
			if got := resp.Header.Get("Access-Control-Allow-Headers"); got != c.want || sends.Load() != 0 {
				t.Errorf("Access-Control-Allow-Headers: %q, want %q; %d sends", got, c.want, sends.Load())
			}
			for name, want := range map[string]string{
				"Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE", "Access-Control-Max-Age": "7200", "Access-Control-Allow-Private-Network": "true",
			} {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestUntouchedTheAccountAnswersPages(t *testing.T) {
	for method, header := range map[string][]string{
		"OPTIONS": {"Origin", page, "Access-Control-Request-Method", "PUT"},
		"GET":     {"Origin", page, "Authorization", "Basic dTpw"},
	} {
		var sends atomic.Int32
		g := start(t, gateway.Options{Upstream: upstream(t, corsAccount(&sends)), Origins: []string{page}, Untouched: true})
		resp, _ := do(t, client(t), request(t, method, g.url+"/x", nil, header...))
		if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != http.StatusOK || got != "*" || sends.Load() != 1 {
			t.Errorf("%s: answered %d with Access-Control-Allow-Origin %q after %d sends, want the account's own answer", method, resp.StatusCode, got, sends.Load())
		}
	}
}

func TestOriginsAreReadAsBrowsersWriteThem(t *testing.T) {
	for written, want := range map[string]string{
		"https://App.Example.com:443/": "https://app.example.com", "http://localhost:5173": "http://localhost:5173",
		"HTTP://[::1]:80": "http://[::1]", "moz-extension://abc": "moz-extension://abc",
		"*": "", "null": "", "app.example.com": "", "https://": "", "https://a/b": "", "https://u:p@a": "", "https://*.example.com": "", "": "",
	} {
		got, err := gateway.ParseOrigin(written)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("ParseOrigin(%q) = %q, %v, want %q", written, got, err, want)
		}
	}
	_, err := gateway.New(gateway.Options{Upstream: mustParse("http://127.0.0.1:1"), Transport: http.DefaultTransport, Origins: []string{"*"}})
	if err == nil {
		t.Error("a gateway for every page was made")
	}
}
