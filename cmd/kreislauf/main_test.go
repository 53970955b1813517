package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kreislauf/internal/local"
)

// TestHelp: asking for help is no failure, and nothing that can be typed is hidden.
func TestHelp(t *testing.T) {
	t.Setenv("KREISLAUF_DATA", t.TempDir())
	for line, want := range map[string][]string{
		"-h":                {"usage: kreislauf <command>", "logship", "status", "replay", "dead-letters", "list", "funnel", "version"},
		"help":              {"usage: kreislauf <command>"},
		"--help":            {"usage: kreislauf <command>"},
		"logship -h":        {"kreislauf logship status", "kreislauf logship replay"},
		"help logship":      {"kreislauf logship status"},
		"funnel -h":         {"kreislauf funnel run"},
		"dead-letters -h":   {"kreislauf dead-letters list", "kreislauf dead-letters show", "kreislauf dead-letters replay"},
		"doctor -h":         nil, // flags go to the standard error output
		"logship status -h": nil,
		"funnel run -h":     nil,
		"--version":         {"platform "},
		"version":           {"platform "},
	} {
		out, status := printed(t, strings.Fields(line))
		if status != 0 {
			t.Errorf("kreislauf %s ends with status %d", line, status)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("kreislauf %s does not print %q:\n%s", line, w, out)
			}
		}
	}
	for _, line := range []string{"", "uup"} {
		if _, status := printed(t, strings.Fields(line)); status != 2 {
			t.Errorf("kreislauf %s ends with status %d", line, status)
		}
	}
}

// printed runs a command and gives what it writes to the standard output, and its exit status.
func printed(t *testing.T, args []string) (string, int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	real := os.Stdout
	os.Stdout = w
	defer func() { os.Stdout = real }()
	done := make(chan []byte, 1)
	go func() {
		b, _ := io.ReadAll(r) // what came before an error is compared
		done <- b
	}()
	status := dispatch(t.Context(), args)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out := <-done
	return string(bytes.TrimSpace(out)), status
}

// TestReplayWithoutFile: the error says where a log is, and no table of zeros comes before it.
func TestReplayWithoutFile(t *testing.T) {
	data := t.TempDir()
	run := `{"entry":"http://127.0.0.1:1","env":"local","customer":"kreislauf"}`
	if err := os.WriteFile(filepath.Join(data, "run.json"), []byte(run), 0o600); err != nil {
		t.Fatal(err)
	}
	err := runLoad(t.Context(), []string{"-data", data, "-replay", "access.log"})
	own := filepath.Join(data, "logs", "local", "kreislauf", "nginx", "access.log")
	if err == nil || !strings.Contains(err.Error(), "there is no file access.log") || !strings.Contains(err.Error(), own) {
		t.Errorf("error %v", err)
	}
	out, status := printed(t, []string{"load", "-data", data, "-rate", "1", "-for", "1s"})
	if status != 1 || out != "" {
		t.Errorf("nobody at the entry: status %d, printed %q", status, out)
	}
}

// TestAddressOfTheEnvironment: a command says which variable names a server that is not there.
func TestAddressOfTheEnvironment(t *testing.T) {
	for line, variable := range map[string]string{
		"trace o-1": elasticVariable, "funnel run orders": elasticVariable, "dead-letters list": brokersVariable,
	} {
		t.Setenv(elasticVariable, "http://127.0.0.1:1")
		t.Setenv(brokersVariable, "127.0.0.1:1")
		words := strings.Fields(line)
		i := slices.IndexFunc(commands(), func(c command) bool { return c.name == words[0] })
		if err := commands()[i].run(t.Context(), words[1:]); err == nil || !strings.Contains(err.Error(), variable+": ") || !strings.Contains(err.Error(), "127.0.0.1:1 does not answer") {
			t.Errorf("%s: error %v", line, err)
		}
	}
}

// TestDoctorChangesNothing: looking makes no folder, however it ends.
func TestDoctorChangesNothing(t *testing.T) {
	data := filepath.Join(t.TempDir(), "not", "there")
	o := local.DefaultOptions()
	o.Data, o.FreePorts = data, true
	_ = local.Doctor(context.Background(), o, io.Discard) // whatever this machine lacks
	if _, err := os.Stat(filepath.Dir(data)); !os.IsNotExist(err) {
		t.Errorf("the doctor made %s: %v", filepath.Dir(data), err)
	}
}
