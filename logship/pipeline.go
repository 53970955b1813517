package logship

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/logship/alarm"
	"kreislauf/logship/batch"
	"kreislauf/logship/bulk"
	"kreislauf/logship/checkpoint"
	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
	"kreislauf/logship/follow"
	"kreislauf/logship/ledger"
)

// pipeline ships everything to one target. It puts the parts together and holds what goes on beside the pump: comparing
// written with indexed documents, and reports. Nothing of it is shared with the pipelines of other targets.
type pipeline struct {
	opt      *Options
	name     string // of the target
	log      zerolog.Logger
	alarms   *alarm.Log
	client   *bulk.Client
	dead     *bulk.DeadLetters
	geo      *enrich.Geo
	ledger   *ledger.Ledger // nil when written and indexed documents are not compared
	follower *follow.Follower
	batcher  *batch.Batcher
	pump     *pump // everybody else uses follower, batcher and ledger only through its locked
	started  time.Time
	clock    func() time.Time // the wall clock that documents show; nothing else goes by it
	reports  time.Duration    // between two reports to the target, 0 for none
}

// newPipeline opens the checkpoint of the target. Nothing is read or sent before run.
func newPipeline(opt *Options, target *config.Target) (*pipeline, error) {
	log := opt.Logger.With().Str("logship.target", target.Name).Logger()
	dir := filepath.Join(string(opt.StateDir), target.Name)
	alarms := alarm.New(log)
	dead := bulk.NewDeadLetters(dir, int64(target.DeadLetterBytes))
	conf, err := clientConfig(target)
	if err != nil {
		return nil, err
	}
	conf.Reject, conf.Alarm = dead.Write, alarms.Raise
	client, err := bulk.New(conf)
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", target.Name, err)
	}
	store, err := openCheckpoint(dir, target.Name, log)
	if err != nil {
		return nil, err
	}
	geo := enrich.NewGeo(enrich.GeoOptions{
		CityDir: string(opt.Geo.CityDir), CountryFile: string(opt.Geo.CountryFile), Trusted: opt.TrustedProxies,
	})
	p := &pipeline{
		opt: opt, name: target.Name, log: log, alarms: alarms, client: client, dead: dead, geo: geo,
		started: time.Now(), clock: time.Now, reports: target.ReportInterval,
	}
	if target.Reconcile > 0 {
		p.ledger = ledger.New(target.Reconcile, p.clock())
	}
	p.follower = follow.New(follow.Options{
		Config: &opt.Config, Store: store, Alarms: alarms, MaxOpenFiles: target.MaxOpenFiles, HeldBytes: int64(target.HeldBytes),
	})
	p.batcher = batch.New(batch.Options{
		Builder: enrich.NewBuilder(enrich.Options{
			Geo: geo, UserAgent: opt.UserAgent, Zone: time.Local, Routes: opt.Routes, Agent: opt.Instance,
		}),
		Ledger: p.ledger, Clock: func() time.Time { return p.clock() }, Bytes: int(target.BatchBytes), Flush: target.FlushInterval,
	})
	p.pump = &pump{
		follower: p.follower, batcher: p.batcher, geo: geo, alarms: alarms, log: log, poll: opt.PollInterval, flush: target.FlushInterval,
	}
	return p, nil
}

// openCheckpoint opens the checkpoint and logs what was wrong with it.
func openCheckpoint(dir, target string, log zerolog.Logger) (*checkpoint.Store, error) {
	store, recovery, err := checkpoint.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open checkpoint of target %s: %w", target, err)
	}
	if recovery.SetAside != "" {
		log.Error().Str("error.message", recovery.Damage.Error()).Str("file.path", recovery.SetAside).
			Msg("CHECKPOINT DAMAGED: it was set aside; files without an intact entry are read from the beginning")
	}
	if recovery.TornBytes > 0 {
		log.Warn().Int("bytes", recovery.TornBytes).Msg("the last entry of the checkpoint was cut short by a crash and is ignored")
	}
	return store, nil
}

// run ships until ctx ends. Then it delivers what is read already for a few seconds, and closes everything.
func (p *pipeline) run(ctx context.Context) error {
	sendCtx, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSending()
	p.batcher.Start(sendCtx, p.client.Deliver)
	var side sync.WaitGroup
	sideCtx, stopSide := context.WithCancel(ctx)
	defer stopSide()
	if p.ledger != nil {
		side.Go(func() { p.reconcile(sideCtx) })
	}
	if p.reports > 0 {
		side.Go(func() { p.report(sideCtx, p.reports) })
	}
	p.log.Info().Int("inputs", len(p.opt.Inputs)).Int("known_files", p.follower.Known()).Msg("logship started")
	p.pump.run(ctx)
	p.pump.drain(p.client.Stats().Degraded, stopSending)
	p.batcher.Stop()
	side.Wait()
	return p.close()
}

// close closes everything that newPipeline opened.
func (p *pipeline) close() error {
	var err error
	p.pump.locked(func() { err = errors.Join(p.follower.Close(), p.geo.Close()) })
	p.client.Close()
	if err != nil {
		return fmt.Errorf("close logship: %w", err)
	}
	stats := p.client.Stats()
	p.log.Info().Int64("delivered", stats.Delivered).Int64("rejected", stats.Rejected).Msg("logship stopped")
	return nil
}
