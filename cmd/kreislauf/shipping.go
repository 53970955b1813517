package main

import (
	"context"
	"os"
	"time"

	"kreislauf/elk"
	"kreislauf/elk/alert"
	"kreislauf/elk/connect"
	"kreislauf/elk/kpi"
	"kreislauf/elk/lifecycle"
	"kreislauf/internal/config"
	"kreislauf/internal/process"
)

// readElastic reads how to reach Elasticsearch.
func readElastic(r *config.Reader) connect.Options {
	return connect.Options{
		URL:      r.URL("KREISLAUF_ELASTICSEARCH_URL", "", "http", "https"),
		Username: r.String("KREISLAUF_ELASTICSEARCH_USERNAME", ""),
		Password: r.Secret("KREISLAUF_ELASTICSEARCH_PASSWORD"),
		APIKey:   r.Secret("KREISLAUF_ELASTICSEARCH_API_KEY"),
	}
}

func runAlerter(ctx context.Context, args []string) error {
	if err := noArguments("alerter", args); err != nil {
		return err
	}
	return watchKPIs(ctx, os.LookupEnv)
}

// watchKPIs runs the alerter until ctx ends, and the lifecycle of the data streams where the server has none: both
// want exactly one process.
func watchKPIs(ctx context.Context, lookup process.Lookup) error {
	p, err := process.Open(ctx, "alerter", lookup, process.Needs{})
	if err != nil {
		return err
	}
	client, err := connect.New(readElastic(p.Config))
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
		Client: client, Rules: rules, Env: p.Settings.Env, Customer: p.Settings.Customer,
		WebhookURL: p.Config.OptionalURL("KREISLAUF_ALERT_WEBHOOK_URL", "http", "https"), Interval: every, Logger: p.Log,
	})
	if err != nil {
		return err
	}
	p.Background("alerter", a.Run)
	p.Background("lifecycle", func(ctx context.Context) error { return lifecycle.Run(ctx, client, policy, p.Log) })
	return p.Run(ctx)
}
