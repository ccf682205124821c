package cache

import (
	"sync"
	"time"
)

// workers run sends apart from their callers. One that has run a send is kept
// for the next: a fresh goroutine grows its stack anew, which costs more than
// all else that the layer does.
type workers struct {
	tasks chan func()

	once   sync.Once
	closed chan struct{}
}

// idleWorker is how long a worker waits for its next send.
const idleWorker = time.Second

func newWorkers() *workers {
	return &workers{tasks: make(chan func()), closed: make(chan struct{})}
}

// run has a worker run the task, which must not panic.
func (w *workers) run(task func()) {
	select {
	case w.tasks <- task:
	default:
		go w.work(task)
	}
}

func (w *workers) work(task func()) {
	idle := time.NewTimer(idleWorker)
	defer idle.Stop()
	for {
		task()
		idle.Reset(idleWorker)
		select {
		case task = <-w.tasks:
		case <-w.closed:
			return
		case <-idle.C:
			return
		}
	}
}

// close ends the workers that have nothing to do; others end with their send.
func (w *workers) close() { w.once.Do(func() { close(w.closed) }) }
