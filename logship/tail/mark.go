package tail

import (
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

const (
	// maxMarks is how many marks of a file are kept. They are dense at the end of what was read and rare before.
	maxMarks = 32
	// maxCatchUp is how much of a file is read again to get a mark that was not made while reading, in bytes.
	maxCatchUp = 64 << 20
)

// Mark is what is remembered of the content of a file below an offset: its CRC-32C. It says nothing when At is 0.
type Mark struct {
	At  int64
	Sum uint32
}

var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

// mark notes what the content up to offset is. data are the bytes from the mark before to offset, when they are at hand; else they
// are read again.
func (f *File) mark(offset int64, data []byte) {
	if len(f.marks) == 0 || f.gz != nil {
		f.marks = nil
		return
	}
	next := f.marks[len(f.marks)-1]
	switch {
	case offset == next.At:
		return
	case next.At+int64(len(data)) == offset:
		next = Mark{At: offset, Sum: crc32.Update(next.Sum, castagnoli(), data)}
	default:
		var err error
		if next, err = f.sumTo(next, offset); err != nil {
			f.marks = nil
			return
		}
	}
	if len(f.marks) == maxMarks { // drop every second of the older ones
		kept := f.marks[:0]
		for i, m := range f.marks {
			if i%2 == 0 || i >= maxMarks/2 {
				kept = append(kept, m)
			}
		}
		f.marks = kept
	}
	f.marks = append(f.marks, next)
}

// sumTo reads on from a mark and returns the one at offset.
func (f *File) sumTo(m Mark, offset int64) (Mark, error) {
	if offset < m.At || offset-m.At > maxCatchUp {
		return Mark{}, fmt.Errorf("mark log file: %d bytes are too many", offset-m.At)
	}
	sum, err := f.sum(m, offset)
	return Mark{At: offset, Sum: sum}, err
}

// sum returns the CRC-32C of the content below end, of which m is known.
func (f *File) sum(m Mark, end int64) (uint32, error) {
	buf := make([]byte, min(end-m.At, chunkSize))
	for m.At < end {
		n, err := f.readAt(buf[:min(int64(len(buf)), end-m.At)], m.At)
		if err == nil && n == 0 {
			err = fmt.Errorf("read log file: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return 0, err
		}
		m = Mark{At: m.At + int64(n), Sum: crc32.Update(m.Sum, castagnoli(), buf[:n])}
	}
	return m.Sum, nil
}

// markBelow returns the last mark at or below offset.
func (f *File) markBelow(offset int64) Mark {
	for i := len(f.marks) - 1; i >= 0; i-- {
		if f.marks[i].At <= offset {
			return f.marks[i]
		}
	}
	return Mark{}
}

// Marks returns what is remembered of the content that was consumed, by ascending offsets.
func (f *File) Marks() []Mark { return append([]Mark(nil), f.marks...) }

// Matches reports whether the content of f is the one that the mark was made of. It reads all of that.
func (f *File) Matches(m Mark) (bool, error) {
	if m.At == 0 {
		return true, nil
	}
	if f.gz == nil && f.size < m.At {
		return false, nil
	}
	if f.gz != nil {
		if longer, err := f.gz.longerThan(m.At - 1); err != nil || !longer {
			return false, err
		}
	}
	sum, err := f.sum(Mark{}, m.At)
	return err == nil && sum == m.Sum, err
}

// Alike reports whether f and other begin alike as far as both are known.
func (f *File) Alike(other *File) bool {
	n := min(len(f.head), len(other.head))
	return string(f.head[:n]) == string(other.head[:n])
}

// Intact reports whether the content that was read is still there. f must be open.
func (f *File) Intact() (bool, error) {
	info, err := f.file.Stat()
	if err != nil {
		return false, fmt.Errorf("look at log file: %w", err)
	}
	if f.gz == nil && info.Size() < f.offset {
		return false, nil
	}
	return f.sameHead()
}

// SameAs compares the content of f with that of other, both plain files, from an offset up to where the shorter one ends, or at
// most limit bytes. It returns up to where they are the same, and whether they differ there.
func (f *File) SameAs(other *File, from, limit int64) (upTo int64, differ bool, err error) {
	a, b := make([]byte, chunkSize), make([]byte, chunkSize)
	for at := from; ; {
		room := min(chunkSize, from+limit-at)
		n, err := readAt(f.file, a[:room], at)
		if err != nil {
			return at, false, err
		}
		m, err := readAt(other.file, b[:room], at)
		if err != nil {
			return at, false, err
		}
		n = min(n, m)
		if string(a[:n]) != string(b[:n]) {
			return at, true, nil
		}
		if at += int64(n); int64(n) < room || room == 0 {
			return at, false, nil
		}
	}
}
