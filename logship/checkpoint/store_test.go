package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func entry(n byte, acked int64) Entry {
	return Entry{ID: ID{n}, Dev: 1, Ino: uint64(n), Generation: 2, HeadLen: 300, HeadSum: [16]byte{n, 9}, Acked: acked, Path: "/log/" + string('a'+rune(n))}
}

func mustOpen(t *testing.T, dir string) (*Store, Recovery) {
	t.Helper()
	s, rec, err := Open(dir)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s, rec
}

func content(s *Store) map[ID]Entry {
	out := map[ID]Entry{}
	for _, e := range s.Entries() {
		out[e.ID] = e
	}
	return out
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir)
	s.Put(entry(1, 0))
	s.Put(entry(2, 5))
	s.Put(entry(3, 7))
	s.Advance(ID{1}, 1<<40)
	s.Advance(ID{9}, 1) // not known
	s.Remember(ID{1}, 1<<39, 0xdeadbeef)
	s.Remember(ID{9}, 1, 1) // not known
	s.Put(Entry{ID: ID{1}, Dev: 1, Ino: 5, Acked: 1 << 40, Path: "/log/renamed"})
	s.Forget(ID{2})
	want := content(s)
	if len(want) != 2 || want[ID{1}].Acked != 1<<40 || want[ID{1}].SumAt != 1<<39 || want[ID{1}].Sum != 0xdeadbeef {
		t.Fatalf("entries %v", want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, rec := mustOpen(t, dir)
	defer s.Close()
	if rec != (Recovery{}) {
		t.Errorf("recovery %+v", rec)
	}
	if d := cmp.Diff(want, content(s)); d != "" {
		t.Error(d)
	}
}

func TestSecondOpenerIsRefused(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir)
	if second, _, err := Open(dir); err == nil {
		second.Close()
		t.Error("two stores share a folder")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, _ = mustOpen(t, dir)
	s.Close()
}

// damage opens a store with three files, closes it and changes the journal.
func damage(t *testing.T, change func([]byte) []byte) (map[ID]Entry, Recovery, string) {
	t.Helper()
	dir := t.TempDir()
	s, _ := mustOpen(t, dir)
	for n := byte(1); n <= 3; n++ {
		s.Put(entry(n, 10*int64(n)))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, journalName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
	s, rec := mustOpen(t, dir)
	defer s.Close()
	return content(s), rec, dir
}

func TestTornTail(t *testing.T) {
	got, rec, _ := damage(t, func(b []byte) []byte { return b[:len(b)-3] })
	if len(got) != 2 || rec.SetAside != "" || rec.TornBytes == 0 {
		t.Errorf("%d entries, %+v", len(got), rec)
	}
}

func TestDamageIsSetAside(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"bit in the last frame": func(b []byte) []byte { b[len(b)-20] ^= 1; return b },
		"other file":            func([]byte) []byte { return []byte("something else entirely, with some length") },
		"zeros behind":          func(b []byte) []byte { return append(b, make([]byte, 100)...) },
	} {
		got, rec, dir := damage(t, change)
		if !errors.Is(rec.Damage, ErrDamaged) || filepath.Dir(rec.SetAside) != dir {
			t.Errorf("%s: %+v", name, rec)
		}
		if _, err := os.Stat(rec.SetAside); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := map[string]int{"bit in the last frame": 2, "zeros behind": 3}[name]
		if len(got) != want {
			t.Errorf("%s: %d entries, want %d", name, len(got), want)
		}
	}
}

func TestCompaction(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir)
	s.Put(entry(1, 0))
	last := int64(0)
	for s.size <= compactAt {
		last++
		s.Advance(ID{1}, last)
		if err := s.Write(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	if s.size > 1000 {
		t.Errorf("%d bytes after compaction", s.size)
	}
	s.Advance(ID{1}, last+1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, _ = mustOpen(t, dir)
	defer s.Close()
	if got := content(s)[ID{1}].Acked; got != last+1 {
		t.Errorf("acked %d, want %d", got, last+1)
	}
}

func FuzzParse(f *testing.F) {
	good := []byte(magic)
	e := entry(1, 5)
	good = appendForget(appendAcked(appendFile(good, &e), e.ID, 9), e.ID)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte(magic))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, valid, err := parse(data)
		if valid > len(data) || err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatalf("valid %d of %d, %v", valid, len(data), err)
		}
		// The valid beginning reads the same alone, and so does what compaction makes of it.
		again, n, err := parse(data[:valid])
		if err != nil || n != valid {
			t.Fatalf("beginning: %d of %d, %v", n, valid, err)
		}
		if d := cmp.Diff(entries, again); d != "" {
			t.Fatal(d)
		}
		compact := []byte(magic)
		for _, e := range entries {
			compact = appendFile(compact, &e)
		}
		again, _, err = parse(compact)
		if err != nil {
			t.Fatal(err)
		}
		for id, e := range entries {
			if len(e.Path) <= maxPath && cmp.Diff(again[id], e) != "" {
				t.Fatalf("%+v became %+v", e, again[id])
			}
		}
	})
}
