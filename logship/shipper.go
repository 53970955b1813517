package logship

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"kreislauf/logship/bulk"
	"kreislauf/logship/checkpoint"
	"kreislauf/logship/enrich"
	"kreislauf/logship/tail"
)

// senders is the number of bulk requests on their way at the same time; one more batch is being built meanwhile.
const senders = 2

// Shipper follows files and delivers their lines. Make it with New and let Run do the work.
type Shipper struct {
	opt     Options
	alarms  *alarms
	client  *bulk.Client
	geo     *enrich.Geo
	builder *enrich.Builder
	reader  tail.Reader
	started time.Time

	mu          sync.Mutex // held by the pump while it works and by Status
	store       *checkpoint.Store
	watcher     *fsnotify.Watcher               // nil when the system has none left; then the sweep alone finds news
	orphans     map[tail.Key][]checkpoint.Entry // in the checkpoint, not found yet
	generations map[tail.Key]uint32             // of files that were replaced
	files       map[tail.Key]*stream
	paths       map[string]*stream
	leaving     map[*stream]bool // gone, finished or replaced: to be closed some day
	queue       []*stream        // has something to read
	sweeps      int
	sweepAt     time.Time
	abandoned   int64 // bytes that were truncated away unread

	current  *load // being filled, nil when there is none
	free     []*load
	loads    int // number of the current load
	inflight int
	work     chan *load
	acks     chan *load
}

// load is a batch with what has to be acknowledged when it is final.
type load struct {
	batch  bulk.Batch
	number int
	parts  []part
	opened time.Time
	err    error
}

// part is a piece of a file in a load.
type part struct {
	stream *stream
	ticket int
}

// New checks the options and opens the checkpoint. Nothing is read or sent before Run.
func New(opt Options) (*Shipper, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	store, recovery, err := checkpoint.Open(opt.StateDir)
	if err != nil {
		return nil, fmt.Errorf("open checkpoint: %w", err)
	}
	if recovery.SetAside != "" {
		opt.Logger.Error().Str("error.message", recovery.Damage.Error()).Str("file.path", recovery.SetAside).
			Msg("CHECKPOINT DAMAGED: it was set aside; files without an intact entry are read from the beginning")
	}
	if recovery.TornBytes > 0 {
		opt.Logger.Warn().Int("bytes", recovery.TornBytes).Msg("the last entry of the checkpoint was cut short by a crash and is ignored")
	}
	alarms := newAlarms(opt.Logger)
	client, err := bulk.New(bulk.Config{
		URL: opt.ElasticsearchURL, Username: opt.Username, Password: opt.Password, APIKey: opt.APIKey,
		DeadLetter: filepath.Join(opt.StateDir, "dead-letter.ndjson"), MaxBytes: opt.BatchBytes + tail.MaxLine, Alarm: alarms.raise,
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	geo := enrich.NewGeo(opt.GeoDir)
	s := &Shipper{
		opt: opt, alarms: alarms, client: client, geo: geo, store: store, started: time.Now(),
		builder: enrich.NewBuilder(opt.Env, geo, time.Local),
		orphans: make(map[tail.Key][]checkpoint.Entry), generations: make(map[tail.Key]uint32),
		files: make(map[tail.Key]*stream), paths: make(map[string]*stream), leaving: make(map[*stream]bool),
		work: make(chan *load, senders), acks: make(chan *load, senders),
	}
	for range senders + 1 {
		s.free = append(s.free, &load{})
	}
	for _, e := range store.Entries() {
		key := tail.Key{Dev: e.Dev, Ino: e.Ino}
		s.orphans[key] = append(s.orphans[key], e)
	}
	return s, nil
}

// Run ships until ctx ends, then delivers what is read already for a few seconds, and closes everything. It
// must be called once.
func (s *Shipper) Run(ctx context.Context) error {
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
	s.opt.Logger.Info().Str("log_dir", s.opt.LogDir).Str("pods", s.opt.Pods).Int("known_files", len(s.store.Entries())).Msg("logship started")
	s.loop(ctx)
	s.drain(stopSending)
	close(s.work)
	wg.Wait()
	return s.close()
}

func (s *Shipper) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if s.watcher != nil {
		errs = append(errs, s.watcher.Close())
	}
	for _, st := range s.files {
		errs = append(errs, st.Close())
	}
	errs = append(errs, s.store.Close(), s.client.Close(), s.geo.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close logship: %w", err)
	}
	stats := s.client.Stats()
	s.opt.Logger.Info().Int64("delivered", stats.Delivered).Int64("rejected", stats.Rejected).Msg("logship stopped")
	return nil
}
