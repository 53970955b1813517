package engine

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/store"
)

// cacheBytes bounds the decoded parts of segments that stay in memory.
const cacheBytes = 64 << 20

// format is the version of the files in a data directory. It changes with every change that an older or newer engine
// could misread.
const format = 2

// stateFile is state.json: everything that is not an index. It is replaced as a whole.
type stateFile struct {
	Format     int                        `json:"format"`
	UUID       string                     `json:"uuid"`
	Components map[string]json.RawMessage `json:"component_templates"`
	Templates  map[string]json.RawMessage `json:"index_templates"`
	Policies   map[string]policyFile      `json:"policies"`
	Lifecycles map[string]lifecycleFile   `json:"lifecycles"` // by data stream, where it is not that of the template
	Keys       map[string]keyFile         `json:"api_keys"`   // by id
}

type policyFile struct {
	Policy   json.RawMessage `json:"policy"`
	Version  int             `json:"version"`
	Modified int64           `json:"modified"` // milliseconds
}

// stream is a data stream: its backing indices, the last of which is written.
type stream struct {
	name    string
	indices []*index
}

func (s *stream) write() *index { return s.indices[len(s.indices)-1] }

// cluster holds the state of the engine.
type cluster struct {
	dir   string
	log   zerolog.Logger
	cache *store.Cache

	mu      sync.RWMutex // guards what follows
	state   stateFile
	indices map[string]*index // by name, backing indices included
	streams map[string]*stream
}

func openCluster(dir string, log zerolog.Logger) (*cluster, error) {
	c := &cluster{
		dir: dir, log: log, cache: store.NewCache(cacheBytes),
		indices: map[string]*index{}, streams: map[string]*stream{},
		state: stateFile{
			Components: map[string]json.RawMessage{}, Templates: map[string]json.RawMessage{}, Policies: map[string]policyFile{},
			Lifecycles: map[string]lifecycleFile{}, Keys: map[string]keyFile{},
		},
	}
	if err := os.MkdirAll(filepath.Join(dir, "indices"), 0o750); err != nil {
		return nil, fmt.Errorf("create data directory: %w", err)
	}
	raw, err := os.ReadFile(c.statePath())
	switch {
	case errors.Is(err, os.ErrNotExist):
		c.state.UUID, c.state.Format = randomID(16), format
		if err := c.save(); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, fmt.Errorf("read state: %w", err)
	default:
		if err := json.Unmarshal(raw, &c.state); err != nil {
			return nil, fmt.Errorf("decode state: %w", err)
		}
		if c.state.Format != format {
			return nil, fmt.Errorf("the data in %s has format %d and this engine reads format %d: move or delete the directory and start again, or use the version that wrote it",
				dir, max(c.state.Format, 1), format)
		}
	}
	if err := c.loadIndices(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *cluster) statePath() string { return filepath.Join(c.dir, "state.json") }

// save writes state.json. The caller holds mu, or is the only user.
func (c *cluster) save() error {
	b, err := json.Marshal(c.state)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	if err := store.WriteFile(c.statePath(), b); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	return nil
}

func (c *cluster) loadIndices() error {
	entries, err := os.ReadDir(filepath.Join(c.dir, "indices"))
	if err != nil {
		return fmt.Errorf("list indices: %w", err)
	}
	for _, e := range entries {
		dir := filepath.Join(c.dir, "indices", e.Name())
		raw, err := os.ReadFile(filepath.Join(dir, "index.json"))
		if strings.HasSuffix(e.Name(), ".deleted") || errors.Is(err, os.ErrNotExist) {
			// A deletion or a creation that did not finish; nothing of it was ever acknowledged.
			if err := os.RemoveAll(dir); err != nil {
				return fmt.Errorf("remove unfinished index: %w", err)
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("read index file: %w", err)
		}
		var file indexFile
		if err := json.Unmarshal(raw, &file); err != nil {
			return fmt.Errorf("decode index file of %s: %w", e.Name(), err)
		}
		x, err := openIndex(dir, file, c.cache, c.log)
		if err != nil {
			return err
		}
		c.register(x)
	}
	return nil
}

// register makes an open index known. The caller holds mu, or is the only user.
func (c *cluster) register(x *index) {
	c.indices[x.file.Name] = x
	if x.file.Stream == "" {
		return
	}
	s := c.streams[x.file.Stream]
	if s == nil {
		s = &stream{name: x.file.Stream}
		c.streams[x.file.Stream] = s
	}
	next := append(slices.Clone(s.indices), x)
	slices.SortFunc(next, func(a, b *index) int { return a.file.Generation - b.file.Generation })
	s.indices = next
}

func (c *cluster) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, x := range c.indices {
		errs = append(errs, x.store.Close())
	}
	return errors.Join(errs...)
}

// randomID returns n random bytes as text that is safe in URLs and file names.
func randomID(n int) string {
	b := make([]byte, n)
	// crypto/rand.Read never fails.
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

var badName = regexp.MustCompile(`[\\/*?"<>| ,]`)

// badCharacters are those of badName as an error shows them.
const badCharacters = `[' ','"','*',',','/','<','>','?','\','|']`

func checkName(name string) error {
	reason := ""
	switch {
	case strings.ToLower(name) != name:
		reason = "must be lowercase"
	case badName.MatchString(name):
		reason = "must not contain the following characters " + badCharacters
	case strings.Contains(name, "#"):
		reason = "must not contain '#'"
	case strings.Contains(name, ":"):
		reason = "must not contain ':'"
	case strings.HasPrefix(name, "-") || strings.HasPrefix(name, "_") || strings.HasPrefix(name, "+"):
		reason = "must not start with '_', '-', or '+'"
	case name == "." || name == "..":
		reason = "must not be '.' or '..'"
	case len(name) > 255:
		reason = fmt.Sprintf("index name is too long, (%d > 255)", len(name))
	}
	if reason == "" {
		return nil
	}
	e := eserr.New(400, "invalid_index_name_exception", "Invalid index name [%s], %s", name, reason)
	e.Extra = map[string]any{"index": name, "index_uuid": "_na_"}
	return e
}

// create makes an index durable and known. The caller holds mu.
func (c *cluster) create(file indexFile) (*index, error) {
	file.UUID = randomID(16)
	file.Created = time.Now().UnixMilli()
	x, err := openIndex(filepath.Join(c.dir, "indices", strings.TrimLeft(file.UUID, "-_.")+"-"+fmt.Sprint(file.Created)), file, c.cache, c.log)
	if err != nil {
		return nil, writeBlocked(file.Name, err)
	}
	c.register(x)
	c.log.Info().Str("index", file.Name).Msg("index created")
	return x, nil
}

// remove deletes an index with its files. The caller holds mu and keeps streams consistent.
func (c *cluster) remove(x *index) error {
	delete(c.indices, x.file.Name)
	err := x.store.Close()
	gone := x.dir + ".deleted"
	if err := os.Rename(x.dir, gone); err != nil {
		return fmt.Errorf("delete index: %w", err)
	}
	c.log.Info().Str("index", x.file.Name).Msg("index deleted")
	return errors.Join(err, store.SyncDir(filepath.Dir(gone)), os.RemoveAll(gone))
}

// backingName is the name of a backing index, as Elasticsearch 8 builds it.
func backingName(stream string, generation int, now time.Time) string {
	return fmt.Sprintf(".ds-%s-%s-%06d", stream, now.UTC().Format("2006.01.02"), generation)
}

// writeIndex returns the index that a write to name goes to, creating a stream or an index if templates allow it.
func (c *cluster) writeIndex(name string) (x *index, isStream bool, err error) {
	c.mu.RLock()
	x, isStream = c.target(name)
	c.mu.RUnlock()
	if x != nil {
		return x, isStream, nil
	}
	if err := checkName(name); err != nil {
		return nil, false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if x, isStream = c.target(name); x != nil {
		return x, isStream, nil
	}
	made, err := c.compose(name)
	if err != nil {
		return nil, false, err
	}
	if made.stream {
		x, err = c.addGeneration(name, 1, made)
		return x, true, err
	}
	x, err = c.create(indexFile{Name: name, Settings: made.settings, Mapping: made.raw})
	return x, false, err
}

func (c *cluster) target(name string) (x *index, isStream bool) {
	if s := c.streams[name]; s != nil {
		return s.write(), true
	}
	return c.indices[name], false
}

// addGeneration creates the next backing index of a stream. The caller holds mu.
func (c *cluster) addGeneration(name string, generation int, made *composed) (*index, error) {
	m := made.mapping
	if f := m.Lookup(mapping.TimestampField); f == nil {
		stamp, err := mapping.ParseBytes([]byte(`{"properties":{"@timestamp":{"type":"date"}}}`))
		if err != nil {
			return nil, err
		}
		m = m.Overlay(stamp)
	} else if f.Type != mapping.Date {
		return nil, eserr.IllegalArgument("data stream timestamp field [@timestamp] is of type [%s], but [date,date_nanos] is expected", f.Type)
	}
	raw, err := m.Marshal()
	if err != nil {
		return nil, err
	}
	settings := map[string]string{"index.hidden": "true"}
	for k, v := range made.settings {
		settings[k] = v
	}
	return c.create(indexFile{
		Name: backingName(name, generation, time.Now()), Stream: name, Generation: generation, Settings: settings, Mapping: raw,
	})
}
