package otlp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
)

// Options says what is sent. The zero value sends nothing.
type Options struct {
	// Env reads the environment; nil is no variable at all.
	Env func(string) string
	// Version is the service.version that the collector is told.
	Version string
	// Metrics are sent as well, unless OTEL_METRICS_EXPORTER is none.
	Metrics prometheus.Gatherer
	// Log is told, at most once a minute, when the collector cannot be reached.
	Log *slog.Logger
}

// An Exporter sends what happens to a collector. Its methods may be called at
// once; those of a nil one do nothing.
type Exporter struct {
	tracer *tracer // nil without traces
	pusher *pusher // nil without metrics
}

// Start begins to export, or returns nil when the environment names no
// collector: OTEL_EXPORTER_OTLP_ENDPOINT, or the one for traces or for metrics.
// It does not wait for the collector. Close the exporter at the end.
func Start(o Options) (*Exporter, error) {
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
	about, err := resource(o)
	if err != nil {
		return nil, err
	}
	e := &Exporter{}
	tell := &complaints{log: o.Log}
	if traces {
		e.tracer, err = newTracer(o.Env, about, tell.take)
	}
	if metrics && err == nil {
		e.pusher, err = newPusher(o.Env, about, o.Metrics, tell.take)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close(context.Background()))
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

// resource says who exports: OTEL_SERVICE_NAME, and OTEL_RESOURCE_ATTRIBUTES
// written name=value,name=value with values escaped as in a URL.
func resource(o Options) (*resourcepb.Resource, error) {
	about := map[string]string{"service.name": "flyball", "service.version": cmp.Or(o.Version, "(devel)")}
	for pair := range strings.SplitSeq(o.Env("OTEL_RESOURCE_ATTRIBUTES"), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil {
			return nil, errors.New("OTEL_RESOURCE_ATTRIBUTES: write name=value,name=value with values escaped as in a URL")
		}
		about[strings.TrimSpace(name)] = value
	}
	about["service.name"] = cmp.Or(o.Env("OTEL_SERVICE_NAME"), about["service.name"])
	r := &resourcepb.Resource{}
	for name, value := range about {
		r.Attributes = append(r.Attributes, text(name, value))
	}
	return r, nil
}

// Close sends what is waiting, until ctx ends.
func (e *Exporter) Close(ctx context.Context) error {
	if e == nil {
		return nil
	}
	var errs [2]error
	if e.tracer != nil {
		errs[0] = e.tracer.shutdown(ctx)
	}
	if e.pusher != nil {
		errs[1] = e.pusher.shutdown(ctx)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return fmt.Errorf("end the export to the collector: %w", err)
	}
	return nil
}

// complaints are errors of exports, told once a minute.
type complaints struct {
	log  *slog.Logger
	mu   sync.Mutex
	told time.Time
}

func (c *complaints) take(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.log != nil && now.Sub(c.told) >= time.Minute {
		c.told = now
		c.log.Warn("traces or metrics were not exported; is the collector at OTEL_EXPORTER_OTLP_ENDPOINT there?", "error", err.Error())
	}
}

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

func number(key string, value int) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: int64(value)}}}
}

func float(key string, value float64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: value}}}
}
