package logship_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/elk/connect"
	"kreislauf/elk/provision"
	"kreislauf/internal/backend/engine"
)

// TestAgainstTheEngine ships into the embedded Elasticsearch: nothing goes out before the templates are there, then
// everything does, is counted on both sides, and is reported.
func TestAgainstTheEngine(t *testing.T) {
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
	b := newBench(t)
	target := &b.opt.Targets[0]
	target.URLs, target.Gzip = []string{es.URL}, 1
	target.CheckTemplates, target.Reconcile, target.ReportInterval = true, 200*time.Millisecond, 100*time.Millisecond
	log := &noise{}
	b.opt.Logger = zerolog.New(log)
	b.write(b.file, 0, 1)
	s, _ := b.run()
	b.until("the alarm about the templates", func() bool { return log.has("index template missing, waiting for a repaired setup") })
	if st := s.Status(); st.Delivered != 0 {
		t.Errorf("%d documents went out without a template", st.Delivered)
	}
	client, err := connect.New(connect.Options{URL: es.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provision.Run(t.Context(), client, provision.Options{Logger: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	b.until("the first line after the repair", func() bool { return s.Status().Delivered == 1 })
	b.until("the first span is over", func() bool { return time.Since(s.Shipper.Status().Started) > 250*time.Millisecond })
	b.write(b.file, 1, 2000)
	b.until("everything compared", func() bool {
		r := s.Status().Reconciliation
		return s.Status().Delivered == 2000 && r.Open == 0 && r.Matched >= 1999
	})
	if r := s.Status().Reconciliation; r.Missing != 0 || r.Surplus != 0 {
		t.Errorf("%+v", r)
	}
	b.until("a report", func() bool {
		res, err := http.Post(es.URL+"/metrics-kreislauf.logship-test/_search", "application/json",
			strings.NewReader(`{"query":{"range":{"logship.delivered_total":{"gte":2000}}},"size":1}`))
		if err != nil {
			return false
		}
		defer res.Body.Close()
		var found struct {
			Hits struct {
				Hits []struct {
					Source map[string]any `json:"_source"`
				}
			}
		}
		return json.NewDecoder(res.Body).Decode(&found) == nil && len(found.Hits.Hits) == 1 &&
			found.Hits.Hits[0].Source["agent.name"] == "logship-1"
	})
}
