package batch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// after is a patience that ends so much later; none is for ever.
func after(d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return noon.Add(d)
}

func TestPlaceIsDecidedByWhoIsOnTheWay(t *testing.T) {
	const forever = time.Duration(0)
	open := func(patience ...time.Duration) []*group {
		var groups []*group
		for _, d := range patience {
			groups = append(groups, &group{call: &limit.Call{Deadline: after(d)}})
		}
		return groups
	}
	for _, tt := range []struct {
		name     string
		line     line
		patience time.Duration
		rounds   int
		noWait   bool
		want     step
		joins    int // index of the group
	}{
		{name: "nobody", want: goAlone},
		{name: "one under way", line: line{busy: 1}, want: gather},
		{name: "a group that is as patient", line: line{busy: 1, open: open(forever)}, want: join},
		{name: "one that is less patient", line: line{busy: 1, open: open(time.Second)}, want: join},
		{name: "one that is more patient", line: line{busy: 1, open: open(time.Minute)}, patience: time.Second, want: gather},
		{name: "one that never gives up", line: line{busy: 1, open: open(forever)}, patience: time.Second, want: gather},
		{name: "one that is more patient, nobody under way", line: line{open: open(forever)}, patience: time.Second, want: goAlone},
		{name: "the most patient of several", line: line{busy: 1, open: open(time.Second, time.Minute, time.Second)}, want: join, joins: 1},
		{name: "the most patient, one for ever", line: line{busy: 1, open: open(time.Second, forever, time.Minute)}, want: join, joins: 1},
		{name: "the most patient that is not more so", line: line{busy: 1, open: open(time.Second, time.Minute, 2*time.Second)}, patience: 10 * time.Second, want: join, joins: 2},
		{name: "let down once: none that gives up", line: line{busy: 1, open: open(time.Minute)}, rounds: 1, want: gather},
		{name: "let down once: one half as patient", line: line{busy: 1, open: open(30 * time.Second)}, patience: time.Minute, rounds: 1, want: join},
		{name: "let down once: none less than half as patient", line: line{busy: 1, open: open(29 * time.Second)}, patience: time.Minute, rounds: 1, want: gather},
		{name: "a call that never waits", line: line{busy: 1, open: open(forever)}, noWait: true, want: goAlone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &member{call: &limit.Call{NoWait: tt.noWait}, patience: after(tt.patience), rounds: tt.rounds}
			got, g := tt.line.place(noon, m)
			if got != tt.want || got == join && g != tt.line.open[tt.joins] {
				t.Errorf("place = %v, group %v of %v; want %v, group %d", got, g, tt.line.open, tt.want, tt.joins)
			}
		})
	}
}

func TestWhatBecomesOfAGroupIsDecided(t *testing.T) {
	for _, tt := range []struct {
		name    string
		members int
		left    time.Duration // of the window
		busy    int
		held    int
		want    verdict
		pressed time.Duration // from now on
	}{
		{"nobody is left", 0, time.Millisecond, 1, 0, drop, 0},
		{"one, the window is open", 1, time.Millisecond, 1, 0, wait, 0},
		{"many, the window is open", 99, time.Millisecond, 1, 0, wait, 0},
		{"it is full", 100, time.Millisecond, 1, 0, send, 0},
		{"the window has ended", 2, 0, 1, 0, send, 0},
		{"too few at its end", 1, 0, 1, 0, release, 0},
		{"too few at its end, and one is held", 1, 0, 1, 1, send, 0},
		{"nobody is on the way any more", 2, time.Millisecond, 0, 0, send, 0},
		{"too few, and nobody is on the way any more", 1, time.Millisecond, 0, 0, release, 0},
		{"too few, others are held, and it may be pressed", 1, 0, 1, 1, press, time.Second},
		{"too few, nobody is held, and it may be pressed", 1, 0, 1, 0, release, time.Second},
		{"enough, and it may be pressed", 2, 0, 1, 1, send, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := &group{
				bounds: bounds{least: 2, most: 100, window: tt.left, pressed: tt.pressed}, opened: noon,
				line: &line{busy: tt.busy, held: tt.held}, members: make([]*member, tt.members),
			}
			if got := g.decide(noon); got != tt.want {
				t.Errorf("decide = %v, want %v", got, tt.want)
			}
		})
	}
}

// slow answers every call with 503 after a while.
type slow struct{}

func (slow) RoundTrip(req *http.Request) (*http.Response, error) {
	if call := limit.CallFrom(req.Context()); call.Seal != nil {
		if req = call.Seal(req); req == nil {
			return nil, context.Canceled
		}
	}
	select {
	case <-time.After(100 * time.Millisecond):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	return &http.Response{StatusCode: 503, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// A merger that nobody calls holds nothing of those who called.
func TestNothingIsKeptOfCallsThatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider := zendesk.New(zendesk.UnknownPlan)
		m, err := New(Options{Provider: provider, Routes: []string{"GET *", "PUT *"}})
		if err != nil {
			t.Fatal(err)
		}
		through := m.Layer()(slow{})
		var callers sync.WaitGroup
		for i := range 500 {
			callers.Go(func() {
				time.Sleep(time.Duration(i%7) * 40 * time.Millisecond)
				ctx := t.Context()
				if i%3 == 0 {
					bounded, cancel := context.WithTimeout(ctx, time.Duration(1+i%90)*time.Millisecond)
					defer cancel()
					ctx = bounded
				}
				call := &limit.Call{Arrived: time.Now()}
				method, id, body := http.MethodGet, i+1, ""
				if i%4 == 0 { // ten tickets, each written over and over
					method, id, body = http.MethodPut, i%10+1, `{"ticket":{"subject":"x"}}`
				}
				req, _ := http.NewRequestWithContext(limit.WithCall(ctx, call), method, fmt.Sprintf("https://acme.zendesk.com/api/v2/tickets/%d", id), strings.NewReader(body))
				if body == "" {
					req.Body = nil
				}
				req.Header.Set("Authorization", fmt.Sprint(i%5))
				call.Route = provider.Route(req)
				if resp, err := through.RoundTrip(req); err == nil {
					resp.Body.Close()
				}
			})
		}
		callers.Wait()
		synctest.Wait()
		if len(m.lines) != 0 || len(m.order.objects) != 0 || len(m.pollers) != 0 {
			t.Errorf("%d lines, %d ordered objects, %d pollers are left", len(m.lines), len(m.order.objects), len(m.pollers))
		}
	})
}
