package logship

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"kreislauf/logship/config"
)

func newOptions(t *testing.T) Options {
	c := config.Default()
	c.StateDir, c.Inputs = config.Path(t.TempDir()), config.Tree(t.TempDir())
	c.Targets = []config.Target{config.DefaultTarget()}
	c.Targets[0].URLs = []string{"http://127.0.0.1:9200"}
	return Options{Config: *c, Logger: zerolog.Nop()}
}

func TestOptionsAreChecked(t *testing.T) {
	good := newOptions(t)
	if err := good.check(); err != nil || good.Instance == "" {
		t.Errorf("%v, %+v", err, good)
	}
	for want, change := range map[string]func(*Options){
		"inputs is empty":          func(o *Options) { o.Inputs = nil },
		"state_dir is empty":       func(o *Options) { o.StateDir = "" },
		"targets is empty":         func(o *Options) { o.Targets = nil },
		"targets[0].urls is empty": func(o *Options) { o.Targets[0].URLs = nil },
		"targets[0].urls[0]":       func(o *Options) { o.Targets[0].URLs = []string{"127.0.0.1:9200"} },
		"targets[1].name":          func(o *Options) { o.Targets = append(o.Targets, o.Targets[0]) },
	} {
		bad := newOptions(t)
		change(&bad)
		if err := bad.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestMetrics(t *testing.T) {
	s, err := New(newOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	w := httptest.NewRecorder()
	s.MetricsHandler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		"# TYPE logship_delivered_total counter\nlogship_delivered_total{target=\"main\"} 0\n",
		"logship_behind_bytes{target=\"main\"} 0\n",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in %s", want, w.Body)
		}
	}
	files := []FileStatus{{Path: `/a"b\`, Behind: 7, OldestUnacked: 1.5}}
	text := string(metricsText(Status{Targets: []TargetStatus{{Name: "m", Files: files}}}))
	for _, want := range []string{
		`logship_file_behind_bytes{target="m",path="/a\"b\\"} 7`,
		`logship_file_oldest_unacked_seconds{target="m",path="/a\"b\\"} 1.5`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}
