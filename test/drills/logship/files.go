package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// rotateOutside renames the file five times to a name that is no input, while it is written and logship lags. The writer goes on
// for a moment in the renamed file, as one that still has it open.
func rotateOutside(d *drill) error {
	return rotate(d, func(i int) string { return d.file(fmt.Sprintf("order.log.%d", i)) })
}

// rotateInside renames it to names that are inputs.
func rotateInside(d *drill) error {
	return rotate(d, func(i int) string { return d.file(fmt.Sprintf("order-%d.log", i)) })
}

func rotate(d *drill, name func(int) string) error {
	path := d.file("order.log")
	var mu sync.Mutex
	stop, err := d.behind(path, &mu)
	if err != nil {
		return err
	}
	for i := range 5 {
		time.Sleep(500 * time.Millisecond)
		mu.Lock()
		err := os.Rename(path, name(i))
		if err == nil {
			err = d.write(path, 1)
		}
		mu.Unlock()
		if err == nil {
			mu.Lock()
			err = d.write(name(i), 50)
			mu.Unlock()
		}
		if err != nil {
			return errors.Join(err, stop())
		}
	}
	if err := stop(); err != nil {
		return err
	}
	return d.once()
}

// behind starts logship with a backlog and a slow target, and a writer of 10,000 events a second who pauses while mu is locked.
func (d *drill) behind(path string, mu *sync.Mutex) (stop func() error, err error) {
	d.target.delay = 20 * time.Millisecond
	if err := d.write(path, d.many()/4); err != nil {
		return nil, err
	}
	if err := d.start(); err != nil {
		return nil, err
	}
	return d.every(10*time.Millisecond, func() error {
		mu.Lock()
		defer mu.Unlock()
		return d.write(path, 100)
	}), nil
}

// once waits for everything and demands that nothing came twice, not even on the wire.
func (d *drill) once() error {
	if err := d.all(); err != nil {
		return err
	}
	if n := d.target.repeats(); n > 0 {
		return fmt.Errorf("%d documents came again though nothing failed", n)
	}
	return nil
}

// copyTruncate copies and truncates the file four times at 10,000 events a second. The writer stands still between copy and
// truncation: what it would write then is lost by logrotate itself.
func copyTruncate(d *drill) error {
	path := d.file("order.log")
	var mu sync.Mutex
	stop, err := d.behind(path, &mu)
	if err != nil {
		return err
	}
	for range 4 {
		time.Sleep(700 * time.Millisecond)
		mu.Lock()
		err := logrotate(path)
		mu.Unlock()
		if err != nil {
			return errors.Join(err, stop())
		}
	}
	if err := stop(); err != nil {
		return err
	}
	return d.once()
}

// copyInside is copytruncate with names of copies that are inputs, as logrotate's dateext with `extension .log` makes them. Twice
// everything is shipped before, twice logship lags; the third time it is stopped meanwhile.
func copyInside(d *drill) error {
	path := d.file("order.log")
	for i := range 4 {
		d.target.set(func(s *sink) { s.delay = time.Duration(i%2) * 50 * time.Millisecond })
		if err := d.write(path, d.many()/5); err != nil {
			return err
		}
		if i == 0 {
			if err := d.start(); err != nil {
				return err
			}
		}
		if i%2 == 0 {
			if err := d.all(); err != nil {
				return err
			}
		}
		if i == 2 {
			if err := d.stop(); err != nil {
				return err
			}
		}
		data, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(d.file(fmt.Sprintf("order-2026112%d.log", i)), data, 0o644)
		}
		if err == nil {
			err = os.Truncate(path, 0)
		}
		if err != nil {
			return fmt.Errorf("copy and truncate: %w", err)
		}
		if err := d.write(path, 200); err != nil {
			return err
		}
		if i == 2 {
			if err := d.start(); err != nil {
				return err
			}
		}
		if err := d.all(); err != nil {
			return err
		}
	}
	time.Sleep(6 * time.Second) // one more look through the folders: a copy that is taken for a new file must show
	return d.once()
}

// logrotate does what `copytruncate` with `rotate 4` does.
func logrotate(path string) error {
	for i := 3; i >= 1; i-- {
		err := os.Rename(fmt.Sprintf("%s.%d", path, i), fmt.Sprintf("%s.%d", path, i+1))
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("shift copy: %w", err)
		}
	}
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path+".1", data, 0o644)
	}
	if err == nil {
		err = os.Truncate(path, 0)
	}
	if err != nil {
		return fmt.Errorf("copy and truncate: %w", err)
	}
	return nil
}

// cutLine has a container's log that is renamed in the middle of a line, as the kubelet does: the runtime wrote the first parts of the
// line into the old file and the last one into the new. logship is killed, or stopped, before or after the rename.
func cutLine(d *drill) error {
	path := filepath.Join(d.pods(), "shop_order-7d9f_0b1c", "order", "0.log")
	if err := d.start(); err != nil {
		return err
	}
	cri := func(tag string, text []byte) []byte {
		return fmt.Appendf(nil, "2025-11-22T18:23:30.123456789Z stdout %s %s\n", tag, bytes.TrimSuffix(text, []byte{'\n'}))
	}
	whole := func(n int) (out []byte) {
		for range n {
			out = append(out, cri("F", d.next(1))...)
		}
		return out
	}
	kill := func() error { d.kill(); return nil }
	for i, end := range []func() error{nil, kill, d.stop, nil, kill, d.stop} {
		before := end != nil && i < 3
		cut := d.next(1)
		text := append(whole(500), cri("P", cut[:20])...)
		if err := appendTo(path, append(text, cri("P", cut[20:50])...)); err != nil {
			return err
		}
		if err := d.arrived(d.events - 1); err != nil { // all but the one that is cut
			return err
		}
		if before {
			if err := end(); err != nil {
				return err
			}
		}
		if err := os.Rename(path, fmt.Sprintf("%s.20251122-18233%d", path, i)); err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
		if end != nil && !before {
			time.Sleep(300 * time.Millisecond) // so that it may notice the rename
			if err := end(); err != nil {
				return err
			}
		}
		if err := appendTo(path, append(cri("F", cut[50:]), whole(500)...)); err != nil {
			return err
		}
		if end != nil {
			if err := d.start(); err != nil {
				return err
			}
		}
		if err := d.all(); err != nil {
			return err
		}
		if e := d.target.event(number(cut)); e.tags != "" {
			return fmt.Errorf("only a part of the line came, with the tags %s", e.tags)
		}
	}
	return nil
}

// longLines are 1,000,000 B (delivered whole) and 3 MiB (cut, with a mark).
func longLines(d *drill) error {
	long := func(size int) []byte {
		text := fmt.Sprintf(`{"message":"seq=%d;","service_name":"order","env":"test","pad":"`, d.events)
		d.events++
		return []byte(text + strings.Repeat("x", size-len(text)-2) + `"}` + "\n")
	}
	var all []byte
	all = append(append(all, d.next(100)...), long(1_000_000)...)
	all = append(append(all, d.next(100)...), long(3<<20)...)
	all = append(all, d.next(100)...)
	if err := appendTo(d.file("order.log"), all); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.once(); err != nil {
		return err
	}
	whole, cut := d.target.event(100), d.target.event(201)
	d.say("documents of %d and %d B", whole.bytes, cut.bytes)
	if whole.bytes < 1_000_000 || whole.tags != "" || !strings.Contains(cut.tags, "truncated") {
		return fmt.Errorf("the long lines are %+v and %+v", whole, cut)
	}
	return nil
}

// badLines are what is no proper JSON object: each is delivered, with a mark that says what was wrong.
func badLines(d *drill) error {
	bad := []struct{ text, tag string }{
		{"plain text seq=%d;", "invalid_json"},
		{`{"message":"seq=%d;"`, "invalid_json"},
		{"\x00\x00\x00{\"message\":\"seq=%d;\"}\x00", "nul_bytes"},
		{"{\"message\":\"seq=%d;\xff\xfe\"}", "invalid_utf8"},
		{`[1,"seq=%d;"]`, "invalid_json"},
		{`{"a":1,"message":"seq=%d;","a":2}`, "duplicate_key"},
		{`{"message":"seq=%d;","a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "too_deep"},
		{`{"message":"seq=%d;"}` + "\r", ""},
		{`{"message":"seq=%d;"} trailing`, "invalid_json"},
	}
	var all []byte
	want := map[int]string{}
	for round := range 100 {
		for _, b := range bad {
			want[d.events] = b.tag
			all = fmt.Appendf(all, b.text+"\n", d.events)
			d.events++
		}
		all = append(all, d.next(10)...)
		if round%10 == 0 {
			all = append(all, "\n  \n"...) // no event
		}
	}
	if err := appendTo(d.file("order.log"), all); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.once(); err != nil {
		return err
	}
	for n, tag := range want {
		if got := d.target.event(n).tags; !strings.Contains(got, tag) || tag == "" && got != "" {
			return fmt.Errorf("event %d has the tags %q, want %q", n, got, tag)
		}
	}
	d.say("%d bad lines with the right mark", len(want))
	return nil
}

// partialLine leaves the last line unfinished for a while.
func partialLine(d *drill) error {
	if err := d.write(d.file("order.log"), 100); err != nil {
		return err
	}
	last := d.next(1)
	if err := appendTo(d.file("order.log"), last[:len(last)/2]); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	time.Sleep(3 * time.Second)
	if n := d.target.stored(); n != 100 {
		return fmt.Errorf("%d events are visible, want 100", n)
	}
	if err := appendTo(d.file("order.log"), last[len(last)/2:]); err != nil {
		return err
	}
	if err := d.once(); err != nil {
		return err
	}
	if tags := d.target.event(100).tags; tags != "" {
		return fmt.Errorf("the completed line has the tags %s", tags)
	}
	return nil
}

// compress replaces a file by its gzip form, as logrotate does.
func compress(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err = z.Write(data); err == nil {
		err = z.Close()
	}
	if err == nil {
		err = os.WriteFile(path+".gz", out.Bytes(), 0o644)
	}
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return fmt.Errorf("compress log: %w", err)
	}
	return nil
}

// gzipRunning renames and compresses the file three times while logship lags behind it.
func gzipRunning(d *drill) error {
	d.target.delay = 50 * time.Millisecond
	path := d.file("order.log")
	if err := d.write(path, d.many()/2); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	for i := range 3 {
		if err := d.arrived(i*1000 + 1); err != nil {
			return err
		}
		old := d.file(fmt.Sprintf("order.log.%d", i+1))
		if err := os.Rename(path, old); err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
		if err := compress(old); err != nil {
			return err
		}
		if err := d.write(path, 1000); err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
	}
	return d.once()
}

// gzipStopped compresses the file while logship is stopped in the middle of it, once after SIGTERM and once after SIGKILL.
func gzipStopped(d *drill) error {
	d.target.delay = 50 * time.Millisecond
	path := d.file("order.log")
	for i, end := range []func() error{d.stop, func() error { d.kill(); return nil }} {
		have := d.target.stored()
		if err := d.write(path, d.many()/2); err != nil {
			return err
		}
		if err := d.start(); err != nil {
			return err
		}
		if err := d.arrived(have + d.many()/8); err != nil {
			return err
		}
		if err := d.interrupt(end); err != nil {
			return err
		}
		d.say("stopped at %d of %d", d.target.stored(), d.events)
		old := d.file(fmt.Sprintf("order.log.%d", i+1))
		if err := os.Rename(path, old); err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
		if err := compress(old); err != nil {
			return err
		}
		if err := d.write(path, 1000); err != nil {
			return err
		}
		if err := d.start(); err != nil {
			return err
		}
		if err := d.all(); err != nil {
			return err
		}
		if n, most := d.target.repeats(), 2*i*d.target.largestBatch(); n > most {
			return fmt.Errorf("%d documents came again, at most %d may", n, most)
		}
		if err := d.stop(); err != nil {
			return err
		}
	}
	return d.start()
}

// manyFiles kills logship while it ships 1,000 files.
func manyFiles(d *drill) error {
	d.target.delay = 20 * time.Millisecond
	files := 1000 / d.opt.scale
	for i := range files {
		if err := d.write(d.file(fmt.Sprintf("order-%d.log", i)), 50); err != nil {
			return err
		}
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.arrived(1); err != nil {
		return err
	}
	d.kill()
	before := d.target.repeats()
	if err := d.start(); err != nil {
		return err
	}
	for i := range files {
		if i%10 == 0 {
			if err := d.write(d.file(fmt.Sprintf("order-%d.log", i)), 5); err != nil {
				return err
			}
		}
	}
	if err := d.all(); err != nil {
		return err
	}
	if n := d.target.repeats() - before; n > 2*d.target.largestBatch() {
		return fmt.Errorf("%d documents came again, more than two batches of %d", n, d.target.largestBatch())
	}
	return nil
}

func inode(path string) (uint64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("look at log: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, errors.New("this system has no inodes")
	}
	return st.Ino, nil
}

// inodeReuse lets a new file get the inode of one that was deleted while logship is stopped.
func inodeReuse(d *drill) error {
	path := d.file("order.log")
	if err := d.shipped(2000); err != nil {
		return err
	}
	if err := d.stop(); err != nil {
		return err
	}
	old, err := inode(path)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("delete log: %w", err)
	}
	for i := 0; ; i++ {
		other := filepath.Join(filepath.Dir(path), fmt.Sprintf("try-%d", i))
		if err := os.WriteFile(other, nil, 0o644); err != nil {
			return fmt.Errorf("make file: %w", err)
		}
		got, err := inode(other)
		if err != nil {
			return err
		}
		if got == old {
			if err := os.Rename(other, path); err != nil {
				return fmt.Errorf("name file: %w", err)
			}
			d.say("inode %d again", old)
			break
		}
		if i == 2000 {
			return errors.New("the file system did not use the inode again: run with -dir on another one")
		}
	}
	if err := d.write(path, 5000); err != nil { // longer than the old one was
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	return d.once()
}

// deletedBehind deletes the file while most of it is unread.
func deletedBehind(d *drill) error {
	d.target.delay = 100 * time.Millisecond
	path := d.file("order.log")
	if err := d.write(path, d.many()); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if err := d.arrived(1); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("delete log: %w", err)
	}
	d.say("deleted at %d of %d", d.target.stored(), d.events)
	if err := d.write(path, 1000); err != nil { // a new file of that name
		return err
	}
	return d.once()
}

// symlink follows a link, also when it begins to point elsewhere.
func symlink(d *drill) error {
	d.target.delay = 20 * time.Millisecond
	elsewhere := filepath.Join(filepath.Dir(d.logs), "elsewhere")
	for i := range 3 {
		target := filepath.Join(elsewhere, fmt.Sprintf("order-%d.txt", i))
		if err := d.write(target, d.many()/10); err != nil {
			return err
		}
		fresh := d.file("link")
		if err := os.Symlink(target, fresh); err != nil {
			return fmt.Errorf("make link: %w", err)
		}
		if err := os.Rename(fresh, d.file("order.log")); err != nil {
			return fmt.Errorf("name link: %w", err)
		}
		if i == 0 {
			if err := d.start(); err != nil {
				return err
			}
		}
		if err := d.arrived(d.many() / 10 * i); err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
		if err := d.write(target, 500); err != nil {
			return err
		}
	}
	return d.once()
}

// clockJump lets the times of events and the modification times of files jump by years in both directions, across a rotation and a
// kill. The clock of the process itself cannot be moved: Go reads it from the kernel's page and not through a library that could be
// replaced, and moving the clock of the machine would hurt others. logship decides nothing by modification times or event times;
// this drill shows it.
func clockJump(d *drill) error {
	d.target.delay = 20 * time.Millisecond
	path := d.file("order.log")
	jumps := []time.Time{time.Unix(0, 0), time.Now().AddDate(15, 0, 0), time.Now().AddDate(0, 0, -1), time.Unix(1, 0)}
	stamps := []string{"1970-01-01T00:00:00.000Z", "2040-12-31T23:59:59.999Z", "2025-11-22T18:23:30.000Z", "2001-01-01T00:00:00.000Z"}
	if err := d.write(path, 1000); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	for i, at := range jumps {
		data := bytes.ReplaceAll(d.next(5000), []byte("2025-11-22T18:23:30.000Z"), []byte(stamps[i]))
		if err := appendTo(path, data); err != nil {
			return err
		}
		if err := os.Chtimes(path, at, at); err != nil {
			return fmt.Errorf("set times: %w", err)
		}
		time.Sleep(200 * time.Millisecond)
		switch i {
		case 1:
			if err := os.Rename(path, path+".1"); err != nil {
				return fmt.Errorf("rotate: %w", err)
			}
			if err := os.Chtimes(path+".1", jumps[3], jumps[3]); err != nil {
				return fmt.Errorf("set times: %w", err)
			}
		case 2:
			d.kill()
			if err := d.start(); err != nil {
				return err
			}
		}
	}
	return d.all()
}

// diskFull fills the disk that holds the checkpoint: a small file system in memory. Mounting takes root.
func diskFull(d *drill) error {
	if err := os.MkdirAll(d.state, 0o700); err != nil {
		return fmt.Errorf("make state folder: %w", err)
	}
	if err := syscall.Mount("tmpfs", d.state, "tmpfs", 0, "size=256k"); err != nil {
		return fmt.Errorf("mount a small file system (this drill takes root): %w", err)
	}
	d.undo = append(d.undo, func() error { return syscall.Unmount(d.state, 0) })
	if err := d.shipped(2000); err != nil {
		return err
	}
	fill := filepath.Join(d.state, "fill")
	if err := os.WriteFile(fill, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk is not full: %w", err)
	}
	if err := d.write(d.file("order.log"), 20_000); err != nil {
		return err
	}
	if err := d.write(d.file("new.log"), 5_000); err != nil {
		return err
	}
	if err := d.all(); err != nil {
		return err
	}
	d.kill()
	if err := os.Remove(fill); err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	if err := d.write(d.file("order.log"), 1000); err != nil {
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	return d.all()
}
