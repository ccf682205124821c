package flyball

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flyballhq/flyball/admission"
	"github.com/flyballhq/flyball/batch"
	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/elide"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/retry"
	"github.com/flyballhq/flyball/zendesk"
)

// A Transport is an [http.RoundTripper] that governs the calls to one account.
// It may be used by many goroutines at once. Make one with [New] and share it.
type Transport struct {
	host       string
	provider   limit.Provider
	controller *admission.Controller
	cache      *cache.Cache
	base       http.RoundTripper
	merger     *batch.Merger
	governed   http.RoundTripper
	hits       hitter // nil where nothing is kept
	ownsBase   bool
	tally      tally
	sink       event.Sink // the program's own, nil without one
}

// New returns a transport for one account. Close it when it is done with.
func New(o Options) (*Transport, error) {
	account, plan, err := o.resolve()
	if err != nil {
		return nil, err
	}
	t := &Transport{host: hostOf(account), provider: zendesk.New(plan), base: o.Base, sink: o.OnEvent}
	if t.base == nil {
		t.base, t.ownsBase = defaultBase()
	}
	if err := o.Cache.Check(t.provider); err != nil {
		return nil, fmt.Errorf("flyball.Options: Cache: %w", err)
	}
	if err := o.Elide.Check(t.provider); err != nil {
		return nil, fmt.Errorf("flyball.Options: Elide: %w", err)
	}
	sink := t.tally.before(o.OnEvent)
	t.controller = admission.New(admission.Options{
		Provider:   t.provider,
		Budget:     budget.Options{Name: account.Host, Window: o.Window, Regulation: o.Regulation},
		MaxWaiting: o.MaxWaiting,
		Quotas:     o.Quotas,
		Sink:       sink,
	})
	if t.merger, err = o.Batch.merger(t.provider, sink); err != nil {
		return nil, err
	}
	t.cache = cache.New(o.Cache, cache.Seams{Account: t.host, Provider: t.provider, Standing: t.controller.Standing, Sink: sink})
	t.governed = stack(t.base,
		t.cache.Layer(),
		elide.New(o.Elide, elide.Seams{Provider: t.provider, Standing: t.controller.Standing, Sink: sink}),
		t.merger.Layer(),
		retry.New(retry.Options{Provider: t.provider, Sink: sink, Retries: o.Retries, BodyMemory: o.BodyMemory}),
		t.controller.Layer(),
	)
	if o.Cache.Static || len(o.Cache.Rules) > 0 {
		t.hits, _ = t.governed.(hitter)
	}
	return t, nil
}

// A layer adds one concern to a transport.
type layer = func(next http.RoundTripper) http.RoundTripper

// stack wraps base so that the first layer sees each request first. Merging
// stands above retry, so that what many wait for is sent again once; retry
// stands above admission: each try is admitted and charged anew.
func stack(base http.RoundTripper, layers ...layer) http.RoundTripper {
	for _, wrap := range slices.Backward(layers) {
		base = wrap(base)
	}
	return base
}

// defaultBase is a copy of the program's default transport or, where the
// program has put something else in its place, that.
func defaultBase() (base http.RoundTripper, owned bool) {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport, false
	}
	own := standard.Clone()
	own.MaxIdleConnsPerHost = 64
	return own, true
}

// RoundTrip makes one call. It holds the request for as long as the limits
// demand and the context allows, and sends it again when Zendesk refused it
// or a fault can be repaired without harm.
//
// It fails with a [*WaitError] when the call would have to wait longer than
// it may, with the context's error, or with the base transport's. A 429 is
// returned only when the wait that Zendesk asks for does not fit; it is
// Zendesk's own answer, whole. The answer carries a Server-Timing header that
// says how long the call was held and for what.
func (t *Transport) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	if req.URL == nil || hostOf(req.URL) != t.host {
		return t.base.RoundTrip(req)
	}
	call := t.call(req.Context(), req)
	err = errPanicked
	defer func() { t.done(req.Context(), call, resp, err) }()
	return t.govern(req, call)
}

// errPanicked is what becomes of a call when the base transport panics. The
// panic passes, and the call is told of as any other.
var errPanicked = errors.New("the transport panicked")

func (t *Transport) govern(req *http.Request, call *limit.Call) (*http.Response, error) {
	ctx := t.controller.Begin(req.Context(), call)
	if req.Body != nil && req.Body != http.NoBody && !t.merger.Takes(req, call) {
		if err := t.controller.Check(ctx, call); err != nil {
			req.Body.Close()
			return nil, err
		}
	}
	resp, err := t.governed.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if resp.Header == nil {
		resp.Header = http.Header{}
	}
	resp.Header["Server-Timing"] = append(resp.Header["Server-Timing"], serverTiming(call))
	return resp, nil
}

// done tells that a call has ended: the program's sink, and the caller that
// asked for a receipt.
func (t *Transport) done(ctx context.Context, call *limit.Call, resp *http.Response, err error) {
	wish := wishesIn(ctx)
	receipt := wish != nil && wish.Receipt != nil
	if t.sink == nil && !receipt {
		return
	}
	if call.Detached() {
		call = call.Apart()
	}
	if receipt {
		*wish.Receipt = t.receipt(call, resp)
	}
	if t.sink == nil {
		return
	}
	now := time.Now()
	e := event.Event{Kind: event.Done, At: now, Call: call, Took: now.Sub(call.Arrived), Err: err, Left: err != nil && ctx.Err() != nil}
	if resp != nil {
		e.Status = resp.StatusCode
	}
	t.sink(e)
}

func (t *Transport) call(ctx context.Context, req *http.Request) *limit.Call {
	call := &limit.Call{Arrived: time.Now(), Route: t.provider.Route(req)}
	if call.Route.Heavy {
		call.Class = limit.Bulk
	}
	if wish := wishesIn(ctx); wish != nil {
		call.Client, call.Weight, call.Batch, call.Stays = wish.Client, wish.Weight, wish.Batch, wish.Stays
		if wish.HasClass {
			call.Class, call.Labelled = wish.Class, true
		}
		if wish.HasWait {
			call.NoWait = wish.MaxWait <= 0
			call.Deadline = call.Arrived.Add(max(0, wish.MaxWait))
		}
	}
	return call
}

// Regulate puts another regulation in force, and other quotas by client, whole:
// a client that is not in quotas has no bound any more. It may be called at
// once with calls and takes effect for the next decision. Calls that are held
// keep their places and are served under the new rules at once; what a bound
// has counted in its present minute stays counted when its figure changes. A
// value that makes no sense is an error, and the old rules stay.
func (t *Transport) Regulate(r Regulation, quotas map[string]Quota) error {
	if err := t.controller.Regulate(r, quotas); err != nil {
		return fmt.Errorf("flyball: regulate %s: %w", t.host, err)
	}
	return nil
}

// Snapshot describes every bucket of the account now, and what was saved.
func (t *Transport) Snapshot() limit.Snapshot {
	snap := t.controller.Snapshot()
	t.tally.addTo(&snap)
	return snap
}

// Close refuses the calls that are held and all later ones, and closes the
// idle connections of a base that [New] made. Calls under way end by
// themselves.
func (t *Transport) Close() error {
	t.controller.Close()
	t.cache.Close()
	if t.ownsBase {
		t.CloseIdleConnections()
	}
	return nil
}

// CloseIdleConnections closes the base's idle connections.
func (t *Transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// hostOf is the host and port in a form to compare by.
func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" || port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http" {
		return strings.ToLower(u.Hostname())
	}
	return strings.ToLower(u.Host)
}
