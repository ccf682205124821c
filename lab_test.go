package flyball_test

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

func TestLab(t *testing.T) {
	if os.Getenv("LAB") == "" {
		t.Skip("exploration")
	}
	ln := simulator.LogNormal(180*time.Millisecond, 0.6, 50*time.Millisecond, 500*time.Millisecond)
	type sc struct {
		name  string
		o     simulator.Options
		calls int
		path  func(i int) string
	}
	user := func(i int) string { return fmt.Sprintf("/api/v2/users/%d.json", i) }
	for _, s := range []sc{
		{"plain", simulator.Options{}, 7000, user},
		{"charged", simulator.Options{ChargeRefused: true}, 7000, user},
		{"2023", simulator.Options{Headers: simulator.Headers2023}, 7000, user},
		{"x-rate", simulator.Options{Headers: simulator.HeadersXRateLimit}, 7000, user},
		{"none", simulator.Options{Headers: simulator.HeadersNone}, 1000, user},
		{"half headerless", simulator.Options{Faults: []simulator.Fault{{Probability: 0.5, Headers: simulator.HeadersAbsent}}}, 7000, user},
		{"1% zero", simulator.Options{Faults: []simulator.Fault{{Probability: 0.01, StrayZero: true}}}, 7000, user},
		{"1% zero L10", simulator.Options{Limit: 10, Faults: []simulator.Fault{{Probability: 0.01, StrayZero: true}}}, 150, user},
		{"skew .6", simulator.Options{BoundarySkew: 600 * time.Millisecond}, 7000, user},
		{"skew 1", simulator.Options{BoundarySkew: time.Second}, 7000, user},
		{"1% 20s", simulator.Options{Faults: []simulator.Fault{{Probability: 0.01, Delay: 20 * time.Second}}}, 7000, user},
		{"garbage 5%", simulator.Options{Faults: []simulator.Fault{{Probability: 0.05, Headers: simulator.HeadersGarbage}}}, 7000, user},
		{"others 30", simulator.Options{Others: 0.3}, 5000, user},
		{"others 30 skew", simulator.Options{Others: 0.3, BoundarySkew: 600 * time.Millisecond}, 5000, user},
		{"others 30 L10", simulator.Options{Others: 0.3, Limit: 10}, 100, user},
		{"others 70", simulator.Options{Others: 0.7}, 3000, user},
		{"W10", simulator.Options{Window: 10 * time.Second, Limit: 117}, 2000, user},
		{"W10 others", simulator.Options{Window: 10 * time.Second, Limit: 117, Others: .3}, 2000, user},
		{"W1", simulator.Options{Window: time.Second, Limit: 12, KeepWindows: true}, 2000, user},
		{"L200", simulator.Options{Limit: 200, Others: .3}, 2000, user},
		{"L2500", simulator.Options{Limit: 2500, Others: .3}, 20000, user},
	} {
		var refused, sends, oth, othRef, used, fair, peak int
		for seed := range uint64(4) {
			synctest.Test(t, func(t *testing.T) {
				s.o.Latency = ln
				a := newAccount(t, 100+seed, s.o, governedBy(flyball.Options{Window: s.o.Window}))
				start := time.Now()
				workers(64, s.calls, func(i int) {
					if st, err := a.call(t.Context(), "GET", s.path(i)); (err != nil || st == 429) && i%100 == 0 {
						t.Errorf("%s: call %d: %d %v", s.name, i, st, err)
					}
				})
				l := a.Ledger()
				refused += l.Refused()
				sends += l.Sends
				oth += l.Others
				othRef += l.OthersRefused
				peak = max(peak, l.PeakPerSecond)
				w := s.o.Window
				if w == 0 {
					w = time.Minute
				}
				for _, w := range fullWindows(l, "account", start.Add(w), time.Now().Add(-w)) {
					used += w.Admitted
					fair += w.Limit - w.Others
				}
			})
		}
		fmt.Printf("%-18s 429/1k %6.2f  used %5.1f%%  others refused %5.2f%%  peak %d\n", s.name, 1000*float64(refused)/float64(sends), 100*float64(used)/float64(max(1, fair)), 100*float64(othRef)/float64(max(1, oth)), peak)
	}
}
