package logship_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/rs/zerolog"

	"kreislauf/logship"
	"kreislauf/logship/config"
)

// pack replaces a file by a gzipped one, as gzip does: the new one is complete before the old one goes.
func pack(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	remove(t, from)
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestGzipRotationWhileStopped goes on in the .gz where the plain file stopped, over two rotations.
func TestGzipRotationWhileStopped(t *testing.T) {
	b := newBench(t)
	b.write(b.file, 0, 1000)
	_, stop := b.run()
	b.wait(1000)
	stop()
	b.write(b.file, 1000, 2000)
	rename(t, b.file, b.file+".1")
	pack(t, b.file+".1", b.file+".2.gz")
	b.write(b.file, 2000, 2500)
	s, stop := b.run()
	b.wait(2500)
	stop()
	if st := s.Status(); st.Duplicates != 0 {
		t.Errorf("%d documents were sent twice", st.Duplicates)
	}
	b.write(b.file, 2500, 3000)
	pack(t, b.file, b.file+".1.gz") // straight to .gz
	rename(t, b.file+".2.gz", b.file+".3.gz")
	b.write(b.file, 3000, 3100)
	s, _ = b.run()
	b.wait(3100)
	b.complete(3100, nil)
	if st := s.Status(); st.Duplicates != 0 || st.AbandonedBytes != 0 {
		t.Errorf("%d documents were sent twice, %d bytes abandoned", st.Duplicates, st.AbandonedBytes)
	}
}

// TestGzipRotationWhileBehind rotates while the target is down, by rename and by copytruncate, and restarts too.
func TestGzipRotationWhileBehind(t *testing.T) {
	b := newBench(t)
	b.opt.Targets[0].BatchBytes = 16 << 10 // what is on its way is a small part of what is behind
	b.write(b.file, 0, 100)
	s, stop := b.run()
	b.wait(100)
	b.sink.stop()
	b.write(b.file, 100, 2000)
	b.until("it is behind", func() bool { return s.Status().Behind > 100<<10 })
	rename(t, b.file, b.file+".1")
	b.write(b.file, 2000, 4000)
	b.until("both files are followed", func() bool { return len(s.Status().Files) == 2 })
	pack(t, b.file+".1", b.file+".1.gz") // held open
	stop()                               // and not any more
	s, _ = b.run()
	b.until("the second file is followed again", func() bool { return b.follows(s.Status().Files, b.file) })
	copyFile(t, b.file, b.file+".copy")
	pack(t, b.file+".copy", b.file+".0.gz")
	if err := os.Truncate(b.file, 0); err != nil {
		t.Fatal(err)
	}
	b.write(b.file, 4000, 4100)
	b.sink.start(b.addr)
	b.wait(4100)
	b.complete(4100, nil)
	if st := s.Status(); st.AbandonedBytes != 0 {
		t.Errorf("%d bytes abandoned", st.AbandonedBytes)
	}
}

// TestGzipUnderAnInputName has a pattern that also fits rotated files: they are followed under their new names, and
// the gzipped ones are not shipped again.
func TestGzipUnderAnInputName(t *testing.T) {
	b := newBench(t)
	every := config.Glob(filepath.Join(filepath.Dir(b.file), "*"))
	b.opt.Inputs = []config.Input{{Type: config.Service, Paths: []config.Glob{every}, Dataset: "kreislauf.order"}}
	s, stop := b.run()
	seq := 0
	for i := range 3 {
		b.write(b.file, seq, seq+300)
		seq += 300
		b.wait(seq)
		rotated := fmt.Sprintf("%s.%d", b.file, i)
		rename(t, b.file, rotated)
		b.write(rotated, seq, seq+50)
		seq += 50
		b.wait(seq)
		pack(t, rotated, rotated+".gz")
	}
	stop()
	b.write(b.file, seq, seq+100)
	rename(t, b.file, b.file+".9") // never seen as a plain file, so these lines are not read: README.md says so
	pack(t, b.file+".9", b.file+".9.gz")
	b.write(b.file, seq+100, seq+200)
	s, _ = b.run()
	b.wait(seq + 100)
	b.until("all final", func() bool { return s.Status().Behind == 0 })
	if got := len(b.all("logs-kreislauf.order-test")); got < seq+100 {
		t.Errorf("%d documents", got)
	}
	b.once()
}

// TestInodeReuse has a new file under the inode of one that logship remembers.
func TestInodeReuse(t *testing.T) {
	b := newBench(t)
	b.write(b.file, 0, 1000)
	info, err := os.Stat(b.file)
	if err != nil {
		t.Fatal(err)
	}
	_, stop := b.run()
	b.wait(1000)
	stop()
	remove(t, b.file)
	inode := func(info os.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }
	reused := false
	for i := range 200 { // until the file system gives the inode again
		path := b.file
		b.write(path, 1000, 1500)
		now, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if reused = inode(now) == inode(info); reused {
			break
		}
		rename(t, path, fmt.Sprintf("%s/keep-%d", b.logs, i))
	}
	if !reused {
		t.Skip("this file system does not use inodes again")
	}
	b.run()
	b.wait(1500)
	b.complete(1500, nil)
}

func TestDeletedFilesAreHeldAndTold(t *testing.T) {
	b := newBench(t)
	b.opt.Targets[0].HeldBytes, b.opt.Targets[0].BatchBytes = 64<<10, 16<<10
	log := &noise{}
	b.opt.Logger = zerolog.New(log)
	b.write(b.file, 0, 100)
	s, _ := b.run()
	b.wait(100)
	b.sink.stop()
	b.write(b.file, 100, 3000)
	b.until("it is behind", func() bool { return s.Status().Behind > 100<<10 })
	remove(t, b.file)
	b.until("the alarm", func() bool { return log.has("deleted log files are kept open") && s.Status().HeldBytes > 0 })
	b.sink.start(b.addr)
	b.wait(3000)
	b.complete(3000, nil)
}

// TestSecondNames ships a file once that has two names, and follows one that a link leads to.
func TestSecondNames(t *testing.T) {
	b := newBench(t)
	other := filepath.Join(b.logs, "test", "acme", "pricing")
	outside := filepath.Join(t.TempDir(), "outside.log")
	if err := os.MkdirAll(other, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, link := range [][2]string{{b.file, filepath.Join(other, "a-link.log")}, {outside, filepath.Join(other, "outside.log")}} {
		if err := os.Symlink(link[0], link[1]); err != nil {
			t.Fatal(err)
		}
	}
	b.write(b.file, 0, 100)
	if err := os.Link(b.file, filepath.Join(other, "z-hard.log")); err != nil {
		t.Fatal(err)
	}
	b.write(outside, 100, 200)
	b.opt.PollInterval = time.Hour // what follows is told by notifications
	s, _ := b.run()
	b.wait(200)
	b.write(b.file, 200, 300)
	b.write(outside, 300, 400)
	b.wait(400)
	b.complete(400, nil)
	if n := len(s.Status().Files); n != 2 {
		t.Errorf("%d files are followed", n)
	}
}

// TestManyFilesFewDescriptors has more files than may be open; they grow, move and vanish.
func TestManyFilesFewDescriptors(t *testing.T) {
	b := newBench(t)
	b.opt.Targets[0].MaxOpenFiles = 16
	const files = 200
	path := func(i int) string { return filepath.Join(filepath.Dir(b.file), fmt.Sprintf("order-%d.log", i)) }
	seq := 0
	grow := func(n int) {
		for i := range files {
			b.write(path(i), seq, seq+n)
			seq += n
		}
	}
	grow(5)
	s, _ := b.run()
	b.wait(seq)
	b.until("few files are open", func() bool { return openBelow(t, b.logs) <= 20 })
	grow(5)
	b.wait(seq)
	for i := range files / 2 {
		rename(t, path(i), path(i)+".1")
	}
	grow(5) // half of them new
	for i := range 20 {
		b.write(path(i)+".1", seq, seq+1) // the writer has not noticed
		seq++
	}
	b.wait(seq)
	b.complete(seq, nil)
	if st := s.Status(); st.AbandonedBytes != 0 || st.Duplicates != 0 {
		t.Errorf("abandoned %d, duplicates %d", st.AbandonedBytes, st.Duplicates)
	}
}

// openBelow counts the open files of this process below dir.
func openBelow(t *testing.T, dir string) int {
	t.Helper()
	links, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc on this system")
	}
	n := 0
	for _, l := range links {
		to, err := os.Readlink("/proc/self/fd/" + l.Name())
		if err == nil && strings.HasPrefix(to, dir) && strings.HasSuffix(to, ".log") {
			n++
		}
	}
	return n
}

func TestRenameOutOfTheTreeAndBack(t *testing.T) {
	b := newBench(t)
	s, _ := b.run()
	b.write(b.file, 0, 1000)
	b.wait(1000)
	away := b.file + ".away"
	rename(t, b.file, away)
	b.until("it left", func() bool { return !b.follows(s.Status().Files, b.file) })
	b.write(away, 1000, 1500)
	b.wait(1500)
	back := filepath.Join(filepath.Dir(b.file), "order-back.log")
	rename(t, away, back)
	b.until("it is back", func() bool { return b.follows(s.Status().Files, back) })
	b.write(back, 1500, 2000)
	b.wait(2000)
	b.complete(2000, nil)
	if st := s.Status(); st.Duplicates != 0 {
		t.Errorf("%d documents were sent twice", st.Duplicates)
	}
}

// TestClockJumps sets the clock of the documents back and forth by days.
func TestClockJumps(t *testing.T) {
	b := newBench(t)
	b.opt.Targets[0].Reconcile = 50 * time.Millisecond
	var shift atomic.Int64
	s, _ := b.runAt(func() time.Time { return time.Now().Add(time.Duration(shift.Load())) })
	for i, jump := range []time.Duration{0, 48 * time.Hour, -72 * time.Hour, 24 * 365 * time.Hour, 0} {
		shift.Store(int64(jump))
		b.write(b.file, i*500, (i+1)*500)
		b.wait((i + 1) * 500)
	}
	b.until("all final", func() bool { return s.Status().Behind == 0 })
	b.complete(2500, nil)
	if st := s.Status(); st.Reconciliation.Missing != 0 || st.Reconciliation.Surplus != 0 || st.OldestUnacked != 0 {
		t.Errorf("%+v, oldest %v s", st.Reconciliation, st.OldestUnacked)
	}
}

// TestDiskFullAtTheCheckpoint lets a shipper process write only a little to files, kills it, and starts another.
func TestDiskFullAtTheCheckpoint(t *testing.T) {
	b := newBench(t)
	cmd := b.process("LOGSHIP_TEST_FILE_LIMIT=600")
	path := func(i int) string { return filepath.Join(filepath.Dir(b.file), fmt.Sprintf("order-%d.log", i)) }
	b.write(path(0), 0, 500)
	b.wait(500)
	for i := range 9 { // there is room for the entries of a few
		b.write(path(i+1), (i+1)*500, (i+2)*500)
	}
	time.Sleep(300 * time.Millisecond) // there is nothing to wait for: the rest may not come
	if n := b.count(); n >= 5000 {
		t.Errorf("%d documents went out, also of files whose identity is not on disk", n)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it reports the kill
	b.run()
	b.wait(5000)
	b.complete(5000, nil)
}

// TestDeadTargetHoldsUpNobody has two targets, one of them down for a while.
func TestDeadTargetHoldsUpNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	second := newSink(t)
	second.stop()
	target := testTarget(second.url())
	target.Name = "second"
	b.opt.Targets = append(b.opt.Targets, target)
	b.write(b.file, 0, 3000)
	s, stop := b.run()
	b.wait(3000)
	if st := s.Shipper.Status().Targets[1]; st.Delivered != 0 || st.Behind == 0 {
		t.Errorf("second target: %+v", st)
	}
	stop()
	b.write(b.file, 3000, 4000)
	_, _ = b.run()
	b.wait(4000)
	second.start(second.addr)
	second.wait(4000)
	b.complete(4000, nil)
	second.complete(4000, nil)
	for _, name := range []string{"main", "second"} {
		if _, err := os.Stat(filepath.Join(string(b.opt.StateDir), name, "checkpoint.journal")); err != nil {
			t.Error(err)
		}
	}
}

func TestStateFolderOfOneTargetIsTakenOver(t *testing.T) {
	b := newBench(t)
	b.write(b.file, 0, 500)
	_, stop := b.run()
	b.wait(500)
	stop()
	rename(t, b.state("checkpoint.journal"), filepath.Join(string(b.opt.StateDir), "checkpoint.journal")) // as it once was
	b.write(b.file, 500, 600)
	s, _ := b.run()
	b.until("all final", func() bool { return s.Status().Delivered >= 100 })
	if st := s.Status(); st.Duplicates != 0 || st.Delivered != 100 {
		t.Errorf("delivered %d, duplicates %d", st.Delivered, st.Duplicates)
	}
}

func TestOtherAddressOfATarget(t *testing.T) {
	b := newBench(t)
	dead := newSink(t)
	dead.stop()
	b.opt.Targets[0].URLs = []string{dead.url(), b.url()}
	b.opt.Targets[0].Gzip = 6
	b.write(b.file, 0, 2000)
	s, _ := b.run()
	b.wait(2000)
	b.complete(2000, nil)
	if st := s.Status(); st.Failovers != 1 || st.WireBytes*4 > st.SentBytes {
		t.Errorf("failovers %d, %d of %d bytes on the wire", st.Failovers, st.WireBytes, st.SentBytes)
	}
}

// TestReplayAfterTheCauseIsMended takes the way of an operator: lines are refused, the target is mended, replay.
func TestReplayAfterTheCauseIsMended(t *testing.T) {
	b := newBench(t)
	var mended atomic.Bool
	b.item = func(_, _ string, doc map[string]any, _ bool) int {
		if seq, _ := doc["seq"].(float64); int(seq)%50 == 7 && !mended.Load() {
			return 400
		}
		return 0
	}
	b.write(b.file, 0, 1000)
	b.appendText(b.file, "no json\n")
	s, _ := b.run()
	b.until("20 rejects", func() bool { return s.Status().Rejected == 20 && s.Status().Behind == 0 })
	if st := s.Status(); st.DeadLetterBytes == 0 {
		t.Error("the status does not tell of dead letters")
	}
	mended.Store(true)
	report, err := logship.Replay(t.Context(), &b.opt.Config, "main", false, func(what, detail string) { t.Errorf("%s: %s", what, detail) })
	if err != nil || report.Delivered != 20 || report.Refused != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	b.complete(1000, nil)
	for _, d := range b.all("logs-kreislauf.order-test") { // as if it had not been refused
		if d.fields["seq"] == float64(57) {
			text, _ := json.Marshal(d.fields)
			if d.fields["log.file.path"] != b.file || d.fields["data_stream.dataset"] != "kreislauf.order" {
				t.Errorf("replayed document %s", text)
			}
		}
	}
	if st := s.Status(); st.DeadLetterBytes != 0 {
		t.Errorf("%d bytes of dead letters are left", st.DeadLetterBytes)
	}
}
