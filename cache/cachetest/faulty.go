package cachetest

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball/cache"
)

// ErrBroken is what a [Faulty] store fails with.
var ErrBroken = errors.New("cachetest: the store is broken")

// Faulty does what Store does, and what its fields say is wrong with it. They
// may be changed while it is used.
type Faulty struct {
	cache.Store

	Broken   atomic.Bool                 // every method but Close fails
	Slow     atomic.Int64                // every method but Close takes so many nanoseconds first
	Answers  atomic.Pointer[cache.Entry] // Get gives this, whatever was asked for
	Failures atomic.Int64                // how often a method failed
}

func (f *Faulty) ail() error {
	if d := f.Slow.Load(); d > 0 {
		time.Sleep(time.Duration(d))
	}
	if f.Broken.Load() {
		f.Failures.Add(1)
		return ErrBroken
	}
	return nil
}

// Get is [cache.Store]'s, with the faults.
func (f *Faulty) Get(key string) (*cache.Entry, error) {
	if err := f.ail(); err != nil {
		return nil, err
	}
	if other := f.Answers.Load(); other != nil {
		return other, nil
	}
	return f.Store.Get(key)
}

// Put is [cache.Store]'s, with the faults.
func (f *Faulty) Put(e *cache.Entry) error {
	if err := f.ail(); err != nil {
		return err
	}
	return f.Store.Put(e)
}

// Drop is [cache.Store]'s, with the faults.
func (f *Faulty) Drop(tags ...string) error {
	if err := f.ail(); err != nil {
		return err
	}
	return f.Store.Drop(tags...)
}
