package logship_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// beside returns the path of another file in the folder of the log.
func (b *bench) beside(name string) string { return filepath.Join(filepath.Dir(b.file), name) }

// shown counts the documents of a file by its path.
func (b *bench) shown(path string) int {
	n := 0
	for _, d := range b.all("logs-kreislauf.order-test") {
		if d.fields["log.file.path"] == path {
			n++
		}
	}
	return n
}

// settled waits until nothing is behind and a few more looks through the folders have brought nothing.
func (b *bench) settled(s shipper) {
	b.until("nothing is behind", func() bool { return s.Status().Behind == 0 })
	time.Sleep(max(2*b.opt.PollInterval, time.Second)) // there is nothing to wait for: what comes now would be wrong
	b.until("nothing is behind", func() bool { return s.Status().Behind == 0 })
}

func truncate(t *testing.T, path string) {
	t.Helper()
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
}

// TestCopyUnderAnInputName has copytruncate with copies that the pattern fits, as dateext with `extension .log` makes them.
func TestCopyUnderAnInputName(t *testing.T) {
	for _, c := range []struct {
		name          string
		behind, extra int // lines that are not read at the time of the copy, and that come between copy and truncation
		stopped       bool
		poll          time.Duration
	}{
		{name: "all shipped"},
		{name: "all shipped, while stopped", stopped: true},
		{name: "some lines not read", behind: 500},
		{name: "some lines not read, while stopped", behind: 500, stopped: true},
		{name: "some lines not read, folders looked through rarely", behind: 500, poll: 7 * time.Second},
		{name: "lines between copy and truncation", extra: 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if c.poll > 0 { // longer than a copy is kept that has no input name
				b.opt.PollInterval = c.poll
			}
			s, stop := b.run()
			seq := 0
			for round := range 3 {
				b.write(b.file, seq, seq+1000)
				seq += 1000
				b.wait(seq)
				b.until("all is acknowledged", func() bool { return s.Status().Behind == 0 })
				if c.stopped {
					stop()
				}
				if c.behind > 0 && !c.stopped {
					b.sink.stop()
				}
				b.write(b.file, seq, seq+c.behind)
				seq += c.behind
				copyFile(t, b.file, b.beside(fmt.Sprintf("order-1-2026112%d.log", round)))
				if c.poll > 0 {
					time.Sleep(300 * time.Millisecond) // so that the copy is found before the truncation
				}
				if c.extra > 0 {
					b.write(b.file, seq, seq+c.extra)
					seq += c.extra
					b.wait(seq)
				}
				truncate(t, b.file)
				b.write(b.file, seq, seq+200)
				seq += 200
				if c.behind > 0 && !c.stopped {
					b.sink.start(b.addr)
				}
				if c.stopped {
					s, stop = b.run()
				}
				b.wait(seq)
			}
			b.settled(s)
			b.complete(seq, nil)
			stop()
			s, _ = b.run() // what is known stays known
			b.settled(s)
			b.complete(seq, nil)
		})
	}
}

// TestCopyWithoutTruncation has a copy that is made slowly, of a file that goes on.
func TestCopyWithoutTruncation(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write(b.file, 0, 1000)
	s, _ := b.run()
	b.wait(1000)
	text, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}
	for half := range 2 {
		b.appendText(b.beside("backup.log"), string(text[half*len(text)/2:(half+1)*len(text)/2]))
		b.settled(s)
	}
	b.write(b.file, 1000, 1500)
	b.wait(1500)
	b.settled(s)
	b.complete(1500, nil)
}

// TestFilesThatBeginAlikeStayTwo has two services whose logs are the same for a while.
func TestFilesThatBeginAlikeStayTwo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	banner := strings.Repeat(`{"service_name":"order","message":"starting, this is the same every time"}`+"\n", 100)
	b.appendText(b.file, banner)
	s, _ := b.run()
	b.until("the first one is shipped", func() bool { return b.shown(b.file) == 100 })
	second := b.beside("order-2.log")
	b.appendText(second, banner)
	b.settled(s)
	b.write(second, 0, 10)
	b.write(b.file, 10, 20)
	b.until("the second one is shipped", func() bool { return b.shown(second) == 110 })
	b.until("the first one is shipped", func() bool { return b.shown(b.file) == 110 })
	// The first one is truncated: the second one is no copy of it.
	truncate(t, b.file)
	b.write(b.file, 20, 30)
	b.wait(30)
	b.settled(s)
	if n := b.shown(second); n != 110 {
		t.Errorf("%d documents of the second file", n)
	}
}

// TestSameTextAgainInPlace has a writer that empties its file and writes the same again: that is no copy.
func TestSameTextAgainInPlace(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	text := strings.Repeat(`{"service_name":"order","message":"nothing to do today"}`+"\n", 100)
	b.appendText(b.file, text)
	s, _ := b.run()
	for run := 1; run <= 3; run++ {
		b.until("this run is shipped", func() bool { return b.shown(b.file) == 100*run })
		b.settled(s)
		truncate(t, b.file)
		b.settled(s)
		if run < 3 {
			b.appendText(b.file, text)
		}
	}
	if n := b.shown(b.file); n != 300 {
		t.Errorf("%d documents", n)
	}
}
