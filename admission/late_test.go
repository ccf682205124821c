package admission

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// A call whose patience had ended before it came here is told of a limit with
// a name.
func TestALateCallIsToldWhichLimit(t *testing.T) {
	provider := zendesk.New(0)
	c := plenty(provider)
	defer c.Close()
	w := newWaiter(provider, 1)
	w.call.Arrived = time.Now().Add(-time.Minute)
	w.call.Deadline = time.Now().Add(-time.Second)
	err := c.acquire(t.Context(), w)
	var refusal *limit.WaitError
	if !errors.As(err, &refusal) || refusal.Bucket.String() != "support/account" {
		t.Errorf("got %v, want a refusal that names support/account", err)
	}
}

// A caller whose context ends at the very moment at which its wait does is
// taken out of the queue once, whichever comes first.
func TestAWaitAndItsContextMayEndAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider := zendesk.New(0)
		c := New(Options{Provider: provider})
		defer c.Close()
		end := time.Now().Add(time.Minute)
		ctx, cancel := context.WithDeadline(t.Context(), end)
		defer cancel()
		var all sync.WaitGroup
		var told atomic.Int32 // the others went to try what nobody answers
		for range 300 {
			all.Go(func() {
				w := newWaiter(provider, 1)
				w.call.Class, w.call.Deadline = limit.Normal, end
				if err := c.acquire(ctx, w); err != nil {
					told.Add(1)
				}
			})
		}
		all.Wait()
		if snap := c.Snapshot(); snap.Waiting != 0 || told.Load() < 200 {
			t.Errorf("%d calls wait when %d are told", snap.Waiting, told.Load())
		}
	})
}
