package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kreislauf"
	"kreislauf/internal/local/supervise"
)

// TestEventLines: each event is a line in the log tree, with the fields that docs/architecture.md promises.
func TestEventLines(t *testing.T) {
	dir := t.TempDir()
	p := &Platform{Options: Options{Env: "local", Customer: "kreislauf"}, logs: dir, versions: kreislauf.Versions{Platform: "v1"}}
	e, err := openEvents(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []supervise.Status{
		{State: supervise.Starting},
		{State: supervise.Starting, PID: 7},
		{State: supervise.Ready, PID: 7, Took: time.Second},
		{State: supervise.Suspect, PID: 7, Why: "no answer: timeout", Silent: 2 * time.Second},
		{State: supervise.Ready, PID: 7},
		{State: supervise.Hung, PID: 7, Why: "it is stopped", Silent: 900 * time.Millisecond, Hangs: 1},
		{State: supervise.Restarting, PID: 7, LastExit: "hung: it is stopped; signal: killed", Restarts: 1},
		{State: supervise.Starting, PID: 8},
		{State: supervise.Stopped, PID: 8},
	} {
		s.Name = "order-2"
		e.change(s)
	}
	e.worker("nginx")(9, 900*time.Millisecond)
	e.balanced([]string{"order-2"}, time.Millisecond, nil)
	e.balanced(nil, time.Millisecond, errors.New("nginx refuses"))
	e.close()
	b, err := os.ReadFile(filepath.Join(dir, "local", "kreislauf", "supervisor", "supervisor-1.log"))
	if err != nil {
		t.Fatal(err)
	}
	line := func(level, action string, more map[string]any) map[string]any {
		m := map[string]any{
			"ecs.version": "8.11.0", "service_name": "supervisor", "env": "local", "customer": "kreislauf", "instance": "supervisor-1",
			"platform_version": "v1", "log.level": level, "event.action": action,
		}
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	of := func(pid float64, more ...any) map[string]any {
		m := map[string]any{"process.name": "order-2", "process.pid": pid}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	want := []map[string]any{
		line("info", "process.started", of(7)),
		line("info", "process.ready", of(7, "event.duration", 1e9)),
		line("warn", "process.suspect", of(7, "event.duration", 2e9, "error.message", "no answer: timeout")),
		line("info", "process.recovered", of(7)),
		line("error", "process.hung", of(7, "event.duration", 9e8, "error.message", "it is stopped")),
		line("warn", "process.exited", of(7, "error.message", "hung: it is stopped; signal: killed", "process.restarts", 1.0)),
		line("info", "process.started", of(8)),
		line("info", "process.stopped", of(8)),
		line("error", "process.hung", of(9, "process.name", "nginx-worker", "event.duration", 9e8, "error.message", "it is stopped")),
		line("info", "entry.balanced", map[string]any{"event.duration": 1e6, "entry.left_out": []any{"order-2"}}),
		line("error", "entry.balanced", map[string]any{"event.duration": 1e6, "entry.left_out": []any{}, "error.message": "nginx refuses"}),
	}
	var got []map[string]any
	for raw := range bytes.Lines(b) {
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		if m["@timestamp"] == nil || m["message"] == "" {
			t.Errorf("line without time or message: %s", raw)
		}
		got = append(got, m)
	}
	times := cmpopts.IgnoreMapEntries(func(k string, _ any) bool { return k == "@timestamp" || k == "message" })
	if diff := cmp.Diff(want, got, times); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}
