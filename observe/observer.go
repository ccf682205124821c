package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/batch"
	"github.com/flyballhq/flyball/elide"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// DefaultMost is the most trials under way at once, unless [Options] say
// otherwise: what governing holds at most, and some on their way.
const DefaultMost = 12_000

// Options says whom to watch, and what governing would be. Base is required.
type Options struct {
	// Base sends the requests.
	Base http.RoundTripper
	// Govern is what would govern them; its Base and OnEvent are not used.
	// Most answers that it keeps have no body, so its Cache.Store should be one
	// of its own, in memory.
	Govern flyball.Options
	// Most bounds the trials under way; calls beyond are passed on and counted
	// as not observed. Default 12,000.
	Most int
	// OnEvent is told what really happens: each send, and what the account
	// refused. It must not block.
	OnEvent event.Sink
}

// An Observer is an [http.RoundTripper] that watches. It may be used by many
// goroutines at once.
type Observer struct {
	base     http.RoundTripper
	governed *flyball.Transport
	provider *zendesk.Provider
	ledger   *ledger
	sink     event.Sink
	most     int64

	passed Passed // what was really met; under mu
	tally  Tally
	mu     sync.Mutex
	began  time.Time

	trials sync.WaitGroup
	ctx    context.Context // of all trials
	cancel context.CancelFunc
	underway,
	unobserved atomic.Int64
	ids     atomic.Uint64
	records sync.Map // of *record by the RemoteAddr of its trial's request
	live    register // of the same
	jobs    jobs     // that are made up
	room    purse    // for bodies
	elides  bool     // whether governing would leave out writes
}

// New returns an observer. Close it when it is done with.
func New(o Options) (*Observer, error) {
	if o.Base == nil {
		return nil, errors.New("observe.Base: missing; give the transport that sends, such as gateway.Base")
	}
	plan, err := zendesk.ParsePlan(o.Govern.Plan)
	if err != nil {
		return nil, fmt.Errorf("observe.Govern: Plan: %w", err)
	}
	obs := &Observer{base: o.Base, provider: zendesk.New(plan), sink: o.OnEvent, most: int64(o.Most), began: time.Now()}
	if obs.most <= 0 {
		obs.most = DefaultMost
	}
	obs.elides = o.Govern.Elide.Within > 0
	obs.room.left.Store(roomForBodies)
	obs.ledger = newLedger(obs.provider, o.Govern.Account, o.Govern.Window)
	obs.ctx, obs.cancel = context.WithCancel(context.Background())
	o.Govern.Base, o.Govern.OnEvent = stage{obs}, obs.tally.Take
	if obs.governed, err = flyball.New(o.Govern); err != nil {
		obs.cancel()
		return nil, err
	}
	return obs, nil
}

// Governed is the transport that trials go through, for who changes what
// governing would be while it runs. It sends nothing.
func (o *Observer) Governed() *flyball.Transport { return o.governed }

// Snapshot describes the account's buckets as the real answers tell.
func (o *Observer) Snapshot() limit.Snapshot {
	s := o.ledger.snapshot()
	o.mu.Lock()
	s.Sends = int(o.passed.Sends)
	o.mu.Unlock()
	return s
}

// Close ends all trials. Real calls under way end by themselves.
func (o *Observer) Close() error {
	o.cancel()
	err := o.governed.Close()
	o.trials.Wait()
	return err
}

// CloseIdleConnections closes the base's idle connections.
func (o *Observer) CloseIdleConnections() {
	if base, ok := o.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// RoundTrip sends req as it is, and tries beside it what governing would do.
func (o *Observer) RoundTrip(req *http.Request) (*http.Response, error) {
	call := o.call(req)
	rec := o.record(req, call)
	out := o.try(req, rec)
	sent := o.ledger.sends(call.Arrived, &call.Route)
	o.sink.Emit(event.Event{Kind: event.Admitted, At: call.Arrived, Call: call})
	panicked := true
	defer func() {
		if panicked { // it passes; the trial must not wait for an answer
			o.ledger.lost(time.Now(), sent)
			rec.sent(errPanicked)
			rec.fail(errPanicked, time.Since(call.Arrived), false)
		}
	}()
	resp, err := o.base.RoundTrip(out)
	panicked = false
	now := time.Now()
	rec.sent(err)
	took := now.Sub(call.Arrived)
	call.Sends, call.Upstream = 1, took
	if err != nil {
		o.ledger.lost(now, sent)
		o.lost(now, call, err, req.Context().Err() != nil)
		rec.fail(err, took, req.Context().Err() != nil)
		return nil, err
	}
	answer := o.provider.Read(&call.Route, resp.StatusCode, resp.Header)
	refused := o.answered(now, call, sent, resp, &answer)
	if ask, _ := req.Context().Value(askKey{}).(Ask); ask.Receipt != nil {
		fill(ask.Receipt, call, &answer)
	}
	rec.answer(resp, &answer, refused, took)
	return resp, nil
}

var errPanicked = errors.New("the base transport panicked")

// call describes what really goes out.
func (o *Observer) call(req *http.Request) *limit.Call {
	call := &limit.Call{Arrived: time.Now(), Route: o.provider.Route(req)}
	if call.Route.Heavy {
		call.Class = limit.Bulk
	}
	if ask, ok := req.Context().Value(askKey{}).(Ask); ok {
		call.Client = ask.Client
		if ask.HasClass {
			call.Class, call.Labelled = ask.Class, true
		}
	}
	call.As = call.Class
	return call
}

// record begins the record of a call; nil when too many trials are under way.
func (o *Observer) record(req *http.Request, call *limit.Call) *record {
	if o.underway.Add(1) > o.most || o.ctx.Err() != nil {
		o.underway.Add(-1)
		o.unobserved.Add(1)
		return nil
	}
	r := &record{
		id: strconv.FormatUint(o.ids.Add(1), 10), done: make(chan struct{}),
		method: req.Method, path: req.URL.Path, query: req.URL.RawQuery, began: call.Arrived, route: call.Route,
	}
	if r.read, r.object = o.provider.SingleRead(req); r.read == nil {
		r.write, r.object = o.provider.SingleWrite(req)
	}
	compared := o.elides && o.provider.Compares(req) != nil
	r.said.purse = &o.room
	switch {
	case call.Route.Job != limit.NoJob:
		r.said.most = longBody
	case compared:
		r.said.most = elide.LongestBody
	}
	if most := o.longest(req, r.write != nil, compared); most > 0 {
		r.asked = newTee(req, &keep{purse: &o.room, most: most})
	}
	return r
}

// longest is how long a request's body may be for the trial to need it: no
// longer than what is merged, or left out. 0 needs none.
func (o *Observer) longest(req *http.Request, merges, compared bool) int {
	switch {
	case req.Body == nil || req.Body == http.NoBody || len(req.Trailer) > 0:
		return 0
	case compared && req.ContentLength > 0:
		return elide.LongestBody
	case merges || compared:
		return batch.LongestItem
	}
	return 0
}

// try begins the trial of a request, and returns the request to be sent in its
// place: the same, but that the trial learns of its body as it is read.
func (o *Observer) try(req *http.Request, rec *record) *http.Request {
	if rec == nil {
		return req
	}
	u := *req.URL
	trial := &http.Request{
		Method: req.Method, URL: &u, Host: req.Host, Header: req.Header.Clone(), Trailer: req.Trailer.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: rec.id,
	}
	stop := func() bool { return false }
	if t := rec.asked; t != nil {
		trial.Body = &trialBody{ctx: o.ctx, tee: t, had: func(text []byte) { o.enter(rec, text) }}
		trial.ContentLength = t.declared()
		stop = context.AfterFunc(req.Context(), t.abandon)
	}
	o.records.Store(rec.id, rec)
	o.enter(rec, nil)
	values := req.Context()
	o.trials.Go(func() {
		defer stop()
		o.run(trial.WithContext(&trialContext{o.ctx, values}), rec)
	})
	if rec.asked != nil {
		return rec.asked.on(req)
	}
	return req
}

// run takes one call through the governed transport.
func (o *Observer) run(req *http.Request, rec *record) {
	defer o.underway.Add(-1)
	defer rec.letGo()
	defer o.live.leave(rec)
	defer o.records.Delete(rec.id)
	defer func() {
		if p := recover(); p != nil {
			o.unobserved.Add(1) // a fault of a trial is nobody's on the wire
		}
	}()
	resp, err := o.governed.RoundTrip(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // as its caller would
}

// An Ask is what was asked for with a call.
type Ask struct {
	Client   string // who calls
	Class    limit.Class
	HasClass bool
	// Receipt, if set, is filled with what the call really cost.
	Receipt *limit.Receipt
}

type askKey struct{}

// With returns a context whose call was asked for so. What the governed
// transport is to know of it, such as flyball.WithMaxWait, is put into ctx
// besides; no flyball.WithReceipt, though: a trial fills none.
func With(ctx context.Context, ask Ask) context.Context {
	return context.WithValue(ctx, askKey{}, ask)
}

// A trialContext has the values of the call's own context and ends with the
// observer: a client that was answered at once has left long before.
type trialContext struct {
	context.Context
	values context.Context
}

func (c *trialContext) Value(key any) any {
	if own := c.Context.Value(key); own != nil {
		return own // the standard library asks for its own contexts so
	}
	return c.values.Value(key)
}
