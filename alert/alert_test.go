package alert_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/alert"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

const webhook = "https://hooks.example.com/T0/s3cr3t"

// A hook is a webhook that answers with each of statuses, then with 200.
type hook struct {
	mu       sync.Mutex
	statuses []int
	got      []alert.Message
	posts    int
	stuck    bool
}

func (h *hook) RoundTrip(req *http.Request) (*http.Response, error) {
	text, _ := io.ReadAll(req.Body)
	if h.stuck {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.posts++
	status := 200
	if len(h.statuses) > 0 {
		status, h.statuses = h.statuses[0], h.statuses[1:]
	}
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	if status == 200 {
		var m alert.Message
		if err := json.Unmarshal(text, &m); err != nil {
			return nil, err
		}
		h.got = append(h.got, m)
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Body: http.NoBody, Request: req}, nil
}

func (h *hook) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, m := range h.got {
		all = append(all, m.Alert+" "+m.State+" "+m.Bucket+m.Client)
	}
	return strings.Join(all, ", ")
}

// An account has one bucket, whose use each minute is use(minute).
func account(use func(minute int) (left, others int)) func() limit.Snapshot {
	began := time.Now()
	return func() limit.Snapshot {
		now := time.Now()
		minute := int(now.Sub(began) / time.Minute)
		left, others := use(minute)
		return limit.Snapshot{At: now, Account: "acme.zendesk.com", Buckets: []limit.Bucket{{
			Key: limit.Key{Service: "support", ID: "account"}, Limit: 100, Left: left, Others: others,
			Window: time.Minute, Resets: began.Add(time.Duration(minute+1) * time.Minute),
		}}}
	}
}

func run(t *testing.T, h *hook, o alert.Options, during func(*alert.Alerter)) {
	t.Helper()
	o.Webhook, o.Client = webhook, &http.Client{Transport: h, Timeout: 10 * time.Second}
	a, err := alert.New(o)
	if err != nil {
		t.Fatal(err)
	}
	a.Start()
	during(a)
	synctest.Wait()
	a.Close()
}

func TestABucketNearItsLimitForWindowsIsToldOnceAndThenResolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hook{}
		used := []int{50, 95, 20, 95, 91, 99, 97, 40, 30}
		run(t, h, alert.Options{Snapshot: account(func(m int) (int, int) { return 100 - used[min(m, 8)], 10 })}, func(*alert.Alerter) { time.Sleep(10 * time.Minute) })
		if got, want := h.said(), "near-limit firing support/account, near-limit resolved support/account"; got != want {
			t.Errorf("said %q, want %q", got, want)
		}
		if m := h.got[0]; m.Windows != 3 || m.Used != 99 || m.Limit != 100 || m.Others != 10 || !strings.Contains(m.Text, "99 of 100 used") || m.Account != "acme.zendesk.com" {
			t.Errorf("the message is %+v", m)
		}
	})
}

func TestOthersWhoTakeMoreThanTheirShareAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hook{}
		run(t, h, alert.Options{Windows: 2, Others: .3, Snapshot: account(func(m int) (int, int) { return 60, []int{10, 31, 35, 2, 2}[min(m, 4)] })}, func(*alert.Alerter) { time.Sleep(6 * time.Minute) })
		if got, want := h.said(), "others firing support/account, others resolved support/account"; got != want {
			t.Errorf("said %q, want %q", got, want)
		}
	})
}

func TestRefusedClientsAreToldAndThenGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hook{}
		run(t, h, alert.Options{Snapshot: account(func(int) (int, int) { return 100, 0 })}, func(a *alert.Alerter) {
			for range 20 {
				a.Sink()(event.Event{Kind: event.GaveUp, Call: &limit.Call{Client: "crm"}, Reason: limit.Spent, Bucket: limit.Key{Service: "support", ID: "account"}})
				time.Sleep(time.Minute)
			}
		})
		calls := 0
		for _, m := range h.got {
			calls += m.Calls
		}
		if len(h.got) != 2 || h.got[0].Calls != 1 || h.got[1].Calls != 10 || h.got[0].Client != "crm" || h.got[0].Reason != string(limit.Spent) {
			t.Errorf("%d messages of %d calls, want one at once and one after ten minutes with the ten since: %+v", len(h.got), calls, h.got)
		}
	})
}

func TestABusyWebhookIsTriedAgainAndADeadOneIsToldWithoutItsSecret(t *testing.T) {
	refuse := func(a *alert.Alerter) {
		a.Sink()(event.Event{Kind: event.GaveUp, Call: &limit.Call{Client: "crm"}, Reason: limit.Spent})
		time.Sleep(2 * time.Minute)
	}
	for _, test := range []struct {
		statuses []int
		posts    int
		arrives  bool
	}{
		{[]int{503, 0, 200}, 3, true}, {[]int{0, 0, 0}, 3, false}, {[]int{404}, 1, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			h := &hook{statuses: test.statuses}
			run(t, h, alert.Options{Snapshot: account(func(int) (int, int) { return 100, 0 }), Log: slog.New(slog.NewTextHandler(&log, nil))}, refuse)
			if h.posts != test.posts || len(h.got) == 1 != test.arrives {
				t.Errorf("%v: %d posts, %d messages", test.statuses, h.posts, len(h.got))
			}
			if said := strings.Contains(log.String(), "alert not delivered"); said == test.arrives || strings.Contains(log.String(), "s3cr3t") {
				t.Errorf("%v: the log says %q", test.statuses, log.String())
			}
		})
	}
}

func TestAStuckWebhookHoldsNothingBackAndEndsWithClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hook{stuck: true}
		run(t, h, alert.Options{Quiet: time.Second, Snapshot: account(func(int) (int, int) { return 100, 0 })}, func(a *alert.Alerter) {
			began := time.Now()
			for i := range 10_000 {
				a.Sink()(event.Event{Kind: event.GaveUp, Call: &limit.Call{Client: fmt.Sprint("client ", i)}, Reason: limit.Spent})
			}
			if took := time.Since(began); took > 0 {
				t.Errorf("the sink waited %s", took)
			}
			time.Sleep(5 * time.Minute)
		})
	})
}

func TestWrongOptionsAreErrorsWithoutTheSecret(t *testing.T) {
	snapshot := func() limit.Snapshot { return limit.Snapshot{} }
	for _, o := range []alert.Options{
		{Webhook: "hooks.example.com/s3cr3t", Snapshot: snapshot}, {Webhook: webhook}, {Webhook: webhook, Snapshot: snapshot, Over: 2}, {Webhook: webhook, Snapshot: snapshot, Windows: -1},
	} {
		if a, err := alert.New(o); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("New(%+v) = %v, %v", o, a, err)
		}
	}
}

// The text says why calls were refused: not of each that it waited too long.
func TestTheTextSaysWhyCallsWereRefused(t *testing.T) {
	for reason, want := range map[limit.Reason]string{
		limit.Spent:     "acme.zendesk.com: 1 call of crm refused: they would have waited for support/account longer than they may (the budget is spent)",
		limit.QueueFull: "acme.zendesk.com: 1 call of crm refused: the queue for support/account is full",
		limit.Closed:    "acme.zendesk.com: 1 call of crm refused: flyball is shutting down",
	} {
		synctest.Test(t, func(t *testing.T) {
			h := &hook{}
			run(t, h, alert.Options{Snapshot: account(func(int) (int, int) { return 100, 0 })}, func(a *alert.Alerter) {
				a.Sink()(event.Event{Kind: event.GaveUp, Call: &limit.Call{Client: "crm"}, Reason: reason, Bucket: limit.Key{Service: "support", ID: "account"}})
				time.Sleep(2 * time.Second)
			})
			if len(h.got) != 1 || h.got[0].Text != want {
				t.Errorf("said %+v, want %q", h.got, want)
			}
		})
	}
}
