package alert

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"kreislauf/elk/connect"
	"kreislauf/elk/elktest"
	"kreislauf/elk/kpi"
)

var ten = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// TestPipelineWaitsForTheSlowest tells which shipper counts, and which one no longer.
func TestPipelineWaitsForTheSlowest(t *testing.T) {
	minute := func(n float64) time.Time { return ten.Add(time.Duration(n * float64(time.Minute))) }
	for name, c := range map[string]struct {
		looks [][]shipper
		want  time.Time // zero: not known
		slow  string
	}{
		"nobody":             {nil, time.Time{}, ""},
		"one":                {[][]shipper{{{"a", minute(5), minute(4)}}}, minute(4), "a"},
		"the slowest":        {[][]shipper{{{"a", minute(5), minute(4)}, {"b", minute(5), minute(2)}}}, minute(2), "b"},
		"never backwards":    {[][]shipper{{{"a", minute(5), minute(4)}}, {{"a", minute(6), time.Time{}}}}, minute(4), "a"}, // it was restarted
		"new with a backlog": {[][]shipper{{{"a", minute(5), minute(4)}, {"b", minute(5), time.Time{}}}}, time.Time{}, "b"},
		"stopped alone":      {[][]shipper{{{"a", minute(5), minute(4)}}, {}, {}}, minute(4), "a"},
		"silent for a while": {[][]shipper{{{"a", minute(20), minute(19)}, {"b", minute(5), minute(4)}}}, minute(4), "b"},
		"gone":               {[][]shipper{{{"a", minute(5), minute(4)}, {"b", minute(5), minute(4)}}, {{"a", minute(21), minute(20)}}}, minute(20), "a"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &pipeline{shippers: map[string]shipper{}, logger: zerolog.Nop()}
			for _, found := range c.looks {
				p.merge(found)
			}
			s, _ := p.slowest()
			if !s.complete.Equal(c.want) || s.name != c.slow {
				t.Errorf("have %+v, want %s by %q", s, c.want, c.slow)
			}
		})
	}
}

func TestPipelineTells(t *testing.T) {
	for name, c := range map[string]struct {
		shippers []shipper
		failing  bool
		state    State
		text     string
	}{
		"nobody": {nil, false, NoData, "no log shipper reports"},
		"stopped": {
			[]shipper{{"local/logship-1/main", ten.Add(-330 * time.Second), ten.Add(-335 * time.Second)}},
			false, NoData,
			"the log shipper local/logship-1/main has not reported since 2026-11-22T09:54:30Z; lines have arrived until 2026-11-22T09:54:25Z, that is 5m35s behind",
		},
		"late": {
			[]shipper{{"local/logship-1/main", ten, ten.Add(-time.Hour)}},
			false, Behind,
			"the log shipper local/logship-1/main is behind; lines have arrived until 2026-11-22T09:00:00Z, that is 1h0m0s behind",
		},
		"a first backlog": {
			[]shipper{{"local/logship-1/main", ten, time.Time{}}},
			false, Behind,
			"the log shipper local/logship-1/main is behind; it is not known until when lines have arrived",
		},
		"no server": {
			[]shipper{{"local/logship-1/main", ten, ten.Add(-3 * time.Minute)}},
			true, NoData,
			"Elasticsearch does not answer; lines have arrived until 2026-11-22T09:57:00Z, that is 3m0s behind",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := &pipeline{shippers: map[string]shipper{}, failing: c.failing, logger: zerolog.Nop()}
			p.merge(c.shippers)
			state, text := p.tell(ten, 2*time.Minute)
			if diff := cmp.Diff([]string{string(c.state), c.text}, []string{string(state), text}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPipelineReadsReports asks the engine: reports of several shippers and targets, documents about files beside them.
func TestPipelineReadsReports(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	p := &pipeline{client: client, reports: "metrics-kreislauf.logship-" + env, shippers: map[string]shipper{}, logger: zerolog.Nop()}
	if p.look(t.Context(), time.Now()); len(p.shippers) != 0 || p.failing {
		t.Errorf("before the first report: %+v, failing %v", p.shippers, p.failing)
	}
	report := func(at time.Duration, agent, target string, more map[string]any) {
		doc := map[string]any{
			"@timestamp": ten.Add(at).Format(stampLayout), "data_stream.type": "metrics", "data_stream.dataset": "kreislauf.logship",
			"data_stream.namespace": env, "agent.name": agent, "logship.target": target,
		}
		for k, v := range more {
			doc[k] = v
		}
		elktest.Index(t, client, env, doc)
	}
	complete := func(at time.Duration) map[string]any { return map[string]any{completeField: ten.Add(at).UnixMilli()} }
	report(-25*time.Hour, "node-0", "main", complete(-25*time.Hour)) // too long ago
	report(-time.Hour, "node-2", "main", complete(-61*time.Minute))
	report(-20*time.Second, "node-1", "main", complete(-28*time.Second))
	report(-10*time.Second, "node-1", "main", complete(-18*time.Second))
	report(-10*time.Second, "node-1", "main", map[string]any{"log.file.path": "/log/a.log", "logship.file_behind_bytes": 7})
	report(-10*time.Second, "node-1", "other", map[string]any{completeField: 0})
	report(-time.Second, "node-1", "main", complete(-time.Second)) // what it speaks of is not to be found yet
	have, err := p.read(t.Context(), ten.Add(-firstLook), ten.Add(-reportsVisible))
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]shipper{}
	for _, s := range have {
		byName[s.name] = s
	}
	want := map[string]shipper{
		env + "/node-1/main":  {env + "/node-1/main", ten.Add(-10 * time.Second), ten.Add(-18 * time.Second)},
		env + "/node-1/other": {env + "/node-1/other", ten.Add(-10 * time.Second), time.Time{}},
		env + "/node-2/main":  {env + "/node-2/main", ten.Add(-time.Hour), ten.Add(-61 * time.Minute)},
	}
	if diff := cmp.Diff(want, byName, cmp.AllowUnexported(shipper{})); diff != "" {
		t.Error(diff)
	}
}

// within is a rule of the attempts of five minutes.
func within(t *testing.T, window time.Duration) kpi.Rule {
	t.Helper()
	r := rule(t)
	r.Window = window
	return r
}

// awaitStatus polls until a rule's status is as wanted.
func awaitStatus(t *testing.T, a *Alerter, name string, is func(Status) bool) Status {
	t.Helper()
	var last Status
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for _, s := range a.Status() {
			if s.Rule != name {
				continue
			}
			if last = s; is(s) {
				return s
			}
		}
	}
	t.Fatalf("status of %s: %+v", name, last)
	return last
}

// TestAStoppedPipelineHoldsTheAlert is a night in which the log shipper stops: what fires goes on firing however long nothing arrives,
// also over a restart; people are told once that they are blind, and once that it is over; then the alert ends with its own times.
func TestAStoppedPipelineHoldsTheAlert(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	url, received := webhook(t)
	put(t, client, env, "order-attempt", "a", "b")
	stopped := time.Now().Add(2 * time.Second)
	report(t, client, env, "logship-1", stopped)
	o := Options{
		Client: client, Rules: []kpi.Rule{within(t, 2*time.Second)}, Env: env, WebhookURL: url, Interval: 100 * time.Millisecond, Behind: 3 * time.Second,
	}
	a, stop := startWith(t, o)
	fired := next(t, received)
	if fired.Rule != "attempts" || fired.State != Firing {
		t.Fatalf("first: %+v", fired)
	}
	blind := next(t, received)
	if blind.Rule != PipelineRule || blind.State != NoData || !strings.Contains(blind.Text, "/logship-1/main has not reported since") ||
		!strings.Contains(blind.Text, "rules keep their states") || blind.Runbook != "docs/runbooks/pipeline-behind.md" || blind.Values["lag_seconds"] < 1 {
		t.Errorf("the pipeline stopped: %+v", blind)
	}
	held := awaitStatus(t, a, "attempts", func(s Status) bool { return s.Held })
	if held.State != Firing || held.Evaluated.After(stopped) {
		t.Errorf("held: %+v", held)
	}
	stop()
	a, stop = startWith(t, o)
	defer stop()
	awaitStatus(t, a, "attempts", func(s Status) bool { return s.Held && s.State == Firing })
	awaitStatus(t, a, PipelineRule, func(s Status) bool { return s.State == Firing && !s.Evaluated.IsZero() })
	if n := len(received); n != 0 {
		t.Errorf("%d more posts while nothing arrives, the first: %+v", n, <-received)
	}

	report(t, client, env, "logship-1", time.Now().Add(time.Hour))
	over := map[string]Transition{}
	for range 2 {
		got := next(t, received)
		over[got.Rule] = got
	}
	if got := over[PipelineRule]; got.State != Resolved || !got.StartedAt.Equal(blind.StartedAt) || !strings.Contains(got.Text, "lines arrive in time again") {
		t.Errorf("the pipeline is back: %+v", got)
	}
	got := over["attempts"]
	if got.State != Resolved || !got.StartedAt.Equal(fired.StartedAt) || got.StoppedAt == nil || !got.StoppedAt.After(fired.At) {
		t.Errorf("the end of the alert: %+v", got)
	}
	awaitStatus(t, a, "attempts", func(s Status) bool { return !s.Held && s.State == Inactive && s.Undelivered == 0 })
}

// TestLateLinesAreLookedAt: attempts whose lines arrive 330 s late, when the window of five minutes has moved on, fire and resolve with
// their own times.
func TestLateLinesAreLookedAt(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	url, received := webhook(t)
	begun := time.Now()
	report(t, client, env, "logship-1", begun.Add(-340*time.Second))
	r := within(t, 5*time.Minute)
	r.ResolveAfter = 10 * time.Second
	a, stop := startWith(t, Options{Client: client, Rules: []kpi.Rule{r}, Env: env, WebhookURL: url, Interval: 5 * time.Second})
	defer stop()
	awaitStatus(t, a, "attempts", func(s Status) bool { return s.Held && s.State == Inactive })
	var docs []map[string]any
	for _, id := range []string{"a", "b"} {
		docs = append(docs, map[string]any{
			"@timestamp": begun.Add(-330 * time.Second).UTC().Format(stampLayout), "data_stream.type": "events", "data_stream.dataset": "kreislauf",
			"event.id": id, "event.action": "order-attempt",
		})
	}
	elktest.Index(t, client, env, docs...)
	report(t, client, env, "logship-1", time.Now())
	fired, resolved := next(t, received), next(t, received)
	if age := begun.Sub(fired.At); fired.State != Firing || age < 325*time.Second || age > 330*time.Second || !strings.Contains(fired.Text, "(seen only at ") {
		t.Errorf("fired %s before the start: %+v", age, fired)
	}
	if end := fired.StartedAt.Add(5 * time.Minute); resolved.State != Resolved || resolved.StoppedAt == nil || !resolved.StoppedAt.Equal(end) ||
		!resolved.At.Equal(end.Add(10*time.Second)) {
		t.Errorf("resolved: %+v, want that it stopped to hold at %s", resolved, end)
	}
}

func TestResolvedNamesItsTimes(t *testing.T) {
	client, err := connect.New(connect.Options{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Options{Client: client, Rules: []kpi.Rule{rule(t)}, Env: "local", Behind: 1 << 62})
	if err != nil {
		t.Fatal(err)
	}
	m := Machine{ResolveAfter: 2 * time.Minute}
	var texts []string
	for i, holds := range []bool{true, true, false, true, true, false, false, false} {
		at := ten.Add(time.Duration(i) * time.Minute)
		if m.Step(at, holds) {
			texts = append(texts, a.transition(rule(t), at, &m, nil).Text)
		}
	}
	want := []string{
		"attempts firing in local since 2026-11-22T10:00:00Z: Too many attempts.",
		"attempts resolved in local at 2026-11-22T10:07:00Z; it held from 2026-11-22T10:00:00Z until 2026-11-22T10:05:00Z: Too many attempts.",
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Error(diff)
	}
}

// TestARecordedResolveIsRepeatedAsItWas: the receiver gets the same after a restart.
func TestARecordedResolveIsRepeatedAsItWas(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	down, refused := webhook(t, http.StatusInternalServerError)
	a, err := New(Options{Client: client, Rules: []kpi.Rule{rule(t)}, Env: env, Customer: "acme", WebhookURL: down})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Truncate(time.Millisecond)
	m := &Machine{state: Resolved, started: at.Add(-time.Minute), quiet: at.Add(-time.Second)}
	d := &delivery{Transition: a.transition(rule(t), at, m, map[string]float64{"attempts": 3})}
	if err := a.deliver(t.Context(), d); err == nil {
		t.Fatal("the webhook did not refuse")
	}
	past, err := a.history(t.Context(), "attempts")
	if err != nil || len(past.unsent) != 1 || !past.at.Equal(at) {
		t.Fatalf("history %+v: %v", past, err)
	}
	if diff := cmp.Diff(next(t, refused), past.unsent[0].Transition); diff != "" {
		t.Error(diff)
	}
}
