package kafkad

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// lines is a log that can be written and read at the same time.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.buf.Bytes(), []byte(what))
}

func TestBadBytesCloseTheirConnectionOnly(t *testing.T) {
	var log lines
	s, err := New(Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Logger: zerolog.New(&log)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer stop(t, s)
	createTopic(t, s.Addr())
	for i, bad := range []struct {
		name string
		data []byte
	}{
		{"garbage", []byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n")},
		{"above the limit", []byte{0x7f, 0xff, 0xff, 0xff, 0, 18, 0, 3, 0, 0, 0, 1}},
		{"a negative length", []byte{0xff, 0xff, 0xff, 0xff, 0, 18, 0, 3}},
		{"an unknown key", []byte{0, 0, 0, 10, 0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff}},
		{"half a request", []byte{0, 0, 0, 40, 0, 18, 0, 3}},
		{"a body that is none", []byte{0, 0, 0, 12, 0, 19, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff}},
	} {
		conn, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(bad.data); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil && !errors.Is(err, syscall.ENOTCONN) { // the server may have closed it by now
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if answer, _ := io.ReadAll(conn); len(answer) > 0 {
			t.Errorf("%s: answered %q", bad.name, answer)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if n := log.count("connection closed"); n != i+1 {
			t.Errorf("%s: %d log lines after %d bad connections", bad.name, n, i+1)
		}
	}
	produce(t, s.Addr(), 0, 1)
}
