package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/rs/zerolog"

	"kreislauf/elk/connect"
	"kreislauf/elk/provision"
	"kreislauf/internal/broker"
	"kreislauf/internal/config"
	"kreislauf/internal/local/supervise"
	"kreislauf/nginx"
)

// Run runs the platform until ctx ends, telling on out what happens.
func (p *Platform) Run(ctx context.Context, out io.Writer) error {
	t := &table{out: out, began: time.Now()}
	events, err := openEvents(p)
	if err != nil {
		return err
	}
	defer events.close()
	b := newBalance(p, events)
	sup := supervise.New(func(s supervise.Status) {
		t.change(s)
		events.change(s)
		b.change(s)
	})
	defer os.Remove(filepath.Join(p.Data, "run.json"))
	if err = p.bringUp(ctx, sup, t, events); err == nil {
		t.ready(p)
		var balancing sync.WaitGroup
		balancing.Go(func() { b.run(ctx) })
		err = p.watch(ctx, sup, t)
		balancing.Wait()
	}
	if ctx.Err() != nil {
		err = nil // a stop is the normal end
	}
	t.say("stopping: what is in flight is finished first")
	if serr := sup.Stop(); serr != nil {
		err = errors.Join(err, serr)
	}
	t.say("stopped; the data stay in %s", p.Data)
	return err
}

// elasticsearch is a client of the platform's Elasticsearch, with the credentials of the environment.
func (p *Platform) elasticsearch() (*esapi.API, error) { return Connect(p.esURL) }

// Connect makes a client of an address of Elasticsearch with the credentials of the environment.
func Connect(url string) (*esapi.API, error) {
	o := config.ReadElasticsearch(config.New(os.LookupEnv))
	o.URL = url
	return connect.New(connect.Options(o))
}

// bringUp starts everything in order.
func (p *Platform) bringUp(ctx context.Context, sup *supervise.Supervisor, t *table, events *eventLog) error {
	if err := p.checkGiven(ctx); err != nil {
		return err
	}
	if err := p.tellSwitch(t); err != nil {
		return err
	}
	backends, err := p.backends(ctx)
	if err != nil {
		return err
	}
	instances, err := p.components(serviceMembers(p.Compact))
	if err != nil {
		return err
	}
	edge, err := p.edge(events)
	if err != nil {
		return err
	}
	p.ports.release()
	t.header()
	if err := sup.Start(ctx, backends...); err != nil {
		return err
	}
	if p.Real && !p.external["kafka"] { // kafkad does it itself
		if err := broker.AlignTopics(ctx, p.KafkaAddr); err != nil {
			return err
		}
	}
	client, err := p.elasticsearch()
	if err != nil {
		return err
	}
	report, err := provision.Run(ctx, client, provision.Options{Logger: zerolog.Nop()})
	if err != nil {
		return err
	}
	p.notes = append(p.notes, report.LeftOut...)
	if err := sup.Start(ctx, instances...); err != nil {
		return err
	}
	return sup.Start(ctx, edge...)
}

// watch keeps run.json true and prints a line a minute until ctx ends.
func (p *Platform) watch(ctx context.Context, sup *supervise.Supervisor, t *table) error {
	client, err := p.elasticsearch()
	if err != nil {
		return err
	}
	write := func() error {
		return writeJSON(filepath.Join(p.Data, "run.json"), p.running(t.began, sup.Status()))
	}
	if err := write(); err != nil {
		return err
	}
	second, minute := time.NewTicker(time.Second), time.NewTicker(time.Minute)
	var told sync.WaitGroup // lines of a minute, which wait for Elasticsearch
	defer told.Wait()
	defer second.Stop()
	defer minute.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-second.C:
			if err := write(); err != nil {
				return err
			}
		case now := <-minute.C:
			status := sup.Status()
			told.Go(func() { t.say("%s", flowLine(ctx, client, p.Env, now, status)) })
			for _, c := range status {
				if c.Name == entryName && c.State == supervise.Ready {
					if err := nginx.Rotate(p.accessLog(), nginx.MaxLog, c.PID); err != nil {
						t.say("note: %v", err)
					}
				}
			}
		}
	}
}

// Lock makes sure that one platform at a time uses a data folder. The lock ends with the process, however it ends.
func Lock(data string) (release func(), err error) {
	if err := os.MkdirAll(data, 0o750); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(data, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("a platform is running with the data folder %s already; stop it, or choose another folder with -data", data)
	}
	return func() { f.Close() }, nil
}

// table prints the start-up table, a row as each component becomes ready, and later changes.
type table struct {
	mu    sync.Mutex // guards out
	out   io.Writer
	began time.Time
}

const row = "%-16s %-24s %-10s %6.1f s\n"

func (t *table) header() {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, "%-16s %-24s %-10s %8s\n", "component", "address", "state", "seconds")
}

func (t *table) change(s supervise.Status) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case s.State == supervise.Ready:
		fmt.Fprintf(t.out, row, s.Name, s.Addr, s.State, s.Took.Seconds())
	case s.State == supervise.Suspect, s.State == supervise.Hung:
		fmt.Fprintf(t.out, "%s %s is %s after %.1f s (%s)\n", time.Now().Format(time.TimeOnly), s.Name, s.State, s.Silent.Seconds(), s.Why)
	case s.State == supervise.Restarting:
		fmt.Fprintf(t.out, "%s %s stopped (%s); starting it again\n", time.Now().Format(time.TimeOnly), s.Name, s.LastExit)
	}
}

func (t *table) ready(p *Platform) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range p.notes {
		fmt.Fprintln(t.out, "note:", n)
	}
	fmt.Fprintf(t.out, "platform %s is up after %.1f s: http://%s (page and API), %s (Elasticsearch), data in %s\n",
		p.versions.Platform, time.Since(t.began).Seconds(), p.NginxAddr, p.esURL, p.Data)
	if err := WriteDemo(t.out, p.Data, p.Env, "http://"+p.NginxAddr); err != nil {
		fmt.Fprintln(t.out, "note: no links of demo people:", err)
	}
	fmt.Fprintln(t.out, "Ctrl-C stops everything; a second run continues with the same data")
}

func (t *table) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, format+"\n", args...)
}
