package audit_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/flyballhq/flyball/audit"
)

// BenchmarkFiles reads an access log: bytes a second, and what a call costs.
func BenchmarkFiles(b *testing.B) {
	w := newWeek(1)
	for range 4 {
		w.clean()
	}
	var text bytes.Buffer
	writeNginx(&text, w.sorted())
	log := text.Bytes()
	b.SetBytes(int64(len(log)))
	b.ReportAllocs()
	for b.Loop() {
		a := audit.New(audit.Options{})
		if _, err := audit.Files(context.Background(), a, []string{"-"}, bytes.NewReader(log), nil); err != nil {
			b.Fatal(err)
		}
		a.Report()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(w.calls)), "ns/call")
}
