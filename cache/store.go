package cache

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// A Store keeps entries. Its methods may be called by many goroutines at once.
// It may forget any entry at any time, and must forget some to stay within its
// bound in bytes.
//
// A store that is broken is a miss: its methods return errors and never block
// for long, and the layer goes on without it.
type Store interface {
	// Get returns the entry whose key is exactly key, or nil and no error. The
	// caller must not change the entry, nor what it points to. An entry past
	// its Until may be returned or not.
	Get(key string) (*Entry, error)
	// Put keeps the entry in place of the one with the same key. It may
	// decline one that is too large, which is no error; the older one is then
	// gone all the same. The entry must not be changed from then on, by
	// anybody.
	Put(e *Entry) error
	// Drop forgets every entry that carries any of the tags. When it has
	// returned without an error, no Get that begins later returns one of them.
	// Without tags it does nothing.
	Drop(tags ...string) error
	// Close ends what the store started. Later calls fail.
	Close() error
}

// errAnother is said of a store that gave what it was not asked for.
var errAnother = errors.New("it gave another entry than was asked for")

// failed tells that the store failed; the layer goes on without it. call is nil
// where none is meant.
func (t *layer) failed(call *limit.Call, what string, err error) {
	t.Sink.Emit(event.Event{Kind: event.StoreFailed, At: time.Now(), Call: call, Err: fmt.Errorf("%s: %w", what, err)})
}

// An Entry is one kept answer.
type Entry struct {
	// Key is the whole normal form of the question: the hashed credential, the
	// method, the URL and the headers that change the answer. A store that
	// finds entries by a shorter form must compare it. It is at most a few KiB
	// long, printable ASCII in lines.
	Key string
	// Tags name what the answer depends on, for [Store.Drop]; each is at most
	// a few hundred bytes, and there are rarely more than ten.
	Tags []string
	// Vary holds the request's values of the headers that the answer's Vary
	// names, beside those in Key; nil when it names no other.
	Vary http.Header

	Status int
	Header http.Header // without hop-by-hop headers and Set-Cookie
	Body   []byte      // whole, as it came: perhaps compressed

	// Stored is when the answer came, or was last confirmed by the server.
	Stored time.Time
	// Age is how old the answer was then.
	Age time.Duration
	// Until is when the entry stops being of any use: neither fresh, nor
	// allowed as a stale answer, nor worth revalidating.
	Until time.Time

	forms *forms // nil in an entry that is read anew each time
}

// entryOverhead is about what an entry, its maps' buckets and a store's own
// record of it cost beside their contents.
const entryOverhead = 512

// Size is how many bytes of memory the entry takes, about.
func (e *Entry) Size() int64 {
	n := entryOverhead + len(e.Key) + len(e.Body) + sizeOf(e.Header) + sizeOf(e.Vary)
	for _, tag := range e.Tags {
		n += 16 + len(tag)
	}
	return int64(n)
}

// fieldOverhead is about what a map of slices of strings costs for one field.
const fieldOverhead = 72

func sizeOf(h http.Header) (n int) {
	for name, values := range h {
		n += fieldOverhead + len(name)
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}
