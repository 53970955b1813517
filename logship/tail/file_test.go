package tail

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func add(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestFileNeedsALineForItsIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	put(t, path, "no line yet")
	if _, err := Open(path); !errors.Is(err, ErrNotReady) {
		t.Errorf("error %v", err)
	}
	add(t, path, "\n")
	first := open(t, path)
	id := first.Identity("salt", 0)
	add(t, path, strings.Repeat("more\n", 1000))
	renamed := filepath.Join(filepath.Dir(path), "b.log")
	if err := os.Rename(path, renamed); err != nil {
		t.Fatal(err)
	}
	again := open(t, renamed)
	if again.Identity("salt", 0) != id {
		t.Error("the identity changes with growth or renaming")
	}
	if again.Identity("salt", 1) == id || again.Identity("other", 0) == id {
		t.Error("the identity does not depend on salt and generation")
	}
	if !again.BeginsWith(first.Head()) || first.BeginsWith(again.Head()) {
		t.Error("a longer head is compared wrongly with a shorter one")
	}
}

func TestReadOnlyWholeLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	put(t, path, "one\ntwo\nthr")
	f := open(t, path)
	var r Reader
	c, err := r.Read(f)
	if err != nil || string(c.Data) != "one\ntwo\n" || c.Start != 0 || c.End != 8 || c.Cut {
		t.Fatalf("chunk %+v, %v", c, err)
	}
	f.Consume(c.End, nil)
	if c, err = r.Read(f); err != nil || len(c.Data) != 0 {
		t.Errorf("chunk %+v, %v", c, err)
	}
	add(t, path, "ee\n")
	if c, err = r.Read(f); err != nil || string(c.Data) != "three\n" || c.Start != 8 {
		t.Errorf("chunk %+v, %v", c, err)
	}
	f.Consume(c.End, nil)
	add(t, path, "rest")
	if c, err = r.Rest(f); err != nil || string(c.Data) != "rest" || c.Start != 14 || c.End != 18 {
		t.Errorf("rest %+v, %v", c, err)
	}
}

func TestReadLongLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	whole := strings.Repeat("w", MaxLine)
	long := strings.Repeat("x", 3*MaxLine)
	put(t, path, whole+"\n"+long)
	f := open(t, path)
	var r Reader
	c, err := r.Read(f)
	if err != nil || string(c.Data) != whole+"\n" || c.Cut {
		t.Fatalf("%d bytes, cut %v, %v", len(c.Data), c.Cut, err)
	}
	f.Consume(c.End, nil)
	for range 2 {
		if c, err = r.Read(f); err != nil || len(c.Data) != 0 {
			t.Fatalf("%d bytes of an unfinished line, %v", len(c.Data), err)
		}
	}
	add(t, path, "\nnext\n")
	if c, err = r.Read(f); err != nil || string(c.Data) != long[:MaxLine] || !c.Cut || c.End != int64(4*MaxLine+2) {
		t.Fatalf("%d bytes to %d, cut %v, %v", len(c.Data), c.End, c.Cut, err)
	}
	f.Consume(c.End, nil)
	if c, err = r.Read(f); err != nil || string(c.Data) != "next\n" {
		t.Errorf("%q, %v", c.Data, err)
	}
}

func TestReplacedContentIsNoticed(t *testing.T) {
	for name, content := range map[string]string{
		"empty":      "",
		"shorter":    "new\n",
		"longer":     strings.Repeat("new line\n", 50),
		"same start": "one\nnew",
	} {
		path := filepath.Join(t.TempDir(), "a.log")
		put(t, path, "one\ntwo\nthree\n")
		f := open(t, path)
		f.Resume(14, Mark{})
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		add(t, path, content)
		var r Reader
		if c, err := r.Read(f); !errors.Is(err, ErrReplaced) {
			t.Errorf("%s: chunk %q, %v", name, c.Data, err)
		}
	}
}

func TestFindCopy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	put(t, path, "one\ntwo\nthree\n")
	f := open(t, path)
	put(t, filepath.Join(dir, "other.log"), strings.Repeat("another file\n", 10))
	put(t, filepath.Join(dir, "a.log.2"), "one\ntwo\n")
	if twin := FindCopy(dir, f.Head(), 8, Mark{}, func(k Key) bool { return k == f.Key }); twin != nil {
		t.Errorf("%s is no copy with more than 8 bytes", twin.Path)
	}
	put(t, filepath.Join(dir, "a.log.1"), "one\ntwo\nthree\n")
	twin := FindCopy(dir, f.Head(), 8, Mark{}, func(k Key) bool { return k == f.Key })
	if twin == nil || filepath.Base(twin.Path) != "a.log.1" {
		t.Fatalf("copy %v", twin)
	}
	f.Resume(8, Mark{})
	if err := f.Adopt(twin); err != nil {
		t.Fatal(err)
	}
	var r Reader
	if c, err := r.Read(f); err != nil || string(c.Data) != "three\n" || !f.Linked() {
		t.Errorf("chunk %q, %v", c.Data, err)
	}
	if err := os.Remove(filepath.Join(dir, "a.log.1")); err != nil {
		t.Fatal(err)
	}
	if f.Linked() {
		t.Error("a deleted file has a name")
	}
}

func TestAcknowledgementsInAnyOrder(t *testing.T) {
	var f File
	f.Resume(100, Mark{})
	now := time.Unix(1, 0)
	one := f.Send(100, now)
	f.Extend(one, 200)
	two := f.Send(300, now.Add(time.Second))
	three := f.Send(400, now.Add(2*time.Second))
	if f.Done(two) || f.Acked() != 100 {
		t.Errorf("acked %d before the first part", f.Acked())
	}
	if since, ok := f.Pending(); !ok || !since.Equal(now) {
		t.Errorf("oldest %v, %v", since, ok)
	}
	if !f.Done(one) || f.Acked() != 300 {
		t.Errorf("acked %d after two parts", f.Acked())
	}
	if !f.Done(three) || f.Acked() != 400 {
		t.Errorf("acked %d after all", f.Acked())
	}
	if _, ok := f.Pending(); ok {
		t.Error("something is pending after all")
	}
	if four := f.Send(500, now); !f.Done(four) || f.Acked() != 500 {
		t.Errorf("acked %d", f.Acked())
	}
}
