package load

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const sample = `91.10.20.30 - - [22/Nov/2025:18:30:00 +0000] "GET /a?b=c HTTP/1.1" 200 5 "https://example.org/" "Mozilla/5.0 (X11)"
2a02:8108::1 - - [22/Nov/2025:18:30:10 +0000] "HEAD /missing HTTP/2.0" 200 5 "-" "-"
not a line

91.10.20.31 - - [22/Nov/2025:18:30:05 +0000] "POST /form HTTP/1.1" 200 5 "-" "curl/8"
crawler.example.org - - [22/Nov/2025:18:30:20 +0000] "GET /broken HTTP/1.1" 200 5 "-" "bot"
91.10.20.32 - - [22/Nov/2025:18:30:21 +0000] "GET /moved HTTP/1.1" 200 5 "-" "cut off
`

// recorder answers by path and notes what it saw.
type recorder struct {
	mu    sync.Mutex // guards what follows
	began time.Time
	seen  map[string]string
	times map[string]time.Duration
}

func newRecorder() *recorder {
	return &recorder{began: time.Now(), seen: map[string]string{}, times: map[string]time.Duration{}}
}

func (c *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := r.Header
	c.seen[r.URL.RequestURI()] = fmt.Sprintf("%s from %q by %q via %q", r.Method, h.Get("X-Forwarded-For"), h.Get("User-Agent"), h.Get("Referer"))
	c.times[r.URL.RequestURI()] = time.Since(c.began)
	switch r.URL.Path {
	case "/missing":
		w.WriteHeader(http.StatusNotFound)
	case "/broken":
		w.WriteHeader(http.StatusBadGateway)
	case "/moved":
		http.Redirect(w, r, "/a", http.StatusFound)
	}
}

func logFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, ".gz") {
		z := gzip.NewWriter(f)
		_, err = z.Write([]byte(text))
		err = errors.Join(err, z.Close())
	} else {
		_, err = f.WriteString(text)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplay(t *testing.T) {
	for _, name := range []string{"access.log", "access.log.gz"} {
		t.Run(name, func(t *testing.T) {
			rec := newRecorder()
			srv := httptest.NewServer(rec)
			defer srv.Close()
			sum, err := Replay(t.Context(), ReplayOptions{Entry: srv.URL, File: logFile(t, name, sample), Rate: 1000})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(map[string]string{
				"/a?b=c":   `GET from "91.10.20.30" by "Mozilla/5.0 (X11)" via "https://example.org/"`,
				"/missing": `HEAD from "2a02:8108::1" by "" via ""`,
				"/form":    `GET from "91.10.20.31" by "curl/8" via ""`,
				"/broken":  `GET from "" by "bot" via ""`,
			}, rec.seen); d != "" {
				t.Errorf("requests (-want +got):\n%s", d)
			}
			sum.Elapsed, sum.Latency = 0, Latency{}
			if d := cmp.Diff(ReplaySummary{
				Lines: 7, Sent: 4, Rewritten: 1, NoAddress: 1, Unreadable: 3, Classes: [6]int{2: 2, 4: 1, 5: 1}, Failures: map[string]int{},
				Examples: []UnreadableLine{{3, "ident and user: missing"}, {4, "address: missing"}, {7, "user agent: no closing quote"}},
			}, sum); d != "" {
				t.Errorf("summary (-want +got):\n%s", d)
			}
		})
	}
}

func TestReplayKeepsTheRecordedTimes(t *testing.T) {
	path := logFile(t, "access.log", sample)
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder()
		m, stop := serve(rec)
		defer stop()
		sum, err := Replay(t.Context(), ReplayOptions{Entry: "http://entry", File: path, Speed: 2, dial: m.dial})
		if err != nil || sum.Sent != 4 {
			t.Fatalf("err %v, %d sent", err, sum.Sent)
		}
		// The third line is five seconds older than the second one and follows it at once.
		want := map[string]time.Duration{"/a?b=c": 0, "/missing": 5 * time.Second, "/form": 5 * time.Second, "/broken": 10 * time.Second}
		if d := cmp.Diff(want, rec.times); d != "" {
			t.Errorf("times (-want +got):\n%s", d)
		}
	})
}

func TestReplayLatencyRunsFromTheSchedule(t *testing.T) {
	path := logFile(t, "access.log", sample)
	synctest.Test(t, func(t *testing.T) {
		m, stop := serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(3 * time.Second) }))
		defer stop()
		sum, err := Replay(t.Context(), ReplayOptions{Entry: "http://entry", File: path, Rate: 1, dial: m.dial})
		if err != nil {
			t.Fatal(err)
		}
		want := Latency{"request", 4, 3 * time.Second, 3 * time.Second, 3 * time.Second, 3 * time.Second} // the bubble's clock is exact
		if d := cmp.Diff(want, sum.Latency); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

func TestReplayRateAndLimit(t *testing.T) {
	path := logFile(t, "access.log", sample)
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder()
		m, stop := serve(rec)
		defer stop()
		sum, err := Replay(t.Context(), ReplayOptions{Entry: "http://entry", File: path, Rate: 0.5, Limit: 3, dial: m.dial})
		if err != nil || sum.Sent != 3 || sum.Lines != 5 {
			t.Fatalf("err %v, %d sent of %d lines", err, sum.Sent, sum.Lines)
		}
		want := map[string]time.Duration{"/a?b=c": 0, "/missing": 2 * time.Second, "/form": 4 * time.Second}
		if d := cmp.Diff(want, rec.times); d != "" {
			t.Errorf("times (-want +got):\n%s", d)
		}
	})
}

func TestReplayDoesNotWaitForAnswers(t *testing.T) {
	path := logFile(t, "access.log", sample)
	synctest.Test(t, func(t *testing.T) {
		m, stop := serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		defer stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		sum, err := Replay(ctx, ReplayOptions{Entry: "http://entry", File: path, Rate: 100, MaxInFlight: 3, dial: m.dial})
		if err != nil {
			t.Fatal(err)
		}
		if sum.Sent != 3 || sum.Skipped != 1 || sum.Failures["timeout"] != 3 {
			t.Errorf("%d sent, %d skipped, failures %v", sum.Sent, sum.Skipped, sum.Failures)
		}
	})
}

func TestReplayLongAndLastLines(t *testing.T) {
	rec := newRecorder()
	srv := httptest.NewServer(rec)
	defer srv.Close()
	lines := strings.SplitAfter(sample, "\n")
	text := strings.Repeat("x", 3*maxLine) + "\n" + lines[0] + strings.TrimSpace(lines[1]) // the last one without newline
	sum, err := Replay(t.Context(), ReplayOptions{Entry: srv.URL, File: logFile(t, "access.log", text)})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]UnreadableLine{{1, "longer than 65536 bytes"}}, sum.Examples); d != "" || sum.Lines != 3 || sum.Sent != 2 {
		t.Errorf("%d lines, %d sent, examples (-want +got):\n%s", sum.Lines, sum.Sent, d)
	}
}

func TestReplayErrors(t *testing.T) {
	srv := httptest.NewServer(newRecorder())
	gone := httptest.NewServer(newRecorder())
	gone.Close()
	defer srv.Close()
	good := logFile(t, "access.log", sample)
	whole, err := os.ReadFile(logFile(t, "access.log.gz", strings.Repeat(sample, 100)))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o    ReplayOptions
		want string
	}{
		"no file":      {ReplayOptions{Entry: srv.URL, File: filepath.Join(t.TempDir(), "none")}, "no such file"},
		"a folder":     {ReplayOptions{Entry: srv.URL, File: t.TempDir()}, "is a directory"},
		"broken gzip":  {ReplayOptions{Entry: srv.URL, File: logFile(t, "a", "\x1f\x8bnonsense")}, "read gzip"},
		"cut off gzip": {ReplayOptions{Entry: srv.URL, File: logFile(t, "b", string(whole[:len(whole)-10])), Rate: 1e6}, "unexpected EOF"},
		"nobody":       {ReplayOptions{Entry: gone.URL, File: good}, ErrUnreachable.Error()},
		"rate":         {ReplayOptions{Rate: -1}, "rate"},
		"speed":        {ReplayOptions{Speed: -1}, "speed"},
		"limit":        {ReplayOptions{Limit: -1}, "limit"},
	} {
		if _, err := Replay(t.Context(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: err %v, want %s", name, err, c.want)
		}
	}
}
