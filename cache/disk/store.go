package disk

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/flyballhq/flyball/cache"
)

// DefaultSize is how many bytes of entries a store holds unless told
// otherwise.
const DefaultSize = 256 << 20

// Options says where a [Store] keeps its entries, and how many.
type Options struct {
	// Path names the file. It is made if it is not there; its folder must be.
	// Two stores cannot have the same file at once.
	Path string
	// Size is the most bytes of entries held; 0 means [DefaultSize]. When it
	// is reached, those stored first go first. The file itself stays below
	// twice that and 32 MiB; it does not shrink.
	Size int64
}

// A Store is a [cache.Store] in a file. Its methods may be called by many
// goroutines at once.
//
// Put does not wait for the disk: one goroutine, which [Store.Close] ends,
// writes what has gathered at once. Until then the entry can be got, and is
// lost if the process dies. Drop waits until the disk has it, a second at
// most, for an entry that was dropped must not come back with the next start.
//
// When the disk fails, every method fails, until a second or more later the
// file could be made anew, empty.
type Store struct {
	path string
	size int64

	file   atomic.Pointer[file]
	broken atomic.Pointer[error] // why nothing can be got or put, nil while all is well
	held   atomic.Int64          // bytes of entries in the file
	queue  queue
	end    chan struct{} // closed by Close
	done   chan struct{} // closed when the writer has ended
	once   sync.Once
	closed error // of the file, valid when done is closed
}

// dropPatience is how long Drop waits for the disk.
const dropPatience = time.Second

var (
	errClosed = errors.New("the cache on disk is closed; it can be used no more")
	errBusy   = errors.New("the cache on disk is behind with its writing; the entry is not kept")
)

// Open opens the file, or makes it. Close the store when it is done with.
//
// It fails when another process has the file open, when the file is damaged,
// and when it is not a cache's: it is then left as it is.
func Open(o Options) (*Store, error) {
	if o.Path == "" {
		return nil, errors.New("disk.Options: Path is empty; name the file to keep the cache in")
	}
	if o.Size < 0 {
		return nil, fmt.Errorf("disk.Options: Size: %d is negative; 0 means %d", o.Size, int64(DefaultSize))
	}
	s := &Store{path: o.Path, size: o.Size, end: make(chan struct{}), done: make(chan struct{})}
	if s.size == 0 {
		s.size = DefaultSize
	}
	s.queue.init(min(8<<20, s.size/4))
	f, err := open(o.Path, s.size)
	if err != nil {
		return nil, err
	}
	s.file.Store(f)
	if err := s.update(func(t *table) (bool, error) { return t.fit(s.room(), time.Now()) }); err != nil {
		return nil, damaged(o.Path, errors.Join(err, f.close()))
	}
	go s.write()
	return s, nil
}

// Get returns the entry with the key, or nil.
func (s *Store) Get(key string) (*cache.Entry, error) {
	if e, queued, err := s.queue.find(key); queued || err != nil {
		return e, err
	}
	if why := s.broken.Load(); why != nil {
		return nil, *why
	}
	var e *cache.Entry
	err := s.file.Load().do(func(db *bbolt.DB) error {
		return db.View(func(tx *bbolt.Tx) (err error) {
			e, err = tableOf(tx).get(key)
			return err
		})
	})
	if err != nil {
		return nil, s.failed("read", err)
	}
	return e, nil
}

// Put keeps the entry, unless it is past its time or takes more than an eighth
// of the store: one answer is not worth all the others. It fails when the
// writing is far behind.
func (s *Store) Put(e *cache.Entry) error {
	if why := s.broken.Load(); why != nil {
		return *why
	}
	c := change{key: e.Key, entry: e}
	if e.Size() > s.size/8 || !time.Now().Before(e.Until) {
		c.entry = nil
	}
	return s.queue.add(c)
}

// Drop forgets every entry that carries any of the tags. It fails when the
// disk does not confirm that within a second; the entries are dropped then as
// soon as it can be done.
func (s *Store) Drop(tags ...string) error {
	if why := s.broken.Load(); why != nil {
		return *why
	}
	dropped := make(chan error, 1)
	if err := s.queue.add(change{tags: tags, dropped: dropped}); err != nil {
		return err
	}
	timer := time.NewTimer(dropPatience)
	defer timer.Stop()
	select {
	case err := <-dropped:
		return err
	case <-timer.C:
		return fmt.Errorf("drop from the cache in %s: the disk has not confirmed it within %s", s.path, dropPatience)
	}
}

// room is how many bytes the file may hold: what waits to be written counts
// too.
func (s *Store) room() int64 { return s.size - s.queue.room }

// Bytes is how many bytes of entries the file holds; never more than
// [Options.Size].
func (s *Store) Bytes() int64 { return s.held.Load() }

// Close writes what is still to be written and closes the file.
func (s *Store) Close() error {
	err := errClosed
	s.once.Do(func() {
		s.queue.close()
		close(s.end)
		<-s.done
		err = s.closed
	})
	return err
}

// failed notes that the file is of no use as it stands.
func (s *Store) failed(what string, err error) error {
	if errors.Is(err, errClosed) {
		return err
	}
	err = fmt.Errorf("%s the cache in %s: %w; it does without, and makes the file anew as soon as it can", what, s.path, err)
	s.broken.CompareAndSwap(nil, &err)
	s.queue.nudge()
	return err
}
