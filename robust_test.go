package flyball_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

// usual is the latency of the published measurements: log-normal, median
// 180 ms, 50 to 500 ms.
var usual = simulator.LogNormal(180*time.Millisecond, 0.6, 50*time.Millisecond, 500*time.Millisecond)

// A server may count, say and fail in many ways; what is promised stays.
func TestHoldsWhateverTheServerDoes(t *testing.T) {
	headers := func(p float64, h simulator.HeaderFault) []simulator.Fault {
		return []simulator.Fault{{Probability: p, Headers: h}}
	}
	for _, tt := range []struct {
		name    string
		sim     simulator.Options
		calls   int
		used    float64 // least share of the full windows that nobody else used
		refused float64 // most 429s per 1,000 sends
		harm    float64 // most of the others' calls refused, in percent
	}{
		{name: "refused calls are charged", sim: simulator.Options{ChargeRefused: true}, calls: 4000, used: 97},
		{name: "headers as in 2023", sim: simulator.Options{Headers: simulator.Headers2023}, calls: 4000, used: 97},
		{name: "no reset header", sim: simulator.Options{Headers: simulator.HeadersXRateLimit}, calls: 4000, used: 97},
		{name: "no headers at all", sim: simulator.Options{Headers: simulator.HeadersNone}, calls: 600},
		{name: "half of the answers without headers", sim: simulator.Options{Faults: headers(0.5, simulator.HeadersAbsent)}, calls: 4000, used: 95},
		{name: "garbage in 5 % of the headers", sim: simulator.Options{Faults: headers(0.05, simulator.HeadersGarbage)}, calls: 4000, used: 95},
		{name: "1 % stray zeros", sim: simulator.Options{Faults: []simulator.Fault{{Probability: 0.01, StrayZero: true}}}, calls: 5000, used: 88, refused: 1},
		{name: "1 % stray zeros of ten", sim: simulator.Options{Limit: 10, Faults: []simulator.Fault{{Probability: 0.01, StrayZero: true}}}, calls: 150, used: 90, refused: 1},
		{name: "remaining and reset skewed by 0.6 s", sim: simulator.Options{BoundarySkew: 600 * time.Millisecond}, calls: 7000, used: 95, refused: 1},
		{name: "windows of 57 to 63 s", sim: simulator.Options{WindowJitter: 3 * time.Second}, calls: 7000, used: 97, refused: 0.5},
		{name: "windows opened by their first call", sim: simulator.Options{OpenedByFirst: true}, calls: 4000, used: 97},
		{name: "resets rounded down", sim: simulator.Options{RoundDown: true}, calls: 7000, used: 95, refused: 1},
		{name: "remaining up to 10 too high", sim: simulator.Options{Faults: []simulator.Fault{{Overstate: 10}}}, calls: 4000, used: 95, refused: 1},
		{name: "1 % of answers take 20 s", sim: simulator.Options{Faults: []simulator.Fault{{Probability: 0.01, Delay: 20 * time.Second}}}, calls: 4000, used: 95, refused: 1},
		{name: "others take 30 %", sim: simulator.Options{Others: 0.3}, calls: 5000, used: 97, refused: 1, harm: 0.5},
		{name: "others take 30 % of 200", sim: simulator.Options{Limit: 200, Others: 0.3}, calls: 1500, used: 95, refused: 1.5, harm: 1},
		{name: "windows of 10 s", sim: simulator.Options{Limit: 117, Window: 10 * time.Second}, calls: 2000, used: 97},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.sim.Latency = usual
				a := newAccount(t, 31, tt.sim, governedBy(flyball.Options{Window: tt.sim.Window}))
				start := time.Now()
				workers(64, tt.calls, func(i int) {
					if status, err := a.call(t.Context(), "GET", user(i)); err != nil || status == 429 {
						t.Errorf("call %d: %d, %v", i, status, err)
					}
				})
				judge(t, a.Ledger(), max(tt.sim.Window, time.Minute/6), start, tt.used, tt.refused, tt.harm)
			})
		})
	}
}

func judge(t *testing.T, l simulator.Ledger, settle time.Duration, start time.Time, used, refused, harm float64) {
	t.Helper()
	took, free := 0, 0
	for _, w := range fullWindows(l, "account", start.Add(settle), time.Now().Add(-settle)) {
		took += w.Admitted
		free += w.Limit - w.Others
	}
	if share := 100 * float64(took) / float64(max(1, free)); used > 0 && share < used {
		t.Errorf("%.1f %% of what others left was used, want %.0f", share, used)
	}
	if per1k := 1000 * float64(l.Refused()) / float64(l.Sends); per1k > refused {
		t.Errorf("%.2f refusals per 1,000 sends (%d of %d), want at most %g", per1k, l.Refused(), l.Sends, refused)
	}
	if share := 100 * float64(l.OthersRefused) / float64(max(1, l.Others)); share > harm {
		t.Errorf("%.2f %% of the others' calls refused, want at most %g", share, harm)
	}
}
