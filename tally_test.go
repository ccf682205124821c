package flyball

import (
	"testing"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// A send for many calls that saved none of them is told as the loss it is.
func TestWhatWasSentInVainIsTold(t *testing.T) {
	var counts tally
	counts.take(event.Event{Kind: event.Sent, Call: &limit.Call{For: limit.Merged}})
	var s limit.Snapshot
	if counts.addTo(&s); len(s.Saved) != 1 || s.Saved[0] != (limit.Saving{Cause: limit.Merged, Sends: -1}) {
		t.Errorf("Saved = %v, want one send lost by merging", s.Saved)
	}
}
