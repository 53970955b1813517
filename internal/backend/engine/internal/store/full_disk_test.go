package store

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// TestFullDisk limits the size of files, which makes writes fail half-way as a full disk does. What fails must
// be neither visible nor stored, and the index must work again afterwards.
func TestFullDisk(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	x := open(t, dir)
	outcomes(t, x, op(t, Create, "a", "1"))
	info, err := os.Stat(x.walPath(x.number))
	if err != nil {
		t.Fatal(err)
	}
	limit := syscall.Rlimit{Cur: uint64(info.Size()) + 20, Max: old.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	_, err = x.Write([]Op{op(t, Create, "b", "a text that is too long for what is left")})
	if serr := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); serr != nil {
		t.Fatal(serr)
	}
	if !errors.Is(err, ErrWrite) {
		t.Errorf("write on a full disk: %v", err)
	}
	if got := content(t, x); len(got) != 1 {
		t.Errorf("visible after a failed write: %v", got)
	}
	if got := outcomes(t, x, op(t, Create, "b", "2")); got[0] != Created {
		t.Errorf("create after recovery: %v", got)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, open(t, dir)); got["a"] != "1" || got["b"] != "2" {
		t.Errorf("after a restart: %v", got)
	}
}
