package local

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"kreislauf/internal/blob"
	"kreislauf/internal/clock"
	"kreislauf/services"
)

// SettingsBeside are the settings of one more process of a service beside the running platform of a data folder, for a command that does a
// service's work with the service's own code. It sends no mail. Backends whose address was given to the platform must be named in the
// environment again, with their passwords: run.json has none.
func SettingsBeside(data string, r Running, s services.Service, instance string) (map[string]string, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", data, err)
	}
	known, err := readSecrets(filepath.Join(data, "secrets.json"))
	if err != nil {
		return nil, err
	}
	uri, err := DatabaseURI(data, r, s.Name)
	if err != nil {
		return nil, err
	}
	m := map[string]string{
		"KREISLAUF_ENV": r.Env, "KREISLAUF_CUSTOMER": r.Customer, "KREISLAUF_INSTANCE": instance, "KREISLAUF_PLATFORM_VERSION": r.Version,
		"KREISLAUF_LOG_DIR": filepath.Join(data, "logs"), "KREISLAUF_MONGODB_URI": uri, "KREISLAUF_KAFKA_BROKERS": strings.Join(r.Kafka, ","),
		"KREISLAUF_REDIS_ADDR": r.Redis, "KREISLAUF_REDIS_PASSWORD": known.RedisPassword,
		"KREISLAUF_SMTP_ADDR": "127.0.0.1:25", "KREISLAUF_SMTP_TLS": "none",
		blob.Setting: "file://" + filepath.ToSlash(filepath.Join(data, "blobs", s.Name)),
	}
	if r.Env == "local" || r.Env == "test" {
		m[clock.Setting] = filepath.Join(data, "clock")
	}
	if given := os.Getenv("KREISLAUF_REDIS_PASSWORD"); given != "" {
		m["KREISLAUF_REDIS_PASSWORD"] = given
	}
	for _, variable := range s.Secrets {
		m[variable] = known.Keys[variable]
	}
	for _, variable := range s.Files {
		m[variable] = filepath.Join(data, MasterFile(variable))
	}
	return m, nil
}
