package otlp

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricpb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
)

// A pusher sends the metrics every so often, as they would be scraped.
type pusher struct {
	client *client
	from   prometheus.Gatherer
	about  *resourcepb.Resource
	since  uint64
	every  time.Duration
	stop   context.CancelFunc
	ended  chan struct{}

	complain func(error)
}

func newPusher(env func(string) string, about *resourcepb.Resource, from prometheus.Gatherer, complain func(error)) (*pusher, error) {
	p := &pusher{from: from, about: about, complain: complain, since: uint64(time.Now().UnixNano()), every: time.Minute, ended: make(chan struct{})}
	var err error
	if p.client, err = newClient(env, "METRICS"); err != nil {
		return nil, fmt.Errorf("start the export of metrics: %w", err)
	}
	if text := env("OTEL_METRIC_EXPORT_INTERVAL"); text != "" {
		ms, err := strconv.Atoi(text)
		if err != nil || ms <= 0 {
			return nil, fmt.Errorf("OTEL_METRIC_EXPORT_INTERVAL=%s: it is not a number of milliseconds", text)
		}
		p.every = time.Duration(ms) * time.Millisecond
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go p.run(ctx)
	return p, nil
}

func (p *pusher) run(ctx context.Context) {
	defer close(p.ended)
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := p.push(ctx); err != nil && ctx.Err() == nil {
				p.complain(err)
			}
		}
	}
}

// shutdown sends the last figures.
func (p *pusher) shutdown(ctx context.Context) error {
	p.stop()
	<-p.ended
	defer p.client.http.CloseIdleConnections()
	return p.push(ctx)
}

func (p *pusher) push(ctx context.Context) error {
	families, err := p.from.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	scope := &metricpb.ScopeMetrics{Scope: &commonpb.InstrumentationScope{Name: scopeName}}
	now := uint64(time.Now().UnixNano())
	for _, f := range families {
		if m := p.metric(f, now); m != nil {
			scope.Metrics = append(scope.Metrics, m)
		}
	}
	// The message is that of the collector's service, under the name that
	// needs no gRPC.
	return p.client.post(ctx, &metricpb.MetricsData{ResourceMetrics: []*metricpb.ResourceMetrics{{
		Resource: p.about, ScopeMetrics: []*metricpb.ScopeMetrics{scope},
	}}})
}

// metric puts one metric into OTLP's terms; nil for what has none there.
func (p *pusher) metric(f *dto.MetricFamily, now uint64) *metricpb.Metric {
	m := &metricpb.Metric{Name: f.GetName(), Description: f.GetHelp()}
	switch f.GetType() {
	case dto.MetricType_COUNTER:
		sum := &metricpb.Sum{IsMonotonic: true, AggregationTemporality: metricpb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE}
		for _, one := range f.Metric {
			sum.DataPoints = append(sum.DataPoints, p.number(one, one.GetCounter().GetValue(), now))
		}
		m.Data = &metricpb.Metric_Sum{Sum: sum}
	case dto.MetricType_GAUGE:
		gauge := &metricpb.Gauge{}
		for _, one := range f.Metric {
			gauge.DataPoints = append(gauge.DataPoints, p.number(one, one.GetGauge().GetValue(), now))
		}
		m.Data = &metricpb.Metric_Gauge{Gauge: gauge}
	case dto.MetricType_HISTOGRAM:
		histogram := &metricpb.Histogram{AggregationTemporality: metricpb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE}
		for _, one := range f.Metric {
			histogram.DataPoints = append(histogram.DataPoints, p.buckets(one, now))
		}
		m.Data = &metricpb.Metric_Histogram{Histogram: histogram}
	default:
		return nil
	}
	return m
}

func (p *pusher) number(of *dto.Metric, value float64, now uint64) *metricpb.NumberDataPoint {
	return &metricpb.NumberDataPoint{
		Attributes: labels(of), StartTimeUnixNano: p.since, TimeUnixNano: now,
		Value: &metricpb.NumberDataPoint_AsDouble{AsDouble: value},
	}
}

// buckets undoes the sums of Prometheus's buckets: OTLP counts each by itself,
// and has one more, without a bound.
func (p *pusher) buckets(of *dto.Metric, now uint64) *metricpb.HistogramDataPoint {
	h := of.GetHistogram()
	sum := h.GetSampleSum()
	point := &metricpb.HistogramDataPoint{
		Attributes: labels(of), StartTimeUnixNano: p.since, TimeUnixNano: now, Count: h.GetSampleCount(), Sum: &sum,
	}
	below := uint64(0)
	for _, b := range h.Bucket {
		point.ExplicitBounds = append(point.ExplicitBounds, b.GetUpperBound())
		point.BucketCounts = append(point.BucketCounts, b.GetCumulativeCount()-below)
		below = b.GetCumulativeCount()
	}
	point.BucketCounts = append(point.BucketCounts, h.GetSampleCount()-below)
	return point
}

func labels(of *dto.Metric) []*commonpb.KeyValue {
	all := make([]*commonpb.KeyValue, 0, len(of.Label))
	for _, l := range of.Label {
		all = append(all, text(l.GetName(), l.GetValue()))
	}
	return all
}
