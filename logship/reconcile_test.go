package logship_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// noise is a log that several goroutines write to.
type noise struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (n *noise) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.out.Write(p)
}

func (n *noise) has(text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Contains(n.out.String(), text)
}

// TestLostAfterAcknowledgementIsFoundOut has a target that says 201 and stores nothing, for some documents.
func TestLostAfterAcknowledgementIsFoundOut(t *testing.T) {
	b := newBench(t)
	b.opt.Targets[0].Reconcile = 100 * time.Millisecond
	log := &noise{}
	b.opt.Logger = zerolog.New(log)
	b.lose = func(doc map[string]any) bool { return doc["seq"] == float64(1234) || doc["seq"] == float64(2345) }
	s, _ := b.run()
	b.until("the first span is over", func() bool {
		b.write(b.file, 0, 0)
		return time.Since(s.Shipper.Status().Started) > 120*time.Millisecond
	})
	b.write(b.file, 0, 3000)
	b.wait(2998)
	b.until("the loss is noticed", func() bool {
		r := s.Status().Reconciliation
		return r.Missing == 2 && r.Open == 0
	})
	r := s.Status().Reconciliation
	if r.Matched != 2998 || r.Surplus != 0 || r.Errors != 0 || len(r.Differences) == 0 ||
		r.Differences[0].Stream != "logs-kreislauf.order-test" {
		t.Errorf("%+v", r)
	}
	if !log.has("WRITTEN AND INDEXED DOCUMENTS DIFFER") {
		t.Error("no alarm")
	}
}

// TestReconciliationOfAHardLife has answers that get lost, restarts, and lines that are not counted.
func TestReconciliationOfAHardLife(t *testing.T) {
	b := newBench(t)
	b.opt.Targets[0].Reconcile = 100 * time.Millisecond
	b.cut = func(n int) bool { return n%5 == 0 }
	_, stop := b.run()
	b.write(b.file, 0, 500)
	b.wait(500)
	stop()
	b.appendText(b.file, `{"service_name":"order","seq":500,"event.created":"2020-01-01T00:00:00.000Z"}`+"\n"+
		`{"service_name":"order","seq":501,"agent":{"name":"other"}}`+"\n")
	s, _ := b.run()
	b.until("the first span is over", func() bool { return time.Since(s.Shipper.Status().Started) > 120*time.Millisecond })
	b.write(b.file, 502, 2000)
	b.wait(2000)
	b.until("all compared", func() bool {
		r := s.Status().Reconciliation
		return r.Open == 0 && r.Matched >= 1000 && s.Status().Behind == 0
	})
	if r := s.Status().Reconciliation; r.Missing != 0 || r.Surplus != 0 {
		t.Errorf("%+v", r)
	}
}

// TestReports holds the documents about the shipper itself.
func TestReports(t *testing.T) {
	b := newBench(t)
	b.opt.Targets[0].ReportInterval = 50 * time.Millisecond
	b.item = func(index, _ string, _ map[string]any, again bool) int {
		if strings.HasPrefix(index, "logs-") && !again {
			return http.StatusTooManyRequests
		}
		return 0
	}
	b.write(b.file, 0, 10)
	b.run()
	b.wait(10)
	var last map[string]any
	b.until("a report about everything", func() bool {
		for _, d := range b.all("metrics-kreislauf.logship-test") {
			if d.fields["logship.delivered_total"] == float64(10) && d.fields["logship.behind_bytes"] == float64(0) {
				last = d.fields
			}
		}
		return last != nil
	})
	want := map[string]any{
		"agent.name": "logship-1", "logship.target": "main", "service_name": "logship", "data_stream.type": "metrics",
		"logship.files": float64(1), "logship.behind_bytes": float64(0), "logship.retries_total": float64(10),
	}
	for key, value := range want {
		if last[key] != value {
			text, _ := json.Marshal(last)
			t.Errorf("%s is not %v in %s", key, value, text)
		}
	}
}
