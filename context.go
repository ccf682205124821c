package flyball

import (
	"context"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/limit"
)

// A Class says how urgent a call is; the zero value is [Normal].
type Class = limit.Class

// The classes of call.
const (
	Normal      = limit.Normal      // what nobody labelled
	Interactive = limit.Interactive // a person is waiting
	Bulk        = limit.Bulk        // an export, a sync, a backfill
)

// A WaitError says that a call was not sent because it would have had to wait
// longer than it may. Find it with [errors.As].
type WaitError = limit.WaitError

// A Snapshot is an account's buckets at one instant.
type Snapshot = limit.Snapshot

// A Regulation is what is held back beside what the server's limits demand.
type Regulation = budget.Regulation

// A Quota bounds one client.
type Quota = budget.Quota

// Wishes are what a call asks for beside its request. The zero value asks for
// nothing.
type Wishes struct {
	Client   string  // see [WithClient]
	Weight   float64 // see [WithWeight]
	Class    Class   // valid with HasClass; see [WithClass]
	HasClass bool
	MaxWait  time.Duration // valid with HasWait; see [WithMaxWait]
	HasWait  bool
	Batch    bool     // see [WithBatch]
	Stays    bool     // see [WithStay]
	Receipt  *Receipt // nil for none; see [WithReceipt]
}

type wishKey struct{}

// A wished is a context with a wish, in one piece of memory.
type wished struct {
	context.Context
	wishes Wishes
}

func (w *wished) Value(key any) any {
	if key == (wishKey{}) {
		return &w.wishes
	}
	return w.Context.Value(key)
}

func wishesIn(ctx context.Context) *Wishes {
	w, _ := ctx.Value(wishKey{}).(*Wishes)
	return w
}

// WithWishes returns a context with these wishes and none that ctx had.
func WithWishes(ctx context.Context, wishes Wishes) context.Context {
	if outer, ok := ctx.(*wished); ok {
		ctx = outer.Context
	}
	return &wished{ctx, wishes}
}

func with(ctx context.Context, change func(*Wishes)) context.Context {
	var w Wishes
	if have := wishesIn(ctx); have != nil {
		w = *have
	}
	change(&w)
	return WithWishes(ctx, w)
}

// WithClass returns a context whose calls are of class: interactive calls go
// before normal ones, and these before bulk. Without it calls are normal, and
// bulk on routes known to be heavy.
func WithClass(ctx context.Context, class Class) context.Context {
	return with(ctx, func(w *Wishes) { w.Class, w.HasClass = class, true })
}

// WithWeight returns a context whose client gets weight times the share of one
// with weight 1 while calls wait; 0 or less means 1.
func WithWeight(ctx context.Context, weight float64) context.Context {
	return with(ctx, func(w *Wishes) { w.Weight = weight })
}

// WithClient returns a context whose calls are made by client, a name of your
// choice. Clients share the account fairly; calls without a name belong to
// their credential.
func WithClient(ctx context.Context, client string) context.Context {
	return with(ctx, func(w *Wishes) { w.Client = client })
}

// WithMaxWait returns a context whose calls give up after d: holds and
// retries together. 0 or less means that a call which would have to wait at
// all fails at once. The context's own deadline holds besides.
func WithMaxWait(ctx context.Context, d time.Duration) context.Context {
	return with(ctx, func(w *Wishes) { w.MaxWait, w.HasWait = d, true })
}

// WithBatch returns a context whose calls may be merged with others of the
// same credential: single reads of tickets, users and organizations into one
// show_many, single writes into one background job. What a merged write cannot
// answer is said in docs/guide/library.md.
func WithBatch(ctx context.Context) context.Context {
	return with(ctx, func(w *Wishes) { w.Batch = true })
}

// WithStay returns a context whose calls need not return as soon as it ends: a
// send that other calls have joined by then is waited for. A server's handler
// can wait so, and spares the call a goroutine.
func WithStay(ctx context.Context) context.Context {
	return with(ctx, func(w *Wishes) { w.Stays = true })
}
