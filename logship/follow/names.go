package follow

import (
	"errors"
	"os"
	"path/filepath"
	"sort"
	"time"

	"kreislauf/logship/alarm"
	"kreislauf/logship/tail"
)

// addNames enters the path of a file into the table of names, and the path behind symbolic links, because notifications name
// that one.
func (f *Follower) addNames(file *File) {
	path := file.tail.Path
	f.names[path] = file
	real, err := filepath.EvalSymlinks(path)
	if err != nil || real == path {
		return
	}
	file.realPath = real
	f.names[real] = file
	if f.watcher != nil {
		f.alarms.Check(alarmNoWatch, f.watcher.Add(filepath.Dir(real)))
	}
}

// removeNames takes the names of a file out of the table of names.
func (f *Follower) removeNames(file *File) {
	for _, path := range [...]string{file.tail.Path, file.realPath} {
		if f.names[path] == file {
			delete(f.names, path)
			f.before[path] = file
		}
	}
	file.realPath = ""
}

// stillNamed reports whether the path of the file still leads to it. Then any other path to it is only a second name.
func (f *Follower) stillNamed(file *File) bool {
	if f.names[file.tail.Path] != file {
		return false
	}
	info, err := os.Stat(file.tail.Path)
	return err == nil && tail.KeyOf(info) == file.tail.Key
}

// lostName notes that no input name leads to the file any more.
func (f *Follower) lostName(file *File, now time.Time) {
	file.gone, file.grew = true, now
	f.ending[file] = true
	f.removeNames(file)
	if !file.tail.Open() && file.tail.Readable() {
		f.findRenamed(file)
	}
}

// findRenamed looks for the new name of a parked file in its folder.
func (f *Follower) findRenamed(file *File) {
	dir := filepath.Dir(file.tail.Path)
	names, err := os.ReadDir(dir)
	if err != nil {
		return // the folder is gone, and the file with it
	}
	for _, name := range names {
		if info, err := name.Info(); err == nil && tail.KeyOf(info) == file.tail.Key {
			file.tail.Path = filepath.Join(dir, name.Name())
			return
		}
	}
}

// checkHeld raises an alarm when deleted files that are kept open take much of the disk. They stay open nevertheless.
func (f *Follower) checkHeld() {
	held := int64(0)
	for file := range f.ending {
		if file.tail.Open() && !file.tail.Linked() {
			held += file.Size()
		}
	}
	if held > f.heldLimit {
		f.alarms.Raise("deleted log files are kept open because they are not delivered yet", alarm.Bytes(held))
	}
}

// park closes the files that were idle for longest when more than maxOpen are open. A parked file that is renamed or deleted
// loses nothing, unless it grew after it was parked.
func (f *Follower) park() {
	f.open = 0
	for _, file := range f.files {
		if file.tail.Open() {
			f.open++
		}
	}
	if f.open <= f.maxOpen {
		return
	}
	var idle []*File
	for _, file := range f.files {
		if file.tail.Open() && !file.gone && !file.queued && file.Offset() >= file.Size() {
			idle = append(idle, file)
		}
	}
	sort.Slice(idle, func(i, j int) bool { return idle[i].grew.Before(idle[j].grew) })
	for _, file := range idle[:min(len(idle), f.open-f.maxOpen)] {
		f.alarms.Check(alarmNotClosed, file.tail.Park())
		f.open--
	}
}

// wake opens a parked file again, also under another name in its folder.
func (f *Follower) wake(file *File) error {
	if file.tail.Open() {
		return nil
	}
	if f.open >= f.maxOpen {
		f.park()
	}
	err := file.tail.Wake()
	if errors.Is(err, tail.ErrReplaced) && !file.gone {
		f.lostName(file, time.Now())
		err = file.tail.Wake()
	}
	if err == nil {
		f.open++
	}
	return err
}
