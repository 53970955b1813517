// Package clock owns the time of day that business rules follow, so that a drill can move a running process over midnight, the end
// of a month or the change to summer time.
//
// What asks this clock: dates and due times of documents (order dates, offers, invoices, dunning, free days), times in events and history.
// What does not: time-outs, leases, tickers, how long an event waits in its outbox, durations that are measured, sessions, and the
// timestamps of log lines and spans. They keep to the machine's clock, because a jump must not end a lease or tear a trace apart.
//
// Invariants: without a setting it is the machine's clock; a shift is refused unless the environment is local or test; all processes that
// are told the same file are shifted alike, from the next Now on. Now carries no monotonic reading: the difference of two Nows is that of
// the clock on the wall, so it can be negative. To measure how long something took, use time.Now.
package clock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"kreislauf/internal/config"
)

// Setting is the variable that Read reads: the file that holds the shift.
const Setting = "KREISLAUF_CLOCK_FILE"

// Clock tells the time. A nil Clock is the machine's clock. Safe for concurrent use.
type Clock struct {
	file string
	last atomic.Int64 // the shift that was read last, in nanoseconds
}

// Read makes the clock of a process from its settings.
func Read(r *config.Reader, env string) *Clock {
	file := r.String(Setting, "")
	if file == "" {
		return nil
	}
	if env != "local" && env != "test" {
		r.Fail(Setting, "the clock may be shifted only where KREISLAUF_ENV is local or test, not in %s; leave it empty", env)
		return nil
	}
	c := &Clock{file: file}
	if _, err := c.shift(); err != nil {
		r.Fail(Setting, "%v", err)
	}
	return c
}

// Now is the time of day, shifted, in UTC. A file that cannot be read leaves the shift that was read last.
func (c *Clock) Now() time.Time {
	now := time.Now().Round(0).UTC()
	if c == nil {
		return now
	}
	d, err := c.shift()
	if err != nil {
		d = time.Duration(c.last.Load())
	}
	return now.Add(d)
}

// shift reads the file each time: some microseconds, which only drills pay. A file that does not exist is no shift.
func (c *Clock) shift() (time.Duration, error) {
	b, err := os.ReadFile(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		c.last.Store(0)
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read shift of the clock: %w", err)
	}
	d, err := time.ParseDuration(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("read shift of the clock: %s holds %q; write a duration such as 36h or -90s", c.file, b)
	}
	c.last.Store(int64(d))
	return d, nil
}

// Shift writes the file: all clocks that read it are d ahead of the machine's from now on, behind it when d is negative. It is for drills.
func Shift(file string, d time.Duration) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("shift clock: %w", err)
	}
	defer os.Remove(tmp.Name()) // after the rename there is nothing left to remove
	_, err = tmp.WriteString(d.String() + "\n")
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("shift clock: %w", err)
	}
	return nil
}
