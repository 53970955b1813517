package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// IDSize is the size of a file identity in bytes.
const IDSize = 12

// ID is the identity of a file, the same for as long as logship knows the file.
type ID [IDSize]byte

// Entry is what is remembered about one file.
type Entry struct {
	ID ID
	// Dev and Ino are the device and inode number, Generation counts contents of the file that began alike.
	Dev, Ino   uint64
	Generation uint32
	// HeadLen and HeadSum are the length (at most 1024 bytes) and the truncated SHA-256 of the start of the file.
	HeadLen uint16
	HeadSum [16]byte
	// Acked is the offset below which everything is final, in bytes.
	Acked int64
	// Sum is the CRC-32C of the content below SumAt, which is at or below Acked; 0 when it is not known. Put leaves both alone.
	SumAt int64
	Sum   uint32
	// Path is where the file was seen last.
	Path string
	// Cuts are offsets above Acked at which events ended although their text could go on; Put leaves them alone.
	Cuts []int64
}

// advance moves the offset and forgets what is final.
func (e *Entry) advance(acked int64) {
	e.Acked = acked
	var open []int64
	for _, end := range e.Cuts {
		if end > acked {
			open = append(open, end)
		}
	}
	e.Cuts = open
}

// magic begins every journal; its last digit is the version of the format.
const magic = "kreislauf logship checkpoint 1\n"

// The types of frames.
const (
	frameFile   = 1 // the whole entry
	frameAcked  = 2 // ID, offset
	frameForget = 3 // ID
	frameCut    = 4 // ID, offset
	frameSum    = 5 // ID, offset, CRC-32C of the content below it
)

const (
	frameOverhead = 2 + 1 + 4
	fixedFile     = IDSize + 8 + 8 + 4 + 2 + 16 + 8
	maxPath       = 4096
)

// ErrDamaged says that a journal has a part that was not written as it is.
var ErrDamaged = errors.New("journal damaged")

func appendFrame(dst []byte, kind byte, payload func([]byte) []byte) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, kind)
	dst = payload(dst)
	binary.BigEndian.PutUint16(dst[start:], uint16(len(dst)-start-3))
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli()))
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func appendFile(dst []byte, e *Entry) []byte {
	return appendFrame(dst, frameFile, func(b []byte) []byte {
		b = append(b, e.ID[:]...)
		b = binary.BigEndian.AppendUint64(b, e.Dev)
		b = binary.BigEndian.AppendUint64(b, e.Ino)
		b = binary.BigEndian.AppendUint32(b, e.Generation)
		b = binary.BigEndian.AppendUint16(b, e.HeadLen)
		b = append(b, e.HeadSum[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(e.Acked))
		return append(b, e.Path[:min(len(e.Path), maxPath)]...)
	})
}

func appendAcked(dst []byte, id ID, acked int64) []byte {
	return appendFrame(dst, frameAcked, func(b []byte) []byte {
		return binary.BigEndian.AppendUint64(append(b, id[:]...), uint64(acked))
	})
}

func appendCut(dst []byte, id ID, end int64) []byte {
	return appendFrame(dst, frameCut, func(b []byte) []byte {
		return binary.BigEndian.AppendUint64(append(b, id[:]...), uint64(end))
	})
}

func appendSum(dst []byte, id ID, at int64, sum uint32) []byte {
	return appendFrame(dst, frameSum, func(b []byte) []byte {
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(append(b, id[:]...), uint64(at)), sum)
	})
}

func appendForget(dst []byte, id ID) []byte {
	return appendFrame(dst, frameForget, func(b []byte) []byte { return append(b, id[:]...) })
}

// parse reads a journal. It returns the entries of its valid beginning and the length of that. A last frame that
// is cut short is what a crash leaves and no error; anything else that does not fit is ErrDamaged.
func parse(data []byte) (map[ID]Entry, int, error) {
	entries := make(map[ID]Entry)
	if len(data) < len(magic) && magic[:len(data)] == string(data) {
		return entries, 0, nil
	}
	if len(data) < len(magic) || string(data[:len(magic)]) != magic {
		return entries, 0, fmt.Errorf("%w: it does not begin as one", ErrDamaged)
	}
	at := len(magic)
	for at < len(data) {
		rest := data[at:]
		if len(rest) < frameOverhead {
			return entries, at, nil
		}
		size := int(binary.BigEndian.Uint16(rest))
		if size+frameOverhead > len(rest) {
			return entries, at, nil
		}
		sum := binary.BigEndian.Uint32(rest[3+size:])
		if crc32.Checksum(rest[:3+size], castagnoli()) != sum {
			return entries, at, fmt.Errorf("%w: checksum at byte %d", ErrDamaged, at)
		}
		if err := apply(entries, rest[2], rest[3:3+size]); err != nil {
			return entries, at, fmt.Errorf("%w at byte %d", err, at)
		}
		at += size + frameOverhead
	}
	return entries, at, nil
}

func apply(entries map[ID]Entry, kind byte, p []byte) error {
	if len(p) < IDSize {
		return fmt.Errorf("%w: short frame", ErrDamaged)
	}
	id := ID(p[:IDSize])
	switch {
	case kind == frameFile && len(p) >= fixedFile:
		e := Entry{ID: id, Dev: binary.BigEndian.Uint64(p[12:]), Ino: binary.BigEndian.Uint64(p[20:])}
		e.Generation = binary.BigEndian.Uint32(p[28:])
		e.HeadLen = binary.BigEndian.Uint16(p[32:])
		e.HeadSum = [16]byte(p[34:50])
		e.Acked = int64(binary.BigEndian.Uint64(p[50:]))
		e.Path = string(p[fixedFile:])
		if e.Acked < 0 {
			return fmt.Errorf("%w: negative offset", ErrDamaged)
		}
		e.Cuts, e.SumAt, e.Sum = entries[id].Cuts, entries[id].SumAt, entries[id].Sum
		entries[id] = e
	case kind == frameAcked && len(p) == IDSize+8:
		e, ok := entries[id]
		acked := int64(binary.BigEndian.Uint64(p[IDSize:]))
		if !ok || acked < 0 {
			return fmt.Errorf("%w: offset of an unknown file", ErrDamaged)
		}
		e.advance(acked)
		entries[id] = e
	case kind == frameCut && len(p) == IDSize+8:
		e, ok := entries[id]
		end := int64(binary.BigEndian.Uint64(p[IDSize:]))
		if !ok || end < 0 {
			return fmt.Errorf("%w: end of an event of an unknown file", ErrDamaged)
		}
		e.Cuts = append(e.Cuts, end)
		entries[id] = e
	case kind == frameSum && len(p) == IDSize+8+4:
		e, ok := entries[id]
		at := int64(binary.BigEndian.Uint64(p[IDSize:]))
		if !ok || at < 0 {
			return fmt.Errorf("%w: content of an unknown file", ErrDamaged)
		}
		e.SumAt, e.Sum = at, binary.BigEndian.Uint32(p[IDSize+8:])
		entries[id] = e
	case kind == frameForget && len(p) == IDSize:
		delete(entries, id)
	default:
		return fmt.Errorf("%w: unknown frame", ErrDamaged)
	}
	return nil
}
