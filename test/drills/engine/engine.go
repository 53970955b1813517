package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// node is one run of the engine.
type node struct {
	url    string
	http   *http.Client
	cmd    *exec.Cmd
	log    *logBuffer
	exited chan struct{}
	took   time.Duration // from the start to the first answer
}

// logBuffer keeps what the process writes to standard error.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs the engine on the site's folder and waits for its first answer.
func (s *site) start(ctx context.Context) (*node, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	n := &node{url: "http://" + addr, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}, log: &logBuffer{}, exited: make(chan struct{})}
	n.cmd = exec.Command(s.bin, "engine", "-data", s.dir, "-addr", addr)
	n.cmd.Stderr, n.cmd.Stdout = n.log, n.log
	started := time.Now()
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start engine: %w", err)
	}
	go func() {
		_ = n.cmd.Wait() // most drills kill it
		close(n.exited)
	}()
	for {
		if _, err := n.call("GET", "/", ""); err == nil {
			n.took = time.Since(started)
			return n, nil
		}
		select {
		case <-n.exited:
			return nil, fmt.Errorf("engine ended at its start: %s", n.log)
		case <-ctx.Done():
			n.kill()
			return nil, fmt.Errorf("engine does not answer: %w", ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// kill ends the process with SIGKILL and waits for its end.
func (n *node) kill() {
	_ = n.cmd.Process.Kill() // it may have ended
	<-n.exited
	n.http.CloseIdleConnections()
}

// call sends a request with a JSON body; an answer of 300 and above is an error of type *refused.
func (n *node) call(method, path, body string) (map[string]any, error) {
	req, err := http.NewRequest(method, n.url+path, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := n.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 300 {
		return nil, &refused{res.StatusCode, string(raw)}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var out map[string]any
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return out, nil
}

type refused struct {
	status int
	body   string
}

func (r *refused) Error() string { return fmt.Sprintf("status %d: %.400s", r.status, r.body) }

// at follows a path of member names.
func at(v any, path ...string) any {
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

// files returns the files of all indices whose names match.
func (s *site) files(pattern string) ([]string, error) {
	list, err := filepath.Glob(filepath.Join(s.dir, "indices", "*", "data", pattern))
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	return list, nil
}

// flip inverts a byte of a file.
func flip(path string, offset int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("damage file: %w", err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], offset); err != nil {
		return fmt.Errorf("damage file: %w", err)
	}
	b[0] ^= 0xFF
	if _, err := f.WriteAt(b[:], offset); err != nil {
		return fmt.Errorf("damage file: %w", err)
	}
	return nil
}
