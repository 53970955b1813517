package charts

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// serviceValue is what the charts know of a service; a test beside them holds it equal to the table of services.
type serviceValue struct {
	Class   string `json:"class"`
	HTTP    *bool  `json:"http"` // nil: true
	Version string `json:"version"`
}

// servicesFile is files/services.yaml of a chart.
type servicesFile struct {
	Platform string                  `json:"platform"`
	Services map[string]serviceValue `json:"services"`
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// serviceTable reads the services of the platform and the versions of the sources.
func serviceTable(t *testing.T) servicesFile {
	t.Helper()
	var f servicesFile
	readYAML(t, "testdata/apps/files/services.yaml", &f)
	if len(f.Platform) != 12 || len(f.Services) < 5 {
		t.Fatalf("services %+v", f)
	}
	return f
}

// platformServices are the services of the platform and those of values.yaml, the alerter.
func platformServices(t *testing.T) map[string]serviceValue {
	t.Helper()
	all := serviceTable(t).Services
	var values servicesFile
	readYAML(t, "testdata/apps/values.yaml", &values)
	for name, s := range values.Services {
		row := all[name] // of a service of the platform, which the values change
		s.Class = cmp.Or(s.Class, row.Class)
		s.HTTP = cmp.Or(s.HTTP, row.HTTP)
		all[name] = s
	}
	if _, ok := all["alerter"]; !ok {
		t.Fatalf("found only %v", all)
	}
	return all
}

// goSources is the text of all Go sources that read settings.
func goSources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, root := range []string{"testdata/cmd/", "testdata/elk/", "testdata/internal/", "testdata/logship/", "testdata/services/"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}
