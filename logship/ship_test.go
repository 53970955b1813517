package logship_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kreislauf/logship"
	"kreislauf/logship/config"
)

// shipperProcess tells the test binary to be a shipper; see TestMain.
const shipperProcess = "LOGSHIP_TEST_SHIPPER"

func TestMain(m *testing.M) {
	if os.Getenv(shipperProcess) != "" {
		os.Exit(runShipper())
	}
	time.Local = time.UTC // golden files show local times
	goleak.VerifyTestMain(m)
}

// bench is a log tree, a state folder and a sink.
type bench struct {
	*sink
	opt  logship.Options
	logs string // the root of the tree
	file string // the log of order-1
}

func newBench(t *testing.T) *bench {
	dir := t.TempDir()
	b := &bench{sink: newSink(t)}
	b.logs = filepath.Join(dir, "logs")
	b.opt = testOptions(b.logs, filepath.Join(dir, "state"), b.url())
	b.file = filepath.Join(b.logs, "test", "acme", "order", "order-1.log")
	if err := os.MkdirAll(filepath.Dir(b.file), 0o755); err != nil {
		t.Fatal(err)
	}
	return b
}

func testOptions(logs, state, url string) logship.Options {
	c := config.Default()
	c.Env, c.Customer, c.Instance, c.PollInterval = "test", "acme", "logship-1", 200*time.Millisecond
	c.StateDir, c.Inputs, c.Targets = config.Path(state), config.Tree(logs), []config.Target{testTarget(url)}
	return logship.Options{Config: *c, Logger: zerolog.New(io.Discard)}
}

// testTarget is a target with small batches.
func testTarget(urls ...string) config.Target {
	t := config.DefaultTarget()
	t.URLs, t.FlushInterval, t.BatchBytes, t.CheckTemplates = urls, 5*time.Millisecond, 64<<10, false
	t.Reconcile, t.ReportInterval = 0, 0
	return t
}

// state returns the path of a file in the state folder of the first target.
func (b *bench) state(name string) string {
	return filepath.Join(string(b.opt.StateDir), b.opt.Targets[0].Name, name)
}

// shipper is a Shipper with the status of its first target at hand.
type shipper struct{ *logship.Shipper }

func (s shipper) Status() logship.TargetStatus { return s.Shipper.Status().Targets[0] }

// run starts a shipper in this process and returns it with what stops it.
func (b *bench) run() (shipper, func()) {
	b.t.Helper()
	return b.runAt(time.Now)
}

// runAt is run with another clock for the documents.
func (b *bench) runAt(now func() time.Time) (shipper, func()) {
	b.t.Helper()
	s, err := logship.New(b.opt)
	if err != nil {
		b.t.Fatalf("new: %v", err)
	}
	s.SetWall(now)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("run: %v", err)
		}
	}
	b.t.Cleanup(stop)
	return shipper{s}, stop
}

// line is service line number seq.
func line(seq int) string {
	return fmt.Sprintf(`{"@timestamp":"2025-11-22T18:23:30.123Z","log.level":"info","message":"order placed","ecs.version":"8.11.0",`+
		`"service_name":"order","env":"test","customer":"acme","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","seq":%d}`+"\n", seq)
}

// write appends the lines from to to-1 to path.
func (b *bench) write(path string, from, to int) {
	b.t.Helper()
	var text []byte
	for seq := from; seq < to; seq++ {
		text = append(text, line(seq)...)
	}
	b.appendText(path, string(text))
}

func (b *bench) appendText(path, text string) {
	b.t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		b.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.t.Fatal(err)
	}
}
