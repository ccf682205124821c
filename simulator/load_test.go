package simulator

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// crowd sends n calls by so many workers, each as soon as its last is answered
// and no more than the account takes, and waits out every refusal.
func crowd(c client, workers, n int, path string) (refused int64) {
	var wg sync.WaitGroup
	var left, refusals atomic.Int64
	left.Store(int64(n))
	for range workers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				for {
					r, err := c.try(c.t.Context(), http.MethodGet, path, "")
					if err != nil {
						c.t.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					_ = r.Body.Close()
					if r.StatusCode != http.StatusTooManyRequests {
						break
					}
					refusals.Add(1)
					now := time.Now()
					time.Sleep(now.Truncate(time.Minute).Add(time.Minute + time.Millisecond).Sub(now))
				}
			}
		})
	}
	wg.Wait()
	return refusals.Load()
}

// TestCrowdAgreesWithTheLedger has 64 workers run into the limit for ten minutes.
func TestCrowdAgreesWithTheLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Latency: Between(50*time.Millisecond, 500*time.Millisecond)})
		c := client{t, s.RoundTripper()}
		refused := crowd(c, 64, 7000, "/api/v2/tickets/1")
		l := s.Ledger()
		for _, w := range l.WindowsOf("account") {
			if w.Admitted > 700 {
				t.Errorf("%s: %d admitted", w.Start, w.Admitted)
			}
		}
		if l.Refused() != int(refused) || l.Sends != 7000+int(refused) {
			t.Errorf("the ledger has %d sends and %d refusals, the callers saw %d and %d", l.Sends, l.Refused(), 7000+refused, refused)
		}
	})
}
