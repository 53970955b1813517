package nginx

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestRotate(t *testing.T) {
	usr1 := make(chan os.Signal, 1)
	signal.Notify(usr1, syscall.SIGUSR1)
	defer signal.Stop(usr1)
	path := filepath.Join(t.TempDir(), "access.log")
	if err := Rotate(path, 10, os.Getpid()); err != nil {
		t.Fatalf("a log that is not there yet: %v", err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("short\n")
	if err := Rotate(path, 10, os.Getpid()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".1"); err == nil {
		t.Fatal("a short log was rotated")
	}
	write("long enough now\n")
	if err := Rotate(path, 10, os.Getpid()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-usr1:
	case <-time.After(10 * time.Second):
		t.Fatal("the master process was not told")
	}
	if b, err := os.ReadFile(path + ".1"); err != nil || string(b) != "long enough now\n" {
		t.Errorf("rotated file: %q, %v", b, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the log is still under its old name")
	}
}
