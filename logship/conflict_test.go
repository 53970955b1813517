package logship_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"kreislauf/elk/connect"
	"kreislauf/elk/provision"
	"kreislauf/internal/backend/engine"
	"kreislauf/logship"
	"kreislauf/logship/bulk"
)

// provisioned returns the address of an embedded Elasticsearch with the platform's templates.
func provisioned(t *testing.T) string {
	t.Helper()
	server, err := engine.New(engine.Options{Dir: t.TempDir(), Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	es := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		es.Close()
		if err := server.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	client, err := connect.New(connect.Options{URL: es.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provision.Run(t.Context(), client, provision.Options{Logger: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	return es.URL
}

func post(t *testing.T, url, kind, body string) string {
	t.Helper()
	res, err := http.Post(url, kind, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// found returns the documents in which a field matches a text.
func found(t *testing.T, es, field, text string) []map[string]any {
	t.Helper()
	var answer struct {
		Hits struct {
			Hits []struct {
				Source map[string]any `json:"_source"`
			}
		}
	}
	raw := post(t, es+"/logs-*/_search", "application/json", fmt.Sprintf(`{"query":{"match":{%q:%q}}}`, field, text))
	if err := json.Unmarshal([]byte(raw), &answer); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	var out []map[string]any
	for _, h := range answer.Hits.Hits {
		out = append(out, h.Source)
	}
	return out
}

// foreign are lines that the templates refuse as they are, with a field and a text by which each must be found.
var foreign = []struct{ line, field, text string }{
	{`{"level":"error","error":"EOF","message":"query failed"}`, "error.message", "EOF"},
	{`{"message":{"text":"an object as message"},"user":{"name":{"first":"Ann"}}}`, "message", "object"},
	{`{"http":{"request":"GET /here"},"message":"m"}`, "labels.http_request", "GET /here"},
	{`{"service":{"name":"shop"},"message":"in ECS"}`, "service_name", "shop"},
	{`{"event.duration":"12ms","message":"m"}`, "labels.event_duration", "12ms"},
	{`{"@timestamp":"24.12.2025","message":"m"}`, "event.original_time", "24.12.2025"},
	{`{"attributes":"none","url":"/a","message":"m"}`, "url.original", "/a"},
	{`{"message.id":"17","message":"m"}`, "labels.message_id", "17"},
}

// TestForeignLinesAreFound ships lines that the templates would refuse.
func TestForeignLinesAreFound(t *testing.T) {
	es := provisioned(t)
	b := newBench(t)
	b.opt.Targets[0].URLs = []string{es}
	for _, f := range foreign {
		b.appendText(b.file, f.line+"\n")
	}
	s, _ := b.run()
	b.until("all lines", func() bool { st := s.Status(); return st.Delivered+st.Rejected == int64(len(foreign)) })
	if n := s.Status().Rejected; n != 0 {
		t.Errorf("%d lines are refused", n)
	}
	for _, f := range foreign {
		b.until(f.line, func() bool { return len(found(t, es, f.field, f.text)) == 1 })
	}
}

// TestReplayMends has dead letters of a version that did not mend: the target refuses each as it is, and the replay delivers it.
func TestReplayMends(t *testing.T) {
	es := provisioned(t)
	b := newBench(t)
	b.opt.Targets[0].URLs = []string{es}
	dead := bulk.NewDeadLetters(filepath.Dir(b.state("x")), 1<<20)
	s, stop := b.run() // makes the folder
	_ = s
	stop()
	const added = `"service_name":"order","env":"test","data_stream.type":"logs","data_stream.dataset":"kreislauf.order","data_stream.namespace":"test"}`
	refused := time.Date(2025, 11, 22, 18, 23, 30, 0, time.UTC)
	var letters []bulk.DeadLetter
	for i, f := range foreign {
		letter := bulk.DeadLetter{
			Time: refused, Reason: "document_parsing_exception", File: b.file, Offset: int64(i), Index: "logs-kreislauf.order-test", ID: fmt.Sprintf("id-%d", i),
			Line: f.line, Added: "," + added,
		}
		if !strings.Contains(f.line, "@timestamp") {
			letter.Added = `,"@timestamp":"2025-11-22T18:23:30.000Z",` + added
		}
		document := f.line[:len(f.line)-1] + letter.Added
		answer := post(t, es+"/_bulk", "application/x-ndjson", `{"create":{"_index":"logs-kreislauf.order-test","_id":"`+letter.ID+`"}}`+"\n"+document+"\n")
		if !strings.Contains(answer, `"errors":true`) {
			t.Errorf("%s is not refused as it is, so the test shows nothing: %s", document, answer)
		}
		letters = append(letters, letter)
	}
	if err := dead.Write(letters); err != nil {
		t.Fatal(err)
	}
	report, err := logship.Replay(t.Context(), &b.opt.Config, b.opt.Targets[0].Name, false, func(what, detail string) { t.Log(what, detail) })
	if err != nil {
		t.Fatal(err)
	}
	n := int64(len(foreign))
	if d := cmp.Diff(bulk.Replay{Read: n, Delivered: n, Reasons: map[string]int64{}}, report); d != "" {
		t.Error(d)
	}
	for _, f := range foreign {
		if f.field == "service_name" { // the older version had put one there
			f.field = "labels.service_name"
		}
		b.until(f.line, func() bool { return len(found(t, es, f.field, f.text)) == 1 })
		for _, doc := range found(t, es, f.field, f.text) {
			if doc["@timestamp"] != "2025-11-22T18:23:30.000Z" {
				t.Errorf("%s has the time %v", f.line, doc["@timestamp"])
			}
		}
	}
}
