// Package flight lets several callers share one piece of work. The work has a
// context of its own: it outlives any one of them, and is cancelled when the
// last has left. A panic in it is raised in nobody: all get it as an error.
package flight

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// A Flight is one piece of work under way for the callers that wait for it.
// Its methods may be called by many goroutines at once.
type Flight[T any] struct {
	cancel context.CancelFunc
	done   chan struct{}
	value  T     // valid when done is closed
	err    error // likewise

	mu      sync.Mutex
	waiting int
	left    bool // the last caller left before the end
}

// Start begins the work in a goroutine of its own and counts the caller as its
// first: the caller must call [Flight.Wait] once. work must return soon after
// its context has ended. The context carries none of the caller's values.
func Start[T any](work func(context.Context) (T, error)) *Flight[T] {
	ctx, cancel := context.WithCancel(context.Background())
	f := &Flight[T]{cancel: cancel, done: make(chan struct{}), waiting: 1}
	go f.run(ctx, work)
	return f
}

func (f *Flight[T]) run(ctx context.Context, work func(context.Context) (T, error)) {
	defer close(f.done)
	defer f.cancel()
	defer func() {
		if fault := recover(); fault != nil {
			f.err = &Panic{Value: fault, Stack: debug.Stack()}
		}
	}()
	f.value, f.err = work(ctx)
}

// Join counts one more caller, who must then call [Flight.Wait] once. It
// reports false when there is nothing to wait for: everybody has left.
func (f *Flight[T]) Join() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left {
		return false
	}
	f.waiting++
	return true
}

// Wait blocks until the work has ended and returns what it came to, or until
// ctx ends; then the caller leaves and gets the context's error.
func (f *Flight[T]) Wait(ctx context.Context) (value T, err error) {
	select {
	case <-f.done:
		f.leave()
		return f.value, f.err
	case <-ctx.Done():
		f.leave()
		return value, context.Cause(ctx)
	}
}

// Done is closed when the work has ended.
func (f *Flight[T]) Done() <-chan struct{} { return f.done }

// leave counts a caller out. The last one to leave ends the work.
func (f *Flight[T]) leave() {
	f.mu.Lock()
	f.waiting--
	last := f.waiting == 0
	f.left = f.left || last
	f.mu.Unlock()
	if last {
		f.cancel()
	}
}

// A Panic is what the work panicked with.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("a shared call panicked: %v", p.Value) }
