package observe

import (
	"sync"
	"sync/atomic"
)

// roomForBodies bounds what is kept of all trials' bodies together, of
// requests and of answers.
const roomForBodies = 64 << 20

// A purse is a number of bytes that is lent out.
type purse struct{ left atomic.Int64 }

func (p *purse) take(n int) bool {
	if p.left.Add(int64(-n)) < 0 {
		p.left.Add(int64(n))
		return false
	}
	return true
}

// A keep is a bounded copy of one body, which lives no longer than its trial.
type keep struct {
	purse *purse
	most  int

	mu   sync.Mutex
	text []byte
	over bool // the body was longer, or had no room, or is let go of
}

// add takes room as bytes arrive: a large Content-Length alone takes none.
func (k *keep) add(p []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	need := len(k.text) + len(p)
	switch {
	case k.over:
		return
	case need > k.most:
		k.clear()
		return
	case need > cap(k.text):
		size := min(k.most, max(need, 2*cap(k.text), 512))
		if !k.purse.take(size) {
			k.clear()
			return
		}
		grown := append(make([]byte, 0, size), k.text...)
		k.purse.left.Add(int64(cap(k.text)))
		k.text = grown
	}
	k.text = append(k.text, p...)
}

// bytes returns what was kept, and whether it is all that came. It must not be
// changed.
func (k *keep) bytes() (text []byte, all bool) {
	if k == nil {
		return nil, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text, !k.over
}

// again forgets what has come: the body begins anew.
func (k *keep) again() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.text = k.text[:0]
}

// letGo keeps nothing from now on.
func (k *keep) letGo() {
	if k != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.clear()
	}
}

// clear gives the room back. The caller holds the lock.
func (k *keep) clear() {
	k.purse.left.Add(int64(cap(k.text)))
	k.text, k.over = nil, true
}
