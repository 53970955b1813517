package local

import (
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/internal/config"
	"kreislauf/internal/local/supervise"
	"kreislauf/internal/logging"
)

// eventLog writes what happens to processes into the platform's log tree, one line an event, so that logship makes a document of each and a
// rule can alert on it. Contract: "Supervisor line" in docs/architecture.md.
type eventLog struct {
	sink *logging.Sink
	log  zerolog.Logger

	mu   sync.Mutex // guards last
	last map[string]supervise.State
}

func openEvents(p *Platform) (*eventLog, error) {
	settings := config.Process{
		Service: "supervisor", Env: p.Env, Customer: p.Customer, Instance: "supervisor-1", PlatformVersion: p.versions.Platform, LogDir: p.logs,
	}
	sink, err := logging.Open(settings)
	if err != nil {
		return nil, err
	}
	return &eventLog{sink: sink, log: logging.New(sink, settings), last: map[string]supervise.State{}}, nil
}

func (e *eventLog) close() { _ = e.sink.Close() } // nobody is left to be told

// change writes the event that a change of state is.
func (e *eventLog) change(s supervise.Status) {
	e.mu.Lock()
	before := e.last[s.Name]
	e.last[s.Name] = s.State
	e.mu.Unlock()
	switch s.State {
	case supervise.Starting:
		if s.PID != 0 { // the state is told once before there is a process
			line(e.log.Info(), "process.started", s.Name, s.PID, 0).Msg(s.Name + " is started")
		}
	case supervise.Ready:
		if before == supervise.Suspect {
			line(e.log.Info(), "process.recovered", s.Name, s.PID, 0).Msg(s.Name + " answers again")
			return
		}
		line(e.log.Info(), "process.ready", s.Name, s.PID, s.Took).Msg(fmt.Sprintf("%s is ready after %.1f s", s.Name, s.Took.Seconds()))
	case supervise.Suspect:
		line(e.log.Warn(), "process.suspect", s.Name, s.PID, s.Silent).Str("error.message", s.Why).
			Msg(fmt.Sprintf("%s has not answered for %.1f s; it gets no requests", s.Name, s.Silent.Seconds()))
	case supervise.Hung:
		line(e.log.Error(), "process.hung", s.Name, s.PID, s.Silent).Str("error.message", s.Why).
			Msg(fmt.Sprintf("%s has hung for %.1f s; it is killed", s.Name, s.Silent.Seconds()))
	case supervise.Restarting:
		line(e.log.Warn(), "process.exited", s.Name, s.PID, 0).Str("error.message", s.LastExit).Int("process.restarts", s.Restarts).
			Msg(fmt.Sprintf("%s has ended; it is started again (restart %d)", s.Name, s.Restarts))
	case supervise.Stopped:
		line(e.log.Info(), "process.stopped", s.Name, s.PID, 0).Msg(s.Name + " is stopped")
	}
}

// worker makes the function that is told of a component's killed workers.
func (e *eventLog) worker(component string) func(int, time.Duration) {
	return func(pid int, stopped time.Duration) {
		line(e.log.Error(), "process.hung", component+"-worker", pid, stopped).Str("error.message", "it is stopped").
			Msg(fmt.Sprintf("a worker of %s was stopped for %.1f s; it is killed", component, stopped.Seconds()))
	}
}

// balanced writes that nginx got new lists.
func (e *eventLog) balanced(out []string, took time.Duration, err error) {
	ev, msg := e.log.Info(), "nginx has new lists of instances"
	if err != nil {
		ev, msg = e.log.Error().Err(err), "nginx keeps its lists of instances"
	}
	ev.Str("event.action", "entry.balanced").Int64("event.duration", took.Nanoseconds()).Strs("entry.left_out", out).Msg(msg)
}

func line(ev *zerolog.Event, action, name string, pid int, took time.Duration) *zerolog.Event {
	ev = ev.Str("event.action", action).Str("process.name", name).Int("process.pid", pid)
	if took > 0 {
		ev = ev.Int64("event.duration", took.Nanoseconds())
	}
	return ev
}
