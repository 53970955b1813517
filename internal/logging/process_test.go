package logging

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func child(t *testing.T, mode string) (cmd *exec.Cmd, logFile string) {
	t.Helper()
	dir := t.TempDir()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+mode, dirVar+"="+dir)
	return cmd, filepath.Join(dir, "local", "kreislauf", "order", "order-1.log")
}

// numbers reads the member n of every line; each line must be whole.
func numbers(t *testing.T, path string) []int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 0 && b[len(b)-1] != '\n' {
		t.Errorf("the last line is cut: %q", b[bytes.LastIndexByte(b, '\n')+1:])
	}
	var list []int
	for line := range bytes.Lines(b) {
		var v struct{ N int }
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		list = append(list, v.N)
	}
	return list
}

func TestKillLosesNoWrittenLine(t *testing.T) {
	cmd, path := child(t, "endless")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last, lines := -1, bufio.NewScanner(out)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil { // the last line of a killed process may be cut
			break
		}
		if last = n; last == 500 {
			if err := cmd.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the writer was not killed")
	}
	got := numbers(t, path)
	if last < 500 || len(got) <= last {
		t.Errorf("%d lines were acknowledged, %d are in the file", last+1, len(got))
	}
	for i, n := range got {
		if i != n {
			t.Fatalf("line %d holds number %d", i, n)
		}
	}
}

func TestFullDiskCutsNoLine(t *testing.T) {
	cmd, path := child(t, "full")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dropped, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatalf("output %q", out)
	}
	got := numbers(t, path)
	if len(got)+dropped != 21 || dropped == 0 {
		t.Errorf("of 21 lines %d are in the file and %d were dropped", len(got), dropped)
	}
	if got[len(got)-1] != 99 {
		t.Errorf("the line after the disk was free again is missing: %v", got)
	}
	for i, n := range got[:len(got)-1] {
		if i != n {
			t.Errorf("line %d holds number %d", i, n)
		}
	}
}
