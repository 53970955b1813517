package conformance_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine"
	"kreislauf/test/conformance"
)

var update = flag.Bool("update", false, "write what the engine answers to the listed differences")

// TestEngine replays the recorded suite on the engine.
func TestEngine(t *testing.T) {
	srv, err := engine.New(engine.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := srv.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	s, err := conformance.Connect(t.Context(), "http://"+srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	r, err := conformance.Replay(t.Context(), s, true)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		writeDifferences(t, r)
		return
	}
	for _, f := range r.Failures {
		t.Errorf("%s: %s\n%s", f.File, f.Case, f.Problem)
	}
	if r.Passed < 600 {
		t.Errorf("only %d cases passed", r.Passed)
	}
}

// writeDifferences sets the answers of the listed differences; the list and its reasons are written by hand.
func writeDifferences(t *testing.T, r *conformance.Result) {
	t.Helper()
	list, err := conformance.Differences()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for _, d := range list {
		d.Answer, _ = r.Answer(d.File, d.Case)
		if err := enc.Encode(d); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join("testdata", "differences.ndjson"), out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
