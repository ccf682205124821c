package flyball_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/simulator"
)

// Sixty-four workers start together on a limit that no header shows: one that
// the catalogue knows, and one that nobody does.
func TestLearnsALimitThatNobodyStates(t *testing.T) {
	for seed := range uint64(10) {
		name, path := "incremental-exports", "/api/v2/incremental/tickets.json?start_time=1"
		if seed%2 == 1 {
			name, path = "tickets-index", "/api/v2/tickets.json?page[size]=1"
		}
		t.Run(fmt.Sprintf("%s, seed %d", name, seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t, seed, simulator.Options{
					Limits: map[string]simulator.Limit{name: {N: 10, Silent: true}},
				}, governed)
				var mu sync.Mutex
				var took []time.Duration
				var group sync.WaitGroup
				group.Go(func() {
					workers(64, 64, func(i int) {
						if status, err := a.call(t.Context(), "GET", path); err != nil || status != 200 {
							t.Errorf("export %d: %d, %v", i, status, err)
						}
					})
				})
				group.Go(func() {
					workers(3, 2000, func(i int) {
						start := time.Now()
						if status, err := a.call(t.Context(), "GET", fmt.Sprintf("/api/v2/users/%d.json", i)); err != nil || status == 429 {
							t.Errorf("read %d: %d, %v", i, status, err)
						}
						mu.Lock()
						took = append(took, time.Since(start))
						mu.Unlock()
					})
				})
				group.Wait()
				for i, w := range a.Ledger().WindowsOf(name) {
					if most := map[bool]int{true: 5, false: 1}[i == 0]; w.Refused > most {
						t.Errorf("window %d: %d refusals, want at most %d", i, w.Refused, most)
					}
				}
				slices.Sort(took)
				if p99 := took[len(took)*99/100]; p99 >= time.Second {
					t.Errorf("other routes' p99 %s, want under 1s", p99)
				}
			})
		})
	}
}
