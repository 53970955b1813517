package elktest

import (
	"context"
	"testing"

	"github.com/rs/zerolog"

	"kreislauf/elk/engine"
)

// embedded starts the engine in this process and stops it at the end of the test.
func embedded(t *testing.T) (url string) {
	t.Helper()
	server, err := engine.New(engine.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop the engine: %v", err)
		}
	})
	return "http://" + server.Addr()
}
