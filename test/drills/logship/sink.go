package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// sink is a target for `_bulk` that has bad days. It remembers every (index, id) and which numbered event it holds.
type sink struct {
	mu       sync.Mutex
	listener net.Listener
	server   *http.Server
	addr     string
	away     chan struct{} // closed when the sink that only drops connections is to end
	problems []string      // what no shipper may send

	visible map[string]document // by index and id
	numbers map[int]int         // events: in how many visible documents
	tries   map[string]int      // by index and id: how often it came
	again   int                 // documents that came although they were stored
	largest int                 // documents in the largest request
	dropped int                 // connections that were dropped while away
	first   time.Time           // of the first answer since the sink came back
	count   int                 // requests

	// delay passes between storing and answering.
	delay time.Duration
	// fault answers a request with a status and body and stores nothing; 0 leaves it alone.
	fault func(request int, body []byte) (int, string)
	// item answers one document; 0 stores it.
	item func(number, try int) int
	// keepText keeps the documents.
	keepText bool
	// refuse answers a document with 400 when it is true.
	refuse func(doc []byte) bool
	// cut says that the connection ends instead of an answer, after everything was stored.
	cut func(request int) bool
}

type document struct {
	number int
	tags   string
	bytes  int
	text   string // the document, when keepText is set
}

func newSink() (*sink, error) {
	s := &sink{visible: map[string]document{}, numbers: map[int]int{}, tries: map[string]int{}}
	return s, s.open("127.0.0.1:0")
}

func (s *sink) url() string { return "http://" + s.addr }

// open begins to serve.
func (s *sink) open(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listener, s.addr, s.first = l, l.Addr().String(), time.Time{}
	s.server = &http.Server{Handler: s}
	go func(server *http.Server) {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.problem("serve: %v", err)
		}
	}(s.server)
	return nil
}

// leave closes the listener and every connection: further ones are refused.
func (s *sink) leave() {
	s.mu.Lock()
	server := s.server
	s.server = nil
	s.mu.Unlock()
	if server != nil {
		_ = server.Close() // it closes the listener too
	}
}

// drop accepts connections, counts them and resets them, until back is called.
func (s *sink) drop() error {
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.mu.Lock()
	s.listener, s.away = l, make(chan struct{})
	away := s.away
	s.mu.Unlock()
	go func() {
		defer close(away)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*net.TCPConn).SetLinger(0) // reset
			_ = c.Close()
			s.mu.Lock()
			s.dropped++
			s.mu.Unlock()
		}
	}()
	return nil
}

// back serves again and returns when that began.
func (s *sink) back() (time.Time, error) {
	s.mu.Lock()
	l, away := s.listener, s.away
	s.away = nil
	s.mu.Unlock()
	if away != nil {
		_ = l.Close()
		<-away
	}
	return time.Now(), s.open(s.addr)
}

func (s *sink) problem(format string, args ...any) {
	if len(s.problems) < 5 {
		s.problems = append(s.problems, fmt.Sprintf(format, args...))
	}
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		return // the shipper was killed while it sent
	}
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/json")
	if !strings.HasSuffix(r.URL.Path, "/_bulk") { // a question about the server
		_, _ = io.WriteString(w, `{"version":{"number":"8.19.0"}}`)
		return
	}
	status, answer, cut := s.bulk(body, r.URL.Query().Has("filter_path"))
	s.mu.Lock()
	delay := s.delay
	s.mu.Unlock()
	time.Sleep(delay)
	if cut {
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = c.Close()
		}
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer) // a killed shipper comes again
	_ = http.NewResponseController(w).Flush()
	if status == http.StatusOK {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.first.IsZero() {
			s.first = time.Now()
		}
	}
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// bulk does what a request asks for, unless it is one of the bad days.
func (s *sink) bulk(body []byte, short bool) (status int, answer []byte, cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if s.fault != nil {
		if status, text := s.fault(s.count, body); status != 0 {
			return status, []byte(text), false
		}
	}
	lines := bytes.Split(bytes.TrimSuffix(body, []byte{'\n'}), []byte{'\n'})
	if len(lines)%2 != 0 || !bytes.HasSuffix(body, []byte{'\n'}) {
		s.problem("a body of %d lines", len(lines))
	}
	s.largest = max(s.largest, len(lines)/2)
	var items bytes.Buffer
	failed := false
	for i := 0; i+1 < len(lines); i += 2 {
		status := s.store(lines[i], lines[i+1])
		failed = failed || status >= 300
		if i > 0 {
			items.WriteByte(',')
		}
		items.WriteString(item(status, short))
	}
	cut = s.cut != nil && s.cut(s.count)
	return http.StatusOK, fmt.Appendf(nil, `{"errors":%v,"took":1,"items":[%s]}`, failed, items.Bytes()), cut
}

func item(status int, short bool) string {
	more := ""
	if !short {
		more = `"_index":"x","_id":"y",`
	}
	switch {
	case status < 300:
		return fmt.Sprintf(`{"create":{%s"status":%d}}`, more, status)
	case status == 409:
		return `{"create":{` + more + `"status":409,"error":{"type":"version_conflict_engine_exception","reason":"document already exists"}}}`
	case status == 404:
		return `{"create":{` + more + `"status":404,"error":{"type":"index_not_found_exception","reason":"no such index and [action.auto_create_index] is [false]"}}}`
	case status == 429:
		return `{"create":{` + more + `"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue full"}}}`
	}
	return fmt.Sprintf(`{"create":{%s"status":%d,"error":{"type":"document_parsing_exception","reason":"failed to parse field"}}}`, more, status)
}

// store takes one document and returns its status.
func (s *sink) store(action, doc []byte) int {
	var a struct {
		Create struct {
			Index string `json:"_index"`
			ID    string `json:"_id"`
		} `json:"create"`
	}
	if err := json.Unmarshal(action, &a); err != nil || a.Create.Index == "" || a.Create.ID == "" {
		s.problem("action line %.200q: %v", action, err)
		return 400
	}
	if !json.Valid(doc) {
		s.problem("document %.200q is no JSON", doc)
		return 400
	}
	n := number(doc)
	key := a.Create.Index + "/" + a.Create.ID
	s.tries[key]++
	if was, ok := s.visible[key]; ok {
		if was.number != n {
			s.problem("two events, %d and %d, have the id %s", was.number, n, key)
		}
		s.again++
		return 409
	}
	if s.item != nil {
		if status := s.item(n, s.tries[key]); status != 0 {
			return status
		}
	}
	if s.refuse != nil && s.refuse(doc) {
		return 400
	}
	d := document{number: n, tags: tagsOf(doc), bytes: len(doc)}
	if s.keepText {
		d.text = string(doc)
	}
	s.visible[key] = d
	s.numbers[n]++
	return 201
}

// number finds the number of an event: `seq=17;` anywhere in the document. -1 when there is none.
func number(doc []byte) int {
	_, rest, ok := bytes.Cut(doc, []byte("seq="))
	if !ok {
		return -1
	}
	text, _, _ := bytes.Cut(rest, []byte(";"))
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return -1
	}
	return n
}

func tagsOf(doc []byte) string {
	_, rest, ok := bytes.Cut(doc, []byte(`"tags":[`))
	if !ok {
		return ""
	}
	text, _, _ := bytes.Cut(rest, []byte("]"))
	return string(text)
}

// stored is the number of events that are visible.
func (s *sink) stored() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.numbers)
}

func (s *sink) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// set changes a bad day.
func (s *sink) set(change func(*sink)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// repeats is the number of documents that came although they were stored.
func (s *sink) repeats() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.again
}

// largestBatch is the number of documents in the largest request.
func (s *sink) largestBatch() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.largest
}

// event returns a visible document of an event.
func (s *sink) event(n int) document {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.visible {
		if d.number == n {
			return d
		}
	}
	return document{}
}
