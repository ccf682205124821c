package memory_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/cachetest"
	"github.com/flyballhq/flyball/cache/memory"
)

func open(t *testing.T, size int64) cache.Store { return opened(t, size) }

func opened(t *testing.T, size int64) *memory.Store {
	t.Helper()
	s, err := memory.New(memory.Options{Size: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore(t *testing.T) { cachetest.Run(t, open) }

func TestASizeBelowZeroIsAnError(t *testing.T) {
	if _, err := memory.New(memory.Options{Size: -1}); err == nil || !strings.Contains(err.Error(), "Size") {
		t.Errorf("got %v, want an error that names Size", err)
	}
}

func TestCloseEndsTheGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := memory.New(memory.Options{})
		_ = s.Put(cachetest.Entry(cachetest.Key(1), 100))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}) // a bubble with a goroutine left in it never ends
}

// naive keeps answers in a map, each under its key and its tags.
type naive struct {
	mu     sync.Mutex
	of     map[string]*cache.Entry
	tagged map[string][]string
	bytes  int64
}

func (n *naive) Put(e *cache.Entry) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of[e.Key] = e
	n.bytes += e.Size()
	for _, tag := range e.Tags {
		n.tagged[tag] = append(n.tagged[tag], e.Key)
		n.bytes += int64(len(tag) + 32)
	}
	return nil
}

// Behaviour E6: a cache's memory is bounded by bytes, its index included.
func TestMemoryIsBoundedByBytes(t *testing.T) {
	const size = 1 << 20
	// Every answer has a tag of its own, and half of them replace another.
	fill := func(put func(*cache.Entry) error) {
		for n := range 20_000 {
			_ = put(cachetest.Entry(cachetest.Key(n/2), 300, fmt.Sprint("tickets/", n), "tickets"))
		}
	}
	s := opened(t, size)
	fill(s.Put)
	places, perEntry := s.Tagged()
	if s.Bytes() > size || perEntry != 2 {
		t.Errorf("%d bytes held, %d places under tags, %.1f for each entry; want at most %d bytes and 2 each", s.Bytes(), places, perEntry, size)
	}
	before := heap()
	held := opened(t, size)
	fill(held.Put)
	if grown := heap() - before; grown > 2*size {
		t.Errorf("the heap grew by %d bytes for a store of %d", grown, size)
	}
	runtime.KeepAlive(held)

	twin := &naive{of: map[string]*cache.Entry{}, tagged: map[string][]string{}}
	fill(twin.Put)
	if twin.bytes <= size {
		t.Error("the twin without a bound passes: the check is blind")
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestWhatExpiresLeavesTheIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, 0)
		for n := range 100 {
			e := cachetest.Entry(cachetest.Key(n), 300, fmt.Sprint("tickets/", n))
			e.Until = time.Now().Add(time.Minute)
			_ = s.Put(e)
		}
		time.Sleep(59 * time.Second)
		if e, _ := s.Get(cachetest.Key(1)); e == nil {
			t.Error("gone before its time")
		}
		time.Sleep(5 * time.Minute)
		if places, _ := s.Tagged(); places != 0 || s.Bytes() != 0 {
			t.Errorf("%d places and %d bytes are left of entries past their time", places, s.Bytes())
		}
		_ = s.Close()
	})
}

func TestAHitAllocatesNothing(t *testing.T) {
	s := opened(t, 0)
	_ = s.Put(cachetest.Entry(cachetest.Key(1), 2048))
	key := cachetest.Key(1)
	if n := testing.AllocsPerRun(100, func() { _, _ = s.Get(key) }); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
}

// BenchmarkEntry reports the memory that entries of 2 KB take beside their
// bodies' bytes.
func BenchmarkEntry(b *testing.B) {
	const body, n = 2048, 10_000
	for b.Loop() {
		before := heap()
		s, _ := memory.New(memory.Options{Size: 1 << 30})
		for i := range n {
			_ = s.Put(cachetest.Entry(cachetest.Key(i), body-60, fmt.Sprint("tickets/", i)))
		}
		b.ReportMetric(float64(heap()-before)/n, "B/entry")
		b.ReportMetric(float64(s.Bytes())/n, "counted/entry")
		_ = s.Close()
	}
}

func BenchmarkGet(b *testing.B) {
	s, _ := memory.New(memory.Options{})
	defer s.Close()
	_ = s.Put(cachetest.Entry(cachetest.Key(1), 2048))
	key := cachetest.Key(1)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Get(key)
	}
}
