#!/usr/bin/env bash
# gocloud.dev v0.49.0, fileblob: "write only if it does not exist" lets several processes win.
#
# Guessed: IfNotExist gives the key to one writer and refuses the others, as it does on S3; a file system has what it takes (link, O_EXCL).
# Seen:    inside one process it holds. Among four processes on one folder several writers of the same key are told that they made it,
#          and all but one of their blobs are gone: whether the file is there is asked first, and the rename replaces what came since.
# Matters: a platform with fileblob on one machine and S3 in production takes the option for a mutex or for "store the photo once", passes
#          its tests (one process) and loses writes with its second instance.
#
# Versions: gocloud.dev v0.49.0. How many keys have several winners varies from run to run (4 to 38 of 200 were seen); up to ten rounds
#          look for one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off

cat >main.go <<'EOF'
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"
)

const keys, writers = 200, 4

// write tries to create every key and says through won which it created.
func write(dir string, won func(key string)) {
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true})
	check(err)
	defer bucket.Close()
	for i := range keys {
		key := fmt.Sprint("key", i)
		err := bucket.WriteAll(context.Background(), key, []byte("x"), &blob.WriterOptions{IfNotExist: true})
		if err == nil {
			won(key)
		} else if gcerrors.Code(err) != gcerrors.FailedPrecondition {
			panic(err)
		}
	}
}

// child waits for its standard input to end, so that all start together.
func child(dir string) {
	io.Copy(io.Discard, os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	write(dir, func(key string) { fmt.Fprintln(out, key) })
	check(out.Flush())
}

func severalWinners(wins map[string]int) (n int) {
	if len(wins) != keys {
		panic(fmt.Sprint(len(wins), " keys were created"))
	}
	for _, w := range wins {
		if w > 1 {
			n++
		}
	}
	return n
}

func goroutines(dir string) int {
	var wg sync.WaitGroup
	var mu sync.Mutex
	wins := map[string]int{}
	for range writers {
		wg.Go(func() {
			write(dir, func(key string) {
				mu.Lock()
				wins[key]++
				mu.Unlock()
			})
		})
	}
	wg.Wait()
	return severalWinners(wins)
}

func processes(dir string) int {
	var starts []io.Closer
	var outs []*bufio.Scanner
	for range writers {
		c := exec.Command(os.Args[0], dir)
		c.Stderr = os.Stderr
		in, err := c.StdinPipe()
		check(err)
		out, err := c.StdoutPipe()
		check(err)
		check(c.Start())
		defer func() { check(c.Wait()) }()
		starts, outs = append(starts, in), append(outs, bufio.NewScanner(out))
	}
	for _, s := range starts {
		s.Close()
	}
	wins := map[string]int{}
	for _, out := range outs {
		for out.Scan() {
			wins[out.Text()]++
		}
	}
	return severalWinners(wins)
}

func main() {
	if len(os.Args) > 1 {
		child(os.Args[1])
		return
	}
	for _, c := range []struct {
		name string
		run  func(dir string) int
	}{{"goroutines", goroutines}, {"processes", processes}} {
		several := 0
		for round := 0; round < 10 && several == 0; round++ {
			dir, err := os.MkdirTemp(".", "bucket")
			check(err)
			several = c.run(dir)
		}
		fmt.Fprintf(os.Stderr, "         %d %s: %d of %d keys had several winners\n", writers, c.name, several, keys)
		fmt.Printf("%d %s: %s\n", writers, c.name, map[bool]string{true: "keys with several winners", false: "one winner each"}[several > 0])
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
go mod init probe 2>/dev/null
go get gocloud.dev@v0.49.0 2>/dev/null
go build -o probe .
echo "version: $(go list -m gocloud.dev)"
echo "guessed: one winner for each key in both cases"
seen=$(./probe)

expected='4 goroutines: one winner each
4 processes: keys with several winners'
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
