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
	"strconv"

	"kreislauf/elk/engine/internal/column"
)

// A segment file is: magic; sections (zstd each); footer (JSON); length and CRC-32C of the footer (4 bytes little
// endian each); magic. Section names: `c/<field>` a column, `s/<n>` the sources of documents n*chunkDocs and
// following (uvarint length and bytes each), `bloom` the filter, not compressed.
const (
	segMagic  = "KLSEG001"
	chunkDocs = 128
)

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
	filter bloom
	codec  *codec
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
		put("c/"+name, c.dense.EncodeAll(col.Encode(nil), nil))
		if col.Kind == column.String && isTerm(name) {
			for _, s := range col.Dict {
				terms = append(terms, termHash(name, s))
			}
		}
	}
	for first := 0; first < len(l.sources); first += chunkDocs {
		var raw []byte
		for _, src := range l.sources[first:min(first+chunkDocs, len(l.sources))] {
			raw = binary.AppendUvarint(raw, uint64(len(src)))
			raw = append(raw, src...)
		}
		put("s/"+strconv.Itoa(first/chunkDocs), c.dense.EncodeAll(raw, nil))
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
	return &segment{number: number, path: path, size: int64(len(data)), foot: foot, filter: filter, codec: c}, nil
}

// openSegment reads and verifies a whole segment file.
func openSegment(path string, number uint32, c *codec) (*segment, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read segment: %w", err)
	}
	tail := len(data) - len(segMagic) - 8
	if tail < len(segMagic) || string(data[:len(segMagic)]) != segMagic || string(data[tail+8:]) != segMagic {
		return nil, fmt.Errorf("%w: no magic", ErrDamaged)
	}
	n := int(binary.LittleEndian.Uint32(data[tail:]))
	if n > tail {
		return nil, fmt.Errorf("%w: footer length", ErrDamaged)
	}
	raw := data[tail-n : tail]
	s := &segment{number: number, path: path, size: int64(len(data)), codec: c}
	if checksum(raw) != binary.LittleEndian.Uint32(data[tail+4:]) || json.Unmarshal(raw, &s.foot) != nil {
		return nil, fmt.Errorf("%w: footer", ErrDamaged)
	}
	for name, sec := range s.foot.Sections {
		if sec.Offset < 0 || sec.Length < 0 || sec.Offset > int64(tail) || int64(sec.Length) > int64(tail)-sec.Offset {
			return nil, fmt.Errorf("%w: section %s", ErrDamaged, name)
		}
		if checksum(data[sec.Offset:sec.Offset+int64(sec.Length)]) != sec.Sum {
			return nil, fmt.Errorf("%w: section %s", ErrDamaged, name)
		}
	}
	f := s.foot.Sections["bloom"]
	if f.Length == 0 {
		return nil, fmt.Errorf("%w: no filter", ErrDamaged)
	}
	s.filter = bloom(slices.Clone(data[f.Offset : f.Offset+int64(f.Length)]))
	return s, nil
}

// read returns the decompressed bytes of a section; ok is false if the segment has none of that name.
func (s *segment) read(name string) (b []byte, ok bool, err error) {
	sec, ok := s.foot.Sections[name]
	if !ok {
		return nil, false, nil
	}
	f, err := os.Open(s.path)
	if err != nil {
		return nil, true, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	raw := make([]byte, sec.Length)
	if _, err := f.ReadAt(raw, sec.Offset); err != nil {
		return nil, true, fmt.Errorf("read segment: %w", err)
	}
	if checksum(raw) != sec.Sum {
		return nil, true, fmt.Errorf("%w: %s section %s", ErrDamaged, s.path, name)
	}
	b, err = s.codec.dec.DecodeAll(raw, nil)
	if err != nil {
		return nil, true, fmt.Errorf("%w: %s section %s: %v", ErrDamaged, s.path, name, err)
	}
	return b, true, nil
}

// column reads a column; a segment without the field has an empty one.
func (s *segment) column(cache *Cache, name string) (*column.Column, error) {
	key := cacheKey{s, "c/" + name}
	if v, ok := cache.get(key); ok {
		return v.(*column.Column), nil
	}
	raw, ok, err := s.read(key.section)
	if err != nil || !ok {
		return &column.Column{}, err
	}
	col, err := column.Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %s column %s: %v", ErrDamaged, s.path, name, err)
	}
	cache.put(key, col, col.Bytes())
	return col, nil
}

// source reads the source of a document.
func (s *segment) source(cache *Cache, doc int) ([]byte, error) {
	key := cacheKey{s, "s/" + strconv.Itoa(doc/chunkDocs)}
	v, ok := cache.get(key)
	if !ok {
		raw, found, err := s.read(key.section)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, fmt.Errorf("%w: %s lacks sources of document %d", ErrDamaged, s.path, doc)
		}
		v = raw
		cache.put(key, raw, len(raw)+64)
	}
	b := v.([]byte)
	for i := 0; ; i++ {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return nil, fmt.Errorf("%w: %s source %d", ErrDamaged, s.path, doc)
		}
		if i == doc%chunkDocs {
			return b[used : used+int(n)], nil
		}
		b = b[used+int(n):]
	}
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
	set     *column.Set
	sources [][]byte
	bytes   int
	minTime int64
	maxTime int64
}

func newLive() *live {
	return &live{set: column.NewSet(), minTime: math.MaxInt64, maxTime: math.MinInt64}
}
