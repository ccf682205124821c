package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/audit/accesslog"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/telemetry"
)

// served is a call as the gateway tells of it.
func served(status int, path string, header ...string) event.Served {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return event.Served{
		Request: req, Client: "crm", Status: status, Header: http.Header{}, Bytes: 1234,
		Began: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), Took: 2500 * time.Millisecond,
		Receipt: limit.Receipt{Route: "GET /api/v2/tickets/{id}", Sends: 1},
	}
}

// lines opens the log, has it written to, and returns what it holds.
func lines(t *testing.T, o telemetry.AccessOptions, write func(*telemetry.AccessLog)) []string {
	t.Helper()
	var to bytes.Buffer
	l, err := telemetry.StreamAccessLog(&to, o)
	if err != nil {
		t.Fatal(err)
	}
	write(l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(to.String(), "\n"), "\n")
}

// Package accesslog says what a line may hold, and audit reads it by that.
func TestALineHoldsWhatAnAuditNeeds(t *testing.T) {
	s := served(429, "/api/v2/tickets/7.json?page=2&query=secret+words", "Authorization", "Bearer abc")
	s.Header = http.Header{"Retry-After": {"17"}, "Etag": {`W/"abc"`}}
	s.Receipt = limit.Receipt{
		Route: "GET /api/v2/tickets/{id}", Class: limit.Bulk, Sends: 2, Refused: 1, Held: 1500 * time.Millisecond,
		HeldFor:  limit.Hold{Bucket: limit.Key{Service: "support", ID: "account"}},
		Upstream: 181 * time.Millisecond, SavedBy: limit.Stale, Limit: 700, Left: 0, Stated: true,
	}
	s.Refused, s.Cut = "wait-too-long", true
	text := lines(t, telemetry.AccessOptions{}, func(l *telemetry.AccessLog) { l.Served(s) })[0]
	left := 0
	want := accesslog.Line{
		Time: time.Date(2026, 11, 23, 10, 0, 2, 500_000_000, time.UTC), Msg: "call",
		Client: "crm", Credential: "c355dce9", Class: "bulk", Method: "GET", Route: "GET /api/v2/tickets/{id}",
		Path: "/api/v2/tickets/7.json?page=2&query=-", Query: accesslog.QueryHash("page=2&query=secret+words"),
		Status: 429, Sends: 2, Refused: 1, HeldFor: "support/account", Took: 2.5, Hold: 1.5, Upstream: .181, Bytes: 1234,
		Saved: "stale", RetryAfter: 17, ETag: `W/"abc"`, Limit: 700, Left: &left, Turned: "wait-too-long", Cut: true,
	}
	var got accesslog.Line
	strict := json.NewDecoder(strings.NewReader(strings.Replace(text, `"level":"INFO",`, "", 1)))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&got); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if g, w := fmt.Sprintf("%+v %d", got, *got.Left), fmt.Sprintf("%+v %d", want, *want.Left); strings.ReplaceAll(g, fmt.Sprint(got.Left), "") != strings.ReplaceAll(w, fmt.Sprint(want.Left), "") {
		t.Errorf("the line reads\n%s\nwant\n%s", g, w)
	}
}

func TestASampleKeepsAllTroubleAndSaysItsRate(t *testing.T) {
	const n = 20_000
	got := lines(t, telemetry.AccessOptions{Sample: .1}, func(l *telemetry.AccessLog) {
		for range n {
			l.Served(served(200, "/"))
		}
		for range 100 {
			l.Served(served(404, "/"))
			again := served(200, "/")
			again.Receipt.Refused = 1
			l.Served(again)
		}
	})
	sampled, whole := 0, 0
	for _, text := range got {
		var line accesslog.Line
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		switch line.Rate {
		case .1:
			sampled++
		case 0:
			whole++
		default:
			t.Fatalf("rate %v", line.Rate)
		}
	}
	if whole != 200 || sampled < n/10-400 || sampled > n/10+400 {
		t.Errorf("%d lines of trouble and %d of %d others, want 200 and about a tenth", whole, sampled, n)
	}
}

// Sends that no caller's line counts have a line of their own.
func TestEachSendIsInOneLine(t *testing.T) {
	own := call("crm", "/api/v2/tickets/7.json")
	own.Leaves()
	shared := own.Shared(t.Context())
	shared.For = limit.Merged
	leftAlone := call("crm", "/api/v2/tickets/8.json")
	leftAlone.Leaves()
	leftAlone.Detach()
	kept := leftAlone.Apart().Sends
	early := leftAlone.Orphan()
	leftAlone.Leaves()
	if kept != 1 || early || !leftAlone.Orphan() {
		t.Errorf("a caller that left took %d sends with it (%t), want the one made before; the next is nobody's: %t", kept, early, leftAlone.Orphan())
	}
	got := lines(t, telemetry.AccessOptions{}, func(l *telemetry.AccessLog) {
		for _, e := range []event.Event{
			{Kind: event.Sent, Call: own, Status: 200},
			{Kind: event.Sent, Call: shared, Status: 200, Took: time.Second},
			{Kind: event.Lost, Call: shared, Err: errors.New("reset"), Unsent: true},
			{Kind: event.Lost, Call: leftAlone, Err: errors.New("reset")},
			{Kind: event.Extra, Call: own},
		} {
			l.Sink()(e)
		}
	})
	var sends []accesslog.Send
	for _, text := range got {
		var s accesslog.Send
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		sends = append(sends, s)
	}
	if len(sends) != 3 || sends[0].For != "merged" || sends[0].Upstream != 1 || sends[1].Status != 0 || sends[2].Sends != 1 || sends[0].Msg != "send" {
		t.Errorf("lines %+v, want the shared send, the one of a caller that left, and the connection's own", sends)
	}
}

// Behaviour H5: no credential gets into the access log or the metrics, wherever a client puts it.
func TestNoSecretIsInLogOrMetrics(t *testing.T) {
	const secret = "hunter2Xq9vR7tLmP4zW8kD1"
	calls := []event.Served{
		served(200, "/api/v2/tickets.json", "Authorization", "Bearer "+secret),
		served(200, "/api/v2/tickets.json", "Cookie", "session="+secret, "X-Api-Key", secret, "Proxy-Authorization", secret),
		served(200, "/api/v2/tickets.json?access_token="+secret),
		served(200, "/api/v2/tickets.json?"+secret),
		served(200, "/api/v2/tickets.json?"+secret+"="+secret),
		served(200, "/api/v2/tickets.json?page="+secret+"&include="+secret+",users"),
		served(200, "/api/v2/tickets/"+secret+"/tags.json"),
		served(200, "/api/v2/search.json?query=password%3A"+secret),
		served(200, "https://user:"+secret+"@acme.zendesk.com/api/v2/tickets.json"),
		served(404, "/api/v2/tickets.json", "User-Agent", secret, "Referer", "https://x/?t="+secret),
	}
	odd := served(200, "/")
	odd.Request.Method = "X" + secret
	odd.Header.Set("Set-Cookie", secret)
	calls = append(calls, odd)
	check := func(write func(event.Served), written func() string) error {
		for _, s := range calls {
			write(s)
		}
		if text := written(); strings.Contains(text, secret) {
			return fmt.Errorf("the secret is in %s", text[max(0, strings.Index(text, secret)-200):])
		}
		return nil
	}
	metrics := telemetry.New(telemetry.Options{})
	got := lines(t, telemetry.AccessOptions{}, func(l *telemetry.AccessLog) {
		for _, s := range calls {
			c := call(s.Client, s.Request.URL.Path)
			c.Route = provider.Route(s.Request)
			s.Receipt = limit.Receipt{Route: c.Route.Class, Sends: 1}
			l.Served(s)
			metrics.Served(s)
			metrics.Sink()(event.Event{Kind: event.Done, Call: c, Err: fmt.Errorf("GET ?token=%s: refused", secret)})
			metrics.Sink()(event.Event{Kind: event.Refused, Call: c, Status: 429, Text: secret})
		}
	})
	if len(got) != len(calls) {
		t.Errorf("%d lines for %d calls", len(got), len(calls))
	}
	if err := check(func(event.Served) {}, func() string { return strings.Join(got, "\n") }); err != nil {
		t.Error(err)
	}
	if err := check(func(event.Served) {}, func() string { return scrape(t, metrics) }); err != nil {
		t.Error(err)
	}
	// The twin writes what it was asked for, as common logs do.
	var twin strings.Builder
	if err := check(func(s event.Served) { fmt.Fprintln(&twin, s.Request.Method, s.Request.URL) }, twin.String); err == nil {
		t.Error("the check passes a log of plain request lines")
	}
}

// logrotate moves the file away and sends SIGHUP.
func TestALogThatWasMovedAwayIsOpenedAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	l, err := telemetry.OpenAccessLog(path, telemetry.AccessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		l.Served(served(200+i, "/"))
		waitFor(t, func() bool {
			text, _ := os.ReadFile(path)
			return bytes.Contains(text, fmt.Appendf(nil, `"status":%d`, 200+i))
		})
		if err := os.Rename(path, fmt.Sprint(path, ".", i)); err != nil {
			t.Fatal(err)
		}
		l.Reopen()
		waitFor(t, func() bool { _, err := os.Stat(path); return err == nil })
	}
	if err := l.Close(); err != nil || l.Dropped() != 0 {
		t.Errorf("Close = %v, %d lines lost", err, l.Dropped())
	}
}

// A line that a full disk or a dying process cut short takes no other with it.
func TestATornLineEndsBeforeTheNextOne(t *testing.T) {
	check := func(what string, l *telemetry.AccessLog, lost int, written func() string) {
		t.Helper()
		if lost > 0 {
			l.Served(served(200, "/"))
			waitFor(t, func() bool { return l.Dropped() == lost })
		}
		l.Served(served(201, "/"))
		_ = l.Close()
		all := strings.Split(strings.TrimSuffix(written(), "\n"), "\n")
		if len(all) != 2 || json.Valid([]byte(all[0])) || !json.Valid([]byte(all[1])) || l.Dropped() != lost {
			t.Errorf("%s: %q, %d lines lost; want half a line and a whole one, and %d", what, all, l.Dropped(), lost)
		}
	}
	disk := &full{room: 20}
	l, err := telemetry.StreamAccessLog(disk, telemetry.AccessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	check("full once", l, 1, disk.text.String)
	path := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(path, []byte(`{"time":"2026-`), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err = telemetry.OpenAccessLog(path, telemetry.AccessOptions{}); err != nil {
		t.Fatal(err)
	}
	check("died before", l, 0, func() string {
		text, _ := os.ReadFile(path)
		return string(text)
	})
}

// full is a disk that has room for so many bytes, and after one failure for
// all.
type full struct {
	room int
	text strings.Builder
}

func (f *full) Write(p []byte) (int, error) {
	if f.room > 0 && len(p) > f.room {
		n, _ := f.text.Write(p[:f.room])
		f.room = 0
		return n, syscall.ENOSPC
	}
	return f.text.Write(p)
}

// waitFor waits for what another goroutine does to a file.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); {
		if time.Now().After(end) {
			t.Fatal("it did not happen within 10 s")
		}
		<-time.After(time.Millisecond)
	}
}

// stuck is a disk that takes nothing until it is released.
type stuck struct {
	release chan struct{}
	mu      sync.Mutex
	n       int
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.release
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n += bytes.Count(p, []byte("\n"))
	return len(p), nil
}

// A pipe that nobody reads holds up the end of the process for 5 s, no longer.
func TestAStuckDiskDoesNotHoldTheEndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &stuck{release: make(chan struct{})}
		l, err := telemetry.StreamAccessLog(disk, telemetry.AccessOptions{})
		if err != nil {
			t.Fatal(err)
		}
		l.Served(served(200, "/"))
		synctest.Wait() // it is being written
		l.Served(served(201, "/"))
		l.Served(served(202, "/"))
		time.AfterFunc(time.Minute, func() { close(disk.release) })
		began := time.Now()
		err = l.Close()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("Close took %s", took)
		}
		if err == nil || l.Dropped() != 2 {
			t.Errorf("Close = %v and %d lines lost, want an error and 2", err, l.Dropped())
		}
		time.Sleep(time.Minute)
		if synctest.Wait(); disk.n != 1 {
			t.Errorf("%d lines written at last, want the one under way", disk.n)
		}
	})
}

func TestAStuckDiskHoldsNoCallBackAndItsLossIsCounted(t *testing.T) {
	disk := &stuck{release: make(chan struct{})}
	l, err := telemetry.StreamAccessLog(disk, telemetry.AccessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const n = 50_000
	s := served(200, "/api/v2/tickets.json?query="+strings.Repeat("x", 1000))
	s.Request.URL.Path += "/" + strings.Repeat("some-words/", 40)
	for range n {
		l.Served(s)
	}
	if l.Dropped() == 0 {
		t.Error("nothing was lost, and 8 MiB cannot hold it")
	}
	metrics := telemetry.New(telemetry.Options{})
	metrics.CountDropped(l)
	if got := series(t, scrape(t, metrics))["flyball_access_log_dropped_total"]; int(got) != l.Dropped() {
		t.Errorf("the metrics show %v lost lines of %d", got, l.Dropped())
	}
	close(disk.release)
	_ = l.Close()
	if got := disk.n + l.Dropped(); got != n {
		t.Errorf("%d lines were written and %d lost, together %d of %d", disk.n, l.Dropped(), got, n)
	}
}

func TestALogThatCannotBeOpenedIsAnError(t *testing.T) {
	_, err := telemetry.OpenAccessLog(filepath.Join(t.TempDir(), "none", "access.log"), telemetry.AccessOptions{})
	if err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("OpenAccessLog = %v, want an error with the way out", err)
	}
	if _, err := telemetry.StreamAccessLog(&bytes.Buffer{}, telemetry.AccessOptions{Sample: 2}); err == nil {
		t.Error("a sample of 2 is no error")
	}
}
