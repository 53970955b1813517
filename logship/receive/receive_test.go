package receive

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"kreislauf/logship/alarm"
	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
	"kreislauf/logship/tail"
)

func TestNoRoom(t *testing.T) {
	s, err := openSegments(t.TempDir(), 100, false)
	if err != nil {
		t.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 59) + "\n")
	if err := s.write(line); err != nil {
		t.Fatal(err)
	}
	if err := s.write(line); !errors.Is(err, errFull) {
		t.Fatalf("a line above the limit: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	refused := 0
	err = s.writeWaiting(ctx, line, func(error) {
		if refused++; refused == 3 {
			cancel() // it waited, and would go on
		}
	})
	if !errors.Is(err, errFull) {
		t.Errorf("a writer that may not wait any more: %v", err)
	}
	if err := s.next(); err != nil {
		t.Fatal(err)
	}
	path := s.path(0)
	not := func(string, int64) bool { return false }
	keep := func(string) error { return nil }
	if _, err := s.remove(not, keep); err != nil || !exists(path) {
		t.Errorf("a segment that is not delivered was removed (%v)", err)
	}
	delivered := func(p string, size int64) bool { return p == path && size == 60 }
	if empty, err := s.remove(delivered, keep); err != nil || !empty || exists(filepath.Dir(path)) {
		t.Errorf("a delivered segment stays (%v)", err)
	}
	if err := s.write(line); err != nil {
		t.Errorf("there is room again: %v", err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	again, err := openSegments(s.dir, 100, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.write(line); !errors.Is(err, errFull) {
		t.Errorf("what waited before the start does not count: %v", err)
	}
	if last, err := again.newest(); err != nil || string(last)+"\n" != string(line) {
		t.Errorf("last line %q, %v", last, err)
	}
	if err := again.close(); err != nil {
		t.Error(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestTornLine: a kill can leave a part of the last line.
func TestTornLine(t *testing.T) {
	for _, again := range []bool{false, true} {
		s, err := openSegments(t.TempDir(), 1000, again)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.write([]byte("whole\n")), s.write([]byte("tor")), s.close()); err != nil {
			t.Fatal(err)
		}
		path, want := s.path(0), "whole\ntor\n"
		if again {
			want = "whole\n"
		}
		if s, err = openSegments(s.dir, 1000, again); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want || s.waiting != int64(len(want)) {
			t.Errorf("given again %v: %q of %d bytes, %v", again, got, s.waiting, err)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestFrames: what a stream of syslog is taken apart to.
func TestFrames(t *testing.T) {
	long := strings.Repeat("y", tail.MaxLine+500)
	for _, tc := range []struct {
		name, stream string
		want         []string
	}{
		{"lines", "<1>a\n<1>b\r\n\n<1>c", []string{"<1>a", "<1>b", "<1>c"}},
		{"counted", "4 <1>a6 <1>b\nc4 <1>d", []string{"<1>a", "<1>b\nc", "<1>d"}},
		{"mixed", "4 <1>a<1>b\n4 <1>c", []string{"<1>a", "<1>b", "<1>c"}},
		{"a line that begins with a number", "2026-11-30T16:42:41Z h a: b\n30 of 40\n", []string{"2026-11-30T16:42:41Z h a: b", "30 of 40"}},
		{"ends inside a counted one", "40 <1>a", []string{"<1>a"}},
		{"a line that is too long", long + "\nshort\n", []string{long[:keptOfLine], "short"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := Open(Options{
				Dir: t.TempDir(), Limit: 64 << 20, Input: &config.Input{Type: config.Syslog}, Alarms: alarm.New(zerolog.Nop()),
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.stream(context.Background(), strings.NewReader(tc.stream), "10.0.0.1"); err != nil {
				t.Fatal(err)
			}
			all, err := os.ReadFile(r.segments.path(0))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range bytes.Lines(all) {
				_, sender, message, ok := enrich.ParseReceived(bytes.TrimSuffix(line, []byte("\n")))
				if !ok || sender != "10.0.0.1" {
					t.Errorf("%.80q is not as it was kept", line)
				}
				got = append(got, string(message))
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
			if err := r.segments.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSocketOfAnother: a socket on which somebody listens is not taken away, a stale one and nothing else is removed.
func TestSocketOfAnother(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	source := config.Source{Network: "unix", Address: path}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := removeStale(t.Context(), source); err == nil || !exists(path) {
		t.Errorf("took the socket of another process: %v", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	if err := removeStale(t.Context(), source); err != nil || exists(path) {
		t.Errorf("a stale socket stays: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := removeStale(t.Context(), source); err == nil || !exists(path) {
		t.Errorf("removed a file: %v", err)
	}
}
