// Package process owns how a service comes up and goes down: settings, log sink, tracer, backends, both listeners, consumers and
// relays, in that order, and back in reverse.
//
//	settings -> sink -> log -> tracer -> [MongoDB] -> [Redis] -> [Kafka] -> routes -> internal listener -> relays, consumers -> public listener
//
// Invariants: nothing is global, so several services can share one OS process; a backend that is away does not stop a process from
// starting, it shows in /readyz; on stop the instance first turns unready, waits Drain, finishes running requests, then its consumers and relays.
package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/rs/zerolog"

	"kreislauf/internal/auditlog"
	"kreislauf/internal/authz"
	"kreislauf/internal/blob"
	"kreislauf/internal/broker"
	"kreislauf/internal/clock"
	"kreislauf/internal/config"
	"kreislauf/internal/event"
	"kreislauf/internal/health"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/logging"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/numbering"
	"kreislauf/internal/problem"
	"kreislauf/internal/repository"
	"kreislauf/internal/run"
	"kreislauf/internal/session"
	"kreislauf/internal/telemetry"
)

// Lookup is where settings come from: os.LookupEnv, or a map.
type Lookup func(string) (string, bool)

// Needs names the backends of a service.
type Needs struct{ MongoDB, Sessions, Kafka, Blobs, Documents bool }

// Process is one instance of a service. Its fields are ready after Open.
type Process struct {
	Settings config.Process
	Config   *config.Reader // for the service's own settings; checked by Start
	Log      zerolog.Logger
	Sink     *logging.Sink
	Tracing  *telemetry.Telemetry
	Sessions *session.Store // nil unless needed
	Health   *health.Health
	Blobs    *blob.Store // nil unless needed. Its absence is no reason to get no requests: most of them need no files

	// Documents is the store of documents that services hand to each other; nil unless needed. As with Blobs, its absence is no reason to get no requests.
	Documents *blob.Store

	clock    *clock.Clock
	http     *httpserver.Server
	db       *mongodb.Database // nil unless needed, as the next one
	producer *broker.Producer
	brokers  []string
	registry *prometheus.Registry
	drain    time.Duration
	stack    run.Stack
	late     []func(context.Context) error // run by Start before anything is served
	work     []string                      // names of the timed work
	handle   Handler                       // of the consumer; nil without one
	failed   chan error                    // first failure of a background part; never closed
	internal *http.Server
	extra    map[string]http.Handler // of the internal listener, by pattern
}

// Open reads the settings and makes the parts. On an error nothing is left open.
func Open(ctx context.Context, service string, lookup Lookup, needs Needs) (_ *Process, err error) {
	r := config.New(lookup)
	p := &Process{Settings: config.ReadProcess(r, service), Config: r, Health: &health.Health{}, failed: make(chan error, 1), extra: map[string]http.Handler{}}
	p.clock = clock.Read(r, p.Settings.Env)
	p.drain = r.Duration("KREISLAUF_DRAIN", 50*time.Millisecond)
	mongoURI, redisAddr, redisPassword, blobURL, documentsURL := "", "", "", "", ""
	if needs.MongoDB {
		mongoURI = r.URL("KREISLAUF_MONGODB_URI", "", "mongodb", "mongodb+srv")
	}
	if needs.Sessions {
		redisAddr, redisPassword = r.Addr("KREISLAUF_REDIS_ADDR", ""), r.Secret("KREISLAUF_REDIS_PASSWORD")
	}
	if needs.Kafka {
		p.brokers = r.Addrs("KREISLAUF_KAFKA_BROKERS")
	}
	if needs.Blobs {
		blobURL = blob.ReadURL(r, blob.Setting)
	}
	if needs.Documents {
		documentsURL = blob.ReadURL(r, blob.Documents)
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("settings of %s: %w", service, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.stack.Stop(ctx))
		}
	}()
	if p.Sink, err = logging.Open(p.Settings); err != nil {
		return nil, err
	}
	p.stack.Push("log", func(context.Context) error { return p.Sink.Close() })
	p.Log = logging.New(p.Sink, p.Settings)
	if p.Tracing, err = telemetry.New(ctx, p.Settings, p.Sink); err != nil {
		return nil, err
	}
	p.stack.Push("tracer", p.Tracing.Stop)
	if err := p.backends(needs, mongoURI, redisAddr, redisPassword); err != nil {
		return nil, err
	}
	if needs.Blobs {
		if p.Blobs, err = blob.Open(ctx, blobURL); err != nil {
			return nil, err
		}
		p.stack.Push("file store", func(context.Context) error { return p.Blobs.Close() })
	}
	if needs.Documents {
		if p.Documents, err = blob.Open(ctx, documentsURL); err != nil {
			return nil, err
		}
		p.stack.Push("document store", func(context.Context) error { return p.Documents.Close() })
	}
	p.registry = prometheus.NewRegistry()
	p.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "kreislauf_log_lines_dropped_total", Help: "Lines that could not be written."},
			func() float64 { return float64(p.Sink.Dropped()) }),
		buildInfo(p.Settings))
	p.http = httpserver.New(httpserver.Options{Addr: p.Settings.HTTPAddr, Log: p.Log, Tracer: p.Tracing.Tracer, Registry: p.registry})
	return p, nil
}

// buildInfo is a gauge that is always 1; its labels say what runs, so that a panel can join any metric with the version.
func buildInfo(p config.Process) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kreislauf_build_info", Help: "Always 1; the labels say which versions run.",
		ConstLabels: prometheus.Labels{"service": p.Service, "version": p.ServiceVersion, "platform_version": p.PlatformVersion},
	}, func() float64 { return 1 })
}

func (p *Process) backends(needs Needs, mongoURI, redisAddr, redisPassword string) (err error) {
	if needs.MongoDB {
		if p.db, err = mongodb.Open(mongoURI, p.Settings.Service, p.Settings.Instance, p.Tracing.Tracer); err != nil {
			return err
		}
		p.stack.Push("MongoDB", p.db.Close)
		p.Health.Add("mongodb", p.db.Ping)
	}
	if needs.Sessions {
		p.Sessions = session.Open(redisAddr, redisPassword, p.Settings.Customer, p.Tracing.Tracer)
		p.stack.Push("Redis", func(context.Context) error { return p.Sessions.Close() })
		p.Health.Add("redis", p.Sessions.Ping)
	}
	if needs.Kafka {
		if p.producer, err = broker.NewProducer(p.brokers, p.Settings.Instance, p.Log, p.Tracing.Tracer); err != nil {
			return err
		}
		p.stack.Push("Kafka producer", func(context.Context) error { p.producer.Close(); return nil })
		p.Health.Add("kafka", p.producer.Ping)
		p.Late(func(ctx context.Context) error { return broker.EnsureTopics(ctx, p.brokers) })
	}
	return nil
}

// Late adds a step (indexes, topics, seeds) that Start repeats until it succeeds, before the instance serves.
func (p *Process) Late(step func(context.Context) error) { p.late = append(p.late, step) }

// Handle serves a route as the authorisation table has it (session.Store.Guard). There is no other way to serve one but HandleUpload.
func (p *Process) Handle(method, pattern string, h session.Handler) {
	p.http.Handle(method, pattern, p.Sessions.Guard(authz.Routes(), method, pattern, h))
}

// HandleUpload is Handle for a route that takes bodies of up to limit bytes; nginx must let them through.
func (p *Process) HandleUpload(method, pattern string, limit int64, h session.Handler) {
	p.http.HandleUpload(method, pattern, limit, p.Sessions.Guard(authz.Routes(), method, pattern, h))
}

// HasRoutes says whether the process has a public listener.
func (p *Process) HasRoutes() bool { return p.http.HasRoutes() }

// Addr is the address of the public listener, after Start; empty without routes.
func (p *Process) Addr() string {
	if !p.HasRoutes() {
		return ""
	}
	return p.http.Addr()
}

// Now is the time of day that dates and due times follow, see package clock.
func (p *Process) Now() time.Time { return p.clock.Now() }

// Meta is what the process knows of an event that it emits now. At has whole milliseconds, as MongoDB keeps.
func (p *Process) Meta(ctx context.Context) event.Meta {
	return event.Meta{
		Source: p.Settings.Service, Customer: p.Settings.Customer, Traceparent: telemetry.Traceparent(ctx), At: p.Now().Truncate(time.Millisecond),
	}
}

// Repository opens a collection of aggregates whose events go to topic, and publishes these for as long as the process serves.
func Repository[T any, P repository.Document[T]](p *Process, collection, noun, topic string) *repository.Repository[T, P] {
	r := repository.Open[T, P](repository.Parts{DB: p.db, Producer: p.producer, Log: p.Log, Tracer: p.Tracing.Tracer}, collection, noun, topic)
	p.registry.MustRegister(r.Metrics())
	p.Late(r.Indexes)
	p.Background("outbox relay of "+collection, r.Run)
	return r
}

// Collection opens a collection of documents that are no aggregates; noun is what one of them is, for errors.
func Collection[T any](p *Process, name, noun string) mongodb.Collection[T] {
	return mongodb.OpenCollection[T](p.db, name, noun)
}

// AuditLog opens the service's audit trail and collects entries from collections whose documents have an audit.Trail for as long as the
// process serves.
func (p *Process) AuditLog(collections ...string) *auditlog.Log {
	l := auditlog.New(p.db, collections...)
	p.Late(l.EnsureIndexes)
	p.Background("audit collector", func(ctx context.Context) error { return l.Run(ctx, p.Log) })
	return l
}

// Numbers opens the service's numbers without gaps.
func (p *Process) Numbers() *numbering.Book {
	b := numbering.New(p.db, p.Settings.Customer)
	p.Late(b.EnsureIndexes)
	return b
}

// workEvery is how late timed work may be while an instance runs.
const workEvery = time.Second

// Work does timed work on the aggregates of r for as long as the process serves. The service's row in the table of services names it.
func Work[T any, P repository.Document[T]](p *Process, name string, r *repository.Repository[T, P], do func(event.Meta, P) error) {
	WorkThen(p, name, r, do, nil)
}

// WorkThen is Work with something to do outside of the aggregate after each decision, see repository.Work.
func WorkThen[T any, P repository.Document[T]](
	p *Process, name string, r *repository.Repository[T, P], do func(event.Meta, P) error, then func(context.Context, P) error,
) {
	p.work = append(p.work, name)
	p.Late(r.IndexWork)
	p.Background(name, func(ctx context.Context) error {
		return r.RunWork(ctx, repository.Work[P]{Name: name, Every: workEvery, Meta: p.Meta, Do: do, Then: then})
	})
}

// WorkNames lists the timed work that the process does.
func (p *Process) WorkNames() []string { return p.work }

// Handler works on an event; payload is the struct of its type, or nil for a type of a later version. It must be idempotent.
type Handler func(ctx context.Context, e event.Event, payload event.Payload) error

// Consume runs the service's consumer for as long as the process serves. An event whose payload cannot be read, or that the handler
// refuses with a problem that no retry can mend, becomes a dead letter; any other error is tried again.
func (p *Process) Consume(handle Handler) {
	p.handle = handle
	h := func(ctx context.Context, e event.Event) error {
		payload, err := event.Open(e)
		if err != nil {
			return broker.Permanent(err)
		}
		if err = handle(ctx, e, payload); err == nil {
			return nil
		}
		switch problem.KindOf(err) {
		case problem.Malformed, problem.Invalid, problem.Forbidden, problem.NotFound, problem.Conflict:
			return broker.Permanent(err)
		}
		return err
	}
	p.Late(func(context.Context) error {
		c, err := broker.NewConsumer(p.brokers, p.Settings.Service, p.Settings.Instance, p.Log, p.Tracing.Tracer, h)
		if err != nil {
			return err
		}
		p.registry.MustRegister(c)
		p.stack.Push("leave consumer group", func(context.Context) error { c.Close(); return nil })
		p.goPart("consumer", c.Run)
		return nil
	})
}

// Replay hands an event to the service's handler once more, in a process that was opened and need not be started. The error is the handler's,
// or says that the payload cannot be read.
func (p *Process) Replay(ctx context.Context, e event.Event) error {
	if p.handle == nil {
		return fmt.Errorf("%s consumes nothing", p.Settings.Service)
	}
	payload, err := event.Open(e)
	if err != nil {
		return err
	}
	return p.handle(telemetry.WithRemote(ctx, e.Traceparent), e, payload)
}

// Brokers are the addresses of Kafka.
func (p *Process) Brokers() []string { return p.brokers }

// Background runs fn for as long as the process serves; its error ends the process. The name is this part's alone: metrics tell parts apart
// by it.
func (p *Process) Background(name string, fn func(context.Context) error) {
	p.Late(func(context.Context) error { p.goPart(name, fn); return nil })
}

// goPart runs a part that has a pulse, see health.Tick.
func (p *Process) goPart(name string, fn func(context.Context) error) {
	p.stack.Go(name, p.fail, func(ctx context.Context) error { return fn(p.Health.Part(ctx, name)) })
}

// Measure shows a service's own metrics beside those of the process.
func (p *Process) Measure(c ...prometheus.Collector) { p.registry.MustRegister(c...) }

// Internal adds a handler to the internal listener.
func (p *Process) Internal(pattern string, h http.Handler) { p.extra[pattern] = h }

func (p *Process) fail(err error) {
	select {
	case p.failed <- err:
	default: // an earlier failure is already on its way
	}
}

// Start serves. It returns when the instance is serving, or with the first error; then call Stop.
// Late steps are tried again until ctx ends, so backends may come up after the service.
func (p *Process) Start(ctx context.Context) error {
	if err := p.Config.Err(); err != nil {
		return fmt.Errorf("settings of %s: %w", p.Settings.Service, err)
	}
	p.Log.Info().Str("event.action", "process.start").Strs("settings", p.Config.Dump()).Msg("start")
	lis, err := net.Listen("tcp", p.Settings.InternalAddr)
	if err != nil {
		return fmt.Errorf("listen on %s (KREISLAUF_INTERNAL_ADDR): %w", p.Settings.InternalAddr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", p.Health.Handler(p.registry))
	for pattern, h := range p.extra {
		mux.Handle(pattern, h)
	}
	p.internal = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := p.internal.Serve(lis); !errors.Is(err, http.ErrServerClosed) {
			p.fail(fmt.Errorf("serve internal listener: %w", err))
		}
	}()
	p.stack.Push("internal listener", p.internal.Shutdown)
	for _, step := range p.late {
		if err := p.untilDone(ctx, step); err != nil {
			return err
		}
	}
	line := p.Log.Info().Str("event.action", "process.serving").Str("internal", lis.Addr().String())
	if p.http.HasRoutes() {
		if err := p.http.Start(p.fail); err != nil {
			return err
		}
		line = line.Str("address", p.http.Addr())
	}
	p.stack.Push("public listener", p.stopServing)
	p.Health.Serving(true)
	line.Msg("serving")
	return nil
}

func (p *Process) untilDone(ctx context.Context, step func(context.Context) error) error {
	for try := 1; ; try++ {
		sctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := step(sctx)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("start %s: %w", p.Settings.Service, err)
		}
		p.Log.Warn().Err(err).Str("event.action", "process.waiting").Int("try", try).Msg("a backend is not ready; trying again")
		select {
		case <-ctx.Done():
			return fmt.Errorf("start %s: %w", p.Settings.Service, err)
		case <-time.After(min(time.Duration(try)*100*time.Millisecond, time.Second)):
		}
	}
}

// stopServing drains: unready first, so that balancers look elsewhere, then no new connections, then the running requests end.
func (p *Process) stopServing(ctx context.Context) error {
	p.Health.Serving(false)
	if !p.http.HasRoutes() {
		return nil
	}
	select {
	case <-ctx.Done():
	case <-time.After(p.drain):
	}
	return p.http.Stop(ctx)
}

// Stop ends the process in reverse order within ctx. A second call does nothing.
func (p *Process) Stop(ctx context.Context) error {
	p.Log.Info().Str("event.action", "process.stop").Msg("stop")
	return p.stack.Stop(ctx)
}

// Run starts, serves until ctx ends or a part fails, and stops within run.StopTimeout.
func (p *Process) Run(ctx context.Context) error {
	err := p.Start(ctx)
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-p.failed:
			p.Log.Error().Err(err).Str("event.action", "process.failed").Msg("a part failed; stopping")
		}
	} else if ctx.Err() != nil {
		err = nil // stopped while it waited for its backends
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), run.StopTimeout)
	defer cancel()
	return errors.Join(err, p.Stop(stop))
}
