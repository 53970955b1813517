package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
	"kreislauf/internal/backend/engine/internal/search"
	"kreislauf/internal/backend/engine/internal/store"
)

// indexFile is index.json, the durable description of an index. It is replaced as a whole.
type indexFile struct {
	Name       string            `json:"name"`
	UUID       string            `json:"uuid"`
	Created    int64             `json:"created"`          // milliseconds
	Stream     string            `json:"stream,omitempty"` // of a backing index
	Generation int               `json:"generation,omitempty"`
	RolledOver int64             `json:"rolled_over,omitempty"` // milliseconds; 0 while it is written
	Settings   map[string]string `json:"settings"`
	Mapping    json.RawMessage   `json:"mapping"`
}

// index is an open index with its mapping.
type index struct {
	dir   string
	log   zerolog.Logger
	store *store.Index

	parsers sync.Pool // of *esjson.Parser, for documents

	mapping atomic.Pointer[mapping.Mapping]
	updates sync.RWMutex // held by a writer that reads before it writes, for reading by all others
	mu      sync.Mutex   // guards file, and the order of changes of mapping
	file    indexFile
}

// openIndex opens or creates an index in dir. The file is written first if it is not there yet.
func openIndex(dir string, file indexFile, cache *store.Cache, log zerolog.Logger) (*index, error) {
	x := &index{dir: dir, file: file, log: log.With().Str("index", file.Name).Logger()}
	m, err := mapping.ParseBytes(file.Mapping)
	if err != nil {
		return nil, fmt.Errorf("read mapping of %s: %w", file.Name, err)
	}
	x.mapping.Store(m)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("create index directory: %w", err)
	}
	if _, err := os.Stat(x.path()); errors.Is(err, os.ErrNotExist) {
		if err := x.save(); err != nil {
			return nil, err
		}
		if err := store.SyncDir(filepath.Dir(dir)); err != nil {
			return nil, err
		}
	}
	x.store, err = store.Open(store.Options{
		Dir: filepath.Join(dir, "data"), Cache: cache, Log: x.log,
		Read: x.reread, IsTerm: x.isTerm,
	})
	return x, err
}

func (x *index) path() string { return filepath.Join(x.dir, "index.json") }

// save writes index.json. The caller holds mu, or is the only user.
func (x *index) save() error {
	b, err := json.Marshal(x.file)
	if err != nil {
		return fmt.Errorf("encode index file: %w", err)
	}
	if err := store.WriteFile(x.path(), b); err != nil {
		return fmt.Errorf("save index file: %w", err)
	}
	return nil
}

func (x *index) isTerm(field string) bool {
	f := x.mapping.Load().Lookup(field)
	return field == store.IDField || field == mapping.IgnoredField || f != nil && !f.IsText() && f.Type != mapping.Flattened && f.Kind() == column.String
}

func (x *index) options() mapping.Options {
	o := mapping.Options{FieldLimit: 1000, NeedTimestamp: x.file.Stream != ""}
	if v, err := strconv.Atoi(x.file.Settings["index.mapping.total_fields.limit"]); err == nil {
		o.FieldLimit = v
	}
	o.IgnoreBeyond = x.file.Settings["index.mapping.total_fields.ignore_dynamic_beyond_limit"] == "true"
	o.IgnoreMalformed = x.file.Settings["index.mapping.ignore_malformed"] == "true"
	return o
}

// reread parses a stored source after a restart.
func (x *index) reread(id string, source []byte) (*mapping.Document, error) {
	n, err := esjson.Parse(source)
	if err != nil {
		return nil, err
	}
	opt := x.options()
	opt.FieldLimit = 0
	doc, _, err := x.mapping.Load().Read(id, n, opt)
	return doc, err
}

// read turns a document into values; new fields become part of the mapping, durably, before it returns.
func (x *index) read(id string, n *esjson.Node) (*mapping.Document, error) {
	for {
		m := x.mapping.Load()
		doc, update, err := m.Read(id, n, x.options())
		if err != nil || update == nil {
			return doc, err
		}
		if err := x.extend(update); err != nil {
			return nil, err
		}
	}
}

func (x *index) extend(update *mapping.Mapping) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	merged, err := x.mapping.Load().Merge(update)
	if err != nil {
		return err
	}
	raw, err := merged.Marshal()
	if err != nil {
		return err
	}
	old := x.file.Mapping
	x.file.Mapping = raw
	if err := x.save(); err != nil {
		x.file.Mapping = old
		return writeBlocked(x.file.Name, err)
	}
	x.mapping.Store(merged)
	return nil
}

// writeBlocked is the answer to a write that could not be made durable.
func writeBlocked(name string, cause error) *eserr.Error {
	e := eserr.New(429, "cluster_block_exception",
		"index [%s] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];", name)
	return e.Wrap(eserr.New(500, "i_o_exception", "%s", cause.Error()))
}

// write stores operations; its error is one for every item.
func (x *index) write(ops []store.Op) ([]store.Result, error) {
	results, err := x.store.Write(ops)
	switch {
	case errors.Is(err, store.ErrClosed):
		return nil, eserr.IndexNotFound(x.file.Name)
	case err != nil:
		return nil, writeBlocked(x.file.Name, err)
	}
	return results, nil
}

func (x *index) shard(now time.Time) search.Shard {
	readers, err := x.store.View()
	target := &query.Target{Index: x.file.Name, UUID: x.file.UUID, Mapping: x.mapping.Load(), Now: now}
	return search.Shard{Target: target, Readers: readers, Err: err}
}

// sealed marks a backing index as rolled over and writes its documents to a segment.
func (x *index) sealed(now time.Time) error {
	x.mu.Lock()
	x.file.RolledOver = now.UnixMilli()
	err := x.save()
	x.mu.Unlock()
	return errors.Join(err, x.store.Seal())
}

func (x *index) rolledOver() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.file.RolledOver
}

// settingsJSON nests dotted settings as GET /{index} shows them.
func (x *index) settingsJSON() map[string]any {
	all := map[string]string{
		"index.number_of_shards": "1", "index.number_of_replicas": "0", "index.provided_name": x.file.Name,
		"index.uuid": x.file.UUID, "index.creation_date": strconv.FormatInt(x.file.Created, 10),
	}
	maps.Copy(all, x.file.Settings)
	return nest(all)
}
