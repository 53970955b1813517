package tail

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func lines(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "line number %d\n", i)
	}
	return out.String()
}

// readAll reads f from its position to its end.
func readAll(t *testing.T, f *File) string {
	t.Helper()
	var r Reader
	var out strings.Builder
	for {
		c, err := r.Read(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Data) == 0 {
			return out.String()
		}
		out.Write(c.Data)
		f.Consume(c.End, nil)
	}
}

func TestReadGzip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log.1.gz")
	text := lines(50000)
	put(t, path, string(packed(t, text)))
	f := open(t, path)
	if got := readAll(t, f); got != text {
		t.Errorf("%d bytes of %d", len(got), len(text))
	}
	f.Resume(int64(len(lines(100))), Mark{}) // backwards
	if got := readAll(t, f); got != text[len(lines(100)):] || f.Size() != int64(len(text)) {
		t.Errorf("%d bytes after going back, size %d", len(got), f.Size())
	}
	for size, want := range map[int]bool{0: true, len(text) - 1: true, len(text): false} {
		again := open(t, path)
		if longer, err := again.LongerThan(int64(size)); err != nil || longer != want {
			t.Errorf("longer than %d: %v, %v", size, longer, err)
		}
	}
	// Several parts one after the other are one content; only the last says how long it is.
	put(t, path, string(packed(t, text))+string(packed(t, "end\n")))
	f = open(t, path)
	if longer, err := f.LongerThan(int64(len(text))); err != nil || !longer {
		t.Errorf("two parts: %v, %v", longer, err)
	}
}

func TestGzipThatIsStillBeingWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log.gz")
	text := lines(50000)
	whole := packed(t, text)
	put(t, path, string(whole[:10]))
	if _, err := Open(path); !errors.Is(err, ErrNotReady) {
		t.Errorf("only a header: %v", err)
	}
	put(t, path, string(whole[:len(whole)/2]))
	f := open(t, path)
	first := readAll(t, f)
	if first == "" || !strings.HasPrefix(text, first) {
		t.Errorf("%d bytes of the first half", len(first))
	}
	if got := readAll(t, f); got != "" {
		t.Errorf("%q without growth", got)
	}
	add(t, path, string(whole[len(whole)/2:]))
	if got := first + readAll(t, f); got != text {
		t.Errorf("%d bytes of %d", len(got), len(text))
	}
}

func TestFindGzippedCopy(t *testing.T) {
	dir := t.TempDir()
	text := lines(1000)
	put(t, filepath.Join(dir, "a.log"), text)
	f := open(t, filepath.Join(dir, "a.log"))
	skip := func(k Key) bool { return k == f.Key }
	put(t, filepath.Join(dir, "a.log.2.gz"), string(packed(t, "older\n"+text)))
	put(t, filepath.Join(dir, "a.log.1.gz"), string(packed(t, text)))
	if twin := FindCopy(dir, f.Head(), int64(len(text)), Mark{}, skip); twin != nil {
		t.Errorf("%s has nothing new", twin.Path)
	}
	half := int64(len(lines(500)))
	twin := FindCopy(dir, f.Head(), half, Mark{}, skip)
	if twin == nil || filepath.Base(twin.Path) != "a.log.1.gz" {
		t.Fatalf("copy %v", twin)
	}
	f.Resume(half, Mark{})
	if err := f.Adopt(twin); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, f); got != text[half:] {
		t.Errorf("%d bytes of %d", len(got), len(text)-int(half))
	}
}

func TestParkAndWake(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	put(t, path, "one\n")
	f := open(t, path)
	_ = readAll(t, f)
	if err := f.Park(); err != nil || f.Open() || !f.Readable() || !f.Linked() {
		t.Fatalf("parked: open %v, readable %v, %v", f.Open(), f.Readable(), err)
	}
	add(t, path, "two\n")
	if err := f.Wake(); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, f); got != "two\n" {
		t.Errorf("read %q", got)
	}
	if err := f.Park(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := f.Wake(); !errors.Is(err, ErrReplaced) {
		t.Errorf("renamed: %v", err)
	}
	put(t, path, "one\n")
	if err := f.Wake(); !errors.Is(err, ErrReplaced) {
		t.Errorf("another file: %v", err)
	}
}
