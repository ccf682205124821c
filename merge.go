package flyball

import (
	"fmt"
	"time"

	"github.com/flyballhq/flyball/batch"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// Batch tunes how calls are merged. Its zero value merges only the calls that
// allow it (see [WithBatch]).
type Batch struct {
	// Routes lists the kinds of call that are merged unasked, such as
	// "GET /api/v2/tickets/{id}"; one that ends in * means all that begin so.
	Routes []string
	// ReadWindow is the longest that a read which finds another on the way
	// waits for more, while no limit holds it back; default 5 ms, negative
	// not at all, at most a second. A call that finds none never waits.
	ReadWindow time.Duration
	// WriteWindow is the same for writes; default 20 ms.
	WriteWindow time.Duration
}

// An UncertainError says that a write became part of a background job, and
// that it is not known what came of it: it may have been done. It is not sent
// again, for it would then perhaps be done twice.
type UncertainError = batch.UncertainError

func (b Batch) merger(provider limit.Provider, sink event.Sink) (*batch.Merger, error) {
	merger, err := batch.New(batch.Options{
		Provider: provider, Sink: sink,
		Routes: b.Routes, ReadWindow: b.ReadWindow, WriteWindow: b.WriteWindow,
	})
	if err != nil {
		return nil, fmt.Errorf("flyball.Options: Batch: %w", err)
	}
	return merger, nil
}
