package local

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPortHolderIsNamed: who is told that a port is taken is told by whom.
func TestPortHolderIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Skipf("this system has no /proc: %v", err)
	}
	want := fmt.Sprintf("by %s (pid %d); stop what uses it, or move it with -redis-addr", strings.TrimSpace(string(comm)), os.Getpid())
	if err := checkFree(l.Addr().String(), "redis-addr"); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestFoldersOfTheDoctor(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]finding{
		dir:                          {what: "data folder", state: dir},
		filepath.Join(dir, "a", "b"): {what: "data folder", state: filepath.Join(dir, "a", "b") + ", which the first start makes"},
		file:                         {"data folder", file + " is no folder", "choose another folder with -data", true},
	} {
		if got := folders(Options{Data: data})[0]; got != want {
			t.Errorf("%s: %+v, want %+v", data, got, want)
		}
	}
	if keeps(1) != "1 thing keeps the platform from running" || keeps(2) != "2 things keep the platform from running" {
		t.Errorf("%s; %s", keeps(1), keeps(2))
	}
}
