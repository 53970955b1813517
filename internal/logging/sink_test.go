package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// writes collects what the sink hands over, one entry a system call.
type writes struct {
	mu   sync.Mutex // guards list
	list []string
}

func (w *writes) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, string(b))
	return len(b), nil
}

func (w *writes) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

func TestAppendWaitsAtMostFlushEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		s := NewSink(&out)
		s.Append([]byte("1\n"))
		time.Sleep(FlushEvery - time.Nanosecond)
		s.Append([]byte("2\n"))
		synctest.Wait()
		if len(out.all()) != 0 {
			t.Errorf("written before there was need: %q", out.all())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if diff := cmp.Diff([]string{"1\n2\n"}, out.all()); diff != "" {
			t.Errorf("after FlushEvery (-want +got):\n%s", diff)
		}
		s.Append([]byte("3\n"))
		time.Sleep(FlushEvery)
		synctest.Wait()
		if diff := cmp.Diff([]string{"1\n2\n", "3\n"}, out.all()); diff != "" {
			t.Errorf("the timer works once only (-want +got):\n%s", diff)
		}
	})
}

func TestWriteTakesWaitingLinesAlong(t *testing.T) {
	var out writes
	s := NewSink(&out)
	s.Append([]byte("span 1\n"))
	s.Append([]byte("span 2\n"))
	fmt.Fprint(s, "line\n")
	s.Append([]byte("span 3\n"))
	if err := s.Commit([]byte("data\n")); err != nil {
		t.Fatal(err)
	}
	s.Append([]byte("span 4\n"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Append([]byte("late\n"))
	want := []string{"span 1\nspan 2\nline\n", "span 3\n", "data\n", "span 4\n", "late\n"}
	if diff := cmp.Diff(want, out.all()); diff != "" {
		t.Errorf("system calls (-want +got):\n%s", diff)
	}
}

func TestAppendIsBounded(t *testing.T) {
	var out writes
	s := NewSink(&out)
	line := []byte(strings.Repeat("x", 1023) + "\n")
	for range flushAt / len(line) {
		s.Append(line)
	}
	if got := out.all(); len(got) != 1 || len(got[0]) != flushAt {
		t.Errorf("%d system calls at %d bytes, want one", len(got), flushAt)
	}
	s.Append(bytes.Repeat([]byte("y"), 2*maxQueue))
	if cap(s.buf) > maxQueue {
		t.Errorf("the sink keeps %d bytes after one large line", cap(s.buf))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFullDiskIsCountedAndNeverFails(t *testing.T) {
	f, err := openFile("/dev/full", maxFile)
	if err != nil {
		t.Fatal(err)
	}
	s := NewSink(f)
	log := New(s, settings(""))
	for range 3 {
		log.Info().Msg("lost")
	}
	s.Append([]byte("lost\n"))
	s.Append([]byte("lost\n"))
	if n, err := s.Write([]byte("lost\n")); n != 5 || err != nil {
		t.Errorf("Write = %d, %v; a log must not fail its service", n, err)
	}
	if got := s.Dropped(); got != 6 {
		t.Errorf("%d lines dropped, want 6", got)
	}
	if err := s.Commit([]byte("data\n")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Commit gives %v, want ENOSPC", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestConcurrentWritersNeverInterleave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	f, err := openFile(path, maxFile)
	if err != nil {
		t.Fatal(err)
	}
	s := NewSink(f)
	const writers, each = 8, 300
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				line := fmt.Appendf(nil, `{"w":%d,"n":%d,"text":%q}`+"\n", w, n, strings.Repeat("x", n))
				switch n % 3 {
				case 0:
					s.Append(line)
				case 1:
					_, _ = s.Write(line) // never fails
				default:
					if err := s.Commit(line); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var next [writers]int
	for line := range bytes.Lines(b) {
		var v struct {
			W, N int
			Text string
		}
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		if v.N != next[v.W] || len(v.Text) != v.N {
			t.Fatalf("writer %d: line %d where %d was expected", v.W, v.N, next[v.W])
		}
		next[v.W]++
	}
	for w, n := range next {
		if n != each {
			t.Errorf("writer %d has %d lines, want %d", w, n, each)
		}
	}
}
