package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
)

// report writes the run as a table for docs/performance.md.
func report(w io.Writer, p plan, rows []row, took time.Duration) {
	held := int64(0)
	for _, r := range rows {
		held += r.gateway.held
	}
	fmt.Fprintf(w, "%s: %d interleaved rounds of %s at %d connections in %s; %d calls were held\n\n",
		machine(), p.rounds, p.cell, p.conns, took.Round(time.Second), held)
	fmt.Fprintln(w, "| answer | body, bytes | CPU per request, gateway over bare | of the rounds | requests a second, gateway over bare | added p50 at one connection, bare / gateway, µs | p99, direct / bare / gateway, µs |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|--:|")
	for _, r := range rows {
		cpu := ratios(r.gateway.cpu, r.bare.cpu)
		fmt.Fprintf(w, "| %s | %d | **%.2f**%s | %.2f to %.2f | %.2f | %+.0f / %+.0f | %.0f / %.0f / %.0f |\n",
			r.what, r.bodyBytes, median(cpu), r.verdict(median(cpu)), slices.Min(cpu), slices.Max(cpu),
			median(ratios(r.gateway.rate, r.bare.rate)),
			micros(r.bareL.p50)-micros(r.direct.p50), micros(r.gatewayL.p50)-micros(r.direct.p50),
			micros(r.direct.p99), micros(r.bareL.p99), micros(r.gatewayL.p99))
	}
	fmt.Fprintln(w, "\nAbsolute figures of this machine, shared by load, proxy and upstream:")
	for _, r := range rows {
		fmt.Fprintf(w, "%-32s CPU µs a request: bare %.0f, gateway %.0f; requests a second: bare %.0f, gateway %.0f; heap bytes a request: bare %.0f, gateway %.0f\n", r.what,
			micros(r.bare.cpu), micros(r.gateway.cpu), median(r.bare.rate), median(r.gateway.rate), median(r.bare.heap), median(r.gateway.heap))
	}
}

// machine says when and on what a run was.
func machine() string {
	return fmt.Sprintf("%s, %s/%s, %d CPUs, %s", time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
}

// verdict says whether a stated bar was met.
func (r row) verdict(ratio float64) string {
	switch {
	case r.bar == 0:
		return ""
	case ratio <= r.bar:
		return fmt.Sprintf(" (bar %.2f: met)", r.bar)
	default:
		return fmt.Sprintf(" (bar %.2f: missed)", r.bar)
	}
}

// ratios divides round by round, so that what slows the machine for a while
// slows both sides.
func ratios(a, b []float64) []float64 {
	var q []float64
	for i := range a {
		q = append(q, a[i]/b[i])
	}
	return q
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

func micros(seconds []float64) float64 { return median(seconds) * 1e6 }
