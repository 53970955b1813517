package charts

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// serviceValue is what values.yaml says of a service; a test beside the charts holds it equal to the table of services.
type serviceValue struct {
	Class string `json:"class"`
	HTTP  *bool  `json:"http"` // nil: true
}

// platformServices reads the services of values.yaml, the alerter among them.
func platformServices(t *testing.T) map[string]serviceValue {
	t.Helper()
	text, err := os.ReadFile("testdata/apps/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values struct {
		Services map[string]serviceValue `json:"services"`
	}
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	if len(values.Services) < 6 {
		t.Fatalf("found only %v in values.yaml", values.Services)
	}
	return values.Services
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
