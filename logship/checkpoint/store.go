package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// The files in the state folder.
const (
	journalName = "checkpoint.journal"
	lockName    = "lock"
)

// compactAt is the size from which a journal is rewritten, when at most a quarter of it is needed; in bytes.
const compactAt = 1 << 20

// Store is an open journal. It belongs to one goroutine.
type Store struct {
	dir     string
	lock    *os.File
	file    *os.File
	size    int64
	entries map[ID]Entry
	pending []byte // frames not written yet
	dirty   bool   // written, not synced
}

// Recovery is what Open had to repair.
type Recovery struct {
	// SetAside is the path that a damaged journal was moved to, empty when it was sound. The entries before the
	// damage are used.
	SetAside string
	// Damage says what was wrong with it.
	Damage error
	// TornBytes is the length of a last frame that a crash had cut short.
	TornBytes int
}

// Open opens or creates the journal in dir. It fails when another process has it open.
func Open(dir string) (*Store, Recovery, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, Recovery{}, fmt.Errorf("make state folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, Recovery{}, fmt.Errorf("open state lock: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, Recovery{}, errors.Join(fmt.Errorf("lock state folder %s (is another logship using it?): %w", dir, err), lock.Close())
	}
	s := &Store{dir: dir, lock: lock}
	rec, err := s.recover()
	if err != nil {
		return nil, rec, errors.Join(err, lock.Close())
	}
	return s, rec, nil
}

func (s *Store) recover() (Recovery, error) {
	var rec Recovery
	path := filepath.Join(s.dir, journalName)
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return rec, fmt.Errorf("read checkpoint: %w", err)
	}
	var valid int
	s.entries, valid, rec.Damage = parse(data)
	if rec.Damage != nil {
		rec.SetAside = path + ".damaged-" + strconv.FormatInt(time.Now().UnixNano(), 10)
		if err := os.Rename(path, rec.SetAside); err != nil {
			return rec, fmt.Errorf("set damaged checkpoint aside: %w", err)
		}
	} else {
		rec.TornBytes = len(data) - valid
	}
	return rec, s.compact()
}

// Entries returns a copy of all entries.
func (s *Store) Entries() []Entry {
	out := make([]Entry, 0, len(s.entries))
	for _, e := range s.entries {
		out = append(out, e)
	}
	return out
}

// Has reports whether there is an entry with the identity.
func (s *Store) Has(id ID) bool {
	_, ok := s.entries[id]
	return ok
}

// Put adds or replaces an entry.
func (s *Store) Put(e Entry) {
	old := s.entries[e.ID]
	e.Cuts, e.SumAt, e.Sum = old.Cuts, old.SumAt, old.Sum
	s.entries[e.ID] = e
	s.pending = appendFile(s.pending, &e)
}

// Advance notes that the file is final below acked. It does nothing for a file that is not known.
func (s *Store) Advance(id ID, acked int64) {
	e, ok := s.entries[id]
	if !ok || e.Acked == acked {
		return
	}
	e.advance(acked)
	s.entries[id] = e
	s.pending = appendAcked(s.pending, id, acked)
}

// Remember notes the CRC-32C of the content of the file below an offset. It does nothing for a file that is not known.
func (s *Store) Remember(id ID, at int64, sum uint32) {
	e, ok := s.entries[id]
	if !ok || e.SumAt == at && e.Sum == sum {
		return
	}
	e.SumAt, e.Sum = at, sum
	s.entries[id] = e
	s.pending = appendSum(s.pending, id, at, sum)
}

// Cut notes that an event of the file ended at an offset although its text could go on there. It is remembered until
// that is final. It does nothing for a file that is not known.
func (s *Store) Cut(id ID, end int64) {
	e, ok := s.entries[id]
	if !ok {
		return
	}
	e.Cuts = append(slices.Clone(e.Cuts), end)
	s.entries[id] = e
	s.pending = appendCut(s.pending, id, end)
}

// Cuts returns the offsets given to Cut that are not final.
func (s *Store) Cuts(id ID) []int64 { return s.entries[id].Cuts }

// Forget removes an entry.
func (s *Store) Forget(id ID) {
	if _, ok := s.entries[id]; ok {
		delete(s.entries, id)
		s.pending = appendForget(s.pending, id)
	}
}

// Write hands what is new to the operating system: it survives the end of the process, not a power cut.
func (s *Store) Write() error {
	if len(s.pending) == 0 {
		return nil
	}
	n, err := s.file.WriteAt(s.pending, s.size)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err) // the next attempt overwrites what got through
	}
	s.size += int64(n)
	s.pending = s.pending[:0]
	s.dirty = true
	return nil
}

// Sync writes what is new and waits until it is on disk. It also rewrites a journal that has grown.
func (s *Store) Sync() error {
	if s.size > compactAt && s.size > 4*s.liveSize() {
		return s.compact()
	}
	if err := s.Write(); err != nil {
		return err
	}
	if !s.dirty {
		return nil
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("sync checkpoint: %w", err)
	}
	s.dirty = false
	return nil
}

func (s *Store) liveSize() int64 {
	n := int64(len(magic))
	for _, e := range s.entries {
		n += int64(frameOverhead + fixedFile + len(e.Path) + len(e.Cuts)*(frameOverhead+IDSize+8))
		if e.SumAt > 0 {
			n += frameOverhead + IDSize + 8 + 4
		}
	}
	return n
}

// compact replaces the journal by one that holds only the entries, in one step.
func (s *Store) compact() error {
	data := []byte(magic)
	for _, e := range s.entries {
		data = appendFile(data, &e)
		if e.SumAt > 0 {
			data = appendSum(data, e.ID, e.SumAt, e.Sum)
		}
		for _, end := range e.Cuts {
			data = appendCut(data, e.ID, end)
		}
	}
	path := filepath.Join(s.dir, journalName)
	fresh, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("make new checkpoint: %w", err)
	}
	_, err = fresh.Write(data)
	if err == nil {
		err = fresh.Sync()
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncFolder(s.dir)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("rewrite checkpoint: %w", err), fresh.Close())
	}
	old := s.file
	s.file, s.size, s.pending, s.dirty = fresh, int64(len(data)), s.pending[:0], false
	if old != nil {
		if err := old.Close(); err != nil {
			return fmt.Errorf("close old checkpoint: %w", err)
		}
	}
	return nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open state folder: %w", err)
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}

// Close syncs and closes the journal and lets go of the lock.
func (s *Store) Close() error {
	err := s.Sync()
	return errors.Join(err, s.file.Close(), s.lock.Close())
}
