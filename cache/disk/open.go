package disk

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	private  = 0o600
	lockWait = time.Second
)

// A file is an open database. bbolt shows a damaged page by a panic, and may
// then be left with its locks held: such a database is left alone, and only
// its file is closed.
type file struct {
	db      *bbolt.DB
	on      *os.File
	wrecked atomic.Bool
}

// open opens or makes the file and the tables in it.
func open(path string, size int64) (*file, error) {
	if err := check(path); err != nil {
		return nil, damaged(path, err)
	}
	f, err := openWith(path, &bbolt.Options{MaxSize: int(min(2*size+32<<20, 1<<40))})
	if err != nil {
		return nil, damaged(path, err)
	}
	if err := errors.Join(os.Chmod(path, private), f.do(func(db *bbolt.DB) error { return db.Update(makeTables) })); err != nil {
		return nil, damaged(path, errors.Join(err, f.close()))
	}
	return f, nil
}

func openWith(path string, o *bbolt.Options) (*file, error) {
	f := &file{}
	o.Timeout, o.NoStatistics = lockWait, true
	o.NoFreelistSync, o.FreelistType = true, bbolt.FreelistMapType
	o.OpenFile = func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
		f.on, err = os.OpenFile(name, flag, mode)
		return f.on, err
	}
	err := f.do(func(*bbolt.DB) (err error) {
		f.db, err = bbolt.Open(path, private, o)
		return err
	})
	if err != nil && f.wrecked.Load() {
		_ = f.close()
	}
	return f, err
}

// check reads through an existing file on this goroutine, where a fault can be
// caught: bbolt itself looks for the free pages on one of its own, and there a
// damaged page ends the process.
func check(path string) error {
	if info, err := os.Stat(path); errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	} else if err != nil {
		return err
	}
	f, err := openWith(path, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	return errors.Join(f.do(func(db *bbolt.DB) error { return db.View(readThrough) }), f.close())
}

func readThrough(tx *bbolt.Tx) error {
	if err := ours(tx); err != nil {
		return err
	}
	return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
		return b.ForEach(func(_, _ []byte) error { return nil })
	})
}

// do turns a panic, and the fault of a page that cannot be read, into an error.
func (f *file) do(what func(*bbolt.DB) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			f.wrecked.Store(true)
			err = fmt.Errorf("the file is damaged (%v)", fault)
		}
	}()
	return what(f.db)
}

func (f *file) close() error {
	if f.wrecked.Load() {
		return f.on.Close()
	}
	return f.do((*bbolt.DB).Close)
}

// damaged says what is wrong with the file at path, and the way out.
func damaged(path string, err error) error {
	wayOut := "delete the file, which loses nothing but the cache, or name another"
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		err, wayOut = errors.New("another process has it open"), "end that process, or name another file: two cannot share one"
	case errors.Is(err, errForeign):
		wayOut = "name another file"
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		wayOut = "name a file in a folder that is there and may be written to"
	}
	return fmt.Errorf("open the cache in %s: %w; %s", path, err, wayOut)
}
