package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// totals is what a sink has seen since the last reset.
type totals struct {
	Events, Requests, Bytes int64
	// P50, P99 and Max are the times from writing a line to its acknowledgement, of lines that say when they were written.
	P50, P99, Max time.Duration
	Lags          int
}

// sink answers `_bulk` as cheaply as it can: it counts the lines of a body and answers that all documents were stored.
type sink struct {
	mu      sync.Mutex
	totals  totals
	lags    []time.Duration
	buffers sync.Pool
}

// The answer to one document: as a server gives it, and what is left of it with filter_path.
const (
	fullItem  = `{"create":{"_index":".ds-logs-nginx.access-local-2026.11.25-000001","_id":"AQIDBAUGBwgJCgsMAAIAAAAF","_version":1,"result":"created","_shards":{"total":2,"successful":1,"failed":0},"_seq_no":4711,"_primary_term":1,"status":201}}`
	shortItem = `{"create":{"status":201}}`
)

// written begins the field that says when a line was written, in nanoseconds since 1970.
const written = `"written_ns":`

// serveSink is the process: it says its address on standard output and serves until its input ends.
func serveSink() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s := &sink{buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }}}
	mux := http.NewServeMux()
	mux.HandleFunc("/_bulk", s.bulk)
	mux.HandleFunc("/{index}/_bulk", s.bulk)
	mux.HandleFunc("GET /totals", s.report)
	mux.HandleFunc("POST /reset", func(http.ResponseWriter, *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.totals, s.lags = totals{}, nil
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { // what peers ask before they begin
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"name":"sink","version":{"number":"8.19.0","build_flavor":"default"},"tagline":"You Know, for Search"}`)
	})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the parent
		os.Exit(0)
	}()
	fmt.Println("http://" + listener.Addr().String())
	return http.Serve(listener, mux)
}

func (s *sink) bulk(w http.ResponseWriter, r *http.Request) {
	buf := s.buffers.Get().(*bytes.Buffer)
	defer s.buffers.Put(buf)
	buf.Reset()
	wire := &counter{r: r.Body}
	var body io.Reader = wire
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(wire)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	if _, err := buf.ReadFrom(body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n := bytes.Count(buf.Bytes(), []byte{'\n'}) / 2
	item := fullItem
	if r.URL.Query().Has("filter_path") {
		item = shortItem
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	answer := make([]byte, 0, 64+n*(len(item)+1))
	answer = append(answer, `{"errors":false,"took":1,"items":[`...)
	for i := range n {
		if i > 0 {
			answer = append(answer, ',')
		}
		answer = append(answer, item...)
	}
	answer = append(answer, "]}"...)
	s.count(n, wire.n)
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, _ = w.Write(answer) // a shipper that has gone sends again
	_ = http.NewResponseController(w).Flush()
	s.lag(buf.Bytes())
}

func (s *sink) count(n int, wire int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals.Events += int64(n)
	s.totals.Requests++
	s.totals.Bytes += wire
}

// lag notes, after the answer, how long ago the lines of a body were written.
func (s *sink) lag(body []byte) {
	now := time.Now().UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !bytes.Contains(body[:min(len(body), 4096)], []byte(written)) {
		return
	}
	for {
		i := bytes.Index(body, []byte(written))
		if i < 0 {
			return
		}
		body = body[i+len(written):]
		end := bytes.IndexFunc(body, func(r rune) bool { return r < '0' || r > '9' })
		if at, err := strconv.ParseInt(string(body[:max(end, 0)]), 10, 64); err == nil {
			s.lags = append(s.lags, time.Duration(now-at))
		}
	}
}

func (s *sink) report(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	t := s.totals
	lags := slices.Clone(s.lags)
	s.mu.Unlock()
	slices.Sort(lags)
	if t.Lags = len(lags); t.Lags > 0 {
		t.P50, t.P99, t.Max = lags[len(lags)/2], lags[len(lags)*99/100], lags[len(lags)-1]
	}
	_ = json.NewEncoder(w).Encode(t) // the parent asks again
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
