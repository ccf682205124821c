package elide

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// A view names an object as one credential sees it.
type view [sha256.Size]byte

// A sight is an object as it was seen.
type sight struct {
	view   view
	object []byte // JSON
	at     time.Time
	names  []string // of what it depends on
	turns  uint64   // the state of these names' ground then
}

// sightOverhead is about what a sight costs beside its object.
const sightOverhead = 512

func (s *sight) size() int64 { return int64(len(s.object)) + sightOverhead }

// A memory holds sights, those used last, bounded by bytes.
type memory struct {
	most int64

	mu     sync.Mutex
	ground ground
	of     map[view]*list.Element // of *sight
	recent list.List              // the one used last in front
	bytes  int64
}

func newMemory(most int64) *memory {
	return &memory{most: most, of: map[view]*list.Element{}}
}

// recall returns the object as it was seen, if that was within the time and
// nothing is known to have changed it since.
func (m *memory) recall(v view, within time.Duration, now time.Time) *sight {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.of[v]
	if e == nil {
		return nil
	}
	s := e.Value.(*sight)
	turns, quiet := m.ground.state(s.names, now)
	if now.Sub(s.at) > within || turns != s.turns {
		m.remove(e)
		return nil
	}
	if !quiet {
		return nil
	}
	m.recent.MoveToFront(e)
	return s
}

// still reports whether s is what recall would return.
func (m *memory) still(s *sight, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	turns, quiet := m.ground.state(s.names, now)
	return quiet && turns == s.turns
}

// learn keeps s, unless a write has come upon its ground since it was
// turned over last for s.turns.
func (m *memory) learn(s *sight, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	turns, quiet := m.ground.state(s.names, now)
	if turns != s.turns || !quiet || s.size() > m.most/8 {
		return
	}
	if old := m.of[s.view]; old != nil {
		m.remove(old)
	}
	m.of[s.view] = m.recent.PushFront(s)
	m.bytes += s.size()
	for m.bytes > m.most {
		m.remove(m.recent.Back())
	}
}

func (m *memory) remove(e *list.Element) {
	s := e.Value.(*sight)
	delete(m.of, s.view)
	m.recent.Remove(e)
	m.bytes -= s.size()
}

// turns returns the state of the names' ground, and whether it is quiet.
func (m *memory) turns(names []string, now time.Time) (uint64, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ground.state(names, now)
}

// A passage is one write on its way.
type passage struct {
	touched []string // what it may change
	names   []string // what its own object depends on; nil when it is not compared
	before  uint64   // the state of names once it had begun
	alone   bool     // nothing else was under way on them then
}

func (m *memory) begin(p *passage, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, p.alone = m.ground.state(p.names, now)
	m.ground.begin(p.touched, now)
	p.before, _ = m.ground.state(p.names, now)
}

// end ends the write and returns the state of its object's ground after it.
// alone says that no other write was there at the same time.
func (m *memory) end(p *passage, working, now time.Time) (turns uint64, alone bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, _ := m.ground.state(p.names, now)
	m.ground.end(p.touched, working)
	turns, _ = m.ground.state(p.names, now)
	return turns, p.alone && before == p.before
}
