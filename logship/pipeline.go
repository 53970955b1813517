package logship

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"kreislauf/logship/bulk"
	"kreislauf/logship/checkpoint"
	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
	"kreislauf/logship/tail"
)

// senders is the number of bulk requests on their way at the same time; one more batch is being built meanwhile.
const senders = 2

// pipeline follows files and delivers their lines to one target. Nothing of it is shared with the pipelines of
// other targets.
type pipeline struct {
	opt     *Options
	name    string // of the target
	inputs  *inputs
	alarms  *alarms
	client  *bulk.Client
	dead    *bulk.DeadLetters
	flush   time.Duration // how long a batch waits for more lines
	geo     *enrich.Geo
	builder *enrich.Builder
	reader  tail.Reader
	started time.Time
	wall    func() time.Time // the clock that documents show; nothing else goes by it
	reports time.Duration    // between reports to the target, 0 for none

	mu          sync.Mutex // held by the pump while it works and by Status
	store       *checkpoint.Store
	watcher     *fsnotify.Watcher               // nil when the system has none left; then the sweep alone finds news
	orphans     map[tail.Key][]checkpoint.Entry // in the checkpoint, not found yet
	generations map[tail.Key]uint32             // of files that were replaced
	files       map[tail.Key]*stream
	paths       map[string]*stream
	fresh       []*stream          // new ones whose identity is not on disk yet
	looked      map[tail.Key]int64 // sizes of candidates for orphans that were looked at
	packed      map[tail.Key]int64 // sizes of gzip files under input names, which are not read for themselves
	open        int                // about how many files are open
	maxOpen     int                // about how many may be
	heldLimit   int64              // bytes of deleted open files that raise an alarm
	leaving     map[*stream]bool   // gone, finished or replaced: to be closed some day
	queue       []*stream          // has something to read
	waiting     map[*stream]bool   // has an event that may go on
	sweeps      int
	sweepAt     time.Time
	abandoned   int64     // bytes that were truncated away unread
	gathered    time.Time // when the first writer was heard of whose lines are not read yet; zero when there is none
	ledger      *ledger   // nil when written and indexed documents are not compared
	span        int64     // of the documents being made

	batchBytes int   // closes a batch
	current    *load // being filled, nil when there is none
	free       []*load
	all        []*load
	loads      int // number of the current load
	inflight   int
	work       chan *load
	acks       chan *load
}

// load is a batch with what has to be acknowledged when it is final.
type load struct {
	batch  bulk.Batch
	number int
	parts  []part
	opened time.Time
	oldest int64 // the first span of event.created of its documents
	err    error
}

// part is a piece of a file in a load.
type part struct {
	stream *stream
	ticket int
}

// newPipeline opens the checkpoint of the target. Nothing is read or sent before run.
func newPipeline(opt *Options, target *config.Target) (*pipeline, error) {
	log := opt.Logger.With().Str("logship.target", target.Name).Logger()
	dir := filepath.Join(string(opt.StateDir), target.Name)
	store, recovery, err := checkpoint.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open checkpoint of target %s: %w", target.Name, err)
	}
	if recovery.SetAside != "" {
		log.Error().Str("error.message", recovery.Damage.Error()).Str("file.path", recovery.SetAside).
			Msg("CHECKPOINT DAMAGED: it was set aside; files without an intact entry are read from the beginning")
	}
	if recovery.TornBytes > 0 {
		log.Warn().Int("bytes", recovery.TornBytes).Msg("the last entry of the checkpoint was cut short by a crash and is ignored")
	}
	alarms := newAlarms(log)
	dead := bulk.NewDeadLetters(dir, int64(target.DeadLetterBytes))
	conf, err := clientConfig(target)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	conf.Reject, conf.Alarm = dead.Write, alarms.raise
	client, err := bulk.New(conf)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("target %s: %w", target.Name, err), store.Close())
	}
	geo := enrich.NewGeo(enrich.GeoOptions{CityDir: string(opt.Geo.CityDir), CountryFile: string(opt.Geo.CountryFile), Trusted: opt.TrustedProxies})
	s := &pipeline{
		opt: opt, inputs: newInputs(&opt.Config), name: target.Name, alarms: alarms, client: client, dead: dead, geo: geo, store: store, started: time.Now(), wall: time.Now, reports: target.ReportInterval,
		maxOpen: target.MaxOpenFiles, heldLimit: int64(target.HeldBytes), flush: target.FlushInterval, batchBytes: int(target.BatchBytes),
		builder: enrich.NewBuilder(enrich.Options{Geo: geo, UserAgent: opt.UserAgent, Zone: time.Local, Routes: opt.Routes, Agent: opt.Instance}),
		orphans: make(map[tail.Key][]checkpoint.Entry), generations: make(map[tail.Key]uint32),
		files: make(map[tail.Key]*stream), paths: make(map[string]*stream), leaving: make(map[*stream]bool), packed: make(map[tail.Key]int64), waiting: make(map[*stream]bool),
		work: make(chan *load, senders), acks: make(chan *load, senders),
	}
	for range senders + 1 {
		s.all = append(s.all, &load{oldest: math.MaxInt64})
	}
	s.free = append(s.free, s.all...)
	if target.Reconcile > 0 {
		s.ledger = newLedger(target.Reconcile, s.wall())
	}
	for _, e := range store.Entries() {
		key := tail.Key{Dev: e.Dev, Ino: e.Ino}
		s.orphans[key] = append(s.orphans[key], e)
	}
	return s, nil
}

// run ships until ctx ends, then delivers what is read already for a few seconds, and closes everything.
func (s *pipeline) run(ctx context.Context) error {
	sendCtx, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSending()
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for l := range s.work {
				l.err = s.client.Deliver(sendCtx, &l.batch)
				s.acks <- l
			}
		})
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.alarms.raise("no file notifications, looking through the folders instead", err.Error())
	} else {
		s.watcher = watcher
	}
	var side sync.WaitGroup
	sideCtx, stopSide := context.WithCancel(ctx)
	defer stopSide()
	if s.ledger != nil {
		side.Go(func() { s.reconcile(sideCtx) })
	}
	if s.reports > 0 {
		side.Go(func() { s.report(sideCtx, s.reports) })
	}
	s.alarms.log.Info().Int("inputs", len(s.opt.Inputs)).Int("known_files", len(s.store.Entries())).Msg("logship started")
	s.loop(ctx)
	s.drain(stopSending)
	close(s.work)
	wg.Wait()
	side.Wait()
	return s.close()
}

func (s *pipeline) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if s.watcher != nil {
		errs = append(errs, s.watcher.Close())
	}
	for _, st := range s.files {
		errs = append(errs, st.Close())
	}
	errs = append(errs, s.store.Close(), s.geo.Close())
	s.client.Close()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close logship: %w", err)
	}
	stats := s.client.Stats()
	s.alarms.log.Info().Int64("delivered", stats.Delivered).Int64("rejected", stats.Rejected).Msg("logship stopped")
	return nil
}
