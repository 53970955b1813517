package logship_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/logship"
)

// runShipper is the test binary as a shipper process; the environment has its options.
func runShipper() int {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	s, err := logship.New(logship.Options{
		LogDir: os.Getenv("LOGSHIP_TEST_LOGS"), StateDir: os.Getenv("LOGSHIP_TEST_STATE"),
		ElasticsearchURL: os.Getenv(shipperProcess), Logger: zerolog.New(os.Stderr), Instance: "logship-1",
		PollInterval: 200 * time.Millisecond, FlushInterval: 5 * time.Millisecond, BatchBytes: 64 << 10,
	})
	if err == nil {
		err = s.Run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (b *bench) process() *exec.Cmd {
	b.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), shipperProcess+"="+b.url(), "LOGSHIP_TEST_LOGS="+b.opt.LogDir, "LOGSHIP_TEST_STATE="+b.opt.StateDir)
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
	const n = 60000
	for part := range 3 {
		b.write(fmt.Sprintf("%s/order-%d.log", b.opt.LogDir+"/test/acme/order", part), part*n/3, (part+1)*n/3)
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
	const n = 60000
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
