#!/usr/bin/env bash
# Go's net/http: the name of a header makes the client send a POST a second time by itself.
#
# Guessed: the client never repeats a POST; whoever wants that writes a loop. A header is for the server to read.
# Seen:    with a header Idempotency-Key or X-Idempotency-Key, and a body that can be read again (strings.Reader, bytes.Buffer), the
#          Transport sends the POST once more when a connection that was used before breaks before the answer. The server gets it twice, the
#          caller one answer and no error. Without the header, or with another name, the same break is an error and one request.
#          The comment of http.Transport says so; http.Client, Client.Do and http.Post, where one looks, do not.
# Matters: a server that logs the key but does not yet act on it carries out the order twice; and a test of "the client gives up after one
#          attempt" passes or fails by the name of a header.
#
# Versions: the standard library of the go command in use (tried with go1.26).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off

cat >main.go <<'EOF'
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// serve answers every request but the first POST, whose connection it closes after it has read it whole.
func serve(l net.Listener, posts *atomic.Int64) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			for r := bufio.NewReader(c); ; {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				io.Copy(io.Discard, req.Body)
				if req.Method == http.MethodPost && posts.Add(1) == 1 {
					return
				}
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		}()
	}
}

func main() {
	for _, name := range []string{"Order-Key", "Idempotency-Key", "X-Idempotency-Key"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		var posts atomic.Int64
		go serve(l, &posts)
		client := &http.Client{Transport: &http.Transport{}}
		if _, err := client.Get("http://" + l.Addr().String()); err != nil { // now the pool holds a connection
			panic(err)
		}
		req, err := http.NewRequest(http.MethodPost, "http://"+l.Addr().String(), strings.NewReader("order"))
		if err != nil {
			panic(err)
		}
		req.Header.Set(name, "1")
		outcome := "an answer"
		if _, err := client.Do(req); err != nil {
			outcome = "an error"
		}
		fmt.Printf("%s: %d POST, %s\n", name, posts.Load(), outcome)
		l.Close()
	}
}
EOF
go mod init probe 2>/dev/null
seen=$(go run .)

expected='Order-Key: 1 POST, an error
Idempotency-Key: 2 POST, an answer
X-Idempotency-Key: 2 POST, an answer'
echo "version: $(go env GOVERSION)"
echo "guessed: one POST and an error for each"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
