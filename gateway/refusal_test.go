package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/limit"
)

type askKey struct{}

// label is how the tests' transports hear what a caller asked for.
func label(ctx context.Context, ask gateway.Ask) context.Context {
	return context.WithValue(ctx, askKey{}, ask)
}

func asked(req *http.Request) gateway.Ask {
	ask, _ := req.Context().Value(askKey{}).(gateway.Ask)
	return ask
}

// accountKey is the bucket that the tests' refusals are about.
var accountKey = limit.Key{Service: "support", ID: "account"}

// A governor plays flyball: a call the account refuses is sent again when the
// wait fits, which then takes no time, and refused when it does not.
type governor struct {
	next http.RoundTripper
	need time.Duration // how long a refused call has to wait
}

func (v governor) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := v.next.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusTooManyRequests {
		return resp, err
	}
	if v.need <= asked(req).MaxWait {
		_ = resp.Body.Close()
		return v.next.RoundTrip(req)
	}
	return resp, nil
}

func waitError(wait time.Duration) *limit.WaitError {
	return &limit.WaitError{
		Method: "GET", Path: "/api/v2/tickets", Bucket: accountKey, Limit: 700, Window: time.Minute,
		Reason: limit.Spent, RetryAt: time.Now().Add(wait), Wait: wait,
	}
}

// naive serves h without a gateway, and returns its address.
func naive(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// plainProxy is what a page of net/http's documentation gives: the twin of
// most rows.
func plainProxy(account *url.URL) *httputil.ReverseProxy {
	p := httputil.NewSingleHostReverseProxy(account)
	p.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	return p
}

// Behaviour B2: a wait that does not fit is refused at once, with the reason and an honest Retry-After
func TestAWaitThatDoesNotFitIsRefusedAtOnce(t *testing.T) {
	const wait = 42 * time.Second
	account := upstream(t, func(http.ResponseWriter, *http.Request) {})
	g := start(t, gateway.Options{Upstream: account, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return nil, waitError(wait)
	})})
	if err := checkRefusal(t, g.url); err != nil {
		t.Error(err)
	}
	// The twin waits first, and then answers as a proxy does.
	twin := plainProxy(account)
	twin.Transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, waitError(wait) })
	if err := checkRefusal(t, naive(t, twin)); err == nil {
		t.Error("the check passes a proxy that gives no reason")
	}
}

func checkRefusal(t *testing.T, address string) error {
	resp, text := get(t, address+"/api/v2/tickets")
	var body struct {
		Error, Description, Bucket string
		RetryAfter                 int `json:"retry_after"`
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		return fmt.Errorf("body %q: %w", text, err)
	}
	after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	switch {
	case resp.StatusCode != http.StatusTooManyRequests:
		return fmt.Errorf("status %d, want 429", resp.StatusCode)
	case err != nil || after < 41 || after > 42:
		return fmt.Errorf("Retry-After %q, want 42", resp.Header.Get("Retry-After"))
	case body.RetryAfter != after:
		return fmt.Errorf("retry_after %d, want %d", body.RetryAfter, after)
	case resp.Header.Get("Flyball-Refused") != "wait-too-long":
		return fmt.Errorf("Flyball-Refused %q, want wait-too-long", resp.Header.Get("Flyball-Refused"))
	case body.Error != "FlyballWaitTooLong" || body.Bucket != "support/account":
		return fmt.Errorf("error %q bucket %q, want FlyballWaitTooLong support/account", body.Error, body.Bucket)
	case !strings.Contains(body.Description, string(limit.Spent)):
		return fmt.Errorf("description %q does not say why", body.Description)
	case resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("Cache-Control") != "no-store":
		return fmt.Errorf("header %v, want uncacheable JSON", resp.Header)
	}
	return nil
}

func TestEachRefusalHasItsStatusAndReason(t *testing.T) {
	tests := []struct {
		name   string
		reason limit.Reason
		giveUp int
		status int
		want   string
		after  string // RetryAt is not set
	}{
		{"a wait that does not fit", limit.Paused, 0, 429, "wait-too-long", "1"},
		{"the same for clients that take Retry-After for data", limit.Paused, 503, 503, "wait-too-long", ""},
		{"the same as a time-out", limit.Paced, 504, 504, "wait-too-long", "1"},
		{"a full queue", limit.QueueFull, 0, 503, "queue-full", "1"},
		{"a transport that was closed", limit.Closed, 0, 503, "draining", "1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := start(t, gateway.Options{
				Upstream: parse(t, "https://acme.example"), GiveUp: test.giveUp,
				Transport: roundTrip(func(*http.Request) (*http.Response, error) {
					return nil, fmt.Errorf("admission: %w", &limit.WaitError{Bucket: accountKey, Reason: test.reason})
				}),
			})
			resp, _ := get(t, g.url+"/api/v2/users")
			if got := resp.Header.Get("Flyball-Refused"); resp.StatusCode != test.status || got != test.want {
				t.Errorf("got %d %q, want %d %q", resp.StatusCode, got, test.status, test.want)
			}
			if got := resp.Header.Get("Retry-After"); got != test.after {
				t.Errorf("Retry-After = %q, want %q", got, test.after)
			}
		})
	}
}

// Behaviour B4: each answer says how long it was held and for which limit; so does the log
func TestAnswersAndLogSayWhatHeldACall(t *testing.T) {
	held := roundTrip(func(req *http.Request) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, "/refused") {
			return nil, waitError(time.Minute)
		}
		return &http.Response{
			StatusCode: 200, Body: io.NopCloser(strings.NewReader("{}")), Request: req,
			Header: http.Header{"Server-Timing": {`cdn;dur=3`, `hold;dur=8300;desc="account"`}},
		}, nil
	})
	account := parse(t, "https://acme.example")
	g := start(t, gateway.Options{Upstream: account, Transport: held})
	if err := checkTiming(t, g.url); err != nil {
		t.Error(err)
	}
	twin := plainProxy(account)
	twin.Transport = held
	if err := checkTiming(t, naive(t, twin)); err == nil {
		t.Error("the check passes a proxy whose refusals say nothing")
	}

	log := &record{}
	sink := gateway.LogSink(slog.New(slog.NewTextHandler(log, nil)))
	if err := checkHoldLog(sink, log); err != nil {
		t.Error(err)
	}
	if err := checkHoldLog(func(event.Event) {}, &record{}); err == nil {
		t.Error("the check passes a log that says nothing")
	}
}

func checkTiming(t *testing.T, address string) error {
	for path, want := range map[string]string{"/held": `hold;dur=8300;desc="account"`, "/refused": `desc="account"`} {
		resp, _ := get(t, address+path)
		if got := strings.Join(resp.Header.Values("Server-Timing"), ", "); !strings.Contains(got, want) {
			return fmt.Errorf("Server-Timing of %s = %q, want %s in it", path, got, want)
		}
	}
	return nil
}

// checkHoldLog says what happened to three calls and looks for the two lines.
func checkHoldLog(sink event.Sink, log *record) error {
	call := func(class string, held time.Duration) *limit.Call {
		return &limit.Call{Client: "sync-job", Arrived: time.Unix(1799999998, 0), Route: limit.Route{Class: class}, Held: held, HeldFor: limit.Hold{Bucket: accountKey, Reason: limit.Spent, For: held}}
	}
	sink.Emit(event.Event{Kind: event.Admitted, Call: call("GET /api/v2/short", 4*time.Second), Wait: 4 * time.Second})
	sink.Emit(event.Event{Kind: event.Admitted, Call: call("PUT /api/v2/tickets/{id}", 8300*time.Millisecond), Wait: 8300 * time.Millisecond})
	sink.Emit(event.Event{
		Kind: event.GaveUp, At: time.Unix(1800000000, 0), Wait: 48 * time.Second, Call: call("GET /api/v2/users", 0), Bucket: accountKey, Limit: 700, Window: time.Minute,
		Reason: limit.Paused, Until: time.Unix(1800000000, 0).Add(48 * time.Second),
	})
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 {
		return fmt.Errorf("%d lines, want one for the long hold and one for the refusal: %q", len(lines), lines)
	}
	for i, words := range [][]string{
		{"PUT", "/api/v2/tickets/{id}", "sync-job", "support/account", string(limit.Spent), "held=8.3s"},
		{"GET", "/api/v2/users", "sync-job", "support/account (700 per 1m0s)", string(limit.Paused), "after=2s", "would_wait=48s", "2027-01-15T08:00:48Z"},
	} {
		for _, word := range words {
			if !strings.Contains(lines[i], word) {
				return fmt.Errorf("line %q does not say %q", lines[i], word)
			}
		}
	}
	return nil
}

func TestACrowdIsOneLineAMinute(t *testing.T) {
	log := &record{}
	sink := gateway.LogSink(slog.New(slog.NewTextHandler(log, nil)))
	at := time.Unix(1800000000, 0)
	for i := range 90 {
		sink.Emit(event.Event{Kind: event.Crowded, At: at.Add(time.Duration(i) * time.Second), Bucket: accountKey, Limit: 700, Window: time.Minute, Waiting: 900, Servable: 583})
	}
	if got := strings.Count(log.String(), "waiting=900 servable=583"); got != 2 {
		t.Errorf("%d lines in 90 s, want 2:\n%s", got, log)
	}
	if !strings.Contains(log.String(), "--max-wait") {
		t.Errorf("the line has no remedy:\n%s", log)
	}
}

func TestABrokenStoreIsOneLineAMinute(t *testing.T) {
	log := &record{}
	sink := gateway.LogSink(slog.New(slog.NewTextHandler(log, nil)))
	at := time.Unix(1800000000, 0)
	for i := range 90 {
		sink.Emit(event.Event{Kind: event.StoreFailed, At: at.Add(time.Duration(i) * time.Second), Err: errors.New("put: no space left on device")})
	}
	if got := strings.Count(log.String(), "cache store fails"); got != 2 {
		t.Errorf("%d lines in 90 s, want 2:\n%s", got, log)
	}
	for _, word := range []string{"no space left", "cache.file"} {
		if !strings.Contains(log.String(), word) {
			t.Errorf("the line does not say %q:\n%s", word, log)
		}
	}
}

// refusesOnce is an account of two pages that refuses page 2 once.
func refusesOnce(t *testing.T) *url.URL {
	refused := make(chan struct{}, 1)
	return upstream(t, func(w http.ResponseWriter, r *http.Request) {
		page := r.URL.Query().Get("page")
		if page == "2" {
			select {
			case refused <- struct{}{}:
				w.Header().Set("Retry-After", "17")
				http.Error(w, "Number of allowed API requests per minute exceeded", http.StatusTooManyRequests)
				return
			default:
			}
		}
		_, _ = io.WriteString(w, "tickets of page "+page)
	})
}

// Behaviour C1: a 429 reaches a client only when the wait exceeds its max wait, and its shape can be chosen
func TestA429IsWaitedOutAndItsShapeCanBeChosen(t *testing.T) {
	// As node-zendesk does: an answer below 500 is data, whatever it says.
	check := func(address string) error {
		var pages []string
		for _, page := range []string{"1", "2"} {
			resp, text := get(t, address+"/api/v2/tickets?page="+page)
			if resp.StatusCode < 500 {
				pages = append(pages, text)
			}
		}
		if got := strings.Join(pages, ", "); got != "tickets of page 1, tickets of page 2" {
			return fmt.Errorf("the client took for data: %q", got)
		}
		return nil
	}
	account := refusesOnce(t)
	g := start(t, gateway.Options{Upstream: account, Label: label, Transport: governor{gateway.Base(account), 17 * time.Second}})
	if err := check(g.url); err != nil {
		t.Error(err)
	}
	if err := check(naive(t, plainProxy(refusesOnce(t)))); err == nil {
		t.Error("the check passes a proxy that hands on a 429")
	}

	// With no patience the 429 comes, as what the operator chose, body whole.
	account = refusesOnce(t)
	g = start(t, gateway.Options{Upstream: account, Label: label, GiveUp: 503, Transport: governor{gateway.Base(account), 17 * time.Second}})
	resp, text := get(t, g.url+"/api/v2/tickets?page=2", "Prefer", "wait=5")
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "" || !strings.Contains(text, "per minute exceeded") {
		t.Errorf("got %d, Retry-After %q, %q; want 503, none and the account's text", resp.StatusCode, resp.Header.Get("Retry-After"), text)
	}
	if got := resp.Header.Get("Preference-Applied"); got != "wait=5" {
		t.Errorf("Preference-Applied = %q, want wait=5", got)
	}
}

// Behaviour C3: a client that answers a 429 with the page before it gets every page once
func TestAClientThatRepeatsAPageOnA429SeesEachOnce(t *testing.T) {
	// As the official Ruby client does: without an answer, the last one again.
	check := func(address string) error {
		var pages []string
		last := ""
		for _, page := range []string{"1", "2"} {
			if resp, text := get(t, address+"/api/v2/tickets?page="+page); resp.StatusCode == 200 {
				last = text
			}
			pages = append(pages, last)
		}
		if got := strings.Join(pages, ", "); got != "tickets of page 1, tickets of page 2" {
			return fmt.Errorf("the client got %q", got)
		}
		return nil
	}
	account := refusesOnce(t)
	g := start(t, gateway.Options{Upstream: account, Label: label, Transport: governor{gateway.Base(account), time.Second}})
	if err := check(g.url); err != nil {
		t.Error(err)
	}
	if err := check(naive(t, plainProxy(refusesOnce(t)))); err == nil {
		t.Error("the check passes a proxy that hands on a 429")
	}
}

// Behaviour C2: whatever is sent as Retry-After is an integer of at least 1
func TestRetryAfterIsAlwaysAWholeNumberOfAtLeastOne(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	tests := []struct {
		name       string
		retryAfter []string
		want       string
	}{
		{"a whole number stays", []string{"93"}, "93"},
		{"none", nil, "1"},
		{"empty", []string{""}, "1"},
		{"zero", []string{"0"}, "1"},
		{"negative", []string{"-5"}, "1"},
		{"a decimal, rounded up", []string{"2.1"}, "3"},
		{"a date, by the account's clock", []string{now.Add(30 * time.Second).Format(http.TimeFormat)}, "30"},
		{"a date gone by", []string{now.Add(-time.Hour).Format(http.TimeFormat)}, "1"},
		{"garbage", []string{"soon"}, "1"},
		{"not a number", []string{"NaN"}, "1"},
		{"endless", []string{"Inf"}, "86400"},
		{"overflowing", []string{"99999999999999999999"}, "86400"},
		{"two of them: the first", []string{"4", "9"}, "4"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Retry-After"] = test.retryAfter
				w.Header().Set("Date", now.Format(http.TimeFormat))
				http.Error(w, "slow down", http.StatusTooManyRequests)
			})
			check := func(address string) error {
				resp, text := get(t, address+"/api/v2/tickets")
				if got := strings.Join(resp.Header.Values("Retry-After"), "|"); resp.StatusCode != 429 || got != test.want {
					return fmt.Errorf("got %d, Retry-After %q, want 429, %q", resp.StatusCode, got, test.want)
				}
				if text != "slow down\n" {
					return fmt.Errorf("body %q, want the account's own", text)
				}
				return nil
			}
			if err := check(start(t, gateway.Options{Upstream: account}).url); err != nil {
				t.Error(err)
			}
			if err := check(naive(t, plainProxy(account))); err == nil && test.name != "a whole number stays" {
				t.Error("the check passes a proxy that hands on what it gets")
			}
		})
	}
}

func TestOtherAnswersKeepTheirLackOfRetryAfter(t *testing.T) {
	account := upstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	resp, _ := get(t, start(t, gateway.Options{Upstream: account}).url)
	if got, ok := resp.Header["Retry-After"]; ok {
		t.Errorf("Retry-After = %q, want none: the account asked for no wait", got)
	}
}
