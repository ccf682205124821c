package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func FuzzPrefer(f *testing.F) {
	for _, seed := range []string{"wait=10", `wait="3"; x, respond-async`, `a="x, wait=1, y"`, `a="\",wait=2`, "wait=99999999999", ",,=,;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		wait, ok := preferredWait([]string{value})
		if wait < 0 || wait > 24*time.Hour || !ok && wait != 0 {
			t.Errorf("preferredWait(%q) = %v, %v", value, wait, ok)
		}
		rest := withoutWait([]string{value})
		if wait, ok := preferredWait(rest); ok {
			t.Errorf("withoutWait(%q) = %q still asks for %v", value, rest, wait)
		}
		if again := withoutWait(rest); !slices.Equal(again, rest) {
			t.Errorf("withoutWait(%q) = %q, and again %q", value, rest, again)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"93", "0", "-1", "2.5", "1e300", "NaN", "-Inf", "", "Mon, 23 Nov 2026 10:00:00 GMT", "0x1p-2", "soon"} {
		f.Add(seed, "Mon, 23 Nov 2026 09:59:00 GMT")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		resp := &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {value}, "Date": {date}}}
		tidyRetryAfter(resp)
		n, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil || n < 1 || n > 86400 {
			t.Errorf("Retry-After %q, Date %q became %q", value, date, resp.Header["Retry-After"])
		}
	})
}

func FuzzHostname(f *testing.F) {
	for _, seed := range []string{"localhost:80", "[::1]:4290", "::1", "a.example", "a/b", "a@b", "[fe80::1%eth0]:1", ":", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if name, ok := hostname(host); ok && (name == "" || strings.ContainsAny(host, "/@\"<>\\ ?#,;\r\n")) {
			t.Errorf("hostname(%q) = %q, true", host, name)
		}
	})
}

func TestScrubHidesSecretsAndLeavesWords(t *testing.T) {
	for text, want := range map[string]string{
		"/api/v2/incremental/ticket_metric_events.json":                     "/api/v2/incremental/ticket_metric_events.json",
		"/api/v2/tickets/12345678901/comments/make_private_and_so_on":       "/api/v2/tickets/12345678901/comments/make_private_and_so_on",
		"/attachments/token/aB3dE5gH7jK9mN1pQ/":                             "/attachments/token/[hidden]",
		"/api/v2/job_statuses/82de0b044094f0c67893ac9fe64f1a99":             "/api/v2/job_statuses/[hidden]",
		"Get \"https://a:b@acme.example/x?q=1&token=2\": EOF":               "Get \"https://[hidden]@acme.example/x?q=[hidden]&token=[hidden]\": EOF",
		"header Authorization: Basic aGk6aG8= refused":                      "header Authorization: [hidden]",
		"Bearer 52d7ef4ee01e2c2c75bff572f957cd4f12d6225eee07ea7f4c3f5a1c3b": "Bearer [hidden]",
		"acme.zendesk.com does not resolve: check the account's name":       "acme.zendesk.com does not resolve: check the account's name",
		"held by support/account (700 per 1m0s): the budget is spent":       "held by support/account (700 per 1m0s): the budget is spent",
	} {
		if got := scrub(text); got != want {
			t.Errorf("scrub(%q) = %q, want %q", text, got, want)
		}
	}
	if got := scrub(strings.Repeat("word ", 1000)); len(got) > maxText+20 {
		t.Errorf("scrub left %d bytes", len(got))
	}
}

func TestALinkLocalAddressMakesALink(t *testing.T) {
	made := newTurnersFor(t)
	for _, host := range []string{"[fe80::1%eth0]:4290", "127.0.0.1:4290", "[::1]", "zd_1.internal"} {
		if _, err := made.to(base{"http", host}); err != nil {
			t.Errorf("links to %s: %v", host, err)
		}
	}
}

func newTurnersFor(t *testing.T) *turners {
	t.Helper()
	made, err := newTurners(Options{Upstream: &url.URL{Scheme: "https", Host: "acme.zendesk.com"}})
	if err != nil {
		t.Fatal(err)
	}
	return made
}
