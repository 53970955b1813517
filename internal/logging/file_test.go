package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "order-1.log")
	f, err := openFile(path, 20)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		if _, err := fmt.Fprintf(f, "line %d\n", n); err != nil { // 7 bytes, two a file
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		got[filepath.Base(name)] = read(t, name)
	}
	want := map[string]string{"order-1.log": "line 8\nline 9\n", "order-1.log.1": "line 6\nline 7\n", "order-1.log.2": "line 4\nline 5\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestLineLargerThanTheLimitIsKeptWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	f, err := openFile(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	long := "a line of more than ten bytes\n"
	for _, line := range []string{"short\n", long} {
		if _, err := f.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"short\n", long}, []string{read(t, path+".1"), read(t, path)}); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestRotationRecovers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	f, err := openFile(filepath.Join(dir, "x.log"), 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("line one\n")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := f.Write([]byte("line two\n")); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("without a folder: %v", err)
		}
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("line six\n")); err != nil {
		t.Fatalf("the folder is back, but: %v", err)
	}
	if got := read(t, filepath.Join(dir, "x.log")); got != "line six\n" {
		t.Errorf("file %q", got)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCutLastLineIsEnded(t *testing.T) {
	for before, want := range map[string]string{
		"":                   "new\n",
		"{\"a\":1}\n":        "{\"a\":1}\nnew\n",
		"{\"a\":1}\n{\"b\":": "{\"a\":1}\n{\"b\":\nnew\n",
	} {
		path := filepath.Join(t.TempDir(), "x.log")
		if err := os.WriteFile(path, []byte(before), 0o640); err != nil {
			t.Fatal(err)
		}
		f, err := openFile(path, maxFile)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("new\n")); err != nil {
			t.Fatal(err)
		}
		if f.size != int64(len(want)) {
			t.Errorf("size %d, want %d", f.size, len(want))
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != want {
			t.Errorf("%q became %q, want %q", before, got, want)
		}
	}
}

func TestServiceLine(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(settings(dir))
	if err != nil {
		t.Fatal(err)
	}
	log := New(s, settings(dir))
	log.Warn().Err(errors.New(`bad "thing"`)).Str("order.id", "o-1").Msg("two\nlines")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text := read(t, filepath.Join(dir, "local", "kreislauf", "order", "order-1.log"))
	if bytes.Count([]byte(text), []byte("\n")) != 1 {
		t.Fatalf("not one line: %q", text)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	stamp, ok := got["@timestamp"].(string)
	if at, err := time.Parse(TimeFormat, stamp); !ok || err != nil || at.Format(TimeFormat) != stamp {
		t.Errorf("@timestamp %q is not %s", stamp, TimeFormat)
	}
	delete(got, "@timestamp")
	want := map[string]any{
		"log.level": "warn", "message": "two\nlines", "ecs.version": "8.11.0", "service_name": "order", "env": "local", "customer": "kreislauf",
		"instance": "order-1", "platform_version": "dev", "error.message": `bad "thing"`, "order.id": "o-1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

// TestServiceVersion: a service's lines have its own version beside the platform's; a process that is no service has none.
func TestServiceVersion(t *testing.T) {
	for _, version := range []string{"", "0123456789ab"} {
		var out bytes.Buffer
		p := settings("")
		p.ServiceVersion = version
		log := New(&out, p)
		log.Info().Msg("line")
		var got map[string]any
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if have, there := got["service.version"]; there != (version != "") || there && have != version || got["platform_version"] != "dev" {
			t.Errorf("version %q: %s", version, &out)
		}
	}
}

func TestConsole(t *testing.T) {
	var b bytes.Buffer
	log := Console(&b)
	log.Info().Str("order.id", "o-1").Msg("hello")
	if got := b.String(); !bytes.Contains(b.Bytes(), []byte("hello")) || json.Valid(b.Bytes()) {
		t.Errorf("console line %q", got)
	}
}
