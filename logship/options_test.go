package logship

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
)

func TestSourceOf(t *testing.T) {
	opt := Options{LogDir: "/logs", Pods: "/var/log/pods", Env: "prod"}
	for _, c := range []struct {
		path string
		want enrich.Source
		ok   bool
	}{
		{"/logs/local/acme/order/order-2.log", enrich.Source{Env: "local", Customer: "acme", Service: "order"}, true},
		{"/logs/local/acme/nginx/access.log", enrich.Source{Kind: enrich.NginxAccess, Env: "local", Customer: "acme", Service: "nginx"}, true},
		{"/logs/local/acme/nginx/error.log", enrich.Source{Kind: enrich.NginxError, Env: "local", Customer: "acme", Service: "nginx"}, true},
		{"/var/log/pods/shop_order-7d9f_0b1c/order/0.log", enrich.Source{Kind: enrich.Container, Env: "prod", Namespace: "shop", Pod: "order-7d9f", Container: "order"}, true},
		{"/logs/local/acme/order/order-2.log.1", enrich.Source{}, false},
		{"/logs/local/acme/order.log", enrich.Source{}, false},
		{"/logs/local/acme/order/old/order.log", enrich.Source{}, false},
		{"/elsewhere/a/b/c/d.log", enrich.Source{}, false},
		{"/var/log/pods/odd/order/0.log", enrich.Source{}, false},
	} {
		got, ok := opt.sourceOf(c.path)
		if ok != c.ok {
			t.Errorf("%s: ok %v", c.path, ok)
		}
		if d := cmp.Diff(c.want, got); ok && d != "" {
			t.Errorf("%s: %s", c.path, d)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{LogDir: "/logs", StateDir: "/state", Targets: []config.Target{{URLs: []string{"http://127.0.0.1:9200"}}}}
	want := withURL(config.DefaultTarget())
	want.CheckTemplates, want.Reconcile, want.ReportInterval = false, 0, 0 // off when left out
	if err := good.check(); err != nil || good.PollInterval == 0 || cmp.Diff(good.Targets[0], want) != "" || good.Instance == "" {
		t.Errorf("%v, %+v", err, good)
	}
	for name, change := range map[string]func(*Options){
		"LogDir":     func(o *Options) { o.LogDir = "" },
		"StateDir":   func(o *Options) { o.StateDir = "" },
		"Targets":    func(o *Options) { o.Targets = nil },
		"URLs":       func(o *Options) { o.Targets = []config.Target{{URLs: []string{"127.0.0.1:9200"}}} },
		"BatchBytes": func(o *Options) { o.Targets = []config.Target{{URLs: []string{"http://x"}, BatchBytes: -1}} },
		"name": func(o *Options) {
			o.Targets = []config.Target{withURL(config.DefaultTarget()), withURL(config.DefaultTarget())}
		},
	} {
		bad := good
		change(&bad)
		if err := bad.check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func withURL(t config.Target) config.Target {
	t.URLs = []string{"http://127.0.0.1:9200"}
	return t
}

func TestAlarmsDoNotFeedThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		a := newAlarms(zerolog.New(&out))
		for range 1000 {
			a.raise("one", "x")
			a.raise("two", "y")
		}
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != 2 {
			t.Errorf("%d lines", n)
		}
		out.Reset()
		time.Sleep(alarmInterval)
		a.raise("one", "z")
		if got := out.String(); !strings.Contains(got, `"repeated":999`) || !strings.Contains(got, `"error.message":"z"`) {
			t.Error(got)
		}
	})
}

func TestJoinerKeepsStreamsApart(t *testing.T) {
	const at = "2025-11-22T18:23:30Z "
	var j joiner
	var got []string
	var safe []int64
	offset := int64(0)
	for _, l := range []string{"stdout P a", "stderr P x", "stdout P b", "stderr F y", "stdout F c", "stdout F whole", "stderr P open"} {
		in, ok := j.add([]byte(at+l), offset, false)
		if ok {
			got = append(got, string(in.Line))
		}
		offset += 100
		safe = append(safe, j.safe(offset))
	}
	if d := cmp.Diff([]string{"xy", "abc", "whole"}, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int64{0, 0, 0, 0, 500, 600, 600}, safe); d != "" {
		t.Error(d)
	}
	if in, ok := j.rest(); !ok || string(in.Line) != "open" || in.Offset != 600 {
		t.Errorf("rest %+v, %v", in, ok)
	}
	if _, ok := j.rest(); ok || j.safe(700) != 700 {
		t.Error("something is open after all")
	}
}

func TestMetrics(t *testing.T) {
	s, err := New(Options{LogDir: t.TempDir(), StateDir: t.TempDir(), Targets: []config.Target{withURL(config.DefaultTarget())}, Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	w := httptest.NewRecorder()
	s.MetricsHandler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{"# TYPE logship_delivered_total counter\nlogship_delivered_total{target=\"main\"} 0\n", "logship_behind_bytes{target=\"main\"} 0\n"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in %s", want, w.Body)
		}
	}
	text := string(metricsText(Status{Targets: []TargetStatus{{Name: "m", Files: []FileStatus{{Path: `/a"b\`, Behind: 7, OldestUnacked: 1.5}}}}}))
	for _, want := range []string{`logship_file_behind_bytes{target="m",path="/a\"b\\"} 7`, `logship_file_oldest_unacked_seconds{target="m",path="/a\"b\\"} 1.5`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}
