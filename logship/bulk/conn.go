package bulk

import (
	"context"
	"io"
	"net"
	"time"
)

// dial connects to a target. A body goes to the kernel in one piece over connections without TLS.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	conn, err := dialer.DialContext(ctx, network, address)
	if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
		return wholeConn{tcp}, nil
	}
	return conn, err
}

// wholeConn is a connection that writes the body of an attempt from where it is. A plain one copies it through a
// buffer of 32 KiB, with a system call for each.
type wholeConn struct{ *net.TCPConn }

// ReadFrom implements io.ReaderFrom.
func (c wholeConn) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader) // so the transport hands over a body of known length
	if !ok {
		return c.TCPConn.ReadFrom(r)
	}
	body, ok := limited.R.(*sentBody)
	if !ok || int64(body.Len()) > limited.N {
		return c.TCPConn.ReadFrom(r)
	}
	n, err := body.WriteTo(c.TCPConn)
	limited.N -= n
	return n, err //nolint:wrapcheck // the transport wraps it
}
