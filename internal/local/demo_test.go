package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDemoLinks(t *testing.T) {
	data := t.TempDir()
	if _, err := loadSecrets(data); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "partners.json"), demoPartners, 0o600); err != nil {
		t.Fatal(err)
	}
	for env, want := range map[string]int{"local": 6, "test": 0, "production": 0} {
		var out strings.Builder
		if err := WriteDemo(&out, data, env, "http://127.0.0.1:8080"); err != nil || strings.Count(out.String(), "http://127.0.0.1:8080/demo#d1.") != want {
			t.Errorf("%s: %v\n%s", env, err, out.String())
		}
	}
}
