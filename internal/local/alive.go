package local

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"kreislauf/internal/local/supervise"
)

// How long a backend may be silent while it is not stopped. Ours have work that keeps both cores of a small machine busy (a merge, a large
// aggregation); a Java server also pauses to collect garbage.
const (
	backendPatience = 10 * time.Second
	javaPatience    = time.Minute
)

// redisAlive sends PING, as clients do: the small server that stands in for a missing redis-server reads no inline commands. A server that
// wants a password first, or still loads, answers as well.
func redisAlive(addr string) func(context.Context) error {
	return supervise.Answers(addr, []byte(redisPing), len("+PONG"), nil)
}

const redisPing = "*1\r\n$4\r\nPING\r\n"

// kafkaAlive sends ApiVersions, version 0: the first request of every client.
func kafkaAlive(addr string) func(context.Context) error {
	return supervise.Answers(addr, []byte{
		0, 0, 0, 10, // length of what follows
		0, 18, 0, 0, // ApiVersions, version 0
		0, 0, 0, 1, // correlation id
		255, 255, // no client id
	}, 4, func(head []byte) int { return int(binary.BigEndian.Uint32(head)) })
}

// smtpAlive reads the greeting and says goodbye.
func smtpAlive(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		defer c.Close()
		if deadline, ok := ctx.Deadline(); ok {
			if err := c.SetDeadline(deadline); err != nil {
				return err
			}
		}
		if _, err := c.Write([]byte("QUIT\r\n")); err != nil {
			return err
		}
		answer, err := io.ReadAll(io.LimitReader(c, 4<<10)) // to its end, so that the server sees an orderly one
		if err == nil && !bytes.HasPrefix(answer, []byte("220")) {
			err = fmt.Errorf("%s greets with %.40q", addr, answer)
		}
		return err
	}
}

// mongoAlive sends {hello: 1, $db: "admin"}: the first request of every client, allowed before it has logged in.
func mongoAlive(addr string) func(context.Context) error {
	body := "\x10hello\x00\x01\x00\x00\x00" + "\x02$db\x00\x06\x00\x00\x00admin\x00" + "\x00"
	le := binary.LittleEndian
	doc := append(le.AppendUint32(nil, uint32(4+len(body))), body...)
	message := le.AppendUint32(nil, uint32(16+4+1+len(doc)))
	message = le.AppendUint32(message, 1)    // request id
	message = le.AppendUint32(message, 0)    // answers nothing
	message = le.AppendUint32(message, 2013) // OP_MSG
	message = le.AppendUint32(message, 0)    // no flags
	message = append(message, 0)             // one document follows
	return supervise.Answers(addr, append(message, doc...), 4, func(head []byte) int { return int(le.Uint32(head)) - 4 })
}
