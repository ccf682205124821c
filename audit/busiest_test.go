package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/flyballhq/flyball/audit"
)

// The busiest stretch is the one with the most calls, wherever it lies, and all
// of a log that is no longer; a slot keeps the most of one minute.
func TestTheBusiestStretchHasTheMostCalls(t *testing.T) {
	for _, busy := range []int{0, 200, 385} { // the minute in which the rush begins
		a := audit.New(audit.Options{})
		for minute := range 400 {
			n := 2
			if minute >= busy && minute < busy+10 {
				n = 10 + minute - busy
			}
			for i := range n {
				a.Take(&audit.Call{
					At: monday.Add(time.Duration(minute)*time.Minute + time.Duration(i)*time.Second), Client: "a", Who: "a", Method: "GET",
					Path: fmt.Sprintf("/api/v2/search/%d", i), Status: 200, Sends: 1,
				})
			}
		}
		r := a.Report()
		rush := monday.Add(time.Duration(busy) * time.Minute)
		if from, to := r.Busiest(10 * time.Minute); !from.Equal(rush) || to.Sub(from) != 10*time.Minute {
			t.Errorf("from %s to %s, want ten minutes from %s", from, to, rush)
		}
		if from, to := r.Busiest(24 * time.Hour); !from.Equal(monday) || !to.After(r.To) {
			t.Errorf("from %s to %s, want all of the log", from, to)
		}
	}
}

// A log so long that its minutes do not fit is drawn in longer slots, which
// lose no call and keep the most of one minute.
func TestALongLogsSlotsLoseNothing(t *testing.T) {
	a := audit.New(audit.Options{})
	calls := 0
	for minute := range 10_000 {
		n := 1
		if minute == 7777 {
			n = 40
		}
		calls += n
		for i := range n {
			a.Take(&audit.Call{At: monday.Add(time.Duration(minute)*time.Minute + time.Duration(i)*time.Second), Who: "a", Method: "GET", Path: "/api/v2/search", Status: 200, Sends: 1})
		}
	}
	r := a.Report()
	sum, peak := 0, 0
	for _, s := range r.Series {
		sum, peak = sum+s.Sends, max(peak, s.Peak)
	}
	if sum != calls || peak != 40 || r.Step <= time.Minute || len(r.Series) > 4096 {
		t.Errorf("%d calls and a peak of %d in %d slots of %s, want %d and 40", sum, peak, len(r.Series), r.Step, calls)
	}
}
