package nginx

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func options() Options {
	return Options{
		Listen: "127.0.0.1:8080", Prefix: "/data/nginx/", AccessLog: "/data/logs/access.log", ErrorLog: "/data/logs/error.log", WebRoot: "/web/dist",
		User: "www-data", Workers: "2", Env: "local", Customer: "kreislauf", PlatformVersion: "dev", TrustedProxies: []string{"127.0.0.1", "10.0.0.0/8"},
		Upstreams: map[string][]string{
			"identity": {"127.0.0.1:18101", "127.0.0.1:18102"}, "order": {"127.0.0.1:18103"}, "pricing": {"127.0.0.1:18104", "127.0.0.1:18105"},
		},
	}
}

func TestRenderGolden(t *testing.T) {
	got, err := Render(options())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "nginx.conf")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("nginx.conf (-want +got); if it is meant, run with -update:\n%s", diff)
	}
}

func TestRenderRefusesSyntax(t *testing.T) {
	fields := map[string]func(*Options, string){
		"Listen": func(o *Options, v string) { o.Listen = v }, "Prefix": func(o *Options, v string) { o.Prefix = v },
		"AccessLog": func(o *Options, v string) { o.AccessLog = v }, "ErrorLog": func(o *Options, v string) { o.ErrorLog = v },
		"WebRoot": func(o *Options, v string) { o.WebRoot = v }, "User": func(o *Options, v string) { o.User = v },
		"Workers": func(o *Options, v string) { o.Workers = v }, "Env": func(o *Options, v string) { o.Env = v },
		"Customer": func(o *Options, v string) { o.Customer = v }, "PlatformVersion": func(o *Options, v string) { o.PlatformVersion = v },
		"TrustedProxies": func(o *Options, v string) { o.TrustedProxies = []string{v} },
		"upstream name":  func(o *Options, v string) { o.Upstreams[v] = []string{"127.0.0.1:1"} },
		"upstream":       func(o *Options, v string) { o.Upstreams["order"] = []string{"127.0.0.1:1", v} },
	}
	for name, set := range fields {
		for _, bad := range []string{"a b", "a;b", "a{b", "a}b", "a\"b", "a'b", "a$b", "a\\b", "a\nb", "a\rb", "a\tb", "a#b"} {
			o := options()
			set(&o, bad)
			if _, err := Render(o); err == nil || !strings.Contains(err.Error(), "syntax") {
				t.Errorf("%s = %q gives %v", name, bad, err)
			}
		}
	}
	if _, err := Render(Options{}); err == nil || !strings.Contains(err.Error(), "identity") {
		t.Errorf("without the upstream identity: %v", err)
	}
}

func TestPrepareNamesTheMistake(t *testing.T) {
	binary, o := real(t)
	o.Workers = "many"
	if _, err := Prepare(binary, o); err == nil || !strings.Contains(err.Error(), "worker_processes") {
		t.Errorf("a bad configuration gives %v", err)
	}
}
