package admission

import (
	"errors"
	"testing"
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
