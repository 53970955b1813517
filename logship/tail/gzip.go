package tail

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
)

// gzipMagic begins a gzip file; no log does.
var gzipMagic = []byte{0x1f, 0x8b, 0x08}

// unpacked reads a gzip file at offsets of its unpacked content. Going forward is cheap, going back before what is
// kept begins again at the start.
type unpacked struct {
	file *os.File
	zr   *gzip.Reader
	kept []byte // unpacked bytes from at on
	at   int64
	done bool  // the end was reached and its checksum is right
	size int64 // compressed bytes when the file ended too early, -1 when it did not
}

func isGzip(file *os.File) (bool, error) {
	var start [3]byte
	n, err := readAt(file, start[:], 0)
	return err == nil && bytes.Equal(start[:n], gzipMagic), err
}

// readAt is ReadAt without an error at the end of what is there.
func (u *unpacked) readAt(p []byte, off int64) (int, error) {
	if off < u.at || u.zr == nil {
		if err := u.restart(); err != nil || u.zr == nil {
			return 0, err
		}
	}
	for u.zr != nil && !u.done && u.at+int64(len(u.kept)) < off+int64(len(p)) {
		if skip := min(off-u.at, int64(len(u.kept))); skip > 0 { // never asked for again
			u.kept = append(u.kept[:0], u.kept[skip:]...)
			u.at += skip
		}
		if err := u.more(); err != nil {
			return 0, err
		}
	}
	if off < u.at || off >= u.at+int64(len(u.kept)) {
		return 0, nil
	}
	return copy(p, u.kept[off-u.at:]), nil
}

// more unpacks another piece.
func (u *unpacked) more() error {
	const piece = 64 << 10
	start := len(u.kept)
	u.kept = append(u.kept, make([]byte, piece)...)
	n, err := u.zr.Read(u.kept[start:])
	u.kept = u.kept[:start+n]
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		u.done = true
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF): // still being written, or cut off for ever
		return u.wait()
	}
	return fmt.Errorf("unpack log file: %w", err)
}

// wait gives up until the file has grown.
func (u *unpacked) wait() error {
	info, err := u.file.Stat()
	if err != nil {
		return fmt.Errorf("look at log file: %w", err)
	}
	u.zr, u.size = nil, info.Size()
	return nil
}

// restart goes back to the start. It leaves zr nil when there is not more to unpack than last time.
func (u *unpacked) restart() error {
	info, err := u.file.Stat()
	if err != nil {
		return fmt.Errorf("look at log file: %w", err)
	}
	if u.zr == nil && info.Size() == u.size {
		return nil
	}
	u.kept, u.at, u.done, u.size = u.kept[:0], 0, false, -1
	u.zr, err = gzip.NewReader(io.NewSectionReader(u.file, 0, 1<<62))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return u.wait()
	}
	if err != nil {
		u.zr = nil
		return fmt.Errorf("unpack log file: %w", err)
	}
	return nil
}

// end returns the length of the unpacked content when all of it was seen.
func (u *unpacked) end() (int64, bool) { return u.at + int64(len(u.kept)), u.done }

// longerThan reports whether the unpacked content is longer than size bytes. The last four bytes of the file tell,
// unless it has several parts or more than 4 GiB.
func (u *unpacked) longerThan(size int64) (bool, error) {
	if n, known := u.end(); known {
		return n > size, nil
	}
	told, err := u.trailer()
	if err != nil || told == uint32(size) {
		return false, err
	}
	if int64(told) > size {
		return true, nil
	}
	var one [1]byte
	n, err := u.readAt(one[:], size)
	return n > 0, err
}

// trailer returns the length that the end of the file states, modulo 4 GiB.
func (u *unpacked) trailer() (uint32, error) {
	info, err := u.file.Stat()
	if err != nil {
		return 0, fmt.Errorf("look at log file: %w", err)
	}
	var last [4]byte
	if _, err := readAt(u.file, last[:], max(0, info.Size()-4)); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(last[:]), nil
}
