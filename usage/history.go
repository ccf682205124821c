package usage

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// DefaultMaxBytes bounds the closed steps of a history.
const DefaultMaxBytes = 16 << 20

// Options tunes a [History]. The zero value is the recommended behaviour,
// without buckets: Snapshot says what is known of those.
type Options struct {
	// Snapshot returns the account's buckets now. [History.Run] calls it about
	// once a second; it must not block.
	Snapshot func() limit.Snapshot
	// MaxBytes bounds what is remembered of times past; the oldest goes when
	// it is full. Beside it, what is under way takes at most a few MiB.
	// Default 16 MiB.
	MaxBytes int
	// File, if set, is where the history is kept over a restart: read by
	// [New], written by [History.Run] once a minute and at its end. A damaged
	// one is set aside and said.
	File string
	// Account is the account's name in the file; another's is refused.
	Account string
	// Log takes a line when the file is damaged or cannot be written; nil
	// discards it.
	Log *slog.Logger
}

// A History is what is remembered of one account's use. Its methods may be
// called at once.
type History struct {
	snapshot func() limit.Snapshot
	maxBytes int
	file     string
	account  string
	log      *slog.Logger
	saving   sync.Mutex // one at a time writes the file
	began    time.Time
	shards   []shard
	line     line
	notes    notes

	mu        sync.Mutex // of what follows; no call's way takes it
	rings     [3]ring
	names     map[row]*name
	nameBytes int
	watched   map[limit.Key]*watched
}

// New returns a history: what its file holds, or an empty one that begins now.
// It fails when there is a file that cannot be read or is another account's.
func New(o Options) (*History, error) {
	h := &History{
		file: o.File, account: o.Account, log: o.Log,
		snapshot: o.Snapshot, maxBytes: cmp.Or(o.MaxBytes, DefaultMaxBytes), began: time.Now(),
		shards: make([]shard, max(4, 2*runtime.GOMAXPROCS(0))),
		rings: [...]ring{
			{every: 1, most: 600},
			{every: 60, most: 24 * 60},
			{every: 3600, most: 30 * 24},
		},
		names: make(map[row]*name), watched: make(map[limit.Key]*watched),
	}
	h.line.init()
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.file == "" {
		return h, nil
	}
	return h, h.load()
}

// Run gathers what [History.Take] has counted and looks at the buckets, once a
// second and just before a window ends, until ctx does. It keeps the file.
func (h *History) Run(ctx context.Context) {
	var keeping sync.WaitGroup
	keeping.Go(func() { h.keep(ctx) })
	defer keeping.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(h.look(time.Now()))
	}
}

// keep writes the file, now and then and at the end.
func (h *History) keep(ctx context.Context) {
	if h.file == "" {
		return
	}
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-tick.C:
		}
		if err := h.Save(); err != nil {
			h.log.Warn("the history of use is not saved; it is tried again in a minute", "error", err.Error())
		}
	}
}

// look brings the history up to now, and returns how long to wait until it is
// worth doing again.
func (h *History) look(now time.Time) time.Duration {
	var snap limit.Snapshot
	if h.snapshot != nil {
		snap = h.snapshot()
	}
	h.notes.prune(now)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gather(now.Unix())
	next := now.Truncate(time.Second).Add(time.Second)
	if end := h.sample(now, &snap); end.After(now.Add(lastLook)) && end.Before(next) {
		next = end
	}
	return max(next.Sub(now), time.Millisecond)
}

// A Range is a part of a history, cut into steps of equal length.
type Range struct {
	From  time.Time // the beginning of the first step
	Step  time.Duration
	Steps int
	// Since is when what is remembered at this resolution begins; steps before
	// it hold nothing.
	Since time.Time
}

// To is the end of the last step, which is under way.
func (r Range) To() time.Time { return r.From.Add(time.Duration(r.Steps) * r.Step) }

// MaxSteps bounds the steps of a [Range].
const MaxSteps = 1500

// Range returns the last window of the history in steps, ending with the step
// that now is in. It fails when nothing is remembered that far back so finely.
func (h *History) Range(now time.Time, window, every time.Duration) (Range, error) {
	switch {
	case every < time.Second || every%time.Second != 0:
		return Range{}, fmt.Errorf("step %s is not a whole number of seconds", every)
	case window < every || window > 30*24*time.Hour:
		return Range{}, fmt.Errorf("window %s is not between the step, %s, and 30d", window, every)
	case (window+every-1)/every > MaxSteps:
		return Range{}, fmt.Errorf("window %s in steps of %s is more than %d steps; take longer steps", window, every, MaxSteps)
	}
	step := int64(every / time.Second)
	last := now.Unix() - mod(now.Unix(), step)
	steps := int((window + every - 1) / every)
	r := Range{From: time.Unix(last-int64(steps-1)*step, 0), Step: every, Steps: steps}
	h.mu.Lock()
	defer h.mu.Unlock()
	ring, err := h.ringFor(now, r)
	if err != nil {
		return Range{}, err
	}
	r.Since = h.began.Truncate(time.Duration(ring.every) * time.Second)
	if len(ring.steps) > 0 {
		if first := time.Unix(ring.steps[0].start, 0); first.Before(r.Since) || ring.dropped {
			r.Since = first
		}
	} else if ring.now != nil && time.Unix(ring.now.start, 0).Before(r.Since) {
		r.Since = time.Unix(ring.now.start, 0)
	}
	return r, nil
}

// ringFor returns the finest ring that reaches back to the range's beginning.
func (h *History) ringFor(now time.Time, r Range) (*ring, error) {
	step := int64(r.Step / time.Second)
	for i := range h.rings {
		ring := &h.rings[i]
		reach := now.Unix() - int64(ring.most)*ring.every
		if step%ring.every == 0 && r.From.Unix() >= reach-step {
			return ring, nil
		}
	}
	return nil, fmt.Errorf("steps of %s are not remembered for so long: by second for 10m, by minute for 24h, by hour for 30d", r.Step)
}

// Each visits all figures of a range that [History.Range] has returned, in
// order of time: which step they belong to, whom they are about. A name may
// come several times in one step; f is valid during the visit.
func (h *History) Each(r Range, visit func(step int, kind Kind, name string, f *Figures)) error {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gather(now.Unix() + 1)
	ring, err := h.ringFor(now, r)
	if err != nil {
		return err
	}
	from, every := r.From.Unix(), int64(r.Step/time.Second)
	index := func(start int64) int { return int((start - from) / every) }
	i, _ := slices.BinarySearchFunc(ring.steps, from, func(s step, from int64) int { return cmp.Compare(s.start, from) })
	for ; i < len(ring.steps); i++ {
		s := &ring.steps[i]
		at := index(s.start)
		if at >= r.Steps {
			break
		}
		if err := s.each(func(k row, f *Figures) { visit(at, k.kind, k.name, f) }); err != nil {
			return fmt.Errorf("usage: step %s: %w", time.Unix(s.start, 0).UTC().Format(time.RFC3339), err)
		}
	}
	if o := ring.now; o != nil && o.start >= from && index(o.start) < r.Steps {
		for k, f := range o.rows {
			visit(index(o.start), k.kind, k.name, f)
		}
	}
	return nil
}

// Bytes returns how much the closed steps take.
func (h *History) Bytes() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bytes()
}

func sorted(all []*second) []*second {
	slices.SortFunc(all, func(a, b *second) int { return cmp.Compare(a.at, b.at) })
	return all
}
