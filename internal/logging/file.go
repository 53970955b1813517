package logging

import (
	"errors"
	"fmt"
	"os"
)

// maxFile is the size at which a log file is renamed to .1 (and .1 to .2); two old files are kept, so a process never
// holds more than three times this on disk. The shipper follows renames.
const maxFile = 64 << 20

// file is an appending file that rotates by rename between writes, so no line is split. Only its Sink uses it, under the sink's lock.
type file struct {
	path string
	max  int64
	f    *os.File
	size int64
}

func openFile(path string, limit int64) (*file, error) {
	w := &file{path: path, max: limit}
	if err := w.open(); err != nil {
		return nil, err
	}
	if err := w.endLine(); err != nil {
		return nil, errors.Join(err, w.f.Close())
	}
	return w, nil
}

func (w *file) open() error {
	f, err := os.OpenFile(w.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("open log file: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("stat log file: %w", err), f.Close())
	}
	w.f, w.size = f, st.Size()
	return nil
}

// endLine finishes a line that a full disk cut off in an earlier life, so that the next one stays readable.
func (w *file) endLine() error {
	if w.size == 0 {
		return nil
	}
	var last [1]byte
	if _, err := w.f.ReadAt(last[:], w.size-1); err != nil {
		return fmt.Errorf("read end of log file: %w", err)
	}
	if last[0] == '\n' {
		return nil
	}
	n, err := w.f.Write([]byte{'\n'})
	w.size += int64(n)
	return err
}

// Write implements io.Writer for whole lines.
func (w *file) Write(b []byte) (int, error) {
	if w.size > 0 && w.size+int64(len(b)) > w.max {
		if err := w.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := w.f.Write(b)
	w.size += int64(n)
	if err != nil && n > 0 {
		// Part of a line is out. Take it back so that what follows is readable.
		if terr := w.f.Truncate(w.size - int64(n)); terr == nil {
			w.size -= int64(n)
			n = 0
		}
	}
	return n, err
}

func (w *file) rotate() error {
	// Closed already means that an earlier rotation could not open the new file: this is the next attempt.
	if err := w.f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("close log file: %w", err)
	}
	for _, mv := range [][2]string{{w.path + ".1", w.path + ".2"}, {w.path, w.path + ".1"}} {
		if err := os.Rename(mv[0], mv[1]); err != nil && !errors.Is(err, os.ErrNotExist) {
			return errors.Join(fmt.Errorf("rotate log file: %w", err), w.open())
		}
	}
	return w.open()
}

// Close closes the file.
func (w *file) Close() error { return w.f.Close() }
