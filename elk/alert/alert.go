// Package alert evaluates the KPI rules on their intervals and tells people when one fires and when it resolves.
//
// It owns the data stream alerts-kreislauf-<env>. A transition (firing, resolved) becomes, in this order:
//
//	transition document  _id = rule + state + start of the episode, written with create, 409 = already there
//	webhook POST         repeated with back-off until a 2xx answer
//	receipt document     _id = the transition's + "notified"
//
// Planned times are the multiples of a rule's interval. The window that ends at one is evaluated as of that time, once, when its lines have
// arrived: up to the watermark, which is the time before which every log shipper says that all it found written is delivered
// (logship.complete_until_ms of its reports, the slowest shipper counts). While the watermark stands still, because a shipper is behind,
// stopped, or Elasticsearch is away, a rule neither fires nor resolves (Status.Held); then its windows are evaluated in order, up to a
// day back. When the watermark is more than Options.Behind late, the pipeline is itself an alert: rule pipeline-behind, state
// no_data (no reports) or behind (reports, but lines are late), and resolved when it is over. An alert comes some 15 s later than its
// window ends, because reports come every 10 s and the shippers look for files every 5 s.
//
// Invariants: transitions of a rule are delivered in order; a transition is posted at least once, also over a
// restart, because a transition without a receipt is posted again (so a receiver may see one twice and should
// use the member id). A restart neither fires again what is firing nor forgets to resolve it, and goes on with the windows that waited.
// An evaluation that gets no answer never changes a state; after three in a row the state is marked stale, logged as an error once.
//
// What the watermark cannot see:
//   - what is not in a file yet: an event that waits in an outbox, in Kafka or before its consumer, a line in a writer's buffer for more
//     than a second. A line whose @timestamp is older than its writing (events carry the time of the event, spans their start) counts as
//     arrived by its writing;
//   - lines that a shipper found no file for, that a writer truncated away, or that went to the dead letters;
//   - a shipper that never reported. One that falls silent is waited for 15 minutes while others report, after that
//     its lines are missing; when all are silent, for ever;
//   - clocks that differ between machines: a window is then evaluated early or late by the difference.
//
// Not promised: one alerter only per environment may run, two would each keep their own state (the documents stay
// unique, the webhook is called by both). An episode longer than the retention of the data stream is forgotten by
// a restart. A pending rule starts its pending time anew after a restart, and so does the quiet time before a rule resolves. While
// Elasticsearch has been away since the start, nobody is told.
package alert

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/rs/zerolog"

	"kreislauf/elk/kpi"
)

// Options of New. Client, Rules and Env are required.
type Options struct {
	Client     *esapi.API
	Rules      []kpi.Rule
	Env        string
	Customer   string
	Version    string        // platform version, on every document
	WebhookURL string        // where transitions are posted; empty = documents only
	Interval   time.Duration // instead of every rule's own interval; 0 = the rule's
	Reports    string        // data stream or pattern of the log shippers' reports; empty = metrics-kreislauf.logship-*
	Behind     time.Duration // how late the pipeline may be before people are told; 0 = 2 minutes
	Logger     zerolog.Logger
}

// Alerter runs rules. Make one with New.
type Alerter struct {
	o        Options
	http     *http.Client
	pipeline *pipeline

	mu     sync.Mutex // guards status
	status map[string]Status
}

// Status is what the alerter knows about one rule.
type Status struct {
	Rule        string
	State       State
	Started     time.Time          // of the current episode; zero when inactive
	Stale       bool               // the last three evaluations or more got no answer
	Held        bool               // the pipeline is behind: the state is that of Evaluated until the lines have arrived
	Evaluated   time.Time          // end of the last window whose evaluation got an answer; zero before the first
	Values      map[string]float64 // of that evaluation
	Undelivered int                // transitions not yet written, posted and receipted
}

// New checks the options. It starts nothing.
func New(o Options) (*Alerter, error) {
	if o.Client == nil || o.Env == "" || len(o.Rules) == 0 {
		return nil, errors.New("alert: Client, Env and at least one rule are required")
	}
	if o.WebhookURL != "" {
		u, err := url.Parse(o.WebhookURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return nil, errors.New("alert: the webhook must be an http or https address")
		}
	}
	if o.Reports == "" {
		o.Reports = "metrics-kreislauf.logship-*"
	}
	if o.Behind == 0 {
		o.Behind = defaultBehind
	}
	a := &Alerter{
		o: o, http: &http.Client{Timeout: postTimeout}, status: map[string]Status{},
		pipeline: &pipeline{client: o.Client, reports: o.Reports, logger: o.Logger, shippers: map[string]shipper{}},
	}
	a.status[PipelineRule] = Status{Rule: PipelineRule, State: Inactive}
	for _, r := range o.Rules {
		if r.Name == PipelineRule {
			return nil, fmt.Errorf("alert: the name %s is taken by the pipeline itself", PipelineRule)
		}
		if _, twice := a.status[r.Name]; twice {
			return nil, fmt.Errorf("alert: rule %s comes twice", r.Name)
		}
		a.status[r.Name] = Status{Rule: r.Name, State: Inactive}
	}
	return a, nil
}

// Run restores the state of every rule and evaluates until ctx ends, then returns nil.
// While Elasticsearch is away at the start, it waits for it.
func (a *Alerter) Run(ctx context.Context) error {
	defer a.http.CloseIdleConnections()
	var group sync.WaitGroup
	loops := []*loop{a.pipelineLoop()}
	for _, r := range a.o.Rules {
		loops = append(loops, a.ruleLoop(r))
	}
	for _, l := range loops {
		group.Go(func() {
			if l.awaitRestore(ctx) {
				l.run(ctx)
			}
		})
	}
	group.Wait()
	return nil
}

// Status returns a copy of the status of every rule, sorted by name.
func (a *Alerter) Status() []Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]Status, 0, len(a.status))
	for _, name := range slices.Sorted(maps.Keys(a.status)) {
		s := a.status[name]
		s.Values = maps.Clone(s.Values)
		out = append(out, s)
	}
	return out
}

// ruleLoop is the loop of a rule: it evaluates windows whose lines have arrived.
func (a *Alerter) ruleLoop(r kpi.Rule) *loop {
	if a.o.Interval > 0 {
		r.Interval = a.o.Interval
	}
	l := a.loop(r)
	l.delivered = a.pipeline.until
	l.evaluate = func(ctx context.Context, at time.Time) (kpi.Result, error) {
		return kpi.Evaluate(ctx, a.o.Client, r, at, a.o.Env)
	}
	l.transition = func(at time.Time, m *Machine, values map[string]float64) Transition {
		return a.transition(r, at, m, values)
	}
	return l
}

// pipelineLoop is the loop of the pipeline itself. Half of Options.Behind is how late it may be, the other half for how long: what
// starts with a backlog and catches up at once is not worth a word. It is over when it has been in time for as long.
func (a *Alerter) pipelineLoop() *loop {
	r := kpi.Rule{
		Name: PipelineRule, Severity: "critical", Runbook: "docs/runbooks/pipeline-behind.md", Interval: pipelinePause,
		For: a.o.Behind / 2, ResolveAfter: a.o.Behind / 2,
	}
	if a.o.Interval > 0 {
		r.Interval = min(r.Interval, a.o.Interval)
	}
	l := a.loop(r)
	l.evaluate = func(ctx context.Context, _ time.Time) (kpi.Result, error) {
		return a.pipeline.evaluate(ctx, a.o.Behind/2), nil
	}
	l.transition = func(at time.Time, m *Machine, values map[string]float64) Transition {
		return a.pipelineTransition(r, at, m, values)
	}
	return l
}

func (a *Alerter) loop(r kpi.Rule) *loop {
	return &loop{
		rule:     r,
		machine:  Machine{For: r.For, ResolveAfter: r.ResolveAfter},
		interval: r.Interval,
		behind:   a.o.Behind,
		logger:   a.o.Logger.With().Str("rule.name", r.Name).Logger(),
		restore:  func(ctx context.Context) (history, error) { return a.history(ctx, r.Name) },
		deliver:  a.deliver,
		report: func(s Status) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.status[r.Name] = s
		},
	}
}
