package clock_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"kreislauf/internal/clock"
	"kreislauf/internal/config"
)

// askedFor turns the test binary into a process that answers each line on standard input with the time.
const askedFor = "CLOCK_TEST_ASKED"

func TestMain(m *testing.M) {
	if os.Getenv(askedFor) != "" {
		c := clock.Read(config.New(os.LookupEnv), "test")
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			os.Stdout.WriteString(c.Now().Format(time.RFC3339) + "\n")
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func read(t *testing.T, env, file string) (*clock.Clock, error) {
	t.Helper()
	r := config.New(config.FromMap(map[string]string{clock.Setting: file}))
	c := clock.Read(r, env)
	return c, r.Err()
}

// TestJumps moves a clock over the edges of the calendar. In the bubble the machine's clock begins at 2000-01-01 00:00 UTC.
func TestJumps(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "clock")
	synctest.Test(t, func(t *testing.T) {
		c, err := read(t, "local", file)
		if err != nil {
			t.Fatal(err)
		}
		const day = 24 * time.Hour
		for _, tc := range []struct {
			shift, passes time.Duration
			want          string // in Berlin
		}{
			{0, 0, "2000-01-01 01:00:00 CET"},
			{23*time.Hour - time.Second, 0, "2000-01-01 23:59:59 CET"},
			{23*time.Hour - time.Second, time.Second, "2000-01-02 00:00:00 CET"},
			{-26 * time.Hour, 0, "1999-12-30 23:00:01 CET"},
			{60*day - 2*time.Second, 0, "2000-03-01 00:59:59 CET"},
			{85*day + time.Hour - 2*time.Second, 0, "2000-03-26 01:59:59 CET"}, // the night of the change to summer time
			{85*day + time.Hour - 2*time.Second, time.Second, "2000-03-26 03:00:00 CEST"},
			{0, 0, "2000-01-01 01:00:02 CET"},
		} {
			if err := clock.Shift(file, tc.shift); err != nil {
				t.Fatal(err)
			}
			time.Sleep(tc.passes)
			if got := c.Now().In(berlin).Format("2006-01-02 15:04:05 MST"); got != tc.want {
				t.Errorf("shifted by %v: %s, want %s", tc.shift, got, tc.want)
			}
		}
	})
}

// TestFollows: only what asks the clock is shifted; its Nows know nothing of the monotonic clock.
func TestFollows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clock")
	synctest.Test(t, func(t *testing.T) {
		c, err := read(t, "test", file)
		if err != nil {
			t.Fatal(err)
		}
		before, began := c.Now(), time.Now()
		ctxDone := time.After(time.Minute)
		if err := clock.Shift(file, -time.Hour); err != nil {
			t.Fatal(err)
		}
		if d := c.Now().Sub(before); d != -time.Hour {
			t.Errorf("after a jump back by an hour two Nows differ by %v", d)
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("a measured duration jumped by %v", d)
		}
		select {
		case <-ctxDone:
			t.Error("a time-out ended by the jump")
		default:
		}
		if loc := c.Now().Location(); loc != time.UTC {
			t.Errorf("the time is in %v", loc)
		}
	})
}

func TestUnreadableFileKeepsTheShift(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clock")
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().UTC().Round(0)
		if err := clock.Shift(file, time.Hour); err != nil {
			t.Fatal(err)
		}
		c, err := read(t, "test", file)
		if err != nil {
			t.Fatal(err)
		}
		for _, content := range []string{"", "tomorrow", "1h2", "\x00"} {
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := c.Now(); !got.Equal(start.Add(time.Hour)) {
				t.Errorf("with %q in the file: %v", content, got)
			}
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if got := c.Now(); !got.Equal(start) {
			t.Errorf("without the file: %v", got)
		}
	})
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 0 {
		t.Errorf("left beside the file: %v, %v", left, err)
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good"), filepath.Join(dir, "bad")
	if err := clock.Shift(good, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, []byte("soon"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		env, file, want string // want: part of the message, empty when it is allowed
	}{
		{"local", good, ""},
		{"test", good, ""},
		{"local", filepath.Join(dir, "not yet"), ""},
		{"production", "", ""},
		{"production", good, "only where KREISLAUF_ENV is local or test, not in production"},
		{"localhost", good, "only where"},
		{"test2", good, "only where"},
		{"local", bad, "write a duration such as 36h"},
		{"local", dir, "is a directory"},
	} {
		c, err := read(t, tc.env, tc.file)
		if (err == nil) != (tc.want == "") || (err != nil && !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s in %s: %v, want %q", tc.file, tc.env, err, tc.want)
		}
		if tc.env == "production" && c != nil {
			t.Error("production has a clock that can be shifted")
		}
	}
	if got := (*clock.Clock)(nil).Now(); time.Since(got).Abs() > time.Minute {
		t.Errorf("the machine's clock: %v", got)
	}
	if err := clock.Shift(filepath.Join(dir, "no", "folder"), 0); err == nil {
		t.Error("a shift into a folder that does not exist")
	}
}

// TestRunningProcess jumps the clock of another process while it runs.
func TestRunningProcess(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "clock")
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), askedFor+"=1", clock.Setting+"="+file)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(out)
	for _, shift := range []time.Duration{0, 1000 * time.Hour, -1000 * time.Hour, 0} {
		if err := clock.Shift(file, shift); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(in, "\n"); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() {
			t.Fatalf("no answer: %v", answers.Err())
		}
		got, err := time.Parse(time.RFC3339, answers.Text())
		if err != nil {
			t.Fatal(err)
		}
		if off := time.Since(got.Add(-shift)).Abs(); off > 100*time.Hour { // far below any of the jumps, far above any delay
			t.Errorf("shifted by %v it says %v, %v away", shift, got, off)
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
