package follow

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kreislauf/logship/checkpoint"
	"kreislauf/logship/enrich"
	"kreislauf/logship/join"
	"kreislauf/logship/tail"
)

// Sweep looks through all folders. It finds new files, renamed and removed ones, and growth of which no notification came.
func (f *Follower) Sweep(now time.Time) {
	f.sweeps++
	f.sweptAt = now
	for _, r := range f.inputs.roots {
		var patterns [][]string
		for _, p := range r.patterns {
			patterns = append(patterns, anyDepth(p)...)
		}
		f.sweepFolder(r.dir, patterns, now)
	}
	for _, file := range f.files {
		if file.sweep != f.sweeps && !file.gone {
			f.lostName(file, now)
		}
		if file.gone {
			f.enqueue(file)
		}
	}
	if len(f.missing) > 0 {
		f.findMissing(now)
	}
	f.settleArrivals(now)
	for path, last := range f.deadLinks {
		if last < f.sweeps {
			delete(f.deadLinks, path)
		}
	}
	f.Save()
	f.checkHeld()
	f.park()
	f.mark()
}

// sweepFolder looks through one folder; patterns say which files below it are inputs. When some of its files can be inputs, all
// of them are looked at, because a file that is followed may have another name now.
func (f *Follower) sweepFolder(dir string, patterns [][]string, now time.Time) {
	if f.watcher != nil {
		if err := f.watcher.Add(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.alarms.Raise(alarmNoWatch, err.Error())
		}
	}
	names, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.alarms.Raise("log folder not readable", err.Error())
	}
	files := slices.ContainsFunc(patterns, func(p []string) bool { return len(p) == 1 })
	for _, name := range names {
		path := filepath.Join(dir, name.Name())
		isDir := name.IsDir()
		if name.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			isDir = err == nil && info.IsDir()
			if err != nil && len(inFolder(patterns, name.Name())) > 0 {
				f.checkLink(path, err)
			}
		}
		switch {
		case !isDir && files:
			f.visit(path, now)
		case isDir:
			if below := inFolder(patterns, name.Name()); len(below) > 0 && (name.IsDir() || !endless(below)) {
				f.sweepFolder(path, below, now)
			}
		}
	}
}

// checkLink raises an alarm when the path is a link that leads nowhere, or where logship may not look, in two sweeps in a row. Else
// nobody would know why its lines do not come: in a container, the folder that the link leads to is often not mounted.
func (f *Follower) checkLink(path string, err error) {
	info, lerr := os.Lstat(path)
	if lerr != nil || info.Mode()&fs.ModeSymlink == 0 {
		return
	}
	if last := f.deadLinks[path]; last > 0 && last == f.sweeps-1 {
		f.alarms.Raise("log file or folder is a link that leads nowhere; is its target mounted?", err.Error())
	}
	f.deadLinks[path] = f.sweeps
}

// endless reports whether a pattern goes to any depth. Links to folders are not followed then: they may lead in a circle.
func endless(patterns [][]string) bool {
	return slices.ContainsFunc(patterns, func(p []string) bool { return slices.Contains(p, "**") })
}

// sourceOf says what a path means. Of a followed file it is known already.
func (f *Follower) sourceOf(path string) (source, bool) {
	if file := f.names[path]; file != nil && file.tail.Path == path {
		return file.source, true
	}
	return f.inputs.sourceOf(path)
}

// visit looks at the file that a path leads to, and follows it when it is an input or the rest of a known file.
func (f *Follower) visit(path string, now time.Time) {
	source, input := f.sourceOf(path)
	if !input && len(f.missing) == 0 && len(f.ending) == 0 {
		return
	}
	info, err := os.Stat(path)
	if err != nil && input {
		f.checkLink(path, err)
	}
	if err != nil || !info.Mode().IsRegular() {
		return // it went away after the folder was listed
	}
	key := tail.KeyOf(info)
	if file := f.files[key]; file != nil {
		f.revisit(file, path, source, input, info.Size())
		return
	}
	entries := f.missing[key]
	if !input && len(entries) == 0 || info.Size() == 0 || len(entries) == 0 && f.gzipSizes[key] == info.Size() {
		return
	}
	opened, err := tail.Open(path)
	if err != nil {
		if !errors.Is(err, tail.ErrNotReady) && !errors.Is(err, fs.ErrNotExist) {
			f.alarms.Raise(alarmUnread, err.Error())
		}
		return
	}
	if opened.Key != key { // the path got another file since os.Stat: the next sweep will see that one
		f.alarms.Check(alarmNotClosed, opened.Close())
		return
	}
	delete(f.missing, key)
	known := false
	for _, e := range entries {
		switch {
		case !known && f.resume(opened, e, source, input, now):
			known = true
		case f.resumeInCopy(e, key, now):
		default:
			f.remember(formerContent{
				key: key, dir: filepath.Dir(e.Path), head: headOf(e), size: e.Acked, marks: []tail.Mark{markOf(e)}, since: now,
			})
			f.generations[key] = max(f.generations[key], e.Generation+1)
			f.store.Forget(e.ID)
		}
	}
	switch {
	case known:
	case opened.Packed(): // a gzip file is only read as the rest of a known file; findMissing and replaced look for those
		f.gzipSizes[key] = info.Size()
		f.alarms.Check(alarmNotClosed, opened.Close())
	case input && !f.arrived[key]:
		f.arrived[key] = true
		f.arrivals = append(f.arrivals, arrival{file: opened, source: source})
	default:
		f.alarms.Check(alarmNotClosed, opened.Close())
	}
}

// revisit looks at a followed file that was found under path.
func (f *Follower) revisit(file *File, path string, source source, input bool, size int64) {
	if input && !file.finished && !(file.copied && file.tail.Packed()) {
		file.sweep, file.copied = f.sweeps, false
		if file.gone {
			file.gone = false
			delete(f.ending, file)
		}
		if f.names[path] != file && !f.stillNamed(file) {
			f.removeNames(file)
			file.tail.Path, file.source = path, source
			file.origin = enrich.NewOrigin(source.Source, path, file.id)
			f.addNames(file)
		}
	}
	if size != file.Offset() {
		file.tail.Saw(size)
		file.truncated = size < file.Offset() && !file.tail.Packed()
		f.enqueue(file)
	}
}

// followNew begins to follow a file that was never seen before. What is below the offset known was shipped already, as the
// content of another file.
func (f *Follower) followNew(opened *tail.File, source source, known int64, now time.Time) {
	if known > 0 {
		opened.Resume(known, tail.Mark{})
	}
	file := &File{tail: opened, source: source, generation: f.generations[opened.Key]}
	for {
		file.id = opened.Identity(f.instance, file.generation)
		if !f.store.Has(file.checkpointID()) {
			break
		}
		file.generation++
	}
	delete(f.generations, opened.Key)
	f.unsaved = append(f.unsaved, file)
	f.add(file, now)
	f.put(file)
}

// resume goes on with a file of the checkpoint in opened. It reports false, and does nothing, when that is another file.
func (f *Follower) resume(opened *tail.File, e checkpoint.Entry, source source, input bool, now time.Time) bool {
	if !opened.Packed() && opened.Size() < e.Acked || !opened.BeginsWith(headOf(e)) {
		return false
	}
	renamed := opened.Path != e.Path
	if !input { // it was renamed while nobody looked: its old name says what its lines are
		source, _ = f.inputs.sourceOf(e.Path)
		opened.Path = e.Path
	}
	file := &File{tail: opened, id: tail.Identity(e.ID), generation: e.Generation, savedHead: int(e.HeadLen), source: source, saved: true}
	opened.Resume(e.Acked, markOf(e))
	if file.gone = !input; renamed {
		f.before[e.Path] = file
	}
	f.add(file, now)
	return true
}

// headOf returns how the content of a file of the checkpoint begins.
func headOf(e checkpoint.Entry) tail.Head { return tail.Head{Len: int(e.HeadLen), Sum: e.HeadSum} }

// markOf returns what the checkpoint knows of the content of a file.
func markOf(e checkpoint.Entry) tail.Mark { return tail.Mark{At: e.SumAt, Sum: e.Sum} }

// add enters a file into the tables.
func (f *Follower) add(file *File, now time.Time) {
	file.origin = enrich.NewOrigin(file.source.Source, file.tail.Path, file.id)
	cuts := f.store.Cuts(file.checkpointID())
	switch s := &file.source; {
	case s.Kind == enrich.NginxError:
		file.joiner = join.NewErrorLog(cuts)
	case s.Kind == enrich.Container || s.multiline != nil:
		file.joiner = join.New(s.Kind == enrich.Container, s.multiline, cuts)
	}
	file.grew, file.sweep, file.marked = now, f.sweeps, file.tail.Size()
	f.files[file.tail.Key] = file
	if file.gone {
		f.ending[file] = true
	} else {
		f.addNames(file)
	}
	f.open++
	f.enqueue(file)
}
