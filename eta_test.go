package flyball_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// An ETA is a forecast: of holds of 10 s and more, half are told within a
// second and nine in ten within four.
func TestAHeldCallIsToldAboutHowLong(t *testing.T) {
	for _, others := range []float64{0, 0.3} {
		t.Run(fmt.Sprintf("others %.0f %%", 100*others), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				told, off, waits := map[*limit.Call]time.Duration{}, []time.Duration{}, []time.Duration{}
				sink := func(e event.Event) {
					mu.Lock()
					defer mu.Unlock()
					switch e.Kind {
					case event.Held:
						told[e.Call] = e.ETA
					case event.Admitted:
						if eta, held := told[e.Call]; held {
							off, waits = append(off, (eta-e.Wait).Abs()), append(waits, e.Wait)
							delete(told, e.Call)
						}
					default: // says nothing of waiting
					}
				}
				a := newAccount(t, 900, simulator.Options{Limit: 700, Others: others}, governedBy(flyball.Options{OnEvent: sink}))
				ctx := flyball.WithClass(t.Context(), flyball.Bulk)
				workers(120, 6000, func(i int) {
					if _, err := a.call(ctx, "GET", user(i)); err != nil {
						t.Error(err)
					}
				})
				slices.Sort(off)
				slices.Sort(waits)
				half, most, wait := off[len(off)/2], off[len(off)*9/10], waits[len(waits)/2]
				t.Logf("%d holds of %s (median), told off by %s (median), %s (p90)", len(off), wait, half, most)
				if wait < 8*time.Second || half > time.Second || most > 4*time.Second {
					t.Errorf("holds of %s (median) were told off by %s (median) and %s (p90)", wait, half, most)
				}
			})
		})
	}
}
