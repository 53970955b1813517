package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// TestOutputOutlivesItsReader runs itself as a process whose standard output nobody reads any more, as tee after Ctrl-C.
func TestOutputOutlivesItsReader(t *testing.T) {
	if os.Getenv("KREISLAUF_TEST_SPEAKS") != "" {
		out := steadyOutput()
		for _, word := range []string{"stopping", "stopped"} {
			fmt.Fprintln(out, word)
		}
		return
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	var terminal bytes.Buffer
	cmd := exec.Command(os.Args[0], "-test.run=^TestOutputOutlivesItsReader$")
	cmd.Env = append(os.Environ(), "KREISLAUF_TEST_SPEAKS=1")
	cmd.Stdout, cmd.Stderr = w, &terminal
	_ = cmd.Run() // the test framework itself cannot write its result
	if got := terminal.String(); got != "stopping\nstopped\n" {
		t.Errorf("the terminal shows %q", got)
	}
}
