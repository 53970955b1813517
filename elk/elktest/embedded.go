package elktest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Engine opens the embedded engine in dir. The tests bring it along, because only tests of elk may import it.
type Engine func(dir string) (handler http.Handler, stop func(context.Context) error, err error)

// serve starts the engine in this process and stops it at the end of the test.
func (e Engine) serve(t *testing.T) (url string) {
	t.Helper()
	handler, stop, err := e(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		if err := stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop the engine: %v", err)
		}
	})
	return server.URL
}
