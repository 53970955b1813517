package bulk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
)

// target is a server at the other end of pipes, so that its tests run on the fake clock of synctest.
type target struct {
	t      *testing.T
	server *http.Server
	conns  chan net.Conn
	closed chan struct{}

	mu       sync.Mutex
	down     bool // connections are refused
	dials    []time.Time
	requests [][]string // the numbers of the documents of each bulk request
	answer   func(w http.ResponseWriter, n int, docs []string)
}

func newTarget(t *testing.T, answer func(w http.ResponseWriter, n int, docs []string)) *target {
	s := &target{t: t, conns: make(chan net.Conn), closed: make(chan struct{}), answer: answer}
	s.server = &http.Server{Handler: s}
	go func() { _ = s.server.Serve(s) }() // ends with close
	return s
}

// Accept implements net.Listener.
func (s *target) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (s *target) Close() error { return nil }

// Addr implements net.Listener.
func (s *target) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (s *target) dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	down := s.down
	s.dials = append(s.dials, time.Now())
	s.mu.Unlock()
	if down {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	s.conns <- there
	return here, nil
}

func (s *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			s.t.Error(err)
			return
		}
		body = z
	}
	data, err := io.ReadAll(body)
	if err != nil {
		s.t.Error(err)
	}
	var docs []string
	for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if i%2 == 1 {
			docs = append(docs, line)
		}
	}
	s.mu.Lock()
	s.requests = append(s.requests, docs)
	n := len(s.requests)
	s.mu.Unlock()
	s.answer(w, n, docs)
}

// client returns a client of the target and a function that ends both.
func (s *target) client(c Config) (*Client, func()) {
	s.t.Helper()
	if len(c.URLs) == 0 {
		c.URLs = []string{"http://target"}
	}
	c.MaxBytes = max(c.MaxBytes, 1<<20)
	if c.Reject == nil {
		c.Reject = func([]DeadLetter) error { return nil }
	}
	client, err := New(c)
	if err != nil {
		s.t.Fatal(err)
	}
	client.base.DialContext = s.dial
	return client, func() {
		client.Close()
		close(s.closed)
		_ = s.server.Close()
	}
}

// docs is a batch of n documents with numbers.
func docs(n int) *Batch {
	b := &Batch{Files: []string{"/log/a.log"}, Streams: []string{"logs-a-b"}, Tallies: []Tally{{}}}
	for i := range n {
		item := Item{Start: uint32(len(b.Buf)), Offset: int64(i), Tally: 1}
		b.Buf = fmt.Appendf(b.Buf, `{"create":{"_index":"logs-a-b","_id":"id%d"}}`+"\n", i)
		item.Doc = uint32(len(b.Buf))
		b.Buf = fmt.Appendf(b.Buf, `{"n":%d}`, i)
		item.Raw = uint32(len(b.Buf)) - item.Doc - 1
		b.Buf = append(b.Buf, '\n')
		b.Items = append(b.Items, item)
	}
	return b
}

// each answers every document with what status says of it.
func each(w http.ResponseWriter, docs []string, status func(doc string) string) {
	out, failed := make([]string, len(docs)), "false"
	for i, doc := range docs {
		out[i] = `{"create":{` + status(doc) + `}}`
		if !strings.Contains(out[i], `"status":20`) {
			failed = "true"
		}
	}
	fmt.Fprintf(w, `{"errors":%s,"took":1,"items":[%s]}`, failed, strings.Join(out, ","))
}

func allGood(w http.ResponseWriter, docs []string) {
	each(w, docs, func(string) string { return `"status":201` })
}

// hangUp ends the connection instead of an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// TestRetryTable holds the table in README.md: what is done for each answer, and how long that takes.
func TestRetryTable(t *testing.T) {
	first := func(status int, body string) func(http.ResponseWriter, int, []string) {
		return func(w http.ResponseWriter, n int, docs []string) {
			if n > 1 {
				allGood(w, docs)
				return
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	item := func(doc, answer string) func(http.ResponseWriter, int, []string) {
		return func(w http.ResponseWriter, n int, docs []string) {
			each(w, docs, func(d string) string {
				if d == doc && n == 1 {
					return answer
				}
				return `"status":201`
			})
		}
	}
	always := func(doc, answer string) func(http.ResponseWriter, int, []string) {
		return func(w http.ResponseWriter, _ int, docs []string) {
			each(w, docs, func(d string) string {
				if d == doc {
					return answer
				}
				return `"status":201`
			})
		}
	}
	refuse := func(status int) func(http.ResponseWriter, int, []string) {
		return func(w http.ResponseWriter, _ int, docs []string) {
			for _, d := range docs {
				if d == `{"n":3}` {
					w.WriteHeader(status)
					return
				}
			}
			allGood(w, docs)
		}
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, int, []string)
		want   Stats // delivered, duplicates, rejected, retries, failure store, requests
		tally  Tally
		alarm  string
		least  time.Duration // what it takes at least
	}{
		"stored":              {answer: func(w http.ResponseWriter, _ int, d []string) { allGood(w, d) }, want: Stats{Delivered: 8, Requests: 1}, tally: Tally{Stored: 8}},
		"502":                 {answer: first(502, "bad gateway"), want: Stats{Delivered: 8, Retries: 8, Requests: 2}, tally: Tally{Stored: 8}, alarm: "bulk request failed", least: deadPause},
		"503":                 {answer: first(503, ""), want: Stats{Delivered: 8, Retries: 8, Requests: 2}, tally: Tally{Stored: 8}, alarm: "bulk request failed", least: deadPause},
		"504":                 {answer: first(504, ""), want: Stats{Delivered: 8, Retries: 8, Requests: 2}, tally: Tally{Stored: 8}, alarm: "bulk request failed", least: deadPause},
		"500":                 {answer: first(500, ""), want: Stats{Delivered: 8, Retries: 8, Requests: 2}, tally: Tally{Stored: 8}, alarm: "bulk request failed"},
		"408":                 {answer: first(408, ""), want: Stats{Delivered: 8, Retries: 8, Requests: 2}, tally: Tally{Stored: 8}, alarm: "bulk request failed"},
		"429":                 {answer: first(429, ""), want: Stats{Delivered: 8, Retries: 8, Requests: 2}, tally: Tally{Stored: 8}},
		"401":                 {answer: first(401, ""), want: Stats{Delivered: 8, Retries: 8, Requests: 2}, tally: Tally{Stored: 8}, alarm: "bulk request refused, waiting for a repaired setup"},
		"403":                 {answer: first(403, ""), want: Stats{Delivered: 8, Retries: 8, Requests: 2}, tally: Tally{Stored: 8}, alarm: "bulk request refused, waiting for a repaired setup"},
		"404":                 {answer: first(404, ""), want: Stats{Delivered: 8, Retries: 8, Requests: 2}, tally: Tally{Stored: 8}, alarm: "bulk request refused, waiting for a repaired setup"},
		"no answer at all":    {answer: first(200, ""), want: Stats{Delivered: 8, Retries: 8, Requests: 2}, tally: Tally{Stored: 8}, alarm: "bulk answer unusable"},
		"an answer to others": {answer: first(200, `{"errors":false,"items":[{"create":{"status":201}}]}`), want: Stats{Delivered: 8, Retries: 8, Requests: 2}, tally: Tally{Stored: 8}, alarm: "bulk answer unusable"},
		"connection cut": {answer: func(w http.ResponseWriter, n int, d []string) {
			if n == 1 {
				hangUp(w)
				return
			}
			each(w, d, func(string) string { return `"status":409` })
		}, want: Stats{Duplicates: 8, Retries: 8, Requests: 2}, tally: Tally{Unclear: 8}, alarm: "bulk request without answer", least: deadPause},
		"413":                   {answer: refuse(413), want: Stats{Delivered: 7, Rejected: 1, Retries: 14, Requests: 7}, tally: Tally{Stored: 7}, alarm: "document rejected, see the dead-letter store"},
		"400":                   {answer: refuse(400), want: Stats{Delivered: 7, Rejected: 1, Retries: 14, Requests: 7}, tally: Tally{Stored: 7}, alarm: "document rejected, see the dead-letter store"},
		"item 200":              {answer: always(`{"n":3}`, `"status":200`), want: Stats{Delivered: 8, Requests: 1}, tally: Tally{Stored: 8}},
		"item 409":              {answer: always(`{"n":3}`, `"status":409,"error":{"type":"version_conflict_engine_exception"}`), want: Stats{Delivered: 7, Duplicates: 1, Requests: 1}, tally: Tally{Stored: 7}},
		"item 429":              {answer: item(`{"n":3}`, `"status":429,"error":{"type":"es_rejected_execution_exception"}`), want: Stats{Delivered: 8, Retries: 1, Requests: 2}, tally: Tally{Stored: 8}},
		"item 503":              {answer: item(`{"n":3}`, `"status":503,"error":{"type":"unavailable_shards_exception"}`), want: Stats{Delivered: 8, Retries: 1, Requests: 2}, tally: Tally{Stored: 8}},
		"item 500":              {answer: item(`{"n":3}`, `"status":500`), want: Stats{Delivered: 8, Retries: 1, Requests: 2}, tally: Tally{Stored: 8}},
		"item 400":              {answer: always(`{"n":3}`, `"status":400,"error":{"type":"document_parsing_exception"}`), want: Stats{Delivered: 7, Rejected: 1, Requests: 1}, tally: Tally{Stored: 7}, alarm: "document rejected, see the dead-letter store"},
		"item 404":              {answer: item(`{"n":3}`, `"status":404,"error":{"type":"index_not_found_exception"}`), want: Stats{Delivered: 8, Retries: 1, Requests: 2}, tally: Tally{Stored: 8}, alarm: "document refused, waiting for a repaired setup"},
		"item 403":              {answer: item(`{"n":3}`, `"status":403`), want: Stats{Delivered: 8, Retries: 1, Requests: 2}, tally: Tally{Stored: 8}, alarm: "document refused, waiting for a repaired setup"},
		"item to failure store": {answer: always(`{"n":3}`, `"status":201,"failure_store":"used"`), want: Stats{Delivered: 8, FailureStore: 1, Requests: 1}, tally: Tally{Stored: 7}, alarm: "document went to the failure store"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTarget(t, c.answer)
				var alarms []string
				client, stop := s.client(Config{Gzip: len(name) % 2, Alarm: func(what, _ string) { alarms = append(alarms, what) }})
				defer stop()
				b := docs(8)
				began := time.Now()
				if err := client.Deliver(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took < c.least || took > 2*time.Second {
					t.Errorf("took %v, at least %v was due", took, c.least)
				}
				got := client.Stats()
				got.Bytes, got.WireBytes = 0, 0
				if d := cmp.Diff(c.want, got); d != "" {
					t.Error(d)
				}
				if d := cmp.Diff(c.tally, b.Tallies[0]); d != "" {
					t.Error(d)
				}
				if c.alarm == "" && len(alarms) > 0 || c.alarm != "" && (len(alarms) == 0 || alarms[len(alarms)-1] != c.alarm) {
					t.Errorf("alarms %q, want %q", alarms, c.alarm)
				}
			})
		})
	}
}

func TestProbesOfADeadTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTarget(t, func(w http.ResponseWriter, _ int, docs []string) { allGood(w, docs) })
		s.down = true
		client, stop := s.client(Config{})
		defer stop()
		var wg sync.WaitGroup
		for range 2 { // as many as a shipper has senders
			wg.Go(func() {
				if err := client.Deliver(t.Context(), docs(5)); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(20*time.Second + 17*time.Millisecond)
		s.mu.Lock()
		s.down = false
		for i := range s.dials {
			if i >= 7 && s.dials[i].Sub(s.dials[i-5]) < time.Second {
				t.Errorf("probes %d to %d came within %v", i-5, i, s.dials[i].Sub(s.dials[i-5]))
			}
		}
		if n := len(s.dials); n < 70 {
			t.Errorf("only %d probes in 20 s", n)
		}
		s.mu.Unlock()
		back := time.Now()
		wg.Wait()
		if took := time.Since(back); took > 300*time.Millisecond {
			t.Errorf("found back after %v", took)
		}
		if got := client.Stats().Delivered; got != 10 {
			t.Errorf("delivered %d", got)
		}
	})
}

func TestOtherAddressIsTriedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTarget(t, func(w http.ResponseWriter, _ int, docs []string) { allGood(w, docs) })
		client, stop := s.client(Config{URLs: []string{"http://one", "http://two", "http://three"}})
		defer stop()
		client.base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if !strings.HasPrefix(addr, "three") {
				return nil, errors.New("connection refused")
			}
			return s.dial(ctx, network, addr)
		}
		began := time.Now()
		for range 3 {
			if err := client.Deliver(t.Context(), docs(5)); err != nil {
				t.Fatal(err)
			}
		}
		if st := client.Stats(); time.Since(began) != 0 || st.Failovers != 2 || st.Delivered != 15 {
			t.Errorf("after %v: %+v", time.Since(began), st)
		}
	})
}

func TestLoadHalvesBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTarget(t, func(w http.ResponseWriter, n int, docs []string) {
			if n <= 3 {
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			allGood(w, docs)
		})
		client, stop := s.client(Config{})
		defer stop()
		if err := client.Deliver(t.Context(), docs(40000)); err != nil { // about 2.3 MB
			t.Fatal(err)
		}
		if len(s.requests[3]) > len(s.requests[0])/4 {
			t.Errorf("%d documents, then %d", len(s.requests[0]), len(s.requests[3]))
		}
		if last := s.requests[len(s.requests)-2]; len(last) <= len(s.requests[3]) {
			t.Errorf("bodies do not grow again: %d documents", len(last))
		}
	})
}

func TestTooLargeDocumentIsShortened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 100 << 10
		s := newTarget(t, func(w http.ResponseWriter, _ int, docs []string) {
			total := 0
			for _, d := range docs {
				total += len(d)
			}
			if total > limit {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return
			}
			allGood(w, docs)
		})
		client, stop := s.client(Config{})
		defer stop()
		b := docs(1)
		b.Buf = append(b.Buf[:b.Items[0].Doc], `{"level":"info","tags":"a","message":"`+strings.Repeat("ä\\n", 200<<10)+`","id":7,"blob":[`+strings.Repeat("1,", 90<<10)+"1]}\n"...)
		if err := client.Deliver(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Level, Message string
			ID             int
			Blob           []int
			Tags           []string
		}
		last := s.requests[len(s.requests)-1][0]
		if err := json.Unmarshal([]byte(last), &doc); err != nil {
			t.Fatal(err)
		}
		if len(last) > limit || doc.Level != "info" || doc.ID != 7 || !strings.HasPrefix(doc.Message, "ä\nä\n") || cmp.Diff([]string{"a", "truncated"}, doc.Tags) != "" {
			t.Errorf("%d bytes, %+v", len(last), doc.Tags)
		}
		if st := client.Stats(); st.Shortened == 0 || st.Delivered != 1 || st.Rejected != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestDeadLettersThatCannotBeWrittenHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTarget(t, func(w http.ResponseWriter, _ int, docs []string) {
			each(w, docs, func(string) string { return `"status":400` })
		})
		var full atomic.Bool
		full.Store(true)
		kept := 0
		client, stop := s.client(Config{Reject: func(letters []DeadLetter) error {
			if full.Load() {
				return errors.New("no space left on device")
			}
			kept += len(letters)
			return nil
		}})
		defer stop()
		done := make(chan error, 1)
		go func() { done <- client.Deliver(t.Context(), docs(3)) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("final without a dead letter: %v", err)
		default:
		}
		full.Store(false)
		if err := <-done; err != nil || kept != 3 || len(s.requests) != 1 {
			t.Errorf("%d kept, %d requests, %v", kept, len(s.requests), err)
		}
	})
}

func TestMissingTemplateHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []string{
			`{}`, `{"index_templates":[{"index_template":{"index_patterns":["logs-x-*"],"data_stream":{}}},{"index_template":{"index_patterns":["logs-a-*"]}}]}`,
			`{"index_templates":[{"index_template":{"index_patterns":["x","logs-*-*"],"data_stream":{"hidden":false}}}]}`,
		}
		asked := 0
		s := newTarget(t, nil)
		s.answer = func(w http.ResponseWriter, _ int, docs []string) { allGood(w, docs) }
		bulk := s.server.Handler
		s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/_index_template" {
				bulk.ServeHTTP(w, r)
				return
			}
			w.Header().Set("X-Elastic-Product", "Elasticsearch")
			_, _ = io.WriteString(w, answers[min(asked, 2)])
			asked++
		})
		var alarms []string
		client, stop := s.client(Config{CheckTemplates: true, Alarm: func(what, detail string) { alarms = append(alarms, what+": "+detail) }})
		defer stop()
		for range 3 {
			if err := client.Deliver(t.Context(), docs(2)); err != nil {
				t.Fatal(err)
			}
		}
		if asked != 3 || len(alarms) != 2 || !strings.HasPrefix(alarms[0], "index template missing") || !strings.Contains(alarms[0], "logs-a-b") {
			t.Errorf("asked %d times, alarms %q", asked, alarms)
		}
	})
}

func TestServerWithoutFilterPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queries []string
		s := newTarget(t, func(w http.ResponseWriter, _ int, docs []string) { allGood(w, docs) })
		bulk := s.server.Handler
		s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			queries = append(queries, r.URL.Query().Get("filter_path"))
			if r.URL.RawQuery == "" {
				bulk.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"reason":"unrecognized parameter: [filter_path]"}}`)
		})
		client, stop := s.client(Config{})
		defer stop()
		for range 2 {
			if err := client.Deliver(t.Context(), docs(2)); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"took,errors,items.*.status,items.*.error,items.*.failure_store", "", ""}
		if d := cmp.Diff(want, queries); d != "" || client.Stats().Rejected != 0 {
			t.Error(d)
		}
	})
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"logs-*-*", "logs-a-b", true},
		{"logs-*", "logs", false},
		{"*", "x", true},
		{"a*b*c", "abc", true},
		{"a*b*c", "acb", false},
		{"a*a", "a", false},
		{"exact", "exact", true},
		{"exact", "exacts", false},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("%s, %s: %v", c.pattern, c.name, got)
		}
	}
}
