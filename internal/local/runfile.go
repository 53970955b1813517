package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kreislauf/internal/local/supervise"
)

// Running is run.json: where the platform of a data folder can be found.
type Running struct {
	PID        int                `json:"pid"` // of `kreislauf up`
	Started    time.Time          `json:"started"`
	Version    string             `json:"platform_version"`
	Env        string             `json:"env"`
	Customer   string             `json:"customer"`
	Profile    string             `json:"profile"` // "embedded" or "real": who serves Kafka and Elasticsearch, unless their address was given
	Entry      string             `json:"entry"`   // http://host:port
	Elastic    string             `json:"elasticsearch"`
	MongoDB    string             `json:"mongodb"`
	Kafka      []string           `json:"kafka"`
	Redis      string             `json:"redis"`
	Logship    string             `json:"logship"` // host:port of its /status and /metrics/shipping
	Mailbox    string             `json:"mailbox"` // folder of the mails; empty when the address of a mail server was given
	Components []supervise.Status `json:"components"`
}

// ErrNotRunning says that no platform runs with a data folder.
var ErrNotRunning = errors.New("no platform runs")

// FindRunning reads run.json of the platform that should be running. Without one the error is ErrNotRunning.
func FindRunning(data string) (Running, error) {
	var r Running
	err := readJSON(filepath.Join(data, "run.json"), &r)
	if errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("%w with the data folder %s; start it with `kreislauf up`, or name its folder with -data or KREISLAUF_DATA", ErrNotRunning, data)
	}
	return r, err
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// writeJSON replaces a file in one step, readable by its owner only.
func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
