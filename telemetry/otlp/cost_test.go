package otlp_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/telemetry"
	"github.com/flyballhq/flyball/telemetry/otlp"
)

// instant answers at once, as an account with a limit that is never reached.
type instant struct{}

func (instant) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Request: req, ContentLength: 2, Body: io.NopCloser(strings.NewReader("{}")),
		Header: http.Header{"X-Rate-Limit": {"100000000"}, "X-Rate-Limit-Remaining": {"99999999"}},
	}, nil
}

// deaf is a collector that takes everything.
type deaf struct{}

func (deaf) ServeHTTP(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

// BenchmarkCall is what telemetry adds to a call in process, without a
// network: off, and each part of it on.
func BenchmarkCall(b *testing.B) {
	metrics := telemetry.New(telemetry.Options{})
	access, err := telemetry.StreamAccessLog(io.Discard, telemetry.AccessOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer access.Close()
	collector := newServer(b, deaf{})
	none, err := otlp.Start(otlp.Options{Env: environment(nil)})
	if err != nil {
		b.Fatal(err)
	}
	all := exporting(b, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector})
	tenth := exporting(b, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"})
	for _, on := range []struct {
		name   string
		sink   event.Sink
		export *otlp.Exporter
		access *telemetry.AccessLog
	}{
		{"off", nil, nil, nil},
		{"metrics", metrics.Sink(), nil, nil},
		{"no collector", none.Sink(), none, nil},
		{"a tenth of traces", tenth.Sink(), tenth, nil},
		{"traces", all.Sink(), all, nil},
		{"access log", access.Sink(), nil, access},
		{"metrics, access log, traces", event.All(metrics.Sink(), access.Sink(), all.Sink()), all, access},
	} {
		b.Run(on.name, func(b *testing.B) { callWith(b, on.sink, on.export, on.access) })
	}
}

func exporting(b *testing.B, vars map[string]string) *otlp.Exporter {
	e, err := otlp.Start(otlp.Options{Env: environment(vars)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close(context.Background()) })
	return e
}

func callWith(b *testing.B, sink event.Sink, export *otlp.Exporter, access *telemetry.AccessLog) {
	transport, err := flyball.New(flyball.Options{Account: "acme", Base: instant{}, OnEvent: sink})
	if err != nil {
		b.Fatal(err)
	}
	defer transport.Close()
	way := export.Transport(transport)
	var receipt flyball.Receipt
	ctx := flyball.WithClient(b.Context(), "crm")
	if access != nil {
		ctx = flyball.WithReceipt(ctx, &receipt)
	}
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://acme.zendesk.com/api/v2/tickets/17.json?include=users", nil)
	req.Header.Set("Authorization", "Bearer abc")
	b.ReportAllocs()
	for b.Loop() {
		resp, err := way.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
		if access != nil {
			access.Served(event.Served{Request: req, Client: "crm", Status: resp.StatusCode, Header: resp.Header, Bytes: 2, Receipt: receipt})
		}
	}
}
