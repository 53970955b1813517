// Package alarm logs what a person has to look at.
//
// logship ships its own log too. An alarm that was logged with every batch would make the next batch, so the same alarm is
// logged at most once per Interval; the next one says how many were left out.
package alarm

import (
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Interval is the shortest time between two log lines of the same alarm.
const Interval = 30 * time.Second

// Log writes alarms. It may be used by several goroutines.
type Log struct {
	out  zerolog.Logger
	mu   sync.Mutex
	seen map[string]*state // by the text of the alarm
}

// state is when an alarm was logged last and how many were left out since then.
type state struct {
	logged  time.Time
	skipped int
}

// New returns a Log that writes to out.
func New(out zerolog.Logger) *Log { return &Log{out: out, seen: make(map[string]*state)} }

// Raise logs the alarm what, unless it was logged less than Interval ago. what is a fixed text, detail may be any.
func (l *Log) Raise(what, detail string) {
	if skipped, due := l.due(what); due {
		l.out.Error().Str("error.message", detail).Int("repeated", skipped).Msg(what)
	}
}

// due reports whether the alarm may be logged now, and how many of its kind were left out before.
func (l *Log) due(what string) (skipped int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.seen[what]
	if s == nil {
		s = &state{}
		l.seen[what] = s
	}
	now := time.Now()
	if !s.logged.IsZero() && now.Sub(s.logged) < Interval {
		s.skipped++
		return 0, false
	}
	skipped = s.skipped
	s.logged, s.skipped = now, 0
	return skipped, true
}

// Check raises the alarm what when err is not nil. It is for errors that do not stop the work.
func (l *Log) Check(what string, err error) {
	if err != nil {
		l.Raise(what, err.Error())
	}
}

// Bytes renders a number of bytes for people: 1536 is "1.5 KiB".
func Bytes(n int64) string {
	const units = "KMGT"
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for value >= 1<<10 && unit < len(units)-1 {
		value, unit = value/(1<<10), unit+1
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}
