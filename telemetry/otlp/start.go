package otlp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options says what is sent. The zero value sends traces alone.
type Options struct {
	// Env reads the environment; nil is no variable at all. The library reads
	// the process's own for what concerns it alone: sampling, batches, resource
	// attributes.
	Env func(string) string
	// Version is the service.version that the collector is told.
	Version string
	// Metrics are sent as well, unless OTEL_METRICS_EXPORTER is none.
	Metrics prometheus.Gatherer
	// Log is told, at most once a minute, when the collector cannot be reached.
	Log *slog.Logger
}

// An Exporter sends what happens to a collector. Its methods may be called at
// once.
type Exporter struct {
	tracer  trace.Tracer
	traces  *sdktrace.TracerProvider
	metrics *pusher
}

// Start begins to export, or returns nil when the environment names no
// collector: OTEL_EXPORTER_OTLP_ENDPOINT, or the one for traces or for metrics.
// It does not wait for the collector. Close the exporter at the end.
func Start(ctx context.Context, o Options) (*Exporter, error) {
	if o.Env == nil || strings.EqualFold(o.Env("OTEL_SDK_DISABLED"), "true") {
		return nil, nil
	}
	traces, errTraces := wanted(o.Env, "TRACES")
	metrics, errMetrics := wanted(o.Env, "METRICS")
	if err := errors.Join(errTraces, errMetrics); err != nil {
		return nil, err
	}
	metrics = metrics && o.Metrics != nil
	if !traces && !metrics {
		return nil, nil
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "flyball"), attribute.String("service.version", cmp.Or(o.Version, "(devel)"))),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	if o.Log != nil {
		otel.SetErrorHandler(&complaints{log: o.Log})
	}
	e := &Exporter{}
	if traces {
		err = e.startTraces(ctx, o.Env, about)
	}
	if metrics && err == nil {
		e.metrics, err = startMetrics(o.Env, about, o.Metrics)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	return e, nil
}

// wanted reads whether one signal is exported.
func wanted(env func(string) string, signal string) (bool, error) {
	name := "OTEL_" + signal + "_EXPORTER"
	switch how := env(name); how {
	case "none":
		return false, nil
	case "":
		if env("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && env("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") == "" {
			return false, nil
		}
	case "otlp":
	default:
		return false, fmt.Errorf("%s=%s: flyball exports by otlp (or none)", name, how)
	}
	protocol := cmp.Or(env("OTEL_EXPORTER_OTLP_"+signal+"_PROTOCOL"), env("OTEL_EXPORTER_OTLP_PROTOCOL"))
	if protocol != "" && protocol != "http/protobuf" {
		return false, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL=%s: flyball speaks http/protobuf, at a collector's port 4318", protocol)
	}
	return true, nil
}

func (e *Exporter) startTraces(ctx context.Context, env func(string) string, about *resource.Resource) error {
	c, err := newClient(env, "TRACES")
	if err != nil {
		return fmt.Errorf("start the export of traces: %w", err)
	}
	to, err := otlptrace.New(ctx, c)
	if err != nil {
		return fmt.Errorf("start the export of traces: %w", err)
	}
	e.traces = sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithBatcher(to))
	e.tracer = e.traces.Tracer("github.com/flyballhq/flyball/telemetry/otlp")
	return nil
}

// Close sends what is waiting, until ctx ends.
func (e *Exporter) Close(ctx context.Context) error {
	var errs []error
	if e.traces != nil {
		errs = append(errs, e.traces.Shutdown(ctx))
	}
	if e.metrics != nil {
		errs = append(errs, e.metrics.Shutdown(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("end the export to the collector: %w", err)
	}
	return nil
}

// complaints are what the library has to say, told once a minute.
type complaints struct {
	log  *slog.Logger
	mu   sync.Mutex
	told time.Time
}

// Handle takes an error of an export.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.told) >= time.Minute {
		c.told = now
		c.log.Warn("traces or metrics were not exported; is the collector at OTEL_EXPORTER_OTLP_ENDPOINT there?", "error", err.Error())
	}
}
