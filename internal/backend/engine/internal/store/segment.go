package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"kreislauf/internal/backend/engine/internal/column"
)

// A segment file is: magic; sections; footer (JSON); length and CRC-32C of the footer (4 bytes little endian each);
// magic. Section names: `c/<field>` a column (zstd), `x/<field>` a packed column (not compressed), `s/<n>` the sources
// of documents n*chunkDocs and following (zstd), `bloom` the filter (not compressed).
const segMagic = "KLSEG002"

// ErrDamaged is reported for a segment whose bytes do not match their checksum.
var ErrDamaged = errors.New("damaged segment")

type footer struct {
	Docs     int                `json:"docs"`
	MinTime  int64              `json:"min_time"` // milliseconds; above MaxTime if no document has a time
	MaxTime  int64              `json:"max_time"`
	Sections map[string]section `json:"sections"`
}

type section struct {
	Offset int64  `json:"o"`
	Length int    `json:"n"`
	Sum    uint32 `json:"c"`
}

// segment is an open immutable segment. Deleted documents are kept beside it, see Index.
type segment struct {
	number uint32
	path   string
	size   int64
	foot   footer
	base   uint32 // place of the first document in the index
	codec  *codec

	verified  atomic.Bool
	verifying sync.Mutex
	filter    bloom // set by verify
}

func segPath(dir string, number uint32) string {
	return filepath.Join(dir, fmt.Sprintf("seg-%08d", number))
}

// writeSegment makes the documents a durable file. Either the whole segment exists afterwards or none of it.
func writeSegment(dir string, number uint32, c *codec, l *live, isTerm func(string) bool) (*segment, error) {
	foot := footer{Docs: l.set.Docs(), MinTime: l.minTime, MaxTime: l.maxTime, Sections: map[string]section{}}
	data := []byte(segMagic)
	put := func(name string, b []byte) {
		foot.Sections[name] = section{Offset: int64(len(data)), Length: len(b), Sum: checksum(b)}
		data = append(data, b...)
	}
	var terms []uint64
	cols := l.set.Views()
	for name, col := range cols {
		if packed, ok := col.Packed(foot.Docs); ok {
			put("x/"+name, packed)
		} else {
			put("c/"+name, c.dense.EncodeAll(col.Encode(nil), nil))
		}
		if col.Kind == column.String && isTerm(name) {
			for _, s := range col.Dict {
				terms = append(terms, termHash(name, s))
			}
		}
	}
	for n, packed := range l.sources.chunks {
		put(chunkName(n), packed)
	}
	if len(l.sources.tail) > 0 {
		put(chunkName(len(l.sources.chunks)), c.fast.EncodeAll(encodeChunk(nil, l.sources.tail), nil))
	}
	filter := newBloom(len(terms))
	for _, h := range terms {
		filter.add(h)
	}
	put("bloom", filter)
	end, err := json.Marshal(foot)
	if err != nil {
		return nil, fmt.Errorf("encode segment footer: %w", err)
	}
	data = append(data, end...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(end)))
	data = binary.LittleEndian.AppendUint32(data, checksum(end))
	data = append(data, segMagic...)
	path := segPath(dir, number)
	if err := WriteFile(path, data); err != nil {
		return nil, fmt.Errorf("write segment: %w", err)
	}
	seg := &segment{number: number, path: path, size: int64(len(data)), foot: foot, filter: filter, codec: c, base: l.base}
	seg.verified.Store(true)
	return seg, nil
}

// openSegment reads the footer of a segment file.
func openSegment(path string, number uint32, c *codec) (*segment, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	s := &segment{number: number, path: path, size: info.Size(), codec: c}
	tail := s.size - int64(len(segMagic)) - 8
	if tail < int64(len(segMagic)) {
		return nil, fmt.Errorf("%w: no magic", ErrDamaged)
	}
	end := make([]byte, 8+len(segMagic))
	if _, err := f.ReadAt(end, tail); err != nil {
		return nil, fmt.Errorf("read segment: %w", err)
	}
	n := int64(binary.LittleEndian.Uint32(end))
	if string(end[8:]) != segMagic || n > tail {
		return nil, fmt.Errorf("%w: no magic", ErrDamaged)
	}
	raw := make([]byte, n)
	if _, err := f.ReadAt(raw, tail-n); err != nil {
		return nil, fmt.Errorf("read segment: %w", err)
	}
	if checksum(raw) != binary.LittleEndian.Uint32(end[4:]) || json.Unmarshal(raw, &s.foot) != nil {
		return nil, fmt.Errorf("%w: footer", ErrDamaged)
	}
	for name, sec := range s.foot.Sections {
		if sec.Offset < 0 || sec.Length < 0 || sec.Offset > tail || int64(sec.Length) > tail-sec.Offset {
			return nil, fmt.Errorf("%w: section %s", ErrDamaged, name)
		}
	}
	return s, nil
}

// verify compares the whole file with its checksums, once.
func (s *segment) verify() error {
	s.verifying.Lock()
	defer s.verifying.Unlock()
	if s.verified.Load() {
		return nil
	}
	data, err := os.ReadFile(s.path)
	if err != nil {
		return fmt.Errorf("read segment: %w", err)
	}
	if int64(len(data)) != s.size || string(data[:len(segMagic)]) != segMagic {
		return fmt.Errorf("%w: no magic", ErrDamaged)
	}
	for name, sec := range s.foot.Sections {
		if checksum(data[sec.Offset:sec.Offset+int64(sec.Length)]) != sec.Sum {
			return fmt.Errorf("%w: section %s", ErrDamaged, name)
		}
	}
	f := s.foot.Sections["bloom"]
	if f.Length == 0 {
		return fmt.Errorf("%w: no filter", ErrDamaged)
	}
	s.filter = bloom(slices.Clone(data[f.Offset : f.Offset+int64(f.Length)]))
	s.verified.Store(true)
	return nil
}

// read returns the bytes of a section; ok is false if the segment has none of that name.
func (s *segment) read(name string) (b []byte, ok bool, err error) {
	sec, ok := s.foot.Sections[name]
	if !ok {
		return nil, false, nil
	}
	raw := make([]byte, sec.Length)
	if err := s.readAt(raw, sec.Offset); err != nil {
		return nil, true, err
	}
	if checksum(raw) != sec.Sum {
		return nil, true, fmt.Errorf("%w: %s section %s", ErrDamaged, s.path, name)
	}
	return raw, true, nil
}

// column reads a column; a segment without the field has an empty one.
func (s *segment) column(cache *Cache, name string) (*column.Column, error) {
	key := cacheKey{s, "c/" + name}
	if v, ok := cache.get(key); ok {
		return v.(*column.Column), nil
	}
	col, err := s.decodeColumn(name)
	if err != nil {
		return nil, err
	}
	cache.put(key, col, col.Bytes())
	return col, nil
}

func (s *segment) decodeColumn(name string) (*column.Column, error) {
	packed, ok, err := s.read("x/" + name)
	if err != nil {
		return nil, err
	}
	var col *column.Column
	if ok {
		col, err = column.Unpack(packed)
	} else {
		var raw []byte
		if raw, ok, err = s.read("c/" + name); err != nil || !ok {
			return &column.Column{}, err
		}
		if raw, err = s.codec.dec.DecodeAll(raw, nil); err == nil {
			col, err = column.Decode(raw)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s column %s: %v", ErrDamaged, s.path, name, err)
	}
	return col, nil
}

// findPacked looks for values in a packed column, without decoding it. The bytes were verified before; they are read into
// a buffer that the next call uses again.
func (s *segment) findPacked(buffers *sync.Pool, name string, values []string) (found Bits, ok bool, err error) {
	sec, ok := s.foot.Sections["x/"+name]
	if !ok {
		return nil, false, nil
	}
	found = NewBits(s.foot.Docs)
	if !slices.ContainsFunc(values, func(v string) bool { return s.filter.has(termHash(name, v)) }) {
		return found, true, nil
	}
	buf, _ := buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer buffers.Put(buf)
	*buf = slices.Grow((*buf)[:0], sec.Length)[:sec.Length]
	if err := s.readAt(*buf, sec.Offset); err != nil {
		return nil, true, err
	}
	for _, v := range values {
		if s.filter.has(termHash(name, v)) {
			column.FindPacked(*buf, v, func(doc int) {
				if doc < s.foot.Docs {
					found.Set(doc)
				}
			})
		}
	}
	return found, true, nil
}

// id reads the id of a document.
func (s *segment) id(cache *Cache, doc int) (string, error) {
	sec, ok := s.foot.Sections["x/"+IDField]
	if ok && s.foot.Docs > 0 {
		width := (sec.Length - 1) / s.foot.Docs
		buf := make([]byte, width)
		if err := s.readAt(buf, sec.Offset+1+int64(doc*width)); err != nil {
			return "", err
		}
		return column.PackedValue(buf), nil
	}
	c, err := s.column(cache, IDField)
	if err != nil {
		return "", err
	}
	from, to := c.Range(doc)
	if from == to {
		return "", fmt.Errorf("%w: document without id", ErrDamaged)
	}
	return c.Str(from), nil
}

// readAt reads bytes that verify has checked.
func (s *segment) readAt(b []byte, offset int64) error {
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	if _, err := f.ReadAt(b, offset); err != nil {
		return fmt.Errorf("read segment: %w", err)
	}
	return nil
}

// source reads the source of a document.
func (s *segment) source(cache *Cache, doc int) ([]byte, error) {
	name := chunkName(doc / chunkDocs)
	return chunkSource(cache, s.codec, cacheKey{s, name}, doc, func() ([]byte, error) {
		raw, ok, err := s.read(name)
		if err == nil && !ok {
			err = fmt.Errorf("%w: %s lacks the source of document %d", ErrDamaged, s.path, doc)
		}
		return raw, err
	})
}

// WriteFile writes a file durably: a temporary file is synced, renamed, and the directory synced.
func WriteFile(path string, data []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("create file: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write file: %w", err), os.Remove(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("rename file: %w", err)
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes creations, renames and removals in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// live holds the documents that are in the log but in no segment yet.
type live struct {
	base    uint32 // place of the first document in the index
	owner   *byte  // of its chunks in the cache, which must not hold all of it
	set     *column.Set
	sources *sources
	bytes   int // of sources, not compressed
	minTime int64
	maxTime int64
}

func newLive(c *codec, base uint32, set *column.Set) *live {
	return &live{base: base, owner: new(byte), set: set, sources: &sources{codec: c}, minTime: math.MaxInt64, maxTime: math.MinInt64}
}
