#!/usr/bin/env bash
# go-redis v9.23.0: an INCR whose reply is lost is sent again by default, and counts twice without an error.
#
# Guessed: a client repeats what may be repeated (GET), or what was never sent, and reports a broken connection for the rest, as Go's
#          http client does for POST. The comment of MaxRetries says how many retries there are, not of what.
# Seen:    with default options INCR is sent again after a connection that broke behind the command; the caller gets no error, and the
#          server counted twice. The same command inside TxPipelined is not repeated: the caller gets the error. MaxRetries -1 turns it
#          off.
# Matters: counters, rate limits, LPUSH to a queue: one lost reply is one entry too many, and nothing says so. Code that moves from
#          TxPipelined to the plain call changes its guarantee.
#
# Versions: go-redis v9.23.0, redis-server 7.0.15 (Debian 12). A relay before the server passes the command on and drops its reply.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${redis:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off

apt-get -qq download 'redis-tools=5:7.0.15-*' 'libjemalloc2=5.3.0-*' 'liblzf1=3.6-*' 'libatomic1=12.2.0-*' 2>/dev/null
for deb in ./*.deb; do dpkg -x "$deb" root; done
libraries=(root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH="$work/${libraries[0]}"
server="$work/redis-server" # one binary, which goes by its name
ln -s root/usr/bin/redis-check-rdb redis-server

cat >main.go <<'EOF'
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// relay passes bytes between client and server. When drop is set, the next INCR reaches the server, and its reply cuts both connections.
func relay(client, server net.Conn, drop *atomic.Bool) {
	defer client.Close()
	defer server.Close()
	var dropping atomic.Bool
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := server.Read(b)
			if err != nil || dropping.Load() {
				client.Close()
				return
			}
			client.Write(b[:n])
		}
	}()
	b := make([]byte, 4096)
	for {
		n, err := client.Read(b)
		if err != nil {
			return
		}
		if bytes.Contains(bytes.ToLower(b[:n]), []byte("incr")) && drop.CompareAndSwap(true, false) {
			dropping.Store(true)
		}
		if _, err := io.Copy(server, bytes.NewReader(b[:n])); err != nil {
			return
		}
	}
}

func main() {
	ctx := context.Background()
	socket := os.Args[1]
	direct := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	var drop atomic.Bool
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("unix", socket)
			check(err)
			go relay(c, s, &drop)
		}
	}()

	incr := func(c *redis.Client) error { return c.Incr(ctx, "n").Err() }
	inTx := func(c *redis.Client) error {
		_, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error { return p.Incr(ctx, "n").Err() })
		return err
	}
	for _, c := range []struct {
		name    string
		retries int
		do      func(*redis.Client) error
	}{
		{"Incr, MaxRetries -1", -1, incr},
		{"Incr, default options", 0, incr},
		{"Incr in TxPipelined, default options", 0, inTx},
	} {
		check(direct.Del(ctx, "n").Err())
		client := redis.NewClient(&redis.Options{Addr: l.Addr().String(), MaxRetries: c.retries})
		check(client.Ping(ctx).Err())
		drop.Store(true)
		outcome := "no error"
		if err := c.do(client); err != nil {
			outcome = "an error"
		}
		check(client.Close())
		n, err := direct.Get(ctx, "n").Int()
		check(err)
		fmt.Printf("%s: counted %d, %s\n", c.name, n, outcome)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
go mod init probe 2>/dev/null
go get github.com/redis/go-redis/v9@v9.23.0 2>/dev/null
go build -o probe .
"$server" --port 0 --unixsocket "$work/redis.sock" --save '' --daemonize no >/dev/null &
redis=$!
for _ in $(seq 300); do [ -S redis.sock ] && break; sleep 0.1; done
seen=$(./probe "$work/redis.sock")

expected='Incr, MaxRetries -1: counted 1, an error
Incr, default options: counted 2, no error
Incr in TxPipelined, default options: counted 1, an error'
echo "version: $(go list -m github.com/redis/go-redis/v9), $("$server" --version | cut -d' ' -f1-3)"
echo "guessed: counted 1, an error, in all three cases"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
