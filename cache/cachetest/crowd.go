package cachetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball/cache"
)

const (
	clients = 16
	pages   = 1000
	rounds  = 2000 // reads and writes of one client
)

// putBearing puts, and waits where the store is busy: it may say so.
func putBearing(s cache.Store, e *cache.Entry) error {
	var err error
	for range 1000 {
		if err = s.Put(e); err == nil {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return err
}

// eachReadGivesItsOwnBody has 16 clients read, put and drop 1,000 pages, in
// room for a part of them.
func eachReadGivesItsOwnBody(t *testing.T, open Open) {
	if wrong := Crowd(open(t, 1<<20)); wrong != "" {
		t.Error(wrong)
	}
}

// Crowd has 16 clients use the store at once, over 1,000 keys, and returns
// what one of them saw wrong, or "". A store that is busy may say so.
func Crowd(s cache.Store) (wrong string) {
	var once sync.Once
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			defer func() {
				if fault := recover(); fault != nil {
					once.Do(func() { wrong = fmt.Sprintf("panicked: %v", fault) })
				}
			}()
			random := rand.New(rand.NewPCG(uint64(c), 1))
			for range rounds {
				if saw := step(s, random); saw != "" {
					once.Do(func() { wrong = saw })
					return
				}
			}
		})
	}
	all.Wait()
	return wrong
}

func step(s cache.Store, random *rand.Rand) string {
	n := random.IntN(pages)
	key, tag := Key(n), fmt.Sprint("tickets/", n)
	switch at := random.IntN(10); {
	case at < 3:
		_ = s.Put(Entry(key, 100+n, tag, fmt.Sprint("group/", n%10)))
	case at == 3 && random.IntN(20) == 0:
		_ = s.Drop(tag)
	case at == 4 && random.IntN(100) == 0:
		_ = s.Drop(fmt.Sprint("group/", n%10))
	default:
		e, err := s.Get(key)
		if err != nil || e == nil {
			return ""
		}
		if e.Key != key || !bytes.Equal(e.Body, BodyOf(key, 100+n)) {
			return fmt.Sprintf("page %d was answered with the entry of %q", n, e.Key)
		}
	}
	return ""
}

// nothingOutlivesADrop has clients put and drop the same page at once: once
// they are done and it is dropped, it is gone, whatever came last.
func nothingOutlivesADrop(t *testing.T, open Open) {
	s := open(t, roomy)
	for round := range 50 {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { _ = s.Put(Entry(Key(round), 100, "tickets")) })
			all.Go(func() { _ = s.Drop("tickets") })
		}
		all.Wait()
		must(t, "drop", s.Drop("tickets"))
		if got(t, s, Key(round)) != nil {
			t.Fatal("an entry was got after its tag was dropped")
		}
	}
}
