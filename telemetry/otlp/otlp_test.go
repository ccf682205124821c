package otlp_test

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metricpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spanpb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/simulator"
	"github.com/flyballhq/flyball/telemetry"
	"github.com/flyballhq/flyball/telemetry/otlp"
)

// A collector takes what is exported.
type collector struct {
	url string

	mu      sync.Mutex
	spans   []*spanpb.Span
	metrics []string
	service string
	keys    []string // the Api-Key of each post
	busy    int      // so many posts are refused at first
}

func unpacked(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	packed, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(packed)
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.url = newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := unpacked(r)
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.keys = append(c.keys, r.Header.Get("Api-Key")); len(c.keys) <= c.busy {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		switch r.URL.Path {
		case "/v1/traces":
			var req tracepb.ExportTraceServiceRequest
			if err := proto.Unmarshal(text, &req); err != nil {
				t.Error(err)
			}
			for _, of := range req.ResourceSpans {
				for _, a := range of.Resource.Attributes {
					if a.Key == "service.name" {
						c.service = a.Value.GetStringValue()
					}
				}
				for _, scope := range of.ScopeSpans {
					c.spans = append(c.spans, scope.Spans...)
				}
			}
		case "/v1/metrics":
			var req metricpb.ExportMetricsServiceRequest
			if err := proto.Unmarshal(text, &req); err != nil {
				t.Error(err)
			}
			for _, of := range req.ResourceMetrics {
				for _, scope := range of.ScopeMetrics {
					for _, m := range scope.Metrics {
						c.metrics = append(c.metrics, m.Name)
					}
				}
			}
		}
	}))
	return c
}

func newServer(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func environment(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

// started is a transport that exports to c, in front of a simulated account
// that notes the headers it gets.
func started(t *testing.T, c *collector, faults ...simulator.Fault) (client *http.Client, seen func() []http.Header, end func()) {
	t.Helper()
	return startedWith(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.url}, faults...)
}

func startedWith(t *testing.T, vars map[string]string, faults ...simulator.Fault) (client *http.Client, seen func() []http.Header, end func()) {
	t.Helper()
	metrics := telemetry.New(telemetry.Options{})
	e, err := otlp.Start(otlp.Options{Metrics: metrics.Gatherer(), Env: environment(vars)})
	if err != nil || e == nil {
		t.Fatalf("Start = %v, %v", e, err)
	}
	sim := simulator.New(simulator.Options{Origin: "https://acme.zendesk.com", Latency: simulator.Fixed(0), Faults: faults})
	var mu sync.Mutex
	var headers []http.Header
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		mu.Lock()
		headers = append(headers, req.Header.Clone())
		mu.Unlock()
		return sim.RoundTripper().RoundTrip(req)
	})
	transport, err := flyball.New(flyball.Options{Account: "acme", Base: base, OnEvent: event.All(metrics.Sink(), e.Sink())})
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: e.Transport(transport)}, func() []http.Header {
			mu.Lock()
			defer mu.Unlock()
			return headers
		}, func() {
			transport.Close()
			if err := e.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func get(t *testing.T, client *http.Client, path string, header ...string) {
	t.Helper()
	req, _ := http.NewRequestWithContext(flyball.WithClient(t.Context(), "crm"), http.MethodGet, "https://acme.zendesk.com"+path, nil)
	req.Header.Set("Authorization", "Bearer hunter2Xq9vR7tLmP4zW8kD1")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestACallIsASpanBelowItsCallersAndSendsAreBelowIt(t *testing.T) {
	c := newCollector(t)
	client, _, end := started(t, c, simulator.Fault{Path: "/api/v2/tickets/7.json", Nth: []int{1}, Status: 503})
	get(t, client, "/api/v2/tickets/7.json?query=secret", "Traceparent", traceparent, "Tracestate", "vendor=1")
	end()
	call := find(t, c.spans, "GET /api/v2/tickets/{id}")
	if got := hex.EncodeToString(call.TraceId) + " " + hex.EncodeToString(call.ParentSpanId); got != "4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7" {
		t.Errorf("the call's span is in %s, want its caller's trace, below its caller's span", got)
	}
	var below []string
	for _, s := range c.spans {
		if string(s.ParentSpanId) == string(call.SpanId) {
			below = append(below, s.Name)
		}
	}
	slices.Sort(below)
	if got := fmt.Sprint(below); got != "[retry send send]" {
		t.Errorf("below the call are %s, want its two sends and the wait between them", got)
	}
	text := fmt.Sprint(c.spans)
	for _, want := range []string{"flyball.client", "crm", "http.response.body.size", "http.request.resend_count"} {
		if !strings.Contains(text, want) {
			t.Errorf("the spans lack %s", want)
		}
	}
	for _, secret := range []string{"hunter2", "query=secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("the spans hold %s", secret)
		}
	}
	if c.service != "flyball" {
		t.Errorf("the service is called %q", c.service)
	}
}

func find(t *testing.T, spans []*spanpb.Span, name string) *spanpb.Span {
	t.Helper()
	for _, s := range spans {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no span is called %q among %d", name, len(spans))
	return nil
}

func TestTraceContextPassesOnAsItCame(t *testing.T) {
	c := newCollector(t)
	client, seen, end := started(t, c)
	get(t, client, "/api/v2/users/1.json", "Traceparent", traceparent, "Tracestate", "a=1 ,b=2,", "Baggage", "x=y;z, q")
	get(t, client, "/api/v2/users/2.json")
	end()
	first, second := seen()[0], seen()[1]
	for name, want := range map[string]string{"Traceparent": traceparent, "Tracestate": "a=1 ,b=2,", "Baggage": "x=y;z, q"} {
		if got := first[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s reached the account as %q, want %q", name, got, want)
		}
		if got, ok := second[name]; ok {
			t.Errorf("%s: %q was added to a call without", name, got)
		}
	}
}

func TestTheMetricsAreExportedToo(t *testing.T) {
	c := newCollector(t)
	client, _, end := started(t, c)
	get(t, client, "/api/v2/users/1.json")
	end()
	for _, want := range []string{"flyball_calls_total", "flyball_sends_total", "flyball_hold_seconds"} {
		if !slices.Contains(c.metrics, want) {
			t.Errorf("%s was not exported, among %q", want, c.metrics)
		}
	}
}

func TestWithoutACollectorThereIsNothing(t *testing.T) {
	for name, vars := range map[string]map[string]string{
		"nothing is set":  {},
		"it is disabled":  {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
		"none is chosen":  {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
		"metrics have no": {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:1"},
	} {
		e, err := otlp.Start(otlp.Options{Env: func(name string) string { return vars[name] }})
		if e != nil || err != nil {
			t.Errorf("%s: Start = %v, %v, want nothing", name, e, err)
		}
		next := roundTripper(nil)
		if _, same := e.Transport(next).(roundTripper); !same || e.Sink() != nil {
			t.Errorf("%s: calls take another way", name)
		}
	}
}

func TestAnExporterThatFlyballLacksIsAnError(t *testing.T) {
	for name, vars := range map[string]map[string]string{
		"zipkin": {"OTEL_TRACES_EXPORTER": "zipkin"},
		"4318":   {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
	} {
		_, err := otlp.Start(otlp.Options{Env: func(name string) string { return vars[name] }})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Start = %v, want an error with %s", err, name)
		}
	}
}

func TestTheStandardVariablesHold(t *testing.T) {
	c := newCollector(t)
	c.busy = 1
	client, _, end := startedWith(t, map[string]string{
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": c.url + "/v1/traces", "OTEL_EXPORTER_OTLP_HEADERS": "other=x, api-key=a%20b",
		"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_SERVICE_NAME": "gate", "OTEL_METRICS_EXPORTER": "none",
	})
	get(t, client, "/api/v2/users/1.json")
	end()
	find(t, c.spans, "GET /api/v2/users/{id}")
	if len(c.keys) != 2 || c.keys[1] != "a b" {
		t.Errorf("posts with the keys %q, want the header in two: the first was refused with 503", c.keys)
	}
	if c.service != "gate" || len(c.metrics) != 0 {
		t.Errorf("service %q, metrics %q", c.service, c.metrics)
	}
}

func TestWrongVariablesAreNamed(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4318", "OTEL_EXPORTER_OTLP_HEADERS": "no pair", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon",
		"OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/such/file", "OTEL_METRIC_EXPORT_INTERVAL": "never",
	} {
		vars := map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "otlp", name: value}
		_, err := otlp.Start(otlp.Options{Metrics: telemetry.New(telemetry.Options{}).Gatherer(), Env: func(name string) string { return vars[name] }})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: Start = %v, want an error that names it", name, value, err)
		}
	}
}

func TestTheSamplerHeedsItsParentAndItsRatio(t *testing.T) {
	unsampled := traceparent[:len(traceparent)-1] + "0"
	for _, test := range []struct {
		sampler, arg, parent string
		least, most          int // of 200 calls
	}{
		{"", "", "", 200, 200},
		{"", "", unsampled, 0, 0},
		{"", "", "00-nonsense", 200, 200},
		{"always_off", "", traceparent, 0, 0},
		{"always_on", "", unsampled, 200, 200},
		{"parentbased_traceidratio", "0.5", "", 60, 140},
		{"parentbased_traceidratio", "0", traceparent, 200, 200},
	} {
		c := newCollector(t)
		client, _, end := startedWith(t, map[string]string{
			"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": c.url + "/v1/traces", "OTEL_TRACES_SAMPLER": test.sampler, "OTEL_TRACES_SAMPLER_ARG": test.arg,
		})
		for range 200 {
			if test.parent == "" {
				get(t, client, "/api/v2/users/1.json")
			} else {
				get(t, client, "/api/v2/users/1.json", "Traceparent", test.parent)
			}
		}
		end()
		calls := 0
		for _, s := range c.spans {
			if s.Name == "GET /api/v2/users/{id}" {
				calls++
			}
		}
		if calls < test.least || calls > test.most {
			t.Errorf("%s %s below %q: %d of 200 calls were sent, want %d to %d", test.sampler, test.arg, test.parent, calls, test.least, test.most)
		}
	}
}

// Who ends an exporter whose collector hangs has nothing left of it: no
// post goes on.
func TestAnEndedExporterLetsGoOfACollectorThatHangs(t *testing.T) {
	asked, left := make(chan struct{}, 1), make(chan struct{})
	url := newServer(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is the end of the connection seen
		asked <- struct{}{}
		<-r.Context().Done()
		close(left)
	}))
	e, err := otlp.Start(otlp.Options{Env: environment(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url})})
	if err != nil {
		t.Fatal(err)
	}
	next := roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
	})
	for range 512 { // a batch
		get(t, &http.Client{Transport: e.Transport(next)}, "/api/v2/tickets/1.json")
	}
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Close(ctx); err == nil {
		t.Error("spans that did not arrive were not told of")
	}
	select {
	case <-left:
	case <-time.After(3 * time.Second):
		t.Error("the post to the collector goes on after the exporter has ended")
	}
}
