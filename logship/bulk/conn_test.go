package bulk

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// spyConn notes whether the transport hands over the body of an attempt as wholeConn expects it.
type spyConn struct {
	wholeConn
	whole *atomic.Int64
}

func (s spyConn) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		if body, ok := limited.R.(*sentBody); ok {
			s.whole.Store(int64(body.Len()))
		}
	}
	return s.wholeConn.ReadFrom(r)
}

func TestBodyGoesToTheKernelInOnePiece(t *testing.T) {
	body := bytes.Repeat([]byte(`{"create":{}}`+"\n"+`{"a":1}`+"\n"), 100_000)
	var same atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		same.Store(err == nil && bytes.Equal(got, body))
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		_, _ = io.WriteString(w, `{"errors":false}`)
	}))
	defer server.Close()
	c, err := New(Config{URLs: []string{server.URL}, MaxBytes: len(body), Reject: func([]DeadLetter) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var whole atomic.Int64
	c.base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return spyConn{conn.(wholeConn), &whole}, nil
	}
	for range 2 { // the second on the same connection
		whole.Store(0)
		if res := c.send(t.Context(), body); res.err != nil || string(res.body) != `{"errors":false}` {
			t.Fatalf("answer %q, %v", res.body, res.err)
		}
		if !same.Load() {
			t.Error("the server got another body")
		}
		if rest := int64(len(body)) - whole.Load(); rest > 8<<10 { // the start may go with the header
			t.Errorf("all but %d of %d bytes were handed over in one piece", rest, len(body))
		}
	}
}
