package tail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// MaxLine is the longest line that is handed out whole, in bytes without the line feed.
const MaxLine = 1 << 20

// ByteOrderMark is what some writers begin a file in UTF-8 with. It belongs to no line.
const ByteOrderMark = "\xef\xbb\xbf"

// chunkSize is how much is read at once.
const chunkSize = 256 << 10

// ErrReplaced says that the file was truncated or its content replaced since it was read last.
var ErrReplaced = errors.New("content of the file was replaced")

// Chunk is a piece of a file: whole lines with their line feeds, or one line that is not followed by one.
type Chunk struct {
	// Data is valid until the next Read. It is empty when there is no whole line to read.
	Data []byte
	// Start and End are the offsets of the first byte and of the byte after the last; they are further apart than
	// Data is long when the line was cut.
	Start, End int64
	// Cut says that Data is the beginning of one line that is longer than MaxLine.
	Cut bool
	// More says that the file goes on behind what was read. Without it there is nothing to read until the file grows.
	More bool
}

// Reader reads chunks of any file into one buffer. It belongs to one goroutine.
type Reader struct {
	chunk []byte
	long  []byte // for lines that do not fit into chunk
}

// Read returns the next whole lines of f, without consuming them. It returns ErrReplaced when f is not what it was.
func (r *Reader) Read(f *File) (Chunk, error) {
	if r.chunk == nil {
		r.chunk = make([]byte, chunkSize)
	}
	data, err := f.read(r.chunk)
	if err != nil || len(data) == 0 {
		return Chunk{}, err
	}
	if end := bytes.LastIndexByte(data, '\n') + 1; end > 0 {
		return Chunk{Data: data[:end], Start: f.offset, End: f.offset + int64(end), More: f.gz != nil || f.offset+int64(len(data)) < f.size}, nil
	}
	if len(data) < len(r.chunk) {
		return Chunk{}, nil
	}
	if r.long == nil {
		r.long = make([]byte, MaxLine+1)
	}
	if data, err = f.read(r.long); err != nil {
		return Chunk{}, err
	}
	if end := bytes.LastIndexByte(data, '\n') + 1; end > 0 {
		return Chunk{Data: data[:end], Start: f.offset, End: f.offset + int64(end), More: true}, nil
	}
	if len(data) < len(r.long) {
		return Chunk{}, nil
	}
	return r.cut(f, data[:MaxLine])
}

// cut looks for the end of a line that is too long. Where it looked is remembered, so waiting for the line feed
// costs nothing twice.
func (r *Reader) cut(f *File, data []byte) (Chunk, error) {
	at := max(f.scanned, f.offset+int64(len(data)))
	for {
		n, err := f.readAt(r.chunk, at)
		if err != nil {
			return Chunk{}, err
		}
		if n == 0 {
			f.scanned = at
			return Chunk{}, nil
		}
		if i := bytes.IndexByte(r.chunk[:n], '\n'); i >= 0 {
			return Chunk{Data: data, Start: f.offset, End: at + int64(i) + 1, Cut: true, More: true}, nil
		}
		at += int64(n)
	}
}

// Rest returns what follows the last line feed of a file that nobody writes any more.
func (r *Reader) Rest(f *File) (Chunk, error) {
	if r.long == nil {
		r.long = make([]byte, MaxLine+1)
	}
	data, err := f.read(r.long)
	if err != nil || len(data) == 0 {
		return Chunk{}, err
	}
	c := Chunk{Data: data, Start: f.offset, End: f.size}
	if len(data) > MaxLine {
		c.Data, c.Cut = data[:MaxLine], true
	}
	return c, nil
}

// read fills buf from the reading position and makes sure that the content is still the same afterwards: then it
// was the same while reading.
func (f *File) read(buf []byte) ([]byte, error) {
	if f.gz != nil { // nobody changes it, it can only still grow
		n, err := f.gz.readAt(buf, f.offset)
		if err != nil {
			return nil, err
		}
		f.size = max(f.size, f.offset+int64(n))
		if end, known := f.gz.end(); known {
			f.size, f.seen = end, end
		}
		return buf[:n], nil
	}
	info, err := f.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at log file: %w", err)
	}
	if info.Size() < f.offset {
		return nil, ErrReplaced
	}
	n, err := readAt(f.file, buf[:min(int64(len(buf)), info.Size()-f.offset)], f.offset)
	if err != nil {
		return nil, err
	}
	same, err := f.sameHead()
	if err != nil {
		return nil, err
	}
	if !same {
		return nil, ErrReplaced
	}
	f.size = max(info.Size(), f.offset+int64(n))
	f.seen = f.size
	return buf[:n], nil
}

// sameHead reads the beginning again and extends what is known of it while it is shorter than HeadSize.
func (f *File) sameHead() (bool, error) {
	var now [HeadSize]byte
	n, err := readAt(f.file, now[:], 0)
	if err != nil {
		return false, err
	}
	if n < len(f.head) || !bytes.Equal(now[:len(f.head)], f.head) {
		return false, nil
	}
	f.head = append(f.head, now[len(f.head):n]...)
	return true, nil
}

// readAt is ReadAt without an error at the end of the file.
func readAt(file *os.File, buf []byte, offset int64) (int, error) {
	n, err := file.ReadAt(buf, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("read log file: %w", err)
	}
	return n, nil
}
