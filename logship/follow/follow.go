// Package follow finds the files that are inputs, keeps track of their names, and reads them.
//
// It owns the watcher, the table of followed files and their names, and the checkpoint: which file is which, and below which
// offset everything is acknowledged. A Follower hands out pieces of files in turn (Next) and is told what became of them (Took,
// Acknowledged). It does not know batches, and nobody else opens, closes or renames one of its files.
//
// Invariants: the identity of a file is on disk before its first piece is handed out, so a line has the same document id after
// a crash; the offset in the checkpoint is never above what is acknowledged; a file without an input name is read to its end
// before it is forgotten.
//
// Not guaranteed: a file that is created and removed between two looks, while no notifications come, is not seen.
package follow

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"time"

	"github.com/fsnotify/fsnotify"

	"kreislauf/logship/alarm"
	"kreislauf/logship/checkpoint"
	"kreislauf/logship/config"
	"kreislauf/logship/tail"
)

// Alarms that several places raise.
const (
	alarmUnread    = "log file not readable"
	alarmNotClosed = "log file not closed"
	alarmNoWatch   = "folder not watched, looking through it instead"
	alarmNotSaved  = "checkpoint not writable"
)

// Options say what to follow.
type Options struct {
	// Config names the inputs, the instance, and what counts for lines that do not say it.
	Config *config.Config
	// Store is the checkpoint. The Follower closes it.
	Store *checkpoint.Store
	// Alarms are told what a person has to look at.
	Alarms *alarm.Log
	// MaxOpenFiles is about how many files may be open at once; idle ones are closed above it.
	MaxOpenFiles int
	// HeldBytes is the size of deleted files that are kept open, above which an alarm is raised.
	HeldBytes int64
}

// Follower follows files for one target. It is not safe for use by several goroutines.
type Follower struct {
	instance  string
	inputs    *inputs
	alarms    *alarm.Log
	maxOpen   int
	heldLimit int64
	started   time.Time

	store   *checkpoint.Store
	watcher *fsnotify.Watcher // nil when the system has none left; then only sweeps find news
	reader  tail.Reader
	files   map[tail.Key]*File
	names   map[string]*File // by path, and by the path behind symbolic links
	before  map[string]*File // the file that had a name last, by path
	unsaved []*File          // new files whose identity is not on disk yet
	queue   []*File          // may have something to read
	ending  map[*File]bool   // have no input name, or were replaced: are read to their end and closed

	missing     map[tail.Key][]checkpoint.Entry // files of the checkpoint that were not found yet
	generations map[tail.Key]uint32             // the next generation of an inode whose content was replaced
	triedCopies map[tail.Key]int64              // sizes of files that were found to be no copy of a missing one
	gzipSizes   map[tail.Key]int64              // sizes of gzip files under input names, which are not read for themselves
	arrivals    []arrival                       // found under input names, not yet known whether they are new or copies
	arrived     map[tail.Key]bool               // the keys of arrivals
	twins       map[tail.Key]*twin              // files that are the same as a followed one so far
	former      []formerContent                 // contents that were shipped and are gone

	deadLinks map[string]int // the last sweep that found a link that leads nowhere, by path

	open      int // about how many files are open
	sweeps    int
	sweptAt   time.Time
	markedAt  time.Time // when the mark was taken, zero when there is none; see CompleteUntil
	complete  time.Time
	abandoned int64
}

// New returns a Follower of the files that the checkpoint knows and of those that are found later. It does not look yet.
func New(opt Options) *Follower {
	f := &Follower{
		instance: opt.Config.Instance, inputs: newInputs(opt.Config), alarms: opt.Alarms, maxOpen: opt.MaxOpenFiles,
		heldLimit: opt.HeldBytes, started: time.Now(), store: opt.Store,
		files: make(map[tail.Key]*File), names: make(map[string]*File), before: make(map[string]*File), ending: make(map[*File]bool),
		missing: make(map[tail.Key][]checkpoint.Entry), generations: make(map[tail.Key]uint32),
		triedCopies: make(map[tail.Key]int64), gzipSizes: make(map[tail.Key]int64),
		arrived: make(map[tail.Key]bool), deadLinks: make(map[string]int), twins: make(map[tail.Key]*twin),
	}
	for _, e := range opt.Store.Entries() {
		key := tail.Key{Dev: e.Dev, Ino: e.Ino}
		f.missing[key] = append(f.missing[key], e)
	}
	return f
}

// Watch asks the system for notifications. It returns no channels when there are none to be had.
func (f *Follower) Watch() (events <-chan fsnotify.Event, errs <-chan error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		f.alarms.Raise("no file notifications, looking through the folders instead", err.Error())
		return nil, nil
	}
	f.watcher = watcher
	return watcher.Events, watcher.Errors
}

// Notified acts upon a notification and reports whether a sweep is needed to learn what it means.
func (f *Follower) Notified(e fsnotify.Event, now time.Time) (sweep bool) {
	if e.Has(fsnotify.Write) {
		f.written(e.Name, now)
	}
	return e.Has(fsnotify.Create) || e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove)
}

// SweptAt returns when the last sweep began.
func (f *Follower) SweptAt() time.Time { return f.sweptAt }

// written acts upon a notification of growth.
func (f *Follower) written(path string, now time.Time) {
	if file := f.names[path]; file != nil {
		f.enqueue(file)
		return
	}
	if _, ok := f.inputs.sourceOf(path); ok {
		f.visit(path, now)
		f.settleArrivals(now)
		f.Save()
	}
}

// enqueue notes that there may be something to read.
func (f *Follower) enqueue(file *File) {
	if !file.queued && !file.finished && file.saved && file.tail.Readable() {
		file.queued = true
		f.queue = append(f.queue, file)
	}
}

// Ready reports whether a file may have something to read.
func (f *Follower) Ready() bool { return len(f.queue) > 0 }

// Next reads on in the file whose turn it is. The piece is valid until the next call. file is nil when there was nothing to
// read after all. When it is not, say with Took what was taken of the piece. There must be a file that is Ready.
func (f *Follower) Next(now time.Time) (file *File, piece tail.Chunk) {
	file = f.queue[0]
	f.queue = append(f.queue[:0], f.queue[1:]...)
	file.queued = false
	if f.waitsForBefore(file) {
		return nil, tail.Chunk{}
	}
	err := f.wake(file)
	if err == nil {
		piece, err = f.reader.Read(file.tail)
	}
	switch {
	case errors.Is(err, tail.ErrReplaced):
		f.replaced(file, now)
		return nil, tail.Chunk{}
	case err != nil:
		f.alarms.Raise(alarmUnread, err.Error())
		f.ended(file)
		return nil, tail.Chunk{}
	}
	if file.savedHead < tail.HeadSize && file.tail.Head().Len > file.savedHead {
		f.put(file)
	}
	if len(piece.Data) == 0 {
		file.noteUnread(now)
		file.torn = true
		f.ended(file)
		return nil, tail.Chunk{}
	}
	file.grew, file.readToEnd, file.torn = now, false, false
	return file, piece
}

// Took is told whether all of a piece from Next was taken. If not, the rest of it comes again.
func (f *Follower) Took(file *File, piece tail.Chunk, all bool, now time.Time) {
	if piece.More || !all {
		f.enqueue(file)
	}
	if all {
		file.noteUnread(now)
		if !piece.More {
			f.ended(file)
		}
	}
}

// Acknowledged writes down how far the files are final now.
func (f *Follower) Acknowledged(files []*File) {
	for _, file := range files {
		f.store.Advance(file.checkpointID(), file.Acked())
		known := file.tail.Known()
		f.store.Remember(file.checkpointID(), known.At, known.Sum)
		if file.next != nil {
			f.enqueue(file.next)
		}
	}
	f.alarms.Check(alarmNotSaved, f.store.Write())
}

// Save syncs the checkpoint to the disk. Only after that the lines of new files are handed out.
func (f *Follower) Save() {
	err := f.store.Sync()
	f.alarms.Check(alarmNotSaved, err)
	if err != nil {
		return
	}
	for _, file := range f.unsaved {
		file.saved = true
		f.enqueue(file)
	}
	f.unsaved = f.unsaved[:0]
}

// SaveEnds writes down that events of files ended because a timeout had passed, and returns the files for which that is on disk.
// A file of which more is to be read first is left out. Without this, a line that is read after a crash could join an event
// that was sent before it.
func (f *Follower) SaveEnds(files []*File, now time.Time) []*File {
	var out []*File
	for _, file := range files {
		end, ok := file.joiner.Expired(now)
		if !ok || file.queued {
			continue
		}
		if file.joiner.CutAt(end, file.Acked()) {
			f.store.Cut(file.checkpointID(), end)
		}
		out = append(out, file)
	}
	if len(out) == 0 {
		return nil
	}
	if err := f.store.Sync(); err != nil {
		f.alarms.Check(alarmNotSaved, err)
		return nil
	}
	return out
}

// put enters what identifies the file into the checkpoint. It is on disk after the next Save.
func (f *Follower) put(file *File) {
	head := file.tail.Head()
	file.savedHead = head.Len
	f.store.Put(checkpoint.Entry{
		ID: file.checkpointID(), Dev: file.tail.Key.Dev, Ino: file.tail.Key.Ino, Generation: file.generation,
		HeadLen: uint16(min(head.Len, math.MaxUint16)), HeadSum: head.Sum, Acked: file.Acked(), Path: file.tail.Path,
	})
}

// Files returns all followed files, also those that are read to their end.
func (f *Follower) Files() iter.Seq[*File] { return maps.Values(f.files) }

// Delivered reports whether the first size bytes of the file with a name are final.
func (f *Follower) Delivered(path string, size int64) bool {
	file := f.names[path]
	return file != nil && file.Path() == path && file.Acked() >= size
}

// Known returns how many files the checkpoint has.
func (f *Follower) Known() int { return len(f.store.Entries()) }

// Abandoned returns how many bytes were truncated away before they were read.
func (f *Follower) Abandoned() int64 { return f.abandoned }

// Close closes the files, the watcher and the checkpoint.
func (f *Follower) Close() error {
	var errs []error
	if f.watcher != nil {
		errs = append(errs, f.watcher.Close())
	}
	for _, file := range f.files {
		errs = append(errs, file.tail.Close())
	}
	for _, a := range f.arrivals {
		errs = append(errs, a.file.Close())
	}
	errs = append(errs, f.store.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close followed files: %w", err)
	}
	return nil
}
