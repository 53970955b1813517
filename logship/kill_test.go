package logship_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/rs/zerolog"

	"kreislauf/logship"
)

// runShipper is the test binary as a shipper process; the environment has its options.
func runShipper() int {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	if limit, err := strconv.ParseUint(os.Getenv("LOGSHIP_TEST_FILE_LIMIT"), 10, 64); err == nil { // a disk that is full soon
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	opt := testOptions(os.Getenv("LOGSHIP_TEST_LOGS"), os.Getenv("LOGSHIP_TEST_STATE"), os.Getenv(shipperProcess))
	opt.Logger = zerolog.New(os.Stderr)
	s, err := logship.New(opt)
	if err == nil {
		err = s.Run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process starts a shipper as a process of its own.
func (b *bench) process(env ...string) *exec.Cmd {
	b.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), shipperProcess+"="+b.url(), "LOGSHIP_TEST_LOGS="+b.logs, "LOGSHIP_TEST_STATE="+string(b.opt.StateDir))
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return cmd
}

func TestKillMidBacklog(t *testing.T) {
	b := newBench(t)
	const n = 30000
	for part := range 3 {
		b.write(fmt.Sprintf("%s/order-%d.log", b.logs+"/test/acme/order", part), part*n/3, (part+1)*n/3)
	}
	for kill := 1; kill <= 3; kill++ {
		cmd := b.process()
		b.wait(kill * n / 5)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it reports the kill
	}
	s, stop := b.run()
	b.wait(n)
	b.until("all final", func() bool { return s.Status().Behind == 0 })
	stop()
	b.complete(n, nil)
	// What was on the way when the last process died is sent again: two batches and what was not written down.
	if st := s.Status(); st.Duplicates > 3000 {
		t.Errorf("%d documents were sent again after the last kill", st.Duplicates)
	}
}

func TestTerminate(t *testing.T) {
	b := newBench(t)
	const n = 30000
	b.write(b.file, 0, n)
	cmd := b.process()
	b.wait(n / 10)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("shipper: %v", err)
	}
	s, stop := b.run()
	b.wait(n)
	stop()
	b.complete(n, nil)
	if st := s.Status(); st.Duplicates != 0 {
		t.Errorf("%d documents were sent again after a clean stop", st.Duplicates)
	}
}

func TestDamagedCheckpointShowsNothingTwice(t *testing.T) {
	b := newBench(t)
	const n = 5000
	b.write(b.file, 0, n)
	_, stop := b.run()
	b.wait(n)
	stop()
	journal := b.state("checkpoint.journal")
	if err := os.WriteFile(journal, []byte("this is no checkpoint and never was one"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.write(b.file, n, n+100)
	s, stop := b.run()
	b.wait(n + 100)
	stop()
	b.complete(n+100, nil)
	if st := s.Status(); st.Duplicates != n {
		t.Errorf("%d duplicates refused, want %d", st.Duplicates, n)
	}
	if aside, err := filepath.Glob(journal + ".damaged-*"); err != nil || len(aside) != 1 {
		t.Errorf("set aside: %v, %v", aside, err)
	}
}

func TestEventWrittenTwiceIsShownOnce(t *testing.T) {
	b := newBench(t)
	const event = `{"@timestamp":"2025-11-22T18:23:30.123Z","data_stream.type":"events","data_stream.dataset":"kreislauf",` +
		`"service_name":"statistics","env":"test","event.id":"e-1","event.action":"order.placed"}` + "\n"
	b.appendText(b.file, event)
	b.appendText(filepath.Join(filepath.Dir(b.file), "order-2.log"), event)
	s, _ := b.run()
	b.until("both are final", func() bool { st := s.Status(); return st.Delivered == 1 && st.Duplicates == 1 })
	docs := b.all("events-kreislauf-test")
	if len(docs) != 1 || docs[0].id != "e-1" {
		t.Errorf("events %v", docs)
	}
}
