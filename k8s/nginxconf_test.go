package k8s_test

import (
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kreislauf/nginx"
	"kreislauf/services"
)

var update = flag.Bool("update", false, "write the files of the charts instead of comparing them")

// nginxConf is the configuration of the entry in a cluster. The chart replaces the three placeholders by its values.
// A Service is listed three times so that nginx can try another connection, which reaches another pod.
func nginxConf() ([]byte, error) {
	o := nginx.Options{
		Listen: "0.0.0.0:8080", Prefix: "/nginx/", AccessLog: "/dev/stdout", ErrorLog: "/dev/stderr", WebRoot: "/web", Workers: "2",
		Env: "@env@", Customer: "@customer@", PlatformVersion: "@version@", TrustedProxies: []string{"127.0.0.0/8", "::1"},
		Upstreams: map[string][]string{},
	}
	for _, s := range services.All() {
		if s.HTTP {
			o.Upstreams[s.Name] = slices.Repeat([]string{s.Name + ":8080"}, 3)
		}
	}
	return nginx.Render(o)
}

func TestNginxConf(t *testing.T) {
	want, err := nginxConf()
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "apps/files/nginx.conf", want)
}

func TestMasterData(t *testing.T) {
	for _, name := range []string{"partners.json", "company.json"} {
		want, err := os.ReadFile("../internal/local/" + name)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, "apps/files/"+name, want)
	}
}

// compare compares a file of a chart with what it must hold, or writes it with -update.
func compare(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what its source gives; run: go test ./k8s -update (-want +got)\n%s", path, diff)
	}
}
