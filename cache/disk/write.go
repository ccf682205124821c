package disk

import (
	"errors"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

const (
	sweepEvery  = time.Minute // what is past its time goes, even if nothing is written
	repairEvery = time.Second
	sweepMost   = 1000 // entries past their time that go in one transaction
)

// write is the writer's goroutine: all that has gathered, in one transaction.
func (s *Store) write() {
	defer close(s.done)
	defer s.leave()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		select {
		case <-s.queue.wake:
		case <-sweep.C:
		case <-s.end:
			s.flush()
			return
		}
		s.flush()
		if s.broken.Load() != nil && !s.repaired() {
			return
		}
	}
}

// flush writes what is queued, and takes out what is past its time.
func (s *Store) flush() {
	todo := s.queue.take()
	var err error
	if why := s.broken.Load(); why != nil {
		err = *why
	} else if err = s.update(func(t *table) (bool, error) { return t.apply(todo, s.room(), time.Now()) }); err != nil {
		err = s.failed("write to", err)
	}
	s.queue.written(todo, err)
}

// errUnchanged ends a transaction that has nothing to commit.
var errUnchanged = errors.New("nothing has changed")

func (s *Store) update(do func(*table) (changed bool, err error)) error {
	var held int64
	err := s.file.Load().do(func(db *bbolt.DB) error {
		return db.Update(func(tx *bbolt.Tx) error {
			t := tableOf(tx)
			changed, err := do(t)
			held = t.held
			if err == nil && !changed {
				return errUnchanged
			}
			return errors.Join(err, t.close())
		})
	})
	if err == nil || errors.Is(err, errUnchanged) {
		s.held.Store(held)
		return nil
	}
	return err
}

// repaired makes the file anew, trying each second, and reports false when the
// store was closed first. Until then nothing can be got: what the file says may
// have been replaced or dropped since.
func (s *Store) repaired() bool {
	wait := time.NewTicker(repairEvery)
	defer wait.Stop()
	for {
		select {
		case <-wait.C:
		case <-s.end:
			s.flush()
			return false
		}
		s.flush()
		if s.discard() != nil {
			continue
		}
		if f, err := open(s.path, s.size); err == nil {
			s.file.Store(f)
			s.held.Store(0)
			s.broken.Store(nil)
			return true
		}
	}
}

// discard closes the file and removes it.
func (s *Store) discard() error {
	f := s.file.Load()
	_ = f.close()
	if err := os.Remove(s.path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// leave closes the file. A broken one goes, so that the next start does not
// find in it what was dropped since.
func (s *Store) leave() {
	if s.broken.Load() != nil {
		_ = s.discard()
		return
	}
	s.closed = s.file.Load().close()
}
