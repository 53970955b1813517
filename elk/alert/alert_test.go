package alert

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kreislauf/elk/connect"
	"kreislauf/elk/elktest"
	"kreislauf/elk/kpi"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The Elasticsearch client keeps idle connections; they end with the process.
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"),
	)
}

// webhook collects what it is sent and answers with the next status of its list, then 204.
func webhook(t *testing.T, statuses ...int) (url string, received chan Transition) {
	t.Helper()
	received = make(chan Transition, 100)
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(calls.Add(1)) - 1
		var got Transition
		dec := json.NewDecoder(r.Body)
		dec.DisallowUnknownFields()
		if err := dec.Decode(&got); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("webhook got %s %s: %v", r.Method, r.Header.Get("Content-Type"), err)
		}
		received <- got
		if n < len(statuses) {
			w.WriteHeader(statuses[n])
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	return s.URL, received
}

func rule(t *testing.T) kpi.Rule {
	t.Helper()
	r, err := kpi.Parse("rules/attempts.json", []byte(`{"name":"attempts","description":"Too many attempts.","severity":"warning","runbook":"docs/runbooks/a.md",
		"interval":"1s","window":"1h","queries":{"attempts":{"index":"events-kreislauf-{env}","match":{"event.action":"order-attempt"},"metric":"cardinality(event.id)"},
		"orders":{"index":"events-kreislauf-{env}","match":{"event.action":"order.placed"},"metric":"cardinality(event.id)"}},"condition":"attempts >= 2 and orders == 0"}`))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// start runs an alerter of the rule whose lines arrive at once; stop ends it and waits.
func start(t *testing.T, client *esapi.API, env, url string) (a *Alerter, stop func()) {
	t.Helper()
	report(t, client, env, "logship-1", time.Now().Add(time.Hour))
	return startWith(t, Options{Client: client, Rules: []kpi.Rule{rule(t)}, Env: env, WebhookURL: url, Interval: 50 * time.Millisecond})
}

// startWith is start with the pipeline as it is.
func startWith(t *testing.T, o Options) (a *Alerter, stop func()) {
	t.Helper()
	o.Customer, o.Logger, o.Reports = "acme", zerolog.Nop(), "metrics-kreislauf.logship-"+o.Env
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	return a, stop
}

func next(t *testing.T, received chan Transition) Transition {
	t.Helper()
	select {
	case got := <-received:
		return got
	case <-time.After(30 * time.Second):
		t.Fatal("the webhook is not called")
		return Transition{}
	}
}

// settled waits until the alerter has delivered everything and has evaluated once more.
func settled(t *testing.T, a *Alerter, want State) {
	t.Helper()
	since := time.Now()
	for deadline := since.Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if s := a.Status()[0]; s.State == want && s.Undelivered == 0 && s.Evaluated.After(since) {
			return
		}
	}
	t.Fatalf("status %+v, want %s and nothing undelivered", a.Status()[0], want)
}

func put(t *testing.T, client *esapi.API, env, action string, ids ...string) {
	t.Helper()
	for _, id := range ids {
		elktest.Index(t, client, env, map[string]any{
			"@timestamp": time.Now().UTC().Format(stampLayout), "data_stream.type": "events", "data_stream.dataset": "kreislauf", "event.id": id, "event.action": action,
		})
	}
}

// TestFireRestartResolve is one night: it fires, the webhook is down at first, the alerter restarts, it resolves.
func TestFireRestartResolve(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	url, received := webhook(t, http.StatusServiceUnavailable)
	put(t, client, env, "order-attempt", "a", "b")
	first, stop := start(t, client, env, url)
	fired := next(t, received)
	if diff := cmp.Diff(fired, next(t, received)); diff != "" {
		t.Errorf("the repetition after 503 differs:\n%s", diff)
	}
	settled(t, first, Firing)
	stop()

	want := Transition{
		ID: "attempts+firing+" + fired.StartedAt.Format("20060102T150405.000Z"), Rule: "attempts", Description: "Too many attempts.", State: Firing,
		Severity: "warning", Values: map[string]float64{"attempts": 2, "orders": 0}, StartedAt: fired.StartedAt, At: fired.At, Env: env, Customer: "acme",
		Runbook: "docs/runbooks/a.md", Text: "attempts firing in " + env + " since " + fired.StartedAt.Format(time.RFC3339) + ": Too many attempts.", Query: rule(t).Explain(fired.At, env),
	}
	if diff := cmp.Diff(want, fired); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}

	second, stop := start(t, client, env, url)
	settled(t, second, Firing)
	if n := len(received); n != 0 {
		t.Errorf("the restart posted %d alerts", n)
	}
	put(t, client, env, "order.placed", "o")
	resolved := next(t, received)
	if resolved.State != Resolved || !resolved.StartedAt.Equal(fired.StartedAt) {
		t.Errorf("resolved: %+v", resolved)
	}
	settled(t, second, Inactive)
	stop()

	third, stop := start(t, client, env, url)
	settled(t, third, Inactive)
	stop()
	if n := len(received); n != 0 {
		t.Errorf("the second restart posted %d alerts", n)
	}
	if diff := cmp.Diff([]string{"alert.firing", "alert.notified", "alert.resolved", "alert.notified"}, documents(t, client, env)); diff != "" {
		t.Errorf("documents:\n%s", diff)
	}
}

// TestARestartPostsWhatHasNoReceipt stops the alerter while the webhook is down.
func TestARestartPostsWhatHasNoReceipt(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	down, refused := webhook(t, 500, 500, 500, 500, 500, 500, 500, 500)
	put(t, client, env, "order-attempt", "a", "b")
	_, stop := start(t, client, env, down)
	fired := next(t, refused)
	stop()
	url, received := webhook(t)
	again, stop := start(t, client, env, url)
	repeated := next(t, received)
	settled(t, again, Firing)
	stop()
	if diff := cmp.Diff(fired, repeated); diff != "" {
		t.Errorf("the repetition after the restart differs:\n%s", diff)
	}
	if n := len(received); n != 0 {
		t.Errorf("%d more posts", n)
	}
}

// report writes what a log shipper writes about itself: all that was written before complete is delivered.
func report(t *testing.T, client *esapi.API, env, agent string, complete time.Time) {
	t.Helper()
	elktest.Index(t, client, env, map[string]any{
		"@timestamp": time.Now().Add(-reportsVisible - time.Second).UTC().Format(stampLayout), "data_stream.type": "metrics",
		"data_stream.dataset": "kreislauf.logship", "data_stream.namespace": env, "agent.name": agent, "logship.target": "main",
		completeField: complete.UnixMilli(),
	})
}

func documents(t *testing.T, client *esapi.API, env string) []string {
	t.Helper()
	answer, err := connect.Search(t.Context(), client, []string{"alerts-kreislauf-" + env}, map[string]any{
		"size": 50, "query": map[string]any{"term": map[string]any{"customer": "acme"}}, "sort": []any{map[string]any{"@timestamp": "asc"}, map[string]any{"alert.at": "asc"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, h := range answer.Hits {
		actions = append(actions, h.Doc.String("event.action"))
	}
	return actions
}

func TestADocumentIsWrittenOnce(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	a, err := New(Options{Client: client, Rules: []kpi.Rule{rule(t)}, Env: env, Customer: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	d := &delivery{Transition: a.transition(rule(t), time.Now(), &Machine{state: Firing, started: time.Now()}, map[string]float64{"attempts": 3})}
	for range 2 {
		d.written = false
		if err := a.deliver(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"alert.firing"}, documents(t, client, env)); diff != "" {
		t.Error(diff)
	}
}

func TestNewRefuses(t *testing.T) {
	client, err := connect.New(connect.Options{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	r := rule(t)
	taken := r
	taken.Name = PipelineRule
	for name, o := range map[string]Options{
		"name":      {Client: client, Env: "local", Rules: []kpi.Rule{taken}},
		"no client": {Rules: []kpi.Rule{r}, Env: "local"},
		"no env":    {Client: client, Rules: []kpi.Rule{r}},
		"no rules":  {Client: client, Env: "local"},
		"twice":     {Client: client, Env: "local", Rules: []kpi.Rule{r, r}},
		"webhook":   {Client: client, Env: "local", Rules: []kpi.Rule{r}, WebhookURL: "chat.example/hook"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
