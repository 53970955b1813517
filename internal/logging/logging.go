// Package logging owns the form of a service line and where it goes: one JSON object a line, into
// <dir>/<env>/<customer>/<service>/<instance>.log or to standard output. It is the only package that touches zerolog's globals.
//
// Invariants: a line is written whole or not at all; a log line is handed to the operating system before the call returns,
// so kill -9 loses none. Lines added with Sink.Append (spans) may wait up to FlushEvery and are lost with the process until then.
// A line that cannot be written (disk full) is counted in Dropped and never blocks the caller.
package logging

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/config"
)

// TimeFormat is UTC with fixed width milliseconds.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// setGlobals gives zerolog the ECS field names; zerolog offers no other way.
var setGlobals = sync.OnceFunc(func() {
	zerolog.TimestampFieldName = "@timestamp"
	zerolog.LevelFieldName = "log.level"
	zerolog.ErrorFieldName = "error.message"
	zerolog.ErrorStackFieldName = "error.stack_trace"
	zerolog.TimeFieldFormat = TimeFormat
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
})

// New makes the logger of a process on out. Every line carries who wrote it.
func New(out io.Writer, p config.Process) zerolog.Logger {
	setGlobals()
	c := zerolog.New(out).Hook(stamp{}).With().
		Str("ecs.version", "8.11.0").Str("service_name", p.Service).Str("env", p.Env).Str("customer", p.Customer).
		Str("instance", p.Instance).Str("platform_version", p.PlatformVersion)
	if p.ServiceVersion != "" {
		c = c.Str("service.version", p.ServiceVersion)
	}
	return c.Logger()
}

// stamp puts the time on a line.
type stamp struct{}

// Run implements zerolog.Hook.
func (stamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	var room [len(TimeFormat)]byte
	e.Bytes("@timestamp", AppendTime(room[:0], time.Now(), 3))
}

// Console makes a logger for a person at a terminal.
func Console(out io.Writer) zerolog.Logger {
	setGlobals()
	return zerolog.New(zerolog.ConsoleWriter{Out: out, TimeFormat: time.TimeOnly}).With().Timestamp().Logger()
}

// Open opens the destination of a process's lines. The caller closes it.
func Open(p config.Process) (*Sink, error) {
	if p.LogDir == "" {
		return NewSink(os.Stdout), nil
	}
	dir := filepath.Join(p.LogDir, p.Env, p.Customer, p.Service)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("open log folder: %w", err)
	}
	f, err := openFile(filepath.Join(dir, p.Instance+".log"), maxFile)
	if err != nil {
		return nil, err
	}
	return NewSink(f), nil
}
