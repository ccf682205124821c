package flyball_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// Every call is told of once at its end, whether answered, refused or left.
func TestTheEndOfEachCallIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		ends := map[*limit.Call][]string{}
		sink := func(e event.Event) {
			if e.Kind == event.Done {
				mu.Lock()
				ends[e.Call] = append(ends[e.Call], fmt.Sprint(e.Status, e.Err != nil, e.Took))
				mu.Unlock()
			}
		}
		a := newAccount(t, 77, simulator.Options{Limit: 10, Latency: simulator.Fixed(time.Second)}, governedBy(flyball.Options{OnEvent: sink}))
		var kinds sync.Map
		workers(30, 30, func(i int) {
			ctx := t.Context()
			switch i % 3 {
			case 1:
				ctx = flyball.WithMaxWait(ctx, 0)
			case 2:
				var cancel context.CancelFunc
				ctx, cancel = context.WithCancel(ctx)
				defer time.AfterFunc(500*time.Millisecond, cancel).Stop()
			}
			_, err := a.call(ctx, "GET", user(i))
			var refusal *flyball.WaitError
			switch {
			case err == nil:
				kinds.Store("answered", true)
			case errors.As(err, &refusal):
				kinds.Store("refused", true)
			case errors.Is(err, context.Canceled):
				kinds.Store("left", true)
			default:
				t.Error(err)
			}
		})
		if len(ends) != 30 {
			t.Errorf("%d calls were told of, want 30", len(ends))
		}
		for _, told := range ends {
			if len(told) != 1 {
				t.Errorf("one call's end was told so: %v", told)
			}
		}
		for _, kind := range []string{"answered", "refused", "left"} {
			if _, ok := kinds.Load(kind); !ok {
				t.Errorf("no call was %s", kind)
			}
		}
	})
}

// A call whose base transport panics ends as any other: it is told of once,
// its receipt has what it cost, and the panic passes.
func TestACallThatPanicsIsToldOfAtItsEnd(t *testing.T) {
	var ends []event.Event
	transport, err := flyball.New(flyball.Options{
		Account: "https://acme.zendesk.com",
		Base:    roundTripper(func(*http.Request) (*http.Response, error) { panic(http.ErrAbortHandler) }),
		OnEvent: func(e event.Event) {
			if e.Kind == event.Done {
				ends = append(ends, e)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer transport.Close()
	var receipt flyball.Receipt
	req := reading(flyball.WithReceipt(t.Context(), &receipt), "/api/v2/tickets/1.json")
	func() {
		defer func() {
			if thrown := recover(); thrown != any(http.ErrAbortHandler) {
				t.Errorf("%v arrived, want the base's own panic", thrown)
			}
		}()
		resp, err := transport.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		t.Errorf("RoundTrip returned, with %v", err)
	}()
	if len(ends) != 1 || ends[0].Err == nil || ends[0].Left {
		t.Errorf("the call's end was told as %v, want one failure", ends)
	}
	if receipt.Sends != 1 || receipt.Route == "" {
		t.Errorf("its receipt is %+v, want one send and its route", receipt)
	}
}
