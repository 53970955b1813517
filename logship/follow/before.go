package follow

// A container runtime cuts a long line into parts, and the file may be rotated between two of them. Then the line begins in the file
// that was renamed and ends in the new one of that name. So a new file of such lines is read only after the one that had its name
// before was read to its end, and goes on with what is open there.

// waitsForBefore reports whether the file may not be read yet. It looks for the file before when the first line is to be read.
func (f *Follower) waitsForBefore(file *File) bool {
	if file.joiner == nil {
		return false
	}
	if file.Offset() > 0 {
		if file.before != nil && !file.before.joiner.HoldsPart() { // all of it was handed out
			file.before = nil
			file.joiner.GoOnFrom(nil)
		}
		return false
	}
	if !file.lookedFor {
		file.lookedFor = true
		before := f.before[file.Path()]
		if before == nil || before == file || before.joiner == nil || before.finished || before.next != nil {
			return false
		}
		file.before, before.next, before.readToEnd = before, file, false
		f.enqueue(before)
	}
	before := file.before
	switch {
	case before == nil:
		return false
	case !before.finished && before.tail.Readable() && !before.readToEnd:
		f.enqueue(before)
		return true
	case !before.joiner.HoldsPart():
		before.next, file.before = nil, nil
		return false
	}
	// What is sent together is acknowledged together. An earlier part of the file before must not be missing then.
	if _, pending := before.tail.Pending(); pending {
		return true
	}
	before.next = nil
	file.joiner.GoOnFrom(before.joiner)
	return false
}

// ended notes that nothing is left to be read of the file, and lets the next one go on.
func (f *Follower) ended(file *File) {
	file.readToEnd = true
	if file.next != nil {
		f.enqueue(file.next)
	}
}

// forgetBefore forgets that the file had names.
func (f *Follower) forgetBefore(file *File) {
	for path, before := range f.before {
		if before == file {
			delete(f.before, path)
		}
	}
}
