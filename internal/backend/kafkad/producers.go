package kafkad

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// kfake knows a batch that a producer sends again by the last five sequence numbers of each producer, and writes those only when it is
// stopped. After kill -9 it would take every such batch as new, or hold it against the numbers of an older stop. They are in the batches
// too, so each start reads them from there.

const sequenceFile = "seq_windows.json"

// sequences is kfake's file of them.
type sequences struct {
	Version int        `json:"version"`
	Windows []sequence `json:"windows"`
}

// sequence is the state of one producer in one partition: its last batches in a ring.
type sequence struct {
	Producer  int64            `json:"pid"`
	Topic     string           `json:"topic"`
	Partition int32            `json:"partition"`
	Entries   [5]sequenceEntry `json:"entries"`
	Count     uint8            `json:"count"`
	At        uint8            `json:"at"`
	Epoch     int16            `json:"epoch"`
	Seen      bool             `json:"seen"`
	NextSeq   int32            `json:"next_seq"`
}

type sequenceEntry struct {
	First  int32 `json:"first_seq"`
	Next   int32 `json:"next_seq"`
	Offset int64 `json:"offset"`
}

// newest is the offset of the last batch.
func (s *sequence) newest() int64 {
	newest := int64(-1)
	for _, e := range s.Entries[:s.Count] {
		newest = max(newest, e.Offset)
	}
	return newest
}

func (s *sequence) add(b batch) {
	next := int32((int64(b.firstSeq) + b.records) % math.MaxInt32)
	if !s.Seen || s.Epoch != b.epoch {
		s.Entries, s.Count, s.At = [5]sequenceEntry{}, 0, 0
	}
	s.Entries[s.At] = sequenceEntry{b.firstSeq, next, b.offset}
	s.At, s.Count = (s.At+1)%5, min(s.Count+1, 5)
	s.Seen, s.Epoch, s.NextSeq = true, b.epoch, next
}

// batch is what the head of a record batch says.
type batch struct {
	offset   int64
	records  int64 // when it was produced; compaction may have taken some since
	producer int64
	epoch    int16
	firstSeq int32
	control  bool
}

const batchHead = 61

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// takeBatch reads the first batch of a segment. ok is false at its end and at a torn tail, which kfake cuts off.
func takeBatch(p []byte) (b batch, rest []byte, ok bool) {
	if len(p) < batchHead {
		return b, nil, false
	}
	size := 12 + int64(binary.BigEndian.Uint32(p[8:]))
	if size < batchHead || size > int64(len(p)) || crc32.Checksum(p[21:size], castagnoli) != binary.BigEndian.Uint32(p[17:]) {
		return b, nil, false
	}
	return batch{
		offset:   int64(binary.BigEndian.Uint64(p)),
		records:  int64(binary.BigEndian.Uint32(p[23:])) + 1,
		producer: int64(binary.BigEndian.Uint64(p[43:])),
		epoch:    int16(binary.BigEndian.Uint16(p[51:])),
		firstSeq: int32(binary.BigEndian.Uint32(p[53:])),
		control:  binary.BigEndian.Uint16(p[21:])&0x20 != 0,
	}, p[size:], true
}

// rebuildSequences brings the file up to the log. A producer whose batches are gone keeps what the file says about it.
func rebuildSequences(dir string) error {
	var saved sequences
	path := filepath.Join(dir, sequenceFile)
	if raw, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(raw, &saved); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read producers' sequence numbers: %w", err)
	}
	type key struct {
		producer  int64
		topic     string
		partition int32
	}
	all := map[key]sequence{}
	for _, s := range saved.Windows {
		all[key{s.Producer, s.Topic, s.Partition}] = s
	}
	folders, err := os.ReadDir(filepath.Join(dir, "partitions"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list partitions: %w", err)
	}
	for _, f := range folders {
		topic, partition, ok := partitionOf(f.Name())
		if !ok {
			continue
		}
		found, err := partitionSequences(filepath.Join(dir, "partitions", f.Name()))
		if err != nil {
			return err
		}
		for producer, s := range found {
			s.Producer, s.Topic, s.Partition = producer, topic, partition
			k := key{producer, topic, partition}
			if old, ok := all[k]; !ok || old.newest() < s.newest() {
				all[k] = *s
			}
		}
	}
	out := sequences{Version: 1}
	for _, s := range all {
		out.Windows = append(out.Windows, s)
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode producers' sequence numbers: %w", err)
	}
	if err := errors.Join(os.WriteFile(path+".tmp", raw, 0o644), os.Rename(path+".tmp", path)); err != nil {
		return fmt.Errorf("write producers' sequence numbers: %w", err)
	}
	return nil
}

// partitionOf reads the name of a partition's folder.
func partitionOf(folder string) (topic string, partition int32, ok bool) {
	cut := strings.LastIndexByte(folder, '-')
	if cut < 0 {
		return "", 0, false
	}
	n, err := strconv.ParseInt(folder[cut+1:], 10, 32)
	if err != nil {
		return "", 0, false
	}
	topic, err = url.PathUnescape(folder[:cut])
	return topic, int32(n), err == nil
}

// partitionSequences reads the log of one partition. Behind a gap, which compaction leaves, nothing is known about the producers before it:
// their last batches may be what is missing.
func partitionSequences(dir string) (map[int64]*sequence, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.dat"))
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	base := func(path string) int64 {
		n, _ := strconv.ParseInt(strings.TrimSuffix(filepath.Base(path), ".dat"), 10, 64) // kfake's own names are numbers
		return n
	}
	slices.SortFunc(files, func(a, b string) int { return int(min(max(base(a)-base(b), -1), 1)) })
	found := map[int64]*sequence{}
	next := int64(-1)
	for _, path := range files {
		p, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read segment: %w", err)
		}
		for b, rest, ok := takeBatch(p); ok; b, rest, ok = takeBatch(rest) {
			if next >= 0 && b.offset != next {
				clear(found)
			}
			next = b.offset + b.records
			if b.producer < 0 || b.control {
				continue
			}
			if found[b.producer] == nil {
				found[b.producer] = &sequence{}
			}
			found[b.producer].add(b)
		}
	}
	return found, nil
}
