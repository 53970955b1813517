package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/s2"
	"github.com/rs/zerolog"
)

// A log is a sequence of frames: magic (4 bytes), length of the body, CRC-32C over length and body (4 bytes
// little endian each), body. The body is S2 of: number of operations (uvarint), then per operation kind
// (byte), id and source (uvarint length and bytes each).
const (
	walMagic  = "KLF2"
	walHeader = 12
	maxFrame  = 256 << 20
)

var errFrame = errors.New("damaged frame")

// rawOp is an operation as it is stored.
type rawOp struct {
	kind   OpKind
	id     string
	source []byte
}

func encodeOps(b []byte, ops []rawOp) []byte {
	b = binary.AppendUvarint(b, uint64(len(ops)))
	for _, op := range ops {
		b = append(b, byte(op.kind))
		b = binary.AppendUvarint(b, uint64(len(op.id)))
		b = append(b, op.id...)
		b = binary.AppendUvarint(b, uint64(len(op.source)))
		b = append(b, op.source...)
	}
	return b
}

// decodeOps reads what encodeOps wrote; the sources are parts of b.
func decodeOps(b []byte) ([]rawOp, error) {
	next := func() ([]byte, bool) {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return nil, false
		}
		part := b[used : used+int(n) : used+int(n)]
		b = b[used+int(n):]
		return part, true
	}
	count, used := binary.Uvarint(b)
	if used <= 0 || count > uint64(len(b)) {
		return nil, errFrame
	}
	b = b[used:]
	ops := make([]rawOp, 0, count)
	for range count {
		if len(b) == 0 || b[0] > byte(Delete) {
			return nil, errFrame
		}
		op := rawOp{kind: OpKind(b[0])}
		b = b[1:]
		id, ok1 := next()
		src, ok2 := next()
		if !ok1 || !ok2 {
			return nil, errFrame
		}
		op.id, op.source = string(id), src
		ops = append(ops, op)
	}
	if len(b) != 0 {
		return nil, errFrame
	}
	return ops, nil
}

// appendFrame frames a compressed body.
func appendFrame(b, body []byte) []byte {
	b = append(b, walMagic...)
	at := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = binary.LittleEndian.AppendUint32(b, frameSum(b[at:at+4], body))
	return append(b, body...)
}

func frameSum(length, body []byte) uint32 {
	return checksum(length) ^ checksum(body)
}

// readFrame reads the frame at the start of b and returns its operations and size.
func readFrame(b []byte) (ops []rawOp, size int, err error) {
	if len(b) < walHeader || string(b[:4]) != walMagic {
		return nil, 0, errFrame
	}
	n := int(binary.LittleEndian.Uint32(b[4:]))
	if n > maxFrame || n > len(b)-walHeader {
		return nil, 0, errFrame
	}
	body := b[walHeader : walHeader+n]
	if frameSum(b[4:8], body) != binary.LittleEndian.Uint32(b[8:]) {
		return nil, 0, errFrame
	}
	if size, err := s2.DecodedLen(body); err != nil || size > maxDecoded {
		return nil, 0, errFrame
	}
	raw, err := s2.Decode(nil, body)
	if err != nil {
		return nil, 0, errFrame
	}
	ops, err = decodeOps(raw)
	return ops, walHeader + n, err
}

// wal is the log that is written.
type wal struct {
	f    *os.File
	size int64 // bytes that are written and synced
	torn bool  // a failed write may have left bytes after size

	damaged int // parts that were set aside when the log was opened
}

// append makes a frame durable, or leaves the log as it was.
func (w *wal) append(frame []byte) error {
	if w.torn {
		if err := w.repair(); err != nil {
			return err
		}
	}
	w.torn = true
	if _, err := w.f.WriteAt(frame, w.size); err != nil {
		return errors.Join(fmt.Errorf("write log: %w", err), w.repair())
	}
	if err := w.f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("sync log: %w", err), w.repair())
	}
	w.size += int64(len(frame))
	w.torn = false
	return nil
}

// repair cuts off what a failed write left.
func (w *wal) repair() error {
	if err := w.f.Truncate(w.size); err != nil {
		return fmt.Errorf("truncate log: %w", err)
	}
	if err := w.f.Sync(); err != nil {
		return fmt.Errorf("sync truncated log: %w", err)
	}
	w.torn = false
	return nil
}

// openWAL opens or creates a log and hands its frames to apply. A torn tail is cut off; damage in the middle is
// copied to <path>.damaged-<offset> and jumped over. Both are logged.
func openWAL(path string, log zerolog.Logger, apply func([]rawOp) error) (*wal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read log: %w", err), f.Close())
	}
	pos, damaged := 0, 0
	for pos < len(data) {
		ops, n, err := readFrame(data[pos:])
		if err == nil {
			if err := apply(ops); err != nil {
				return nil, errors.Join(err, f.Close())
			}
			pos += n
			continue
		}
		next := nextFrame(data, pos+1)
		if next < 0 {
			log.Warn().Str("file", path).Int("offset", pos).Int("bytes", len(data)-pos).Msg("torn end of log cut off; it was never acknowledged")
			w := &wal{f: f, size: int64(pos), damaged: damaged}
			if err := w.repair(); err != nil {
				return nil, errors.Join(err, f.Close())
			}
			return w, nil
		}
		aside := fmt.Sprintf("%s.damaged-%d", path, pos)
		if err := os.WriteFile(aside, data[pos:next], 0o640); err != nil {
			return nil, errors.Join(fmt.Errorf("set damaged frames aside: %w", err), f.Close())
		}
		log.Error().Str("file", path).Int("offset", pos).Int("bytes", next-pos).Str("aside", aside).Msg("damaged part of log set aside: documents in it are lost from searches")
		pos = next
		damaged++
	}
	return &wal{f: f, size: int64(len(data)), damaged: damaged}, nil
}

// nextFrame finds the next intact frame at or after pos, or -1.
func nextFrame(data []byte, pos int) int {
	for pos < len(data) {
		i := bytes.Index(data[pos:], []byte(walMagic))
		if i < 0 {
			return -1
		}
		pos += i
		if _, _, err := readFrame(data[pos:]); err == nil {
			return pos
		}
		pos++
	}
	return -1
}
