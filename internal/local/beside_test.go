package local

import (
	"os"
	"path/filepath"
	"testing"

	"kreislauf/internal/config"
	"kreislauf/services"
	"kreislauf/test/embedded"
)

// TestSettingsBeside: with the settings of a running platform's data folder every service that keeps a projection can be opened once more.
func TestSettingsBeside(t *testing.T) {
	data := t.TempDir()
	if _, err := loadSecrets(data); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, MasterFile("KREISLAUF_COMPANY_FILE")), []byte(embedded.Company), 0o600); err != nil {
		t.Fatal(err)
	}
	r := Running{Env: "local", Customer: "kreislauf", Version: "v1", MongoDB: "mongodb://127.0.0.1:1", Kafka: []string{"127.0.0.1:1"}, Redis: "127.0.0.1:1"}
	for _, p := range services.Projections() {
		s, known := services.Named(p.Service)
		if !known {
			t.Fatalf("there is no service %s", p.Service)
		}
		m, err := SettingsBeside(data, r, s, p.Service+"-rebuild")
		if err != nil {
			t.Fatal(err)
		}
		instance, err := s.Open(t.Context(), config.FromMap(m))
		if err != nil {
			t.Errorf("%s: %v", p.Service, err)
			continue
		}
		if err := instance.Config.Err(); err != nil {
			t.Errorf("%s: %v", p.Service, err)
		}
		if err := instance.Stop(t.Context()); err != nil {
			t.Errorf("%s: %v", p.Service, err)
		}
	}
}
