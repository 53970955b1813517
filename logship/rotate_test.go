package logship_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kreislauf/logship"
	"kreislauf/logship/config"
)

func TestRotateByRename(t *testing.T) {
	b := newBench(t)
	s, _ := b.run()
	seq := 0
	for i := range 5 {
		b.write(b.file, seq, seq+2000)
		b.until("the file is followed", func() bool { return b.follows(s.Status().Files, b.file) })
		rotated := fmt.Sprintf("%s.%d", b.file, i)
		if err := os.Rename(b.file, rotated); err != nil {
			t.Fatal(err)
		}
		b.write(rotated, seq+2000, seq+2500) // the writer has not noticed yet
		seq += 2500
		b.until("the rename is noticed", func() bool { return !b.follows(s.Status().Files, b.file) })
	}
	b.write(b.file, seq, seq+1000)
	b.wait(seq + 1000)
	b.complete(seq+1000, nil)
}

func TestRotateWhileStoppedAndDeleteWhileOpen(t *testing.T) {
	b := newBench(t)
	b.write(b.file, 0, 1000)
	_, stop := b.run()
	b.wait(1000)
	stop()
	b.write(b.file, 1000, 2000)
	if err := os.Rename(b.file, b.file+".1"); err != nil {
		t.Fatal(err)
	}
	b.write(b.file, 2000, 3000)
	b.sink.stop()
	s, _ := b.run()
	b.until("both files are followed", func() bool { return len(s.Status().Files) == 2 })
	for _, path := range []string{b.file, b.file + ".1"} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	b.sink.start(b.addr)
	b.wait(3000)
	b.complete(3000, nil)
}

func TestCopyTruncate(t *testing.T) {
	b := newBench(t)
	s, _ := b.run()
	seq := 0
	for i := range 4 {
		b.write(b.file, seq, seq+1000)
		seq += 1000
		b.wait(seq)
		if i%2 == 1 { // unread lines at the time of truncation are in the copy
			b.sink.stop()
			b.write(b.file, seq, seq+3000)
			seq += 3000
		}
		copyFile(t, b.file, fmt.Sprintf("%s.%d", b.file, i))
		if err := os.Truncate(b.file, 0); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			b.write(b.file, seq, seq+4000) // the new content is longer than the old one was
			seq += 4000
			b.sink.start(b.addr)
		}
	}
	b.write(b.file, seq, seq+10)
	b.wait(seq + 10)
	b.complete(seq+10, nil)
	if st := s.Status(); st.AbandonedBytes != 0 {
		t.Errorf("%d bytes abandoned", st.AbandonedBytes)
	}
}

func TestTruncateWithoutCopyIsCounted(t *testing.T) {
	b := newBench(t)
	b.opt.Targets[0].BatchBytes = 4 << 10
	b.write(b.file, 0, 100)
	s, _ := b.run()
	b.wait(100)
	b.sink.stop()
	b.write(b.file, 100, 3000)
	b.until("the shipper is full", func() bool { return s.Status().Behind > 0 })
	if err := os.Truncate(b.file, 0); err != nil {
		t.Fatal(err)
	}
	b.write(b.file, 3000, 3010)
	b.sink.start(b.addr)
	b.until("the new content", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.bySeq[3009]) == 1
	})
	if st := s.Status(); st.AbandonedBytes == 0 {
		t.Error("lost bytes are not counted")
	}
	b.once()
}

func TestIdenticalLinesAfterTruncationAreNotMerged(t *testing.T) {
	b := newBench(t)
	s, _ := b.run()
	for want := 1; want <= 3; want++ {
		b.appendText(b.file, "=== started ===\n")
		b.until("one more start", func() bool { return len(b.all("logs-kreislauf.order-test")) == want })
		if err := os.Truncate(b.file, 0); err != nil {
			t.Fatal(err)
		}
		// The same text written again before this looks like no change at all.
		b.until("the truncation is noticed", func() bool { return !b.follows(s.Status().Files, b.file) })
	}
}

func (b *bench) follows(files []logship.FileStatus, path string) bool {
	for _, f := range files {
		if f.Path == path && !f.Gone {
			return true
		}
	}
	return false
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(dst, src); err != nil {
		t.Fatal(err)
	}
	if err := dst.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLinesOfAllKinds(t *testing.T) {
	b := newBench(t)
	_, stop := b.run()
	long := strings.Repeat("x", 1_000_000)
	tooLong := strings.Repeat("y", 3_000_000)
	b.write(b.file, 0, 1)
	b.appendText(b.file, "plain text\n"+`{"broken":`+"\n"+"{\"a\":\"\xff\"}\n"+"nul \x00 byte\n\n"+
		`{"seq":1,"text":"`+long+`"}`+"\n"+tooLong+"\n")
	b.write(b.file, 2, 3)
	b.appendText(b.file, `{"seq":3,"me`)
	b.wait(3)
	b.until("everything but the unfinished line", func() bool { return b.count() == 8 })
	b.appendText(b.file, `ssage":"now it is whole"}`+"\n")
	b.wait(4)
	stop()
	b.complete(4, nil)
	got := map[string]string{}
	for _, d := range b.all("logs-kreislauf.order-test") {
		if tags, ok := d.fields["tags"].([]any); ok {
			message, _ := d.fields["message"].(string)
			got[fmt.Sprint(tags)] += message[:min(len(message), 20)] + fmt.Sprint(len(message)) + ";"
		}
	}
	if got["[invalid_utf8]"] != "{\"a\":\"\ufffd\"}11;" || got["[invalid_json nul_bytes]"] != "nul  byte9;" ||
		got["[truncated]"] != strings.Repeat("y", 20)+"1048576;" || len(got["[invalid_json]"]) != len("plain text10;{\"broken\":10;") {
		t.Errorf("wrapped lines %q", got)
	}
}

func TestContainerLines(t *testing.T) {
	b := newBench(t)
	pods := filepath.Join(t.TempDir(), "pods")
	b.opt.Inputs = append(b.opt.Inputs, config.Pods(pods))
	file := filepath.Join(pods, "shop_order-7d9f_0b1c", "order", "0.log")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	const at = "2025-11-22T18:23:30.123456789Z "
	b.appendText(file, at+`stdout P {"seq":0,"service_name":"order",`+"\n"+
		at+"stderr F panic: no\n"+
		at+`stdout F "env":"test"}`+"\n"+
		at+`stdout F {"seq":1,"service_name":"nginx","msec":1763835810.123,"request_time":0.012}`+"\n"+
		at+`stdout P {"seq":2,`+"\n")
	_, stop := b.run()
	b.wait(2)
	b.until("the plain line", func() bool { return len(b.all("logs-kubernetes.container-test")) == 1 })
	stop()
	b.appendText(file, at+`stdout F "service_name":"order"}`+"\n")
	b.run()
	b.wait(3)
	b.complete(3, nil)
	plain := b.all("logs-kubernetes.container-test")[0].fields
	if plain["message"] != "panic: no" || plain["@timestamp"] != "2025-11-22T18:23:30.123456789Z" ||
		plain["kubernetes.pod.name"] != "order-7d9f" || plain["kubernetes.namespace"] != "shop" || plain["kubernetes.container.name"] != "order" {
		t.Errorf("plain line %v", plain)
	}
	access := b.all("logs-nginx.access-test")
	if len(access) != 1 || access[0].fields["event.duration"] != 12e6 {
		t.Errorf("nginx line %v", access)
	}
}
