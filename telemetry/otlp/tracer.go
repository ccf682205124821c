package otlp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// Spans are sent in batches: the specification's own figures.
const (
	maxQueue = 2048
	maxBatch = 512
	delay    = 5 * time.Second
)

const scopeName = "github.com/flyballhq/flyball/telemetry"

// A tracer sends spans on one goroutine of its own. What does not fit into its
// queue is lost, and told.
type tracer struct {
	client   *client
	about    *resourcepb.Resource
	sample   sampler
	complain func(error)

	mu      sync.Mutex
	waiting []*tracepb.Span
	lost    int
	full    chan struct{} // a batch is ready
	stop    chan struct{}
	posting context.Context // of the goroutine's posts
	abandon context.CancelFunc
	ended   chan struct{}
}

func newTracer(env func(string) string, about *resourcepb.Resource, complain func(error)) (*tracer, error) {
	t := &tracer{about: about, complain: complain, full: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{})}
	var errClient, errSampler error
	t.client, errClient = newClient(env, "TRACES")
	t.sample, errSampler = newSampler(env)
	if err := errors.Join(errClient, errSampler); err != nil {
		return nil, fmt.Errorf("start the export of traces: %w", err)
	}
	t.posting, t.abandon = context.WithCancel(context.Background())
	go t.run()
	return t, nil
}

// send queues a span that has ended.
func (t *tracer) send(s *tracepb.Span) {
	t.mu.Lock()
	if len(t.waiting) < maxQueue {
		t.waiting = append(t.waiting, s)
	} else {
		t.lost++
	}
	ready := len(t.waiting) >= maxBatch
	t.mu.Unlock()
	if ready {
		select {
		case t.full <- struct{}{}:
		default:
		}
	}
}

func (t *tracer) run() {
	defer close(t.ended)
	tick := time.NewTicker(delay)
	defer tick.Stop()
	for {
		select {
		case <-t.stop:
			return
		case <-tick.C:
		case <-t.full:
		}
		if err := t.flush(t.posting); err != nil {
			t.complain(err)
		}
	}
}

// flush sends what is waiting, batch by batch.
func (t *tracer) flush(ctx context.Context) error {
	for {
		t.mu.Lock()
		n := min(len(t.waiting), maxBatch)
		batch := t.waiting[:n:n]
		t.waiting = t.waiting[n:]
		lost := t.lost
		t.lost = 0
		t.mu.Unlock()
		if lost > 0 {
			t.complain(fmt.Errorf("%d spans were lost: the collector takes them too slowly", lost))
		}
		if n == 0 {
			return nil
		}
		// The message is that of the collector's service, under the name that
		// needs no gRPC.
		err := t.client.post(ctx, &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
			Resource: t.about, ScopeSpans: []*tracepb.ScopeSpans{{Scope: &commonpb.InstrumentationScope{Name: scopeName}, Spans: batch}},
		}}})
		if err != nil {
			return fmt.Errorf("%d spans were lost: %w", n, err)
		}
	}
}

// shutdown sends what is waiting and ends the goroutine, at once when ctx ends.
func (t *tracer) shutdown(ctx context.Context) error {
	defer t.client.http.CloseIdleConnections()
	defer t.abandon()
	close(t.stop)
	select {
	case <-t.ended:
	case <-ctx.Done():
		t.abandon()
		<-t.ended
		return ctx.Err()
	}
	return t.flush(ctx)
}
