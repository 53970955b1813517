package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"go.uber.org/goleak"

	"kreislauf/internal/config"
	"kreislauf/internal/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const limit = 1 << 20

// addresses are the same store twice: a folder, and S3 over the wire.
func addresses(t *testing.T) map[string]string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(srv.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	return map[string]string{
		"folder": "file://" + filepath.ToSlash(filepath.Join(t.TempDir(), "files")),
		"s3":     "s3://files?region=eu-central-1&use_path_style=true&prefix=order/&endpoint=" + srv.URL,
	}
}

func eachStore(t *testing.T, f func(t *testing.T, s *Store)) {
	for name, address := range addresses(t) {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("not ready: %v", err)
			}
			f(t, s)
		})
	}
}

// content begins as a type and fills up to a size.
func content(typ string, size int) string {
	head := map[string]string{
		"image/jpeg": "\xff\xd8\xff\xe0\x00\x10JFIF\x00", "image/png": "\x89PNG\x0d\x0a\x1a\x0a",
		"image/webp": "RIFF\x00\x00\x00\x00WEBPVP8 ", "application/pdf": "%PDF-1.7\n", "image/gif": "GIF89a",
		"text/html": "<!DOCTYPE html><script>alert(1)</script>", "application/zip": "PK\x03\x04",
	}[typ]
	return head + strings.Repeat("x", max(0, size-len(head)))
}

func read(s *Store, t *testing.T, info Info, offset, length int64) (string, error) {
	r, err := s.Read(t.Context(), info, offset, length)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), errors.Join(err, r.Close())
}

func TestPutReadDelete(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		for _, typ := range types {
			text := content(typ, limit)
			info, err := s.Put(t.Context(), "o-1", typ, "", strings.NewReader(text), limit)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256([]byte(text))
			hash := hex.EncodeToString(sum[:])
			if diff := cmp.Diff(Info{Key: "o-1/" + hash, Type: typ, Size: limit, SHA256: hash}, info); diff != "" {
				t.Errorf("info (-want +got):\n%s", diff)
			}
			again, err := s.Put(t.Context(), "o-1", typ+"; charset=binary", "", strings.NewReader(text), limit)
			if err != nil || again != info {
				t.Errorf("the same file again: %+v, %v", again, err)
			}
			other, err := s.Put(t.Context(), "o-2", typ, "", strings.NewReader(text), limit)
			if err != nil || other.Key != "o-2/"+hash {
				t.Errorf("the same file of another owner: %+v, %v", other, err)
			}
			for range 2 {
				if err := s.Delete(t.Context(), info.Key); err != nil {
					t.Errorf("delete: %v", err)
				}
			}
			if _, err := read(s, t, info, 0, -1); problem.KindOf(err) != problem.NotFound {
				t.Errorf("a deleted file: %v", err)
			}
			if got, err := read(s, t, other, 0, -1); err != nil || got != text {
				t.Errorf("the other owner's file: %d bytes, %v", len(got), err)
			}
		}
	})
}

func TestRanges(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		text := content("image/png", 0) + "0123456789"
		info, err := s.Put(t.Context(), "o-1", "image/png", "", strings.NewReader(text), limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			offset, length int64
			want           string
		}{
			{0, -1, text},
			{0, 18, text},
			{8, -1, "0123456789"},
			{8, 3, "012"},
			{17, 1, "9"},
			{17, -1, "9"},
			{18, -1, ""},
			{17, 2, ""},
			{0, 0, ""},
			{-1, 5, ""},
			{-1, -1, ""},
			{1 << 62, 1 << 62, ""},
		} {
			got, err := read(s, t, info, tc.offset, tc.length)
			if got != tc.want || (tc.want == "") != (problem.KindOf(err) == problem.Invalid) {
				t.Errorf("%d bytes from %d: %q, %v; want %q", tc.length, tc.offset, got, err, tc.want)
			}
		}
	})
}

func TestRefused(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		file := func(typ string) io.Reader { return strings.NewReader(content(typ, 100)) }
		limited := http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(file("image/png")), 50)
		for _, tc := range []struct {
			name, declared string
			body           io.Reader
			want           problem.Kind
			detail         string
		}{
			{"page as photo", "image/jpeg", file("text/html"), problem.Invalid, "its content is text/html"},
			{"gif as png", "image/png", file("image/gif"), problem.Invalid, "its content is image/gif"},
			{"png as jpeg", "image/jpeg", file("image/png"), problem.Invalid, "its content is image/png"},
			{"archive as PDF", "application/pdf", file("application/zip"), problem.Invalid, "its content is application/zip"},
			{"honest page", "text/html", file("text/html"), problem.Invalid, "is not taken"},
			{"no type", "", file("image/png"), problem.Invalid, "is not taken"},
			{"bad type", "image/png; =", file("image/png"), problem.Invalid, "is not taken"},
			{"empty", "image/png", strings.NewReader(""), problem.Invalid, "is empty"},
			{"a byte too much", "image/png", strings.NewReader(content("image/png", limit+1)), problem.TooLarge, "larger than 1048576"},
			{"endless", "image/png", io.MultiReader(strings.NewReader(content("image/png", 8)), endless{}), problem.TooLarge, "larger than 1048576"},
			{"request too large", "image/png", limited, problem.TooLarge, "larger than 50 bytes"},
			{"cut", "image/png", io.MultiReader(file("image/png"), &failing{}), problem.Malformed, "ended too early"},
		} {
			info, err := s.Put(t.Context(), "o-1", tc.declared, "", tc.body, limit)
			if problem.KindOf(err) != tc.want || !strings.Contains(err.Error(), tc.detail) || info != (Info{}) {
				t.Errorf("%s: %+v, %v", tc.name, info, err)
			}
		}
		for _, owner := range []string{"", "..", "a/b", "A", "o.1", "-a", strings.Repeat("a", 65)} {
			if _, err := s.Put(t.Context(), owner, "image/png", "", strings.NewReader(content("image/png", 100)), limit); err == nil {
				t.Errorf("owner %q was taken", owner)
			}
		}
		it := s.bucket.List(nil)
		if obj, err := it.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("something was stored: %+v, %v", obj, err)
		}
	})
}

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestAtOnce: the same files from many senders at once; every answer is readable at once and whole.
func TestAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				text := content("image/jpeg", 50_000) + fmt.Sprint(i%4)
				info, err := s.Put(t.Context(), "o-1", "image/jpeg", "", strings.NewReader(text), limit)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := read(s, t, info, 0, -1); err != nil || got != text {
					t.Errorf("read %d bytes, %v", len(got), err)
				}
			})
		}
		wg.Wait()
	})
}

// TestFolder looks at what lies on the disk: the files alone, for the platform's user alone.
func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "files")
	s, err := Open(t.Context(), "file://"+filepath.ToSlash(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	info, err := s.Put(t.Context(), "o-1", "image/png", "", strings.NewReader(content("image/png", 100)), limit)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, filepath.ToSlash(strings.TrimPrefix(path, dir+string(filepath.Separator))))
		}
		return err
	})
	if diff := cmp.Diff([]string{info.Key}, names); diff != "" || err != nil {
		t.Errorf("%v, files (-want +got):\n%s", err, diff)
	}
	if mode, err := os.Stat(dir); err != nil || mode.Mode().Perm() != 0o700 {
		t.Errorf("the folder's mode: %v, %v", mode.Mode(), err)
	}
}

// TestAway: a store that cannot be written or reached is Unavailable, and the caller sees nothing of why.
func TestAway(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), "file://"+filepath.ToSlash(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.WriteFile(filepath.Join(dir, "o-1"), nil, 0o600); err != nil { // where the owner's folder should be
		t.Fatal(err)
	}
	put := func(s *Store) error {
		_, err := s.Put(t.Context(), "o-1", "image/png", "", strings.NewReader(content("image/png", 100)), limit)
		return err
	}
	if err := put(s); problem.KindOf(err) != problem.Unavailable {
		t.Errorf("a folder that cannot be written: %v", err)
	}
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	away, err := Open(t.Context(), "s3://files?region=eu-central-1&use_path_style=true&endpoint="+srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	err = put(away)
	if problem.KindOf(err) != problem.Unavailable || strings.Contains(problem.BodyOf(err, "/", "").Detail, "127.0.0.1") {
		t.Errorf("S3 away: %v", err)
	}
	if err := away.Delete(t.Context(), "o-1/x"); problem.KindOf(err) != problem.Unavailable {
		t.Errorf("S3 away: %v", err)
	}
	if err := away.Ping(t.Context()); err == nil {
		t.Error("it is ready without S3")
	}
}

func TestReadURL(t *testing.T) {
	for value, ok := range map[string]bool{
		"": true, "file:///var/lib/kreislauf": true, "file://./blobs": true, "s3://bucket": true, "s3://bucket?region=eu-central-1": true,
		"file:///": false, "file://host/x": false, "file:///x?metadata=skip": false, "/var/lib": false, "s3://": false,
		"s3://bucket/folder":     false,
		"s3://key:secret@bucket": false, "gs://bucket": false, "http://x": false, "file://%zz": false,
	} {
		r := config.New(config.FromMap(map[string]string{Setting: value}))
		got := ReadURL(r, Setting)
		if err := r.Err(); (err == nil) != ok || (ok && value != "" && got != value) {
			t.Errorf("%q: %q, %v", value, got, err)
		} else if err != nil && strings.Contains(err.Error(), "secret@") {
			t.Errorf("the message shows a password: %v", err)
		}
	}
	if _, err := Open(t.Context(), "gs://bucket"); err == nil {
		t.Error("an address that is not allowed was opened")
	}
}

// TestSumIsCompared: what the sender says that it sends is stored, or nothing.
func TestSumIsCompared(t *testing.T) {
	s, err := Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	text := content("image/png", 100)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	if info, err := s.Put(t.Context(), "o-1", "image/png", sum, strings.NewReader(text), 1000); err != nil || info.SHA256 != sum {
		t.Errorf("the right sum: %+v, %v", info, err)
	}
	other := content("image/png", 101)
	if _, err := s.Put(t.Context(), "o-2", "image/png", sum, strings.NewReader(other), 1000); problem.KindOf(err) != problem.Invalid {
		t.Errorf("another sum: %v", err)
	}
	stored := Info{Key: fmt.Sprintf("o-2/%x", sha256.Sum256([]byte(other))), Size: int64(len(other))}
	if _, err := s.Read(t.Context(), stored, 0, -1); problem.KindOf(err) != problem.NotFound {
		t.Errorf("a file with another sum was stored: %v", err)
	}
}

func TestNowhere(t *testing.T) {
	s, err := Open(t.Context(), Nowhere)
	if err != nil {
		t.Fatal(err)
	}
	_, putErr := s.Put(t.Context(), "o-1", "image/png", "", strings.NewReader(content("image/png", 100)), 1000)
	_, readErr := s.Read(t.Context(), Info{Key: "o-1/x", Size: 1}, 0, -1)
	for _, err := range []error{putErr, readErr} {
		if problem.KindOf(err) != problem.Unavailable {
			t.Errorf("%v, want Unavailable", err)
		}
	}
	if err := errors.Join(s.Ping(t.Context()), s.Delete(t.Context(), "o-1/x"), s.Close()); err != nil {
		t.Error(err)
	}
}
