// Package store keeps the documents of one index on disk.
//
// A directory holds one write-ahead log (wal-N) and immutable segments (seg-N, with seg-N.del for deleted
// documents). A write is acknowledged after its frame is synced to the log; concurrent writes share one sync.
// Acknowledged documents are also columns in memory, their sources compressed chunk by chunk. When these reach
// FlushDocs or FlushBytes they are written as segment N, and the log N is removed: so thousands of tiny writes
// become one readable segment, and there is nothing to merge. A reader takes a view and is never blocked by
// writers, nor blocks them.
//
// Invariants: a log is obsolete as soon as a segment with its number or a higher one exists; document numbers
// in segment N are those the documents had in memory; ids are unique among documents that are not deleted;
// nothing of a segment is read before all of its bytes were compared with their checksums, once per process.
//
// Not guaranteed: space of deleted documents is not reclaimed, except with the whole index.
package store

import (
	"errors"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine/internal/mapping"
)

// Limits of the documents in memory before they become a segment.
const (
	FlushDocs  = 32_768
	FlushBytes = 64 << 20 // of sources, not compressed
)

// Columns the store adds to those of the mapping.
const IDField = "_id"

// ErrWrite wraps every failure to make a write durable. Nothing of the write is visible or stored.
var ErrWrite = errors.New("write not durable")

// Options describe an index to open. Read parses a stored source again after a restart; IsTerm says whether
// the values of a field are looked up exactly, so that they belong into the bloom filter.
type Options struct {
	Dir    string
	Cache  *Cache
	Log    zerolog.Logger
	Read   func(id string, source []byte) (*mapping.Document, error)
	IsTerm func(field string) bool
}

// OpKind is what an Op does with its id.
type OpKind uint8

// The kinds of operations.
const (
	Create OpKind = iota // refused if the id exists
	Put                  // replaces an existing document
	Delete
)

// Op is one operation of a write.
type Op struct {
	Kind OpKind
	ID   string
	Doc  *mapping.Document // nil for Delete

	// What decide found, so that apply cannot fail: the id does not exist, or is at a place. Neither is known of an
	// id that the same group changes before, and after a restart.
	fresh, placed bool
	place         uint32
}

// Outcome is what an Op did.
type Outcome uint8

// The outcomes of operations.
const (
	Created Outcome = iota
	Updated
	Deleted
	NotFound // delete of an id that does not exist
	Conflict // create of an id that exists
)

// Result is the outcome of one Op with the sequence number of its change.
type Result struct {
	Outcome Outcome
	Seq     int64
}
