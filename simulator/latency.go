package simulator

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Latency is the distribution of the time between a request's arrival and its
// answer, as a quantile function: it maps a number in [0, 1) to a duration and
// never falls. It must be pure.
type Latency func(u float64) time.Duration

// LogNormal is a log-normal latency with the given median, clipped to [low,
// high]; sigma is the spread of its logarithm.
func LogNormal(median time.Duration, sigma float64, low, high time.Duration) Latency {
	return func(u float64) time.Duration {
		z := math.Sqrt2 * math.Erfinv(2*u-1)
		d := float64(median) * math.Exp(sigma*z)
		return time.Duration(min(max(d, float64(low)), float64(high)))
	}
}

// Typical is the latency used where none is set: log-normal, median 180 ms,
// clipped to 50 to 500 ms.
func Typical() Latency {
	return LogNormal(180*time.Millisecond, 0.5, 50*time.Millisecond, 500*time.Millisecond)
}

// Fixed is the same latency for every request; Fixed(0) answers at once.
func Fixed(d time.Duration) Latency {
	return func(float64) time.Duration { return max(d, 0) }
}

// Between is a latency spread evenly over [low, high].
func Between(low, high time.Duration) Latency {
	return func(u float64) time.Duration {
		return max(low+time.Duration(u*float64(high-low)), 0)
	}
}

// ParseLatency reads a latency as written on a command line: "typical", a
// duration such as "180ms" (every request), or a range such as "50ms-500ms".
func ParseLatency(text string) (Latency, error) {
	if text == "" || text == "typical" {
		return Typical(), nil
	}
	low, high, ranged := strings.Cut(text, "-")
	from, err := parseSpan(low)
	if err != nil {
		return nil, fmt.Errorf("latency %q: %w; write 180ms, 50ms-500ms or typical", text, err)
	}
	if !ranged {
		return Fixed(from), nil
	}
	to, err := parseSpan(high)
	if err == nil && to < from {
		err = fmt.Errorf("%s is below %s", high, low)
	}
	if err != nil {
		return nil, fmt.Errorf("latency %q: %w; write 180ms, 50ms-500ms or typical", text, err)
	}
	return Between(from, to), nil
}

// parseSpan reads a duration that is not negative.
func parseSpan(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration", text)
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is negative", text)
	}
	return d, nil
}

// latencyTable holds a distribution's quantiles, so that a call costs a look-up.
type latencyTable [1024]time.Duration

func tabulate(l Latency) *latencyTable {
	t := new(latencyTable)
	for i := range t {
		t[i] = l((float64(i) + 0.5) / float64(len(t)))
	}
	return t
}

func (t *latencyTable) at(seed, n uint64) time.Duration {
	return t[draw(seed, streamLatency, n)%uint64(len(t))]
}
