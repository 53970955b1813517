package receive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"kreislauf/logship/config"
)

// segmentBytes is the size from which on no more lines are written to a segment.
const segmentBytes = 8 << 20

// retryPause is how long a writer waits that has no room.
const retryPause = 50 * time.Millisecond

// errFull says that the limit of what may wait is reached.
var errFull = errors.New("what was received and is not delivered has reached its limit (received_bytes)")

// segments are the files with the lines that were received. Safe for concurrent use.
type segments struct {
	dir   string
	limit int64

	mu      sync.Mutex
	closed  []segment // are written no more, oldest first
	current segment
	file    *os.File
	waiting int64 // bytes in all segments
}

// segment is one file in a folder of its own. Of files in one folder that begin alike logship thinks that one may be a copy of another.
type segment struct {
	number int64
	size   int64
}

func (s *segments) path(n int64) string {
	return filepath.Join(s.dir, fmt.Sprintf("%012d", n), config.SegmentFile)
}

// openSegments finds the segments that are there and begins a new one. again says that the source gives a line again that was not
// written whole.
func openSegments(dir string, limit int64, again bool) (*segments, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder for received lines: %w", err)
	}
	found, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("list received lines: %w", err)
	}
	s := &segments{dir: dir, limit: limit}
	for _, d := range found {
		n, err := strconv.ParseInt(d.Name(), 10, 64)
		if err != nil {
			continue
		}
		s.current.number = n + 1
		info, err := os.Stat(s.path(n))
		switch {
		case errors.Is(err, fs.ErrNotExist): // the process ended between two steps
			if err := os.Remove(filepath.Dir(s.path(n))); err != nil {
				return nil, fmt.Errorf("remove empty segment: %w", err)
			}
		case err != nil:
			return nil, fmt.Errorf("look at received lines: %w", err)
		default:
			s.closed = append(s.closed, segment{n, info.Size()})
			s.waiting += info.Size()
		}
	}
	if err := s.mend(again); err != nil {
		return nil, err
	}
	return s, s.begin()
}

// mend gives the newest segment a whole last line: a process that is killed may have written only a part of it.
func (s *segments) mend(again bool) error {
	if len(s.closed) == 0 {
		return nil
	}
	last := &s.closed[len(s.closed)-1]
	path := s.path(last.number)
	all, err := os.ReadFile(path) // at most a segment and one write
	if err != nil {
		return fmt.Errorf("read received lines: %w", err)
	}
	whole := int64(bytes.LastIndexByte(all, '\n') + 1)
	if whole == int64(len(all)) {
		return nil
	}
	s.waiting -= last.size
	if again {
		last.size = whole
		err = os.Truncate(path, whole)
	} else {
		last.size = int64(len(all)) + 1
		err = os.WriteFile(path, append(all, '\n'), 0o600)
	}
	s.waiting += last.size
	if err != nil {
		return fmt.Errorf("mend received lines: %w", err)
	}
	return nil
}

// begin opens the file of the current segment.
func (s *segments) begin() error {
	path := s.path(s.current.number)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make segment: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("make segment: %w", err)
	}
	s.file = f
	return nil
}

// write appends whole lines, each with its line feed. The error is errFull when there is no room for them; then nothing was written.
func (s *segments) write(lines []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting > 0 && s.waiting+int64(len(lines)) > s.limit {
		return errFull
	}
	if s.current.size >= segmentBytes {
		if err := s.next(); err != nil {
			return err
		}
	}
	if n, err := s.file.Write(lines); err != nil {
		if n > 0 { // a part of a line would join with the next one
			err = errors.Join(err, s.file.Truncate(s.current.size))
		}
		return fmt.Errorf("write received lines: %w", err)
	}
	s.current.size += int64(len(lines))
	s.waiting += int64(len(lines))
	return nil
}

// writeWaiting writes, and waits for room as long as ctx lives. failed is told of each error but the last.
func (s *segments) writeWaiting(ctx context.Context, lines []byte, failed func(error)) error {
	for {
		err := s.write(lines)
		if err == nil {
			return nil
		}
		failed(err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d bytes that were received are not kept: %w", len(lines), err)
		case <-time.After(retryPause):
		}
	}
}

// next ends the current segment and begins another one.
func (s *segments) next() error {
	ended, file := s.current, s.file
	s.current = segment{number: ended.number + 1}
	if err := s.begin(); err != nil {
		s.current = ended
		return err
	}
	s.closed = append(s.closed, ended)
	if err := file.Close(); err != nil {
		return fmt.Errorf("close segment: %w", err)
	}
	return nil
}

// remove removes the segments that are delivered, and reports whether nothing waits any more. keep is called with the path of each
// before; when it fails, the segment stays.
func (s *segments) remove(delivered func(path string, size int64) bool, keep func(path string) error) (empty bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.closed) > 0 {
		oldest := s.closed[0]
		path := s.path(oldest.number)
		if oldest.size > 0 && !delivered(path, oldest.size) {
			return false, nil
		}
		if err := keep(path); err != nil {
			return false, err
		}
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			return false, fmt.Errorf("remove delivered segment: %w", err)
		}
		s.closed = s.closed[1:]
		s.waiting -= oldest.size
	}
	return s.current.size == 0 || delivered(s.path(s.current.number), s.current.size), nil
}

// newest returns the last whole line that was received, without its line feed; nil when there is none.
func (s *segments) newest() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append(slices.Clone(s.closed), s.current)
	for _, one := range slices.Backward(all) {
		line, err := lastLineOf(s.path(one.number))
		if line != nil || err != nil {
			return line, err
		}
	}
	return nil, nil
}

// lastLineOf returns the last whole line of a file.
func lastLineOf(path string) ([]byte, error) {
	all, err := os.ReadFile(path) // at most a segment and one line
	if err != nil {
		return nil, fmt.Errorf("read received lines: %w", err)
	}
	end := bytes.LastIndexByte(all, '\n')
	if end < 0 {
		return nil, nil
	}
	return all[bytes.LastIndexByte(all[:end], '\n')+1 : end], nil
}

func (s *segments) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.file.Close(); err != nil {
		return fmt.Errorf("close segment: %w", err)
	}
	if s.current.size == 0 {
		if err := os.RemoveAll(filepath.Dir(s.path(s.current.number))); err != nil {
			return fmt.Errorf("remove empty segment: %w", err)
		}
	}
	return nil
}
