// Package platform owns logship as a process of the platform: its settings come from the environment, as those of every other process,
// instead of logship.yaml, and its lines go where theirs go.
package platform

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	settings "kreislauf/internal/config"
	"kreislauf/internal/process"
	"kreislauf/logship"
	"kreislauf/logship/config"
)

// CountryFile is the name of the database of countries in the folder KREISLAUF_GEO_DIR.
const CountryFile = "geo-whois-asn-country.mmdb"

// Run ships until ctx ends.
func Run(ctx context.Context, lookup process.Lookup) error {
	p, err := process.Open(ctx, "logship", lookup, process.Needs{})
	if err != nil {
		return err
	}
	if err := add(p); err != nil {
		return errors.Join(err, p.Stop(ctx))
	}
	return p.Run(ctx)
}

// add gives the process a shipper.
func add(p *process.Process) error {
	c, err := configOf(p)
	if err != nil {
		return err
	}
	s, err := logship.New(logship.Options{Config: *c, PlatformVersion: p.Settings.PlatformVersion, Logger: p.Log})
	if err != nil {
		return err
	}
	p.Internal("GET /metrics/shipping", s.MetricsHandler())
	p.Internal("GET /status", s.StatusHandler())
	p.Background("shipper", s.Run)
	return nil
}

// configOf turns the environment variables of a process into the configuration that logship.yaml would hold.
func configOf(p *process.Process) (*config.Config, error) {
	c := config.Default()
	c.Env, c.Customer, c.Instance = p.Settings.Env, p.Settings.Customer, p.Settings.Instance
	c.StateDir = config.Path(p.Config.String("KREISLAUF_LOGSHIP_STATE_DIR", "logship-state"))
	if dir := p.Config.String("KREISLAUF_GEO_DIR", ""); dir != "" {
		c.Geo = config.Geo{CityDir: config.Path(dir), CountryFile: config.Path(filepath.Join(dir, CountryFile))}
	}
	if dir := p.Config.String("KREISLAUF_SHIP_DIR", p.Settings.LogDir); dir != "" {
		whole, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("find log folder: %w", err)
		}
		c.Inputs = config.Tree(whole)
	}
	if dir := p.Config.String("KREISLAUF_PODS_DIR", ""); dir != "" {
		c.Inputs = append(c.Inputs, config.Pods(dir))
	}
	es := settings.ReadElasticsearch(p.Config)
	target := config.DefaultTarget()
	target.URLs, target.Username, target.Password, target.APIKey = []string{es.URL}, es.Username, config.Secret(es.Password), config.Secret(es.APIKey)
	c.Targets = []config.Target{target}
	return c, nil
}
