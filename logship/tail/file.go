package tail

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// HeadSize is how much of the beginning of a file tells its content from another, in bytes.
const HeadSize = 1024

// ErrNotReady says that a file has neither a whole line nor HeadSize bytes, so it has no identity yet.
var ErrNotReady = errors.New("file has no whole line yet")

// Key is what the file system calls the same file.
type Key struct{ Dev, Ino uint64 }

// Head is the beginning of a file, short: its length (at most HeadSize) and the truncated SHA-256.
type Head struct {
	Len int
	Sum [16]byte
}

// Identity names one content of one file for ever.
type Identity [12]byte

// File is an open file and how far it is read and acknowledged. It belongs to one goroutine.
type File struct {
	Path string
	Key  Key

	file    *os.File
	gz      *unpacked // set when file is a gzip file; offsets are those of its content
	parked  bool      // closed for want of file descriptors
	head    []byte    // the first bytes, at most HeadSize
	offset  int64     // where reading goes on
	size    int64     // when read last, of this very content
	seen    int64     // as somebody else found it, perhaps of another content
	scanned int64     // no line feed before this offset behind a line that is too long
	marks   []Mark    // of what was consumed, the last one at offset; none when it is not known

	acks acks
}

// Open opens a file that has an identity already; ErrNotReady otherwise.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open log file: %w", err)
	}
	f := &File{Path: path, file: file, marks: []Mark{{}}}
	if err := f.begin(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return f, nil
}

func (f *File) begin() error {
	info, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("look at log file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("open log file: %s is not a regular file", f.Path)
	}
	f.Key, f.size = KeyOf(info), info.Size()
	packed, err := isGzip(f.file)
	if err != nil {
		return err
	}
	if packed {
		f.gz, f.size = &unpacked{file: f.file, size: -1}, 0
	}
	head := make([]byte, HeadSize)
	n, err := f.readAt(head, 0)
	if err != nil {
		return err
	}
	f.head = head[:n]
	if f.gz != nil {
		if n < HeadSize && !f.gz.done {
			return ErrNotReady
		}
		told, err := f.gz.trailer()
		if err != nil {
			return err
		}
		f.seen = int64(told)
	}
	if n < HeadSize && bytes.IndexByte(f.head, '\n') < 0 {
		return ErrNotReady
	}
	return nil
}

// readAt reads at an offset of the content, without an error at its end.
func (f *File) readAt(buf []byte, offset int64) (int, error) {
	if f.gz != nil {
		return f.gz.readAt(buf, offset)
	}
	return readAt(f.file, buf, offset)
}

// Packed reports whether f is a gzip file.
func (f *File) Packed() bool { return f.gz != nil }

// Complete reports false for a gzip file without its end that still has a name: it is being written, or damaged.
func (f *File) Complete() bool { return f.gz == nil || f.gz.done || !f.Linked() }

// LongerThan reports whether the content is longer than size bytes.
func (f *File) LongerThan(size int64) (bool, error) {
	if f.gz != nil {
		return f.gz.longerThan(size)
	}
	return f.size > size, nil
}

// KeyOf returns the key of a file from os.Stat.
func KeyOf(info os.FileInfo) Key {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return Key{Dev: st.Dev, Ino: st.Ino}
	}
	return Key{}
}

// Identity derives the identity from salt, the folder, the key, the first line (at most HeadSize bytes of it) and
// the generation. None of these changes while the file grows or is renamed within its folder.
func (f *File) Identity(salt string, generation uint32) Identity {
	first := f.head
	if i := bytes.IndexByte(first, '\n'); i >= 0 {
		first = first[:i+1]
	}
	h := sha256.New()
	for _, part := range [...]string{salt, filepath.Dir(f.Path)} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	var n []byte
	n = binary.BigEndian.AppendUint64(n, f.Key.Dev)
	n = binary.BigEndian.AppendUint64(n, f.Key.Ino)
	n = binary.BigEndian.AppendUint32(n, generation)
	h.Write(n)
	h.Write(first)
	return Identity(h.Sum(nil)[:12])
}

// Head returns the beginning of the file as it is known now; it grows with the file up to HeadSize.
func (f *File) Head() Head { return headOf(f.head) }

func headOf(b []byte) Head {
	sum := sha256.Sum256(b)
	return Head{Len: len(b), Sum: [16]byte(sum[:16])}
}

// BeginsWith reports whether the file begins with head.
func (f *File) BeginsWith(head Head) bool {
	return head.Len <= len(f.head) && headOf(f.head[:head.Len]) == head
}

// Resume continues at offset, below which everything is acknowledged. known is what is remembered of the content below that.
func (f *File) Resume(offset int64, known Mark) {
	f.offset, f.scanned, f.acks, f.marks = offset, 0, acks{acked: offset, known: known}, []Mark{known}
}

// Offset returns where reading goes on.
func (f *File) Offset() int64 { return f.offset }

// Consume notes that everything below offset was taken. data are the bytes that were taken, or nil.
func (f *File) Consume(offset int64, data []byte) {
	f.offset = offset
	f.mark(offset, data)
}

// Size returns the size of the file when it was last looked at.
func (f *File) Size() int64 { return max(f.size, f.seen) }

// SizeNow looks at the file and returns its size. f must be open. Of a gzip file it is what is known of the content.
func (f *File) SizeNow() int64 {
	if f.gz != nil {
		return f.Size()
	}
	if info, err := f.file.Stat(); err == nil {
		f.size = info.Size()
	}
	return f.size
}

// Unread returns how many bytes are known to be there and are not consumed.
func (f *File) Unread() int64 { return max(0, f.size-f.offset) }

// Saw notes the size of the file as somebody else found it.
func (f *File) Saw(size int64) { f.seen = size }

// Linked reports whether the file still has a name.
func (f *File) Linked() bool {
	if f.file == nil {
		return f.parked
	}
	info, err := f.file.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink > 0
}

// Adopt lets f go on reading in other, which has the same content, and takes it over.
func (f *File) Adopt(other *File) error {
	err := f.Close()
	f.file, f.gz, f.parked, f.Key, f.Path, f.size, f.seen = other.file, other.gz, false, other.Key, other.Path, other.size, other.seen
	other.file = nil
	return err
}

// Readable reports whether there is a file behind f.
func (f *File) Readable() bool { return f.file != nil || f.parked }

// Open reports whether the file is open.
func (f *File) Open() bool { return f.file != nil }

// Park closes the file to save a file descriptor; Wake opens it again.
func (f *File) Park() error {
	if f.file == nil {
		return nil
	}
	err := f.Close()
	f.parked = true
	return err
}

// Wake opens a parked file again. It returns ErrReplaced when its path leads to another file now, or to none.
func (f *File) Wake() error {
	if f.file != nil || !f.parked {
		return nil
	}
	file, err := os.Open(f.Path)
	if errors.Is(err, os.ErrNotExist) {
		return ErrReplaced
	}
	if err != nil {
		return fmt.Errorf("open log file: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("look at log file: %w", err), file.Close())
	}
	if KeyOf(info) != f.Key {
		return errors.Join(ErrReplaced, file.Close())
	}
	f.file, f.parked = file, false
	if f.gz != nil {
		f.gz = &unpacked{file: file, size: -1}
	}
	return nil
}

// Close closes the file; what is pending can still be acknowledged.
func (f *File) Close() error {
	f.parked = false
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	if err != nil {
		return fmt.Errorf("close log file: %w", err)
	}
	return nil
}

// FindCopy looks in the folder of a file that is gone or replaced for a copy of its content, plain or gzipped: a
// file that begins with head, is longer than size bytes, and has the content that known was made of. Of several it takes a plain one before a gzipped one,
// then the one changed last. It returns nil when there is none. skip says which files are none.
func FindCopy(dir string, head Head, size int64, known Mark, skip func(Key) bool) *File {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var best *File
	var changed time.Time
	for _, name := range names {
		info, err := name.Info()
		if err != nil || !info.Mode().IsRegular() || skip(KeyOf(info)) {
			continue
		}
		f, err := Open(filepath.Join(dir, name.Name()))
		if err != nil {
			continue
		}
		longer := false
		if f.BeginsWith(head) && !skip(f.Key) {
			longer, err = f.LongerThan(size)
		}
		if longer {
			longer, err = f.Matches(known)
		}
		worse := best != nil && (f.Packed() && !best.Packed() || f.Packed() == best.Packed() && info.ModTime().Before(changed))
		if err != nil || !longer || worse {
			_ = f.Close()
			continue
		}
		if best != nil {
			_ = best.Close()
		}
		best, changed = f, info.ModTime()
	}
	return best
}
