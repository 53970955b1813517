package mongod

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

const (
	storeFile     = "kreislauf.bolt"
	lockTimeout   = time.Second
	initialMmap   = 256 << 20
	maxBatchJobs  = 512
	writeQueueLen = 512
)

var errStopped = errors.New("server is stopping")

// store owns the bbolt file. Reads run in parallel, each on its own snapshot; all writes go through one goroutine,
// which puts every write that is waiting into one transaction, so that they share one sync to disk.
type store struct {
	db      *bbolt.DB
	jobs    chan *writeJob
	stopped chan struct{}
	catalog catalogCache
	mu      sync.RWMutex // guards closed against sends on jobs
	closed  bool
}

// writeJob is one command's write. run may be called twice: alone again, after a neighbour broke the shared transaction.
type writeJob struct {
	run    func(*writeTx) error
	result chan error
}

// writeTx is the transaction that a job writes to.
type writeTx struct {
	tx      *bbolt.Tx
	store   *store
	changed bool
}

// storageError is an error of the file or a bug. It spoils the shared transaction, unlike a commandError.
type storageError struct{ err error }

func (e *storageError) Error() string { return e.err.Error() }
func (e *storageError) Unwrap() error { return e.err }

func openStore(dir string) (*store, error) {
	path := filepath.Join(dir, storeFile)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         lockTimeout,
		NoFreelistSync:  true,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: initialMmap,
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
	s := &store{
		db:      db,
		jobs:    make(chan *writeJob, writeQueueLen),
		stopped: make(chan struct{}),
		catalog: catalogCache{parsed: map[string]cachedCollection{}},
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

// close lets the queued writes finish, then closes the file.
func (s *store) close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.jobs)
	}
	s.mu.Unlock()
	<-s.stopped
	return s.db.Close()
}

// write runs a job on the writer goroutine and returns after its changes are on disk.
func (s *store) write(run func(*writeTx) error) error {
	job := &writeJob{run: run, result: make(chan error, 1)}
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return errStopped
	}
	s.jobs <- job
	s.mu.RUnlock()
	return <-job.result
}

func (s *store) read(run func(*bbolt.Tx) error) error { return s.db.View(run) }

func (s *store) commitLoop() {
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

// drain collects what is waiting behind the first job.
func (s *store) drain(first *writeJob) []*writeJob {
	batch := []*writeJob{first}
	for len(batch) < maxBatchJobs {
		select {
		case j, ok := <-s.jobs:
			if !ok {
				return batch
			}
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// commit runs the jobs in one transaction and answers them after the sync. It returns false, having answered nobody and changed nothing,
// when one of several jobs broke the transaction: then each must run alone.
func (s *store) commit(batch []*writeJob) bool {
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
	tx, err := s.db.Begin(true)
	if err != nil {
		return answer(fmt.Errorf("begin write: %w", err))
	}
	w := &writeTx{tx: tx, store: s}
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
	if err := tx.Commit(); err != nil {
		return answer(fmt.Errorf("commit: %w", err))
	}
	return answer(nil)
}

// rollback cannot fail on an open transaction.
func rollback(tx *bbolt.Tx) { _ = tx.Rollback() }

func (w *writeTx) runJob(j *writeJob) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &storageError{err: &panicError{reason: r, stack: debug.Stack()}}
		}
	}()
	return j.run(w)
}

// panicError carries a panic from the writer goroutine to the connection, which logs it.
type panicError struct {
	reason any
	stack  []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("internal error: %v", e.reason) }

// readCollection runs on a snapshot of one collection, and not at all when the collection does not exist.
func (s *store) readCollection(ns string, run func(*collTx) error) error {
	return s.read(func(tx *bbolt.Tx) error {
		c, err := s.openCollection(tx, ns)
		if c == nil || err != nil {
			return err
		}
		return run(c)
	})
}
