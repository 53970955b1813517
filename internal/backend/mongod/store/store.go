// Package store keeps collections with their indexes in one bbolt file, and finds documents in it by the way that needs the fewest keys.
//
// It owns the file and its format (docs/format/mongod.md), the catalog of collections and indexes, the plan of a query, and expiry.
// Invariants:
//
//   - Write returns after the change is on disk. All writers that wait share a sync: one goroutine runs their jobs in one transaction.
//   - A job that returns a *fault.Error has changed nothing in the document that the error concerns, so its neighbours in the transaction
//     are not disturbed; any other error, and a panic, rolls the transaction back, and each job runs again alone.
//   - The keys of every index follow its documents within the transaction. Check compares them with a rebuild.
//
// It does not know clients, users or commands, and does not guarantee an order of documents without a sort.
package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"kreislauf/internal/backend/mongod/fault"

	"github.com/rs/zerolog"
	"go.etcd.io/bbolt"

	bbolterrors "go.etcd.io/bbolt/errors"
)

const (
	storeFile     = "kreislauf.bolt"
	lockTimeout   = time.Second
	pageSize      = 8192 // seven documents of 1 KB fit into a page; into 4096 bytes only three
	initialMmap   = 256 << 20
	maxBatchJobs  = 512
	maxLinger     = time.Millisecond
	maxFreelist   = 1024 // pages; a longer list of free pages is not written with every commit but found by a scan after a crash
	writeQueueLen = 512
	maxKeySize    = bbolt.MaxKeySize
)

// ErrStopped is what a write gets when the store is closed.
var ErrStopped = errors.New("server is stopping")

// Store owns the bbolt file. Reads run in parallel, each on its own snapshot; all writes go through one goroutine,
// which puts every write that is waiting into one transaction, so that they share one sync to disk.
type Store struct {
	db      *bbolt.DB
	jobs    chan *writeJob
	stopped chan struct{}
	catalog catalogCache
	mu      sync.RWMutex // guards closed against sends on jobs
	closed  bool

	// Only the writer goroutine uses these.
	log     zerolog.Logger
	full    bool          // the last write found the disk full
	broken  error         // the disk failed in another way: what is in the file's cache is not known to be on disk, so nothing more is written
	writers int           // the largest of the last two batches
	last    int           // the last batch
	took    time.Duration // the last commit
}

// writeJob is one command's write. run may be called twice: alone again, after a neighbour broke the shared transaction.
type writeJob struct {
	run    func(*Tx) error
	result chan error
}

// Tx is the transaction that a job writes to.
type Tx struct {
	tx      *bbolt.Tx
	store   *Store
	changed bool
}

// storageError is an error of the file or a bug. It spoils the shared transaction, unlike a *fault.Error.
type storageError struct{ err error }

func (e *storageError) Error() string { return e.err.Error() }
func (e *storageError) Unwrap() error { return e.err }

// Open opens the data folder, which must exist, and makes its file when there is none. It fails when another process has it open.
func Open(dir string, log zerolog.Logger) (*Store, error) {
	path := filepath.Join(dir, storeFile)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         lockTimeout,
		FreelistType:    bbolt.FreelistMapType,
		NoFreelistSync:  true, // commit and close decide; opening must work on a full disk
		InitialMmapSize: initialMmap,
		PageSize:        pageSize, // of a new file
	})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: another process has it open", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := syncFolder(dir); err != nil {
		_ = db.Close()
		return nil, err
	}
	s := &Store{
		db:      db,
		jobs:    make(chan *writeJob, writeQueueLen),
		stopped: make(chan struct{}),
		catalog: catalogCache{parsed: map[string]cachedCollection{}},
		log:     log,
	}
	go s.commitLoop()
	return s, nil
}

// syncFolder makes a new file's name survive a power cut; bbolt syncs only the file.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open data folder: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync data folder: %w", err)
	}
	return nil
}

// Close lets the queued writes finish, then closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.jobs)
	}
	s.mu.Unlock()
	<-s.stopped
	return errors.Join(s.keepFreelist(), s.db.Close())
}

// keepFreelist writes the list of free pages if the last commit left it out, so that the next start need not scan the file.
func (s *Store) keepFreelist() error {
	if !s.db.NoFreelistSync || s.broken != nil {
		return nil
	}
	s.db.NoFreelistSync = false
	if err := s.db.Update(func(*bbolt.Tx) error { return nil }); err != nil && diskFull(err) == nil {
		return fmt.Errorf("write free pages: %w", err)
	}
	return nil
}

// Write runs a job on the writer goroutine and returns after its changes are on disk.
func (s *Store) Write(run func(*Tx) error) error {
	job := &writeJob{run: run, result: make(chan error, 1)}
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return ErrStopped
	}
	s.jobs <- job
	s.mu.RUnlock()
	return <-job.result
}

func (s *Store) read(run func(*bbolt.Tx) error) error { return s.db.View(run) }

func (s *Store) commitLoop() {
	defer close(s.stopped)
	for job := range s.jobs {
		batch := s.drain(job)
		if s.commit(batch) {
			continue
		}
		for _, j := range batch {
			s.commit([]*writeJob{j})
		}
	}
}

// drain collects what is waiting behind the first job, and waits a moment for writers that the last commits answered: they are likely
// to write again at once, and a commit that they miss would make them wait for two. A lone writer never waits.
func (s *Store) drain(first *writeJob) []*writeJob {
	batch := []*writeJob{first}
	defer func() { s.writers, s.last = max(s.last, len(batch)), len(batch) }()
	var timeout <-chan time.Time
	for len(batch) < maxBatchJobs {
		select {
		case j, ok := <-s.jobs:
			if !ok {
				return batch
			}
			batch = append(batch, j)
			continue
		default:
		}
		if len(batch) >= s.writers {
			return batch
		}
		if timeout == nil {
			timeout = time.After(min(s.took/2, maxLinger))
		}
		select {
		case j, ok := <-s.jobs:
			if !ok {
				return batch
			}
			batch = append(batch, j)
		case <-timeout:
			return batch
		}
	}
	return batch
}

// commit runs the jobs in one transaction and answers them after the sync. It returns false, having answered nobody and changed nothing,
// when one of several jobs broke the transaction: then each must run alone.
func (s *Store) commit(batch []*writeJob) bool {
	results := make([]error, len(batch))
	answer := func(err error) bool {
		for i, j := range batch {
			if err != nil {
				results[i] = err
			}
			j.result <- results[i]
		}
		return true
	}
	if s.broken != nil {
		return answer(s.broken)
	}
	tx, err := s.db.Begin(true)
	if err != nil {
		return answer(fmt.Errorf("begin write: %w", err))
	}
	w := &Tx{tx: tx, store: s}
	for i, j := range batch {
		results[i] = w.runJob(j)
		var broken *storageError
		if errors.As(results[i], &broken) {
			rollback(tx)
			if len(batch) > 1 {
				return false
			}
			return answer(nil)
		}
	}
	if !w.changed {
		rollback(tx)
		return answer(nil)
	}
	s.db.NoFreelistSync = s.freePages() > maxFreelist
	began := time.Now()
	err = tx.Commit()
	s.took = time.Since(began)
	return answer(s.settle(err))
}

// freePages is how many pages of the file are unused.
func (s *Store) freePages() int {
	st := s.db.Stats()
	return st.FreePageN + st.PendingPageN
}

// settle turns the outcome of a commit into what the writers are told. A full disk is an error that passes; the log says when it
// begins and when it is over. Any other one is final, as in MongoDB, which stops.
func (s *Store) settle(err error) error {
	switch {
	case err == nil:
		if s.full {
			s.full = false
			s.log.Info().Msg("there is space on the disk again: writes succeed")
		}
		return nil
	case diskFull(err) != nil:
		if !s.full {
			s.full = true
			s.log.Error().Err(err).Msg("the disk is full: writes are refused, reads go on")
		}
		return fault.New(fault.OutOfDiskSpace, "The disk is full and nothing was changed; free some space: %s", diskFull(err))
	default:
		s.broken = fmt.Errorf("the data file cannot be written, restart the server when the disk is mended: %w", err)
		return s.broken
	}
}

// diskFull returns which error of a full disk it is: no space, a used-up quota or the process's file size limit; nil for any other.
// bbolt keeps only the text of some.
func diskFull(err error) error {
	for _, e := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, e) || strings.HasSuffix(err.Error(), e.Error()) {
			return e
		}
	}
	return nil
}

// rollback cannot fail on an open transaction.
func rollback(tx *bbolt.Tx) { _ = tx.Rollback() }

func (w *Tx) runJob(j *writeJob) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &storageError{err: &PanicError{Reason: r, Stack: debug.Stack()}}
		}
	}()
	return j.run(w)
}

// PanicError carries a panic from the writer goroutine to the connection, which logs it.
type PanicError struct {
	Reason any
	Stack  []byte
}

// Error implements error.
func (e *PanicError) Error() string { return fmt.Sprintf("internal error: %v", e.Reason) }

// ReadCollection runs on a snapshot of one collection, and not at all when the collection does not exist.
func (s *Store) ReadCollection(ns string, run func(*Collection) error) error {
	return s.read(func(tx *bbolt.Tx) error {
		c, err := s.openCollection(tx, ns)
		if c == nil || err != nil {
			return err
		}
		return run(c)
	})
}
