package telemetry

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// maxSpool bounds in bytes what waits to be written.
const maxSpool = 8 << 20

// A sheet is where a spool writes to.
type sheet interface {
	open() (io.Writer, error)
	name() string
}

type stream struct{ io.Writer }

func (s stream) open() (io.Writer, error) { return s.Writer, nil }
func (s stream) name() string             { return "the stream" }

type fileAt string

func (f fileAt) open() (io.Writer, error) {
	return os.OpenFile(string(f), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
}
func (f fileAt) name() string { return string(f) }

// A spool takes lines without blocking and writes them on one goroutine of its
// own. Its methods may be called at once.
type spool struct {
	to  sheet
	log *slog.Logger

	mu      sync.Mutex
	waiting []byte
	dropped int
	turn    bool // the file is to be opened anew
	closed  bool

	wake  chan struct{}
	ended chan struct{}

	// The goroutine's own:
	out    io.Writer
	torn   bool // what was written last ends in the middle of a line
	broken error
	told   time.Time
}

func newSpool(to sheet, log *slog.Logger) (*spool, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &spool{to: to, log: log, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	var err error
	if s.out, err = to.open(); err != nil {
		return nil, fmt.Errorf("open the access log: %w (its folder must be there, and writable for flyball)", err)
	}
	s.torn = endsTorn(s.out)
	go s.run()
	return s, nil
}

// Write takes one line, whole or not at all.
func (s *spool) Write(line []byte) (int, error) {
	s.mu.Lock()
	if s.closed || len(s.waiting)+len(line) > maxSpool {
		s.dropped++
	} else {
		s.waiting = append(s.waiting, line...)
	}
	s.mu.Unlock()
	s.rouse()
	return len(line), nil
}

func (s *spool) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *spool) reopen() {
	s.mu.Lock()
	s.turn = true
	s.mu.Unlock()
	s.rouse()
}

func (s *spool) lost() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// lastWait is how long the file has at the end for what is waiting.
const lastWait = 5 * time.Second

// close writes what is waiting and ends the goroutine. A file that takes
// nothing, such as a pipe that nobody reads, is not waited for: the goroutine
// ends when its write does, and the rest is lost.
func (s *spool) close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.rouse()
	late := time.NewTimer(lastWait)
	defer late.Stop()
	select {
	case <-s.ended:
		return s.broken
	case <-late.C:
	}
	s.mu.Lock()
	s.dropped += bytes.Count(s.waiting, []byte("\n"))
	s.waiting = nil
	s.mu.Unlock()
	err := fmt.Errorf("write the end of the access log to %s: it takes nothing since %s (see that its disk works, or that its reader reads); the last lines are lost", s.to.name(), lastWait)
	s.log.Error("the access log cannot be written; its last lines are lost", "file", s.to.name(), "error", err.Error())
	return err
}

func (s *spool) run() {
	defer close(s.ended)
	var spare []byte
	for range s.wake {
		s.mu.Lock()
		lines, turn, last := s.waiting, s.turn, s.closed
		s.waiting, s.turn = spare[:0], false
		s.mu.Unlock()
		if turn {
			s.renew()
		}
		s.write(lines)
		spare = lines
		if last {
			s.shut()
			return
		}
	}
}

func (s *spool) write(lines []byte) {
	if len(lines) == 0 {
		return
	}
	n, err := s.put(lines)
	if err == nil {
		return
	}
	s.mu.Lock()
	s.dropped += bytes.Count(lines[n:], []byte("\n"))
	s.mu.Unlock()
	s.failed(err)
	s.renew() // the disk may have room again, the file may be back
}

// put writes lines, and before them the end of a torn one, which would take
// the first of them with it.
func (s *spool) put(lines []byte) (n int, err error) {
	if s.torn {
		if _, err := s.out.Write([]byte("\n")); err != nil {
			return 0, err
		}
		s.torn = false
	}
	if n, err = s.out.Write(lines); n > 0 {
		s.torn = lines[n-1] != '\n'
	}
	return n, err
}

// endsTorn reports whether a file ends in the middle of a line, as one does
// whose disk was full, or whose writer died.
func endsTorn(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	r, err := os.Open(f.Name()) // f is for writing only
	if err != nil {
		return false
	}
	defer r.Close()
	var last [1]byte
	_, err = r.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

// renew opens the file anew. The old one is kept while that fails.
func (s *spool) renew() {
	if _, ok := s.to.(stream); ok {
		return
	}
	next, err := s.to.open()
	if err != nil {
		s.failed(err)
		return
	}
	s.shut()
	s.out, s.torn = next, endsTorn(next)
}

func (s *spool) shut() {
	if f, ok := s.out.(*os.File); ok && s.to.name() == f.Name() {
		if err := f.Close(); err != nil {
			s.failed(err)
		}
	}
}

// failed tells of lines that are lost, at most once a minute.
func (s *spool) failed(err error) {
	s.broken = err
	if now := time.Now(); now.Sub(s.told) >= time.Minute {
		s.told = now
		s.log.Error("the access log cannot be written; its lines are lost", "file", s.to.name(), "error", err.Error())
	}
}
