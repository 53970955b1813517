package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// index is the index that is written and searched.
const index = "bench-nginx"

// server is an Elasticsearch of which the CPU and memory can be read.
type server struct {
	name, url string
	http      *http.Client
	pid       int
	dir       string // of data; empty for a server that is not ours
	bin       string
	cmd       *exec.Cmd
}

func newServer(name, url string) *server {
	return &server{name: name, url: url, http: &http.Client{Timeout: 3 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true}}}
}

// startEngine runs `kreislauf engine` on dir and waits until it answers.
func startEngine(bin, dir string) (*server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	s := newServer("kreislauf engine", "http://"+addr)
	s.dir, s.bin = dir, bin
	return s, s.run(addr)
}

func (s *server) run(addr string) error {
	s.cmd = exec.Command(s.bin, "engine", "-data", s.dir, "-addr", addr)
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start engine: %w", err)
	}
	s.pid = s.cmd.Process.Pid
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if _, err := s.call("GET", "/", nil); err == nil {
			return nil
		}
	}
	return fmt.Errorf("engine on %s does not answer", s.url)
}

// stop ends an engine that startEngine started.
func (s *server) stop() error {
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop engine: %w", err)
	}
	return s.cmd.Wait()
}

// restart stops the engine and measures from its start to the answer of a search over everything.
func (s *server) restart(ctx context.Context, body []byte) (time.Duration, error) {
	if err := s.stop(); err != nil {
		return 0, err
	}
	started := time.Now()
	if err := s.run(strings.TrimPrefix(s.url, "http://")); err != nil {
		return 0, err
	}
	_, err := s.call("POST", "/"+index+"/_search", body)
	return time.Since(started), err
}

// call sends a request and returns the body of a successful answer.
func (s *server) call(method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-ndjson")
		if body[len(body)-1] != '\n' {
			req.Header.Set("Content-Type", "application/json")
		}
	}
	res, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %d %.300s", method, path, res.StatusCode, raw)
	}
	return raw, nil
}

// findProcess asks the server for its process id, which is worth something only on the same machine.
func (s *server) findProcess() error {
	raw, err := s.call("GET", "/_nodes/process", nil)
	if err != nil {
		return err
	}
	var out struct {
		Nodes map[string]struct{ Process struct{ ID int } }
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return fmt.Errorf("read nodes: %w", err)
	}
	for _, n := range out.Nodes {
		s.pid = n.Process.ID
	}
	_, err = s.cpu()
	return err
}

// cpu is the user and system time of the process so far, with all its threads.
func (s *server) cpu() (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if err != nil {
		return 0, fmt.Errorf("read CPU of %s: %w", s.name, err)
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, fmt.Errorf("read CPU of %s: %q", s.name, rest)
	}
	var ticks int64
	for _, s := range f[11:13] {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read CPU: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// rss is the resident memory of the process in bytes; peak is the largest so far.
func (s *server) rss() (now, peak int64, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", s.pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read memory of %s: %w", s.name, err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		name, value, _ := strings.Cut(sc.Text(), ":")
		kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			now = kb << 10
		case "VmHWM":
			peak = kb << 10
		}
	}
	return now, peak, nil
}

// disk is the size of the index in bytes.
func (s *server) disk() (int64, error) {
	if s.dir == "" {
		raw, err := s.call("GET", "/"+index+"/_stats/store", nil)
		if err != nil {
			return 0, err
		}
		var out struct {
			All struct {
				Total struct {
					Store struct {
						Size int64 `json:"size_in_bytes"`
					}
				}
			} `json:"_all"`
		}
		err = json.Unmarshal(raw, &out)
		return out.All.Total.Store.Size, err
	}
	var size int64
	err := filepath.WalkDir(s.dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}

// load writes all documents over a number of connections, in batches.
func (s *server) load(g *generator, connections, batch int) error {
	var wg sync.WaitGroup
	next := make(chan int)
	errs := make(chan error, connections)
	for range connections {
		wg.Go(func() {
			var body []byte
			for from := range next {
				body = g.bulk(body[:0], from, min(from+batch, g.total))
				raw, err := s.call("POST", "/"+index+"/_bulk", body)
				if err == nil && !bytes.Contains(raw[:min(200, len(raw))], []byte(`"errors":false`)) {
					err = fmt.Errorf("bulk has errors: %.400s", raw)
				}
				if err != nil {
					errs <- err
					for range next { // let the sender end
					}
					return
				}
			}
		})
	}
	for from := 0; from < g.total; from += batch {
		next <- from
	}
	close(next)
	wg.Wait()
	close(errs)
	return <-errs
}
