package kafkad

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxRequest is Kafka's socket.request.max.bytes.
const maxRequest = 100 << 20

// framed looks at the head of each request before kfake reads it. kfake takes any length for true, and reserves that much memory, and
// ends with a panic at a request that it does not know.
type framed struct {
	net.Conn
	log  zerolog.Logger
	head [8]byte // length, key and version
	have []byte  // of head, still to be handed on
	left int     // bytes of the request behind the head, still to be read
	err  error
}

// Read implements net.Conn.
func (f *framed) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	if len(f.have) == 0 && f.left == 0 {
		if f.err = f.next(); f.err != nil {
			return 0, f.close()
		}
	}
	if len(f.have) > 0 {
		n := copy(p, f.have)
		f.have = f.have[n:]
		return n, nil
	}
	n, err := f.Conn.Read(p[:min(len(p), f.left)])
	f.left -= n
	if err == nil {
		return n, nil
	}
	if f.err = err; errors.Is(err, io.EOF) {
		f.err = fmt.Errorf("the connection ended within a request: %w", io.ErrUnexpectedEOF)
	}
	return n, f.close()
}

// next reads and checks the head of a request.
func (f *framed) next() error {
	if _, err := io.ReadFull(f.Conn, f.head[:]); err != nil {
		return err
	}
	size := int32(binary.BigEndian.Uint32(f.head[:]))
	key, version := int16(binary.BigEndian.Uint16(f.head[4:])), int16(binary.BigEndian.Uint16(f.head[6:]))
	switch {
	case size < 8 || size > maxRequest:
		return fmt.Errorf("request length %d is outside 8..%d", size, maxRequest)
	case kmsg.RequestForKey(key) == nil || version < 0:
		return fmt.Errorf("request key %d, version %d is unknown", key, version)
	}
	f.have, f.left = f.head[:], int(size)-4
	return nil
}

// close ends the connection, with a log line unless the client or the server simply closed it.
func (f *framed) close() error {
	var broken *net.OpError
	if f.err != io.EOF && !errors.Is(f.err, net.ErrClosed) && !errors.As(f.err, &broken) {
		f.log.Warn().Err(f.err).Str("client", f.RemoteAddr().String()).Msg("connection closed")
	}
	return f.err
}
