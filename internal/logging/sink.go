package logging

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// FlushEvery is the longest that an appended line waits in memory.
const FlushEvery = 50 * time.Millisecond

const (
	flushAt  = 64 << 10  // bytes that make Append write at once
	maxQueue = 256 << 10 // a buffer that grew beyond this is given back
)

// Sink gathers lines of one process into few writes. Write hands everything over at once; Append may wait.
// A request's spans are appended and leave with its log line in one system call.
type Sink struct {
	dropped atomic.Int64

	mu     sync.Mutex // guards all below
	out    io.Writer
	buf    []byte
	lines  int64
	armed  bool
	timer  *time.Timer
	closed bool
}

// NewSink writes to out.
func NewSink(out io.Writer) *Sink {
	s := &Sink{out: out}
	s.timer = time.AfterFunc(time.Hour, s.flushLate)
	s.timer.Stop()
	return s
}

// Write implements io.Writer for one whole line ending in a newline. It reports success even when the disk refuses the line:
// a log must not fail its service. Dropped tells.
func (s *Sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = append(s.buf, line...)
	s.lines++
	s.flush()
	return len(line), nil
}

// Commit writes a whole line at once and reports a failure, for lines that are data: the caller keeps it and tries again.
func (s *Sink) Commit(line []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flush()
	_, err := s.out.Write(line)
	return err
}

// Append adds a whole line that may wait up to FlushEvery.
func (s *Sink) Append(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = append(s.buf, line...)
	s.lines++
	switch {
	case len(s.buf) >= flushAt || s.closed:
		s.flush()
	case !s.armed:
		s.armed = true
		s.timer.Reset(FlushEvery)
	}
}

func (s *Sink) flushLate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = false
	s.flush()
}

// flush must be called with mu held.
func (s *Sink) flush() {
	if len(s.buf) == 0 {
		return
	}
	if _, err := s.out.Write(s.buf); err != nil {
		s.dropped.Add(s.lines)
	}
	s.lines = 0
	if cap(s.buf) > maxQueue {
		s.buf = nil
	} else {
		s.buf = s.buf[:0]
	}
}

// Dropped counts lines that could not be written since the start.
func (s *Sink) Dropped() int64 { return s.dropped.Load() }

// Close writes what waits and closes the file, if it is one. Lines written later still go to standard output.
func (s *Sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer.Stop()
	s.flush()
	s.closed = true
	if f, ok := s.out.(*file); ok {
		return f.Close()
	}
	return nil
}
