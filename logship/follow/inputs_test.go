package follow

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
)

func TestSourceOf(t *testing.T) {
	c := &config.Config{Env: "prod", Customer: "kreislauf", Inputs: append(config.Tree("/logs"),
		config.Pods("/var/log/pods"),
		config.Input{
			Type: config.Container, Paths: []config.Glob{"/var/log/containers/*.log", "/var/lib/docker/containers/*/*-json.log"},
		},
		config.Input{
			Type: config.Text, Paths: []config.Glob{"/opt/**/log/*.{log,txt}"}, Exclude: []config.Glob{"/opt/**/debug.log"},
			Dataset: "app.text",
			Fields:  map[string]string{"env": "staging", "service_name": "app", "labels.zone": "a"},
			Folders: config.Folders{"env", ""}, Multiline: &config.Multiline{},
		},
		config.Input{Type: config.NginxCombined, Paths: []config.Glob{"/var/log/nginx/access.log"}},
	)}
	in := newInputs(c)
	tree := func(kind enrich.Kind, service string) enrich.Source {
		return enrich.Source{Kind: kind, Env: "local", Customer: "acme", Service: service}
	}
	app := enrich.Source{
		Kind: enrich.Text, Dataset: "app.text", Env: "x", Customer: "kreislauf", Service: "app",
		Labels: map[string]string{"zone": "a"},
	}
	container := enrich.Source{
		Kind: enrich.Container, Env: "prod", Customer: "kreislauf", Namespace: "shop", Pod: "order-7d9f", PodUID: "0b1c",
		Container: "order", Restarts: "3",
	}
	byName, docker := container, enrich.Source{Kind: enrich.Container, Env: "prod", Customer: "kreislauf", ContainerID: "ab12"}
	byName.PodUID, byName.Restarts, byName.ContainerID = "", "", "ab12"
	for _, c := range []struct {
		path string
		want enrich.Source
		ok   bool
	}{
		{"/logs/local/acme/order/order-2.log", tree(enrich.Service, "order"), true},
		{"/logs/local/acme/nginx/access.log", tree(enrich.NginxAccess, "nginx"), true},
		{"/logs/local/acme/nginx/error.log", tree(enrich.NginxError, "nginx"), true},
		{"/logs/local/acme/order/order-2.log.1", enrich.Source{}, false},
		{"/logs/local/acme/order.log", enrich.Source{}, false},
		{"/logs/local/acme/order/old/order.log", enrich.Source{}, false},
		{"/elsewhere/a/b/c/d.log", enrich.Source{}, false},
		{"/var/log/pods/shop_order-7d9f_0b1c/order/3.log", container, true},
		{"/var/log/pods/shop_order-7d9f_0b1c/order/3.log.20251122-182330", enrich.Source{}, false},
		{"/var/log/pods/odd/order/0.log", enrich.Source{Kind: enrich.Container, Env: "prod", Customer: "kreislauf"}, true},
		{"/var/log/containers/order-7d9f_shop_order-ab12.log", byName, true},
		{"/var/lib/docker/containers/ab12/ab12-json.log", docker, true},
		{"/opt/x/log/a.log", func() enrich.Source { s := app; s.Env = "x"; return s }(), true},
		{"/opt/a/b/x/log/a.txt", app, true},
		{"/opt/log/a.log", func() enrich.Source { s := app; s.Env = "opt"; return s }(), true},
		{"/opt/x/log/debug.log", enrich.Source{}, false},
		{"/opt/x/log/a.gz", enrich.Source{}, false},
		{"/var/log/nginx/access.log", enrich.Source{Kind: enrich.NginxCombined, Env: "prod", Customer: "kreislauf", Service: "nginx"}, true},
	} {
		got, ok := in.sourceOf(c.path)
		if ok != c.ok || (got.multiline != nil) != (got.Kind == enrich.Text) {
			t.Errorf("%s: %v, %+v", c.path, ok, got)
		}
		if d := cmp.Diff(c.want, got.Source); ok && d != "" {
			t.Errorf("%s: %s", c.path, d)
		}
	}
}

// TestWalk: exactly the folders are looked into that can hold inputs.
func TestWalk(t *testing.T) {
	for _, c := range []struct {
		globs []string
		root  string
		yes   []string // folders below the root that are looked into
		no    []string
		files []string // folders whose files are looked at
	}{
		{
			[]string{"/logs/*/*/*/*.log", "/logs/*/*/nginx/access.log"},
			"/logs/",
			[]string{"a", "a/b", "a/b/nginx"},
			[]string{"a/b/c/d", "a/b/nginx/x"},
			[]string{"a/b/c", "a/b/nginx"},
		},
		{[]string{"/opt/**/log/*.log"}, "/opt/", []string{"log", "a", "a/b/c", "a/log", "a/log/b"}, nil, []string{"log", "a/log", "a/b/log"}},
		{[]string{"/opt/app-[ab]/*.log"}, "/opt/", []string{"app-a"}, []string{"app-c", "app-a/x"}, []string{"app-a"}},
		{[]string{"/var/log/app.log"}, "/var/log/", nil, []string{"app.log", "x"}, nil},
		{[]string{"/var/**"}, "/var/", []string{"a", "a/b"}, nil, []string{"a", "a/b"}},
	} {
		cfg := &config.Config{}
		for _, g := range c.globs {
			cfg.Inputs = append(cfg.Inputs, config.Input{Paths: []config.Glob{config.Glob(g)}})
		}
		in := newInputs(cfg)
		if len(in.roots) != 1 || in.roots[0].dir != c.root {
			t.Errorf("%v: roots %+v", c.globs, in.roots)
			continue
		}
		enters := func(path string) (below [][]string) {
			var patterns [][]string
			for _, p := range in.roots[0].patterns {
				patterns = append(patterns, anyDepth(p)...)
			}
			for name := range strings.SplitSeq(path, "/") {
				patterns = inFolder(patterns, name)
			}
			return patterns
		}
		for _, path := range c.yes {
			if len(enters(path)) == 0 {
				t.Errorf("%v: %s is left out", c.globs, path)
			}
		}
		for _, path := range c.no {
			if len(enters(path)) > 0 {
				t.Errorf("%v: %s is looked into", c.globs, path)
			}
		}
		for _, path := range c.files {
			if !slices.ContainsFunc(enters(path), func(p []string) bool { return len(p) == 1 }) {
				t.Errorf("%v: the files of %s are not looked at", c.globs, path)
			}
		}
	}
}
