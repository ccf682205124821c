package flyball_test

import (
	"context"
	"errors"
	"fmt"
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
