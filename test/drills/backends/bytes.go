package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/test/child"
)

// closedAfter sends bytes on a connection of its own, ends it when half is set, and demands that the server closes it without an answer.
func closedAfter(addr string, data []byte, half bool) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(data); err != nil {
		return err
	}
	if half {
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			return err
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("the connection stays open: %w", err)
	}
	if len(answer) > 0 {
		return fmt.Errorf("answered %q", answer)
	}
	return nil
}

// badMessage is one kind of bad bytes.
type badMessage struct {
	name string
	data []byte
	half bool
}

func badBytes(ctx context.Context, e *env) (string, error) {
	m, err := startMongod(ctx, e)
	if err != nil {
		return "", err
	}
	defer m.close()
	ping, err := bson.Marshal(bson.D{{Key: "ping", Value: 1}, {Key: "$db", Value: "admin"}})
	if err != nil {
		return "", err
	}
	message := func(size, opcode uint32, body []byte) []byte {
		out := binary.LittleEndian.AppendUint32(nil, size)
		out = binary.LittleEndian.AppendUint32(append(out, 1, 0, 0, 0, 0, 0, 0, 0), opcode)
		return append(append(out, 0, 0, 0, 0, 0), body...)
	}
	whole := message(uint32(21+len(ping)), 2013, ping)
	torn := bytes.Clone(whole)
	torn[25] = 0xee // the type of the first field
	bad := []badMessage{
		{"garbage", []byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n"), false},
		{"half a message", whole[:len(whole)-4], true},
		{"above the limit", message(48_000_001, 2013, ping), false},
		{"a negative length", message(0xffff_ffff, 2013, ping), false},
		{"an unknown opcode", message(uint32(21+len(ping)), 1234, ping), false},
		{"a broken document", torn, false},
	}
	return besideAWriter(m.Process, bad, func(i int) error {
		return m.write(ctx, fmt.Sprint("beside-", i))
	})
}

func badBytesKafkad(ctx context.Context, e *env) (string, error) {
	k, err := startKafkad(ctx, e)
	if err != nil {
		return "", err
	}
	defer k.client.Close()
	bad := []badMessage{
		{"garbage", []byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n"), false},
		{"half a message", []byte{0, 0, 0, 40, 0, 18, 0, 3}, true},
		{"above the limit", []byte{0x7f, 0xff, 0xff, 0xff, 0, 18, 0, 3, 0, 0, 0, 1}, false},
		{"a negative length", []byte{0xff, 0xff, 0xff, 0xff, 0, 18, 0, 3, 0, 0, 0, 1}, false},
		{"an unknown request", []byte{0, 0, 0, 10, 0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff}, false},
		{"a body that is none", []byte{0, 0, 0, 12, 0, 19, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff}, false},
	}
	return besideAWriter(k.Process, bad, func(i int) error {
		return k.client.ProduceSync(ctx, &kgo.Record{Value: fmt.Appendf(nil, "beside-%d", i)}).FirstErr()
	})
}

// besideAWriter sends each of the bad messages several times while a writer works, and counts the log lines that it leaves.
func besideAWriter(p *child.Process, bad []badMessage, write func(i int) error) (string, error) {
	if err := write(-1); err != nil {
		return "", err
	}
	stop, done := make(chan struct{}), make(chan error, 1)
	var written atomic.Int64
	go func() {
		for ; ; written.Add(1) {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if err := write(int(written.Load())); err != nil {
				done <- err
				return
			}
		}
	}()
	const times = 3
	var failed error
	for _, b := range bad {
		for range times {
			before := written.Load()
			if err := closedAfter(p.Addr, b.data, b.half); err != nil && failed == nil {
				failed = fmt.Errorf("%s: %w", b.name, err)
			}
			for deadline := time.Now().Add(5 * time.Second); written.Load() < before+2 && failed == nil; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					failed = fmt.Errorf("%s: the other client stands still", b.name)
				}
			}
		}
	}
	close(stop)
	if err := <-done; err != nil {
		return "", fmt.Errorf("the other client: %w", err)
	}
	if err := errors.Join(failed, p.Stop(syscall.SIGTERM)); err != nil {
		return "", err
	}
	log, err := os.ReadFile(p.Log)
	if err != nil {
		return "", err
	}
	if n := bytes.Count(log, []byte("connection closed")); n != len(bad)*times {
		return "", fmt.Errorf("%d log lines for %d bad connections", n, len(bad)*times)
	}
	return fmt.Sprintf("%d kinds, %d times each: closed without an answer, one log line each; another client wrote %d times meanwhile", len(bad), times, written.Load()), nil
}
