#!/usr/bin/env bash
# miniredis v2.40.0: a command written as a plain line closes the connection without an answer.
#
# Guessed: the in-memory server reads both forms of a request of the Redis protocol: the array (*1 $4 PING) that clients send, and the
#          inline line (PING) that people and health checks send by netcat.
# Seen:    the array is answered; after the line the connection is closed, with no error reply. redis-server answers both.
# Matters: a probe of three lines (connect, write "PING", read "+PONG") works against redis-server and calls a healthy miniredis dead. A
#          supervisor that restarts on it never comes to rest.
#
# Versions: miniredis v2.40.0; redis-server 7.0.15 (Debian 12).
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
	"fmt"
	"net"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func ask(network, address, request string) string {
	c, err := net.Dial(network, address)
	if err != nil {
		panic(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprint(c, request)
	b := make([]byte, 100)
	n, err := c.Read(b)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%q", b[:n])
}

func main() {
	m, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer m.Close()
	for _, request := range []string{"*1\r\n$4\r\nPING\r\n", "PING\r\n"} {
		fmt.Printf("%q: redis-server %s, miniredis %s\n", request, ask("unix", os.Args[1], request), ask("tcp", m.Addr(), request))
	}
}
EOF
go mod init probe 2>/dev/null
go get github.com/alicebob/miniredis/v2@v2.40.0 2>/dev/null
go build -o probe .
"$server" --port 0 --unixsocket "$work/redis.sock" --save '' --daemonize no >/dev/null &
redis=$!
for _ in $(seq 300); do [ -S redis.sock ] && break; sleep 0.1; done
seen=$(./probe "$work/redis.sock")

expected='"*1\r\n$4\r\nPING\r\n": redis-server "+PONG\r\n", miniredis "+PONG\r\n"
"PING\r\n": redis-server "+PONG\r\n", miniredis EOF'
echo "version: $(go list -m github.com/alicebob/miniredis/v2), $("$server" --version | cut -d' ' -f1-3)"
echo "guessed: +PONG in all four cases"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
