package tail

import (
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMarksAreOfTheContent reads a file in pieces, and checks every mark against the text.
func TestMarksAreOfTheContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	text := strings.Repeat("a line of a log\n", 4*chunkSize/16)
	put(t, path, text)
	f := open(t, path)
	for end := int64(16); end <= int64(len(text)); end += 16 * 1021 {
		data := []byte(text)[f.Offset():end]
		if end%3 == 0 {
			data = nil // as behind a line that was cut
		}
		f.Consume(end, data)
	}
	marks := f.Marks()
	if len(marks) < maxMarks/2 || len(marks) > maxMarks || last(marks).At != f.Offset() {
		t.Fatalf("%d marks up to %d of %d", len(marks), last(marks).At, f.Offset())
	}
	for _, m := range marks {
		if m.Sum != crc32.Checksum([]byte(text)[:m.At], castagnoli()) {
			t.Errorf("the mark at %d is wrong", m.At)
		}
		if ok, err := f.Matches(m); !ok || err != nil {
			t.Errorf("the mark at %d does not match its own file: %v", m.At, err)
		}
	}
	other := filepath.Join(filepath.Dir(path), "b.log")
	put(t, other, text[:len(text)/2]+"X"+text[len(text)/2+1:])
	g := open(t, other)
	for _, m := range marks {
		if ok, err := g.Matches(m); ok != (m.At <= int64(len(text)/2)) || err != nil {
			t.Errorf("the mark at %d: matches is %v, %v", m.At, ok, err)
		}
	}
	if upTo, differ, err := f.SameAs(g, 0, 1<<40); upTo > int64(len(text)/2) || !differ || err != nil {
		t.Errorf("the same up to %d, differ %v, %v", upTo, differ, err)
	}
	if err := os.Truncate(other, 100); err != nil {
		t.Fatal(err)
	}
	if upTo, differ, err := f.SameAs(g, 0, 1<<40); upTo != 100 || differ || err != nil {
		t.Errorf("the same up to %d, differ %v, %v", upTo, differ, err)
	}
}

func last(marks []Mark) Mark { return marks[len(marks)-1] }

// TestKnownFollowsAcknowledgements: what is known of the content is never ahead of what is acknowledged.
func TestKnownFollowsAcknowledgements(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	put(t, path, "one\ntwo\nthree\n")
	f := open(t, path)
	now := f.acks.known
	if now != (Mark{}) {
		t.Fatalf("%+v", now)
	}
	first := f.Send(0, time.Unix(0, 0))
	f.Consume(4, []byte("one\n"))
	f.Extend(first, 4)
	second := f.Send(0, time.Unix(0, 0))
	f.Consume(8, []byte("two\n"))
	f.Extend(second, 6) // something is held back
	f.Done(second)
	if f.Known().At != 0 {
		t.Errorf("known up to %d before anything is acknowledged", f.Known().At)
	}
	f.Done(first)
	if want := (Mark{At: 4, Sum: crc32.Checksum([]byte("one\n"), castagnoli())}); f.Known() != want || f.Acked() != 6 {
		t.Errorf("%+v at %d", f.Known(), f.Acked())
	}
}
