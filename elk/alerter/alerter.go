// Package alerter owns the process that watches: it evaluates the KPI rules, sends their alerts, and keeps the lifecycle of the data
// streams where the server has none.
//
// Not guaranteed: that only one runs. Both tasks want exactly one process; two send every alert twice.
package alerter

import (
	"context"
	"errors"
	"time"

	"kreislauf/elk"
	"kreislauf/elk/alert"
	"kreislauf/elk/connect"
	"kreislauf/elk/kpi"
	"kreislauf/elk/lifecycle"
	"kreislauf/internal/config"
	"kreislauf/internal/process"
)

// Run watches until ctx ends.
func Run(ctx context.Context, lookup process.Lookup) error {
	p, err := process.Open(ctx, "alerter", lookup, process.Needs{})
	if err != nil {
		return err
	}
	if err := add(p, lookup); err != nil {
		return errors.Join(err, p.Stop(ctx))
	}
	return p.Run(ctx)
}

// add reads rules and policy and gives the process its work.
func add(p *process.Process, lookup process.Lookup) error {
	client, err := connect.New(connect.Options(config.ReadElasticsearch(p.Config)))
	if err != nil {
		return err
	}
	rules, err := kpi.Load(elk.Files())
	if err != nil {
		return err
	}
	policy, err := lifecycle.Load(elk.Files(), "logs")
	if err != nil {
		return err
	}
	var every time.Duration
	if _, set := lookup("KREISLAUF_ALERT_INTERVAL"); set {
		every = p.Config.Duration("KREISLAUF_ALERT_INTERVAL", time.Minute)
	}
	a, err := alert.New(alert.Options{
		Client: client, Rules: rules, Env: p.Settings.Env, Customer: p.Settings.Customer, Version: p.Settings.PlatformVersion,
		WebhookURL: p.Config.OptionalURL("KREISLAUF_ALERT_WEBHOOK_URL", "http", "https"), Interval: every,
		Reports: p.Config.String("KREISLAUF_ALERT_REPORTS", "metrics-kreislauf.logship-*"), Logger: p.Log,
	})
	if err != nil {
		return err
	}
	p.Background("alerter", a.Run)
	p.Background("lifecycle", func(ctx context.Context) error { return lifecycle.Run(ctx, client, policy, p.Log) })
	return nil
}
