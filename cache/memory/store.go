package memory

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/flyballhq/flyball/cache"
)

// DefaultSize is how many bytes a store holds unless told otherwise.
const DefaultSize = 64 << 20

// Options tunes a [Store].
type Options struct {
	// Size is the most bytes of entries held, keys, headers, tags and the
	// store's own records included; 0 means [DefaultSize].
	Size int64
}

// A Store is a [cache.Store] in memory. Its methods may be called by many
// goroutines at once and do not block. It starts one goroutine, which
// [Store.Close] ends.
type Store struct {
	entries *otter.Cache[string, *cache.Entry]
	tagged  index
	size    int64
	closed  atomic.Bool
}

var errClosed = errors.New("the cache in memory is closed; it can be used no more")

// New returns an empty store. Close it when it is done with.
func New(o Options) (*Store, error) {
	if o.Size < 0 {
		return nil, fmt.Errorf("memory.Options: Size: %d is negative; 0 means %d", o.Size, int64(DefaultSize))
	}
	s := &Store{size: o.Size, tagged: index{of: map[string]map[*cache.Entry]int{}}}
	if s.size == 0 {
		s.size = DefaultSize
	}
	entries, err := otter.New(&otter.Options[string, *cache.Entry]{
		MaximumWeight:    uint64(s.size),
		Weigher:          weigh,
		ExpiryCalculator: otter.ExpiryWritingFunc(keep),
		OnAtomicDeletion: func(e otter.DeletionEvent[string, *cache.Entry]) { s.tagged.remove(e.Value) },
		// The bound holds when Put returns, and nothing runs after Close.
		Executor: func(task func()) { task() },
	})
	if err != nil {
		return nil, fmt.Errorf("make the cache in memory: %w", err)
	}
	s.entries = entries
	return s, nil
}

// weigh is an entry's size and that of its places in the index.
func weigh(_ string, e *cache.Entry) uint32 {
	return uint32(min(e.Size()+int64(len(e.Tags))*placeSize, math.MaxUint32))
}

func keep(e otter.Entry[string, *cache.Entry]) time.Duration {
	return max(1, time.Until(e.Value.Until))
}

// Get returns the entry with the key, or nil. It fails only once the store is
// closed.
func (s *Store) Get(key string) (*cache.Entry, error) {
	if s.closed.Load() {
		return nil, errClosed
	}
	e, _ := s.entries.GetIfPresent(key)
	return e, nil
}

// Put keeps the entry, unless it is past its time or takes more than an eighth
// of the store: one answer is not worth all the others.
func (s *Store) Put(e *cache.Entry) error {
	if s.closed.Load() {
		return errClosed
	}
	if int64(weigh(e.Key, e)) > s.size/8 || !time.Now().Before(e.Until) {
		s.entries.Invalidate(e.Key)
		return nil
	}
	// The index comes first: an entry that can be got can be dropped.
	s.tagged.add(e)
	s.entries.Set(e.Key, e)
	return nil
}

// Drop forgets every entry that carries any of the tags.
func (s *Store) Drop(tags ...string) error {
	if s.closed.Load() {
		return errClosed
	}
	for _, tag := range tags {
		for _, e := range s.tagged.with(tag) {
			s.entries.ComputeIfPresent(e.Key, func(now *cache.Entry) (*cache.Entry, otter.ComputeOp) {
				if now != e {
					return now, otter.CancelOp
				}
				return nil, otter.InvalidateOp
			})
		}
	}
	return nil
}

// Bytes is how many bytes the entries held take, about; never more than
// [Options.Size].
func (s *Store) Bytes() int64 { return int64(s.entries.WeightedSize()) }

// Close forgets everything and ends the store's goroutine.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return errClosed
	}
	s.entries.StopAllGoroutines()
	s.entries.InvalidateAll()
	return nil
}
