package bulk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func lettersIn(t *testing.T, dir string) (out []DeadLetter, damaged int) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "dead-letter*.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		err = readDeadLetters(f, func(d DeadLetter) error {
			out = append(out, d)
			return nil
		}, func([]byte) error {
			damaged++
			return nil
		})
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return out, damaged
}

func letter(n int) DeadLetter {
	return DeadLetter{
		Reason: "no", File: "/log/a.log", Offset: int64(n), Index: "logs-a-b", ID: fmt.Sprintf("id%d", n),
		Line: fmt.Sprintf(`{"n":%d}`, n), Added: `,"x":1}`,
	}
}

func TestDescribe(t *testing.T) {
	b := testBatch()
	want := []DeadLetter{
		{File: "/log/a.log", Offset: 0, Index: "i", ID: "id0", Line: `{"a":1}`, Added: `,"added":2}`},
		{File: "/log/a.log", Offset: 10, Index: "i", ID: "id1", Line: "x y", Document: `{"message":"x y","tags":["invalid_json"]}`},
		{File: "/log/a.log", Offset: 20, Index: "i", ID: "id2", Line: `{"c":3}`, Added: `}`},
	}
	for i := range want {
		got, err := describe(b, i)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want[i], got); d != "" {
			t.Error(d)
		}
		if doc := string(b.Buf[b.Items[i].Doc:]); !strings.HasPrefix(doc, got.document()+"\n") {
			t.Errorf("document %s of %s", got.document(), doc)
		}
	}
}

func TestDeadLettersAreAppendedAndRepaired(t *testing.T) {
	dir := t.TempDir()
	d := NewDeadLetters(dir, 1<<20)
	if err := d.Write([]DeadLetter{letter(1), letter(2)}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, activeName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, `{"reason":"cut off by a cra`...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Write([]DeadLetter{letter(3)}); err != nil {
		t.Fatal(err)
	}
	got, damaged := lettersIn(t, dir)
	if d := cmp.Diff([]DeadLetter{letter(1), letter(2), letter(3)}, got); d != "" || damaged != 0 {
		t.Errorf("%d damaged, %s", damaged, d)
	}
}

func TestDeadLettersAreSealedAndBounded(t *testing.T) {
	dir := t.TempDir()
	d := NewDeadLetters(dir, 40<<20)
	big := letter(1)
	big.Reason = strings.Repeat("x", 9<<20)
	written := 0
	var err error
	for ; err == nil && written < 10; written++ {
		err = d.Write([]DeadLetter{big})
	}
	if !errors.Is(err, ErrDeadLettersFull) || written != 5 {
		t.Errorf("%d writes, %v", written, err)
	}
	sealed, err := d.sealed()
	if err != nil || len(sealed) != 2 {
		t.Errorf("sealed %v, %v", sealed, err)
	}
	if size, err := d.Size(); err != nil || size < 36<<20 || size > 40<<20 {
		t.Errorf("%d bytes, %v", size, err)
	}
}

func TestDeadLettersOnAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full on this system")
	}
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, activeName)); err != nil {
		t.Fatal(err)
	}
	if err := NewDeadLetters(dir, 1<<20).Write([]DeadLetter{letter(1)}); err == nil {
		t.Error("a dead letter counts as written on a full disk")
	}
}

// replayTarget answers each document with the status that status gives for its number.
func replayTarget(t *testing.T, status func(n int) int) (Config, *[]string) {
	t.Helper()
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies = append(bodies, string(body))
		var items []string
		lines := bytes.Split(bytes.TrimSpace(body), []byte{'\n'})
		for i := 1; i < len(lines); i += 2 {
			var doc struct{ N, X int }
			if err := json.Unmarshal(lines[i], &doc); err != nil || doc.X != 1 {
				t.Errorf("document %s: %v", lines[i], err)
			}
			s := status(doc.N)
			if s == 400 {
				items = append(items, `{"create":{"status":400,"error":{"type":"mapper","reason":"still no"}}}`)
				continue
			}
			items = append(items, fmt.Sprintf(`{"create":{"status":%d}}`, s))
		}
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		fmt.Fprintf(w, `{"errors":true,"items":[%s]}`, strings.Join(items, ","))
	}))
	t.Cleanup(server.Close)
	return Config{URLs: []string{server.URL}, MaxBytes: 1 << 10}, &bodies
}

func TestReplay(t *testing.T) {
	dir := t.TempDir()
	d := NewDeadLetters(dir, 1<<20)
	var letters []DeadLetter
	for n := range 100 {
		letters = append(letters, letter(n))
	}
	if err := d.Write(letters); err != nil {
		t.Fatal(err)
	}
	config, bodies := replayTarget(t, func(n int) int {
		switch {
		case n%10 == 3:
			return 400
		case n%10 == 4:
			return 409
		}
		return 201
	})
	dry, err := d.Replay(t.Context(), config, true, nil)
	if err != nil || dry.Read != 100 || dry.Delivered != 0 || dry.Reasons["logs-a-b: no"] != 100 || len(*bodies) != 0 {
		t.Errorf("dry run: %+v, %d requests, %v", dry, len(*bodies), err)
	}
	got, err := d.Replay(t.Context(), config, false, nil)
	want := Replay{Read: 100, Delivered: 80, Duplicates: 10, Refused: 10, Reasons: map[string]int64{"logs-a-b: status 400 mapper: still no": 10}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if !strings.HasPrefix((*bodies)[0], `{"create":{"_id":"id0","_index":"logs-a-b"}}`+"\n"+`{"n":0,"x":1}`+"\n") {
		t.Errorf("body %q", (*bodies)[0][:80])
	}
	left, damaged := lettersIn(t, dir)
	if len(left) != 10 || damaged != 0 || left[0].Reason != "status 400 mapper: still no" || left[0].Line != `{"n":3}` {
		t.Errorf("%d left, %+v", len(left), left[:1])
	}
	config, _ = replayTarget(t, func(int) int { return 201 })
	if got, err = d.Replay(t.Context(), config, false, nil); err != nil || got.Delivered != 10 {
		t.Errorf("after the repair: %+v, %v", got, err)
	}
	if left, _ = lettersIn(t, dir); len(left) != 0 {
		t.Errorf("%d left after all", len(left))
	}
}

func TestReplayLosesNothing(t *testing.T) {
	dir := t.TempDir()
	d := NewDeadLetters(dir, 1<<20)
	if err := d.Write([]DeadLetter{letter(1), letter(2)}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	config, _ := replayTarget(t, func(n int) int {
		if n == 1 {
			// A shipper writes while the replay is at work, and somebody stops the replay.
			if err := d.Write([]DeadLetter{letter(3)}); err != nil {
				t.Error(err)
			}
			if _, err := d.Replay(t.Context(), Config{}, true, nil); !errors.Is(err, ErrReplayRunning) {
				t.Errorf("second replay: %v", err)
			}
			cancel()
		}
		return 503
	})
	if _, err := d.Replay(ctx, config, false, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped replay: %v", err)
	}
	if left, _ := lettersIn(t, dir); len(left) != 3 {
		t.Errorf("%d left", len(left))
	}
	if err := os.WriteFile(filepath.Join(dir, "dead-letter-00000009.ndjson"), []byte("no letter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, _ = replayTarget(t, func(int) int { return 201 })
	got, err := d.Replay(t.Context(), config, false, nil)
	if err != nil || got.Delivered != 3 || got.Damaged != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if left, damaged := lettersIn(t, dir); len(left) != 0 || damaged != 1 {
		t.Errorf("%d left, %d damaged", len(left), damaged)
	}
}

func FuzzDeadLetters(f *testing.F) {
	f.Add([]byte(`{"@timestamp":"2025-11-22T18:23:30Z","reason":"no","file":"/a","offset":7,"index":"i","id":"x","line":"{}","added":"\"a\":1}"}` + "\n"))
	f.Add([]byte(`{"index":"i","id":"x","line":"plain","document":"{\"message\":\"plain\"}"}` + "\n{}\nnull\n"))
	f.Add([]byte("\n\n{\"index\":\"i\",\"id\":\"x\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var letters []DeadLetter
		var damaged [][]byte
		err := readDeadLetters(bytes.NewReader(data), func(d DeadLetter) error {
			if !json.Valid([]byte(d.document())) {
				t.Fatalf("document %q", d.document())
			}
			letters = append(letters, d)
			return nil
		}, func(line []byte) error {
			damaged = append(damaged, bytes.Clone(line))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		// What a replay writes back reads the same.
		r := replayer{keep: letters, damaged: damaged}
		left, err := r.left()
		if err != nil {
			t.Fatal(err)
		}
		var again []DeadLetter
		n := 0
		err = readDeadLetters(bytes.NewReader(left), func(d DeadLetter) error {
			again = append(again, d)
			return nil
		}, func([]byte) error {
			n++
			return nil
		})
		if d := cmp.Diff(letters, again); err != nil || d != "" || n != len(damaged) {
			t.Fatalf("%d damaged of %d, %v, %s", n, len(damaged), err, d)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"errors":false,"took":3,"items":[{"create":{"status":201}}]}`), 1)
	f.Add([]byte(`{"errors":true,"items":[{"create":{"status":400,"error":{"type":"a","reason":"b"}}},{"create":{"status":201,"failure_store":"used"}}]}`), 2)
	f.Add([]byte(`{"items":[{"index":{}}]}`), 1)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		answers, err := items(body, n)
		if err == nil && len(answers) != n {
			t.Fatalf("%d answers for %d documents", len(answers), n)
		}
		if n <= 0 || !allStored(body, n) || !json.Valid(body) || bytes.ContainsAny(body, `\`) || bytes.Count(body, []byte(`"errors"`)) != 1 || bytes.Count(body, []byte(`"status"`)) != n || err != nil {
			return
		}
		// The fast way agrees with the slow one about any answer with one status an item.
		for _, a := range answers {
			if itemVerdict(a.Status) != stored || a.FailureStore == "used" {
				t.Fatalf("taken for stored: %s", body)
			}
		}
	})
}
