package logship_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// sink is an Elasticsearch for bulk requests only: it stores documents by stream and id and does on demand what a
// real one does on a bad day. It listens on a real socket.
type sink struct {
	t    *testing.T
	addr string

	mu       sync.Mutex
	server   *http.Server
	docs     map[string]stored // by stream and id
	bySeq    map[int][]string  // the keys of the documents with this number
	requests int
	// fault answers request n (from 1) itself and returns true, or leaves it to the sink.
	fault func(n int, w http.ResponseWriter, body []byte) bool
	// item gives the status and error of one document; 0 stores it.
	item func(index, id string, doc map[string]any, again bool) int
	// cut stores what request n brings and then closes the connection instead of answering.
	cut  func(n int) bool
	seen map[string]bool // ids that came at least once
	// lose reports that a document is acknowledged and not stored.
	lose func(doc map[string]any) bool
	// look sees every request.
	look func(r *http.Request, body []byte)
}

type stored struct {
	index, id string
	raw       string
	fields    map[string]any
}

func newSink(t *testing.T) *sink {
	s := &sink{t: t, docs: map[string]stored{}, bySeq: map[int][]string{}, seen: map[string]bool{}}
	s.start("127.0.0.1:0")
	t.Cleanup(s.stop)
	return s
}

func (s *sink) start(addr string) {
	var listener net.Listener
	var err error
	for range 100 {
		if listener, err = net.Listen("tcp", addr); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		s.t.Fatalf("listen: %v", err)
	}
	server := &http.Server{Handler: s}
	s.mu.Lock()
	s.addr, s.server = listener.Addr().String(), server
	s.mu.Unlock()
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.t.Errorf("serve: %v", err)
		}
	}()
}

func (s *sink) stop() {
	s.mu.Lock()
	server := s.server
	s.server = nil
	s.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
}

func (s *sink) url() string { return "http://" + s.addr }

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the shipper was killed while sending
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		if body, err = unzip(body); err != nil {
			s.t.Errorf("unpack body: %v", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.look != nil {
		s.look(r, body)
	}
	if stream, ok := strings.CutSuffix(r.URL.Path, "/_count"); ok {
		s.countAnswer(w, strings.TrimPrefix(stream, "/"), body)
		return
	}
	s.requests++
	n := s.requests
	if r.Method != http.MethodPost || r.URL.Path != "/_bulk" || !bytes.HasSuffix(body, []byte("\n")) {
		s.t.Errorf("request %s %s with %d bytes", r.Method, r.URL.Path, len(body))
	}
	if s.fault != nil && s.fault(n, w, body) {
		return
	}
	answer := s.bulk(body)
	if s.cut != nil && s.cut(n) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			s.t.Errorf("hijack: %v", err)
			return
		}
		_ = conn.Close()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
}

func (s *sink) bulk(body []byte) []byte {
	var items []string
	failed := false
	scanner := bufio.NewScanner(bytes.NewReader(body))
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var action map[string]struct {
			Index string `json:"_index"`
			ID    string `json:"_id"`
		}
		if err := json.Unmarshal(scanner.Bytes(), &action); err != nil || len(action) != 1 || action["create"].Index == "" {
			s.t.Errorf("action line %q: %v", scanner.Bytes(), err)
		}
		if !scanner.Scan() {
			s.t.Error("action without document")
			break
		}
		status := s.store(action["create"].Index, action["create"].ID, scanner.Text())
		failed = failed || status > 201
		item, _ := json.Marshal(map[string]any{"create": map[string]any{
			"_index": action["create"].Index, "_id": action["create"].ID, "status": status,
		}})
		items = append(items, string(item))
	}
	if err := scanner.Err(); err != nil {
		s.t.Errorf("read bulk: %v", err)
	}
	text := "false"
	if failed {
		text = "true"
	}
	return []byte(`{"errors":` + text + `,"took":1,"items":[` + strings.Join(items, ",") + `]}`)
}

func (s *sink) store(index, id, raw string) int {
	var fields map[string]any
	if err := json.Unmarshal([]byte(raw), &fields); err != nil {
		s.t.Errorf("document %q: %v", raw, err)
	}
	if id == "" {
		id = fmt.Sprintf("own-%d", len(s.docs))
	}
	key := index + "/" + id
	if _, ok := s.docs[key]; ok {
		return 409
	}
	again := s.seen[key]
	s.seen[key] = true
	if s.item != nil {
		if status := s.item(index, id, fields, again); status != 0 {
			return status
		}
	}
	if s.lose != nil && s.lose(fields) {
		return 201
	}
	s.docs[key] = stored{index: index, id: id, raw: raw, fields: fields}
	if seq, ok := fields["seq"].(float64); ok {
		s.bySeq[int(seq)] = append(s.bySeq[int(seq)], key)
	}
	return 201
}

// countAnswer answers a count of the documents of a shipper with an event.created.
func (s *sink) countAnswer(w http.ResponseWriter, stream string, body []byte) {
	var q struct {
		Query struct {
			Bool struct {
				Filter []struct {
					Term  map[string]string
					Range map[string]struct{ GTE, LT string }
				}
			}
		}
	}
	if err := json.Unmarshal(body, &q); err != nil || len(q.Query.Bool.Filter) != 2 {
		s.t.Errorf("count %s: %v", body, err)
		return
	}
	name, span := q.Query.Bool.Filter[0].Term["agent.name"], q.Query.Bool.Filter[1].Range["event.created"]
	n := 0
	for _, d := range s.docs {
		created, _ := d.fields["event.created"].(string)
		if d.index == stream && d.fields["agent.name"] == name && created >= span.GTE && created < span.LT {
			n++
		}
	}
	fmt.Fprintf(w, `{"count":%d,"_shards":{"total":1,"successful":1,"failed":0}}`, n)
}

func unzip(body []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// all returns the documents of a stream.
func (s *sink) all(index string) []stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []stored
	for _, d := range s.docs {
		if d.index == index {
			out = append(out, d)
		}
	}
	return out
}

// everything returns all documents.
func (s *sink) everything() []stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.docs))
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.docs)
}

// wait waits until n different numbers are stored.
func (s *sink) wait(n int) {
	s.t.Helper()
	s.until("all numbers stored", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.bySeq) >= n
	})
}

// until waits for a condition; it only gives up when something must be broken.
func (s *sink) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t.Fatalf("never: %s (%d documents, %d numbers, %d requests)", what, len(s.docs), len(s.bySeq), s.requests)
}

// complete fails the test unless the numbers 0 to n-1 are stored once each, but for the ones in except.
func (s *sink) complete(n int, except map[int]bool) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	lost, doubled := 0, 0
	for seq := range n {
		switch len(s.bySeq[seq]) {
		case 0:
			if !except[seq] {
				lost++
			}
		case 1:
		default:
			doubled++
		}
	}
	if lost != 0 || doubled != 0 || len(s.bySeq) != n-len(except) {
		s.t.Errorf("%d lost, %d doubled, %d numbers of %d", lost, doubled, len(s.bySeq), n-len(except))
	}
}

// once fails the test when a number is there more than once.
func (s *sink) once() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, keys := range s.bySeq {
		if len(keys) != 1 {
			s.t.Errorf("number %d is there %d times", n, len(keys))
		}
	}
}
