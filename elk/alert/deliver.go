package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"kreislauf/elk/connect"
	"kreislauf/elk/kpi"
)

const (
	postTimeout  = 10 * time.Second
	historyDepth = 100            // newest documents a restart reads for each rule
	repostWithin = 24 * time.Hour // age up to which a restart posts a transition without a receipt
)

// Transition is the webhook's JSON body.
type Transition struct {
	ID          string             `json:"id"` // the same for every repetition
	Rule        string             `json:"rule"`
	Description string             `json:"description"`
	State       State              `json:"state"` // firing or resolved; of the pipeline no_data, behind or resolved
	Severity    string             `json:"severity"`
	Values      map[string]float64 `json:"values"`
	StartedAt   time.Time          `json:"started_at"`           // when the condition first held
	StoppedAt   *time.Time         `json:"stopped_at,omitempty"` // of resolved: the first evaluation at which the condition did not hold
	At          time.Time          `json:"at"`                   // evaluation that made the transition: the end of its window
	Env         string             `json:"env"`
	Customer    string             `json:"customer"`
	Runbook     string             `json:"runbook"`
	Text        string             `json:"text"`  // one sentence
	Query       string             `json:"query"` // condition, window and queries, to be pasted into Kibana
}

const stampLayout = "2006-01-02T15:04:05.000Z"

// transition describes what the machine of a rule just did.
func (a *Alerter) transition(r kpi.Rule, at time.Time, m *Machine, values map[string]float64) Transition {
	t := a.describe(r, m.State(), at, m, values)
	t.Query = r.Explain(at, a.o.Env)
	if now := time.Now(); now.Sub(at) > a.o.Behind {
		t.Text += fmt.Sprintf(" (seen only at %s: the pipeline was behind)", now.UTC().Format(time.RFC3339))
	}
	return t
}

// pipelineTransition describes that the pipeline is behind, or is no longer.
func (a *Alerter) pipelineTransition(r kpi.Rule, at time.Time, m *Machine, values map[string]float64) Transition {
	state, text := a.pipeline.tell(time.Now(), a.o.Behind/2)
	if m.State() == Resolved {
		state, text = Resolved, "lines arrive in time again; rules catch up"
	} else {
		text += "; rules keep their states until their lines have arrived"
	}
	r.Description = text
	t := a.describe(r, state, at, m, values)
	t.Query = fmt.Sprintf("max(%s) by agent.name of %s", completeField, a.o.Reports)
	return t
}

func (a *Alerter) describe(r kpi.Rule, state State, at time.Time, m *Machine, values map[string]float64) Transition {
	started := m.Started().UTC()
	t := Transition{
		ID:   r.Name + "+" + string(state) + "+" + started.Format("20060102T150405.000Z"),
		Rule: r.Name, Description: r.Description, State: state, Severity: r.Severity, Values: values,
		StartedAt: started, At: at.UTC(), Env: a.o.Env, Customer: a.o.Customer, Runbook: r.Runbook,
		Text: fmt.Sprintf("%s %s in %s since %s: %s", r.Name, state, a.o.Env, started.Format(time.RFC3339), r.Description),
	}
	if state == Resolved {
		stopped := m.Stopped().UTC()
		t.StoppedAt = &stopped
		t.Text = fmt.Sprintf("%s resolved in %s at %s; it held from %s until %s: %s", r.Name, a.o.Env,
			t.At.Format(time.RFC3339), started.Format(time.RFC3339), stopped.Format(time.RFC3339), r.Description)
	}
	return t
}

// deliver does the steps of d that are not done. It is called again with the same d after an error.
func (a *Alerter) deliver(ctx context.Context, d *delivery) error {
	if !d.written {
		if err := a.create(ctx, d.ID, a.document(d.Transition, "alert."+string(d.State), d.At)); err != nil && !d.posted {
			// Elasticsearch may be what is down. People are told first, the document follows.
			if postErr := a.post(ctx, d); postErr != nil {
				return fmt.Errorf("%w; %w", err, postErr)
			}
			return err
		} else if err != nil {
			return err
		}
		d.written = true
	}
	if a.o.WebhookURL == "" {
		return nil
	}
	if err := a.post(ctx, d); err != nil {
		return err
	}
	return a.create(ctx, d.ID+"+notified", a.document(d.Transition, "alert.notified", time.Now()))
}

// document is a transition in the field names of the data stream.
func (a *Alerter) document(t Transition, action string, at time.Time) map[string]any {
	document := map[string]any{
		"@timestamp": at.UTC().Format(stampLayout), "message": t.Text, "event.action": action,
		"data_stream.type": "alerts", "data_stream.dataset": "kreislauf", "data_stream.namespace": a.o.Env,
		"service_name": "alerter", "env": t.Env, "customer": t.Customer, "platform_version": a.o.Version,
		"rule.name": t.Rule, "rule.description": t.Description, "rule.reference": t.Runbook,
		"alert.state": t.State, "alert.severity": t.Severity, "alert.values": t.Values, "alert.query": t.Query,
		"alert.started_at": t.StartedAt.Format(stampLayout), "alert.at": t.At.Format(stampLayout),
	}
	if t.StoppedAt != nil {
		document["alert.stopped_at"] = t.StoppedAt.Format(stampLayout)
	}
	return document
}

func (a *Alerter) stream() string { return "alerts-kreislauf-" + a.o.Env }

func (a *Alerter) create(ctx context.Context, id string, document map[string]any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("encode alert document: %w", err)
	}
	res, err := a.o.Client.Create(a.stream(), id, bytes.NewReader(body),
		a.o.Client.Create.WithContext(ctx), a.o.Client.Create.WithRefresh("wait_for"))
	if err := connect.Decode(res, err, nil); err != nil && connect.Status(err) != http.StatusConflict {
		return fmt.Errorf("write alert document %s: %w", id, err)
	}
	return nil
}

// post calls the webhook unless it has been called with success.
func (a *Alerter) post(ctx context.Context, d *delivery) error {
	if d.posted || a.o.WebhookURL == "" {
		return nil
	}
	body, err := json.Marshal(d.Transition)
	if err != nil {
		return fmt.Errorf("encode alert: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.o.WebhookURL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := a.http.Do(req)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)); err != nil {
		return fmt.Errorf("webhook: read the answer: %w", err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("webhook: status %d", res.StatusCode)
	}
	d.posted = true
	return nil
}

// history is what the data stream knows about a rule.
type history struct {
	state   State // of the newest transition; empty when there is none
	started time.Time
	at      time.Time   // of the newest transition
	unsent  []*delivery // transitions without a receipt, oldest first
}

// history reads the newest documents of a rule.
func (a *Alerter) history(ctx context.Context, rule string) (history, error) {
	answer, err := connect.Search(ctx, a.o.Client, []string{a.stream()}, map[string]any{
		"size":  historyDepth,
		"query": map[string]any{"bool": map[string]any{"filter": []any{map[string]any{"term": map[string]any{"rule.name": rule}}}}},
		"sort":  []any{map[string]any{"@timestamp": map[string]any{"order": "desc", "unmapped_type": "date"}}},
	})
	if err != nil {
		return history{}, fmt.Errorf("read recorded alerts: %w", err)
	}
	var past history
	receipts := map[string]bool{}
	for _, h := range answer.Hits {
		if h.Doc.String("event.action") == "alert.notified" {
			receipts[h.ID] = true
		}
	}
	for i := len(answer.Hits) - 1; i >= 0; i-- { // oldest first
		h := answer.Hits[i]
		if h.Doc.String("event.action") == "alert.notified" {
			continue
		}
		t := a.recorded(h)
		if !t.At.Before(past.at) {
			past.state, past.started, past.at = t.State, t.StartedAt, t.At
		}
		if a.o.WebhookURL != "" && !receipts[h.ID+"+notified"] && time.Since(t.At) < repostWithin {
			past.unsent = append(past.unsent, &delivery{Transition: t, written: true})
		}
	}
	return past, nil
}

// recorded turns a document back into the transition it was made from.
func (a *Alerter) recorded(h connect.Hit) Transition {
	t := Transition{
		ID: h.ID, Rule: h.Doc.String("rule.name"), Description: h.Doc.String("rule.description"),
		State: State(h.Doc.String("alert.state")), Severity: h.Doc.String("alert.severity"), Values: map[string]float64{},
		StartedAt: h.Doc.Time("alert.started_at"), At: h.Doc.Time("alert.at"), Env: h.Doc.String("env"),
		Customer: h.Doc.String("customer"), Runbook: h.Doc.String("rule.reference"),
		Text: h.Doc.String("message"), Query: h.Doc.String("alert.query"),
	}
	if stopped := h.Doc.Time("alert.stopped_at"); !stopped.IsZero() {
		t.StoppedAt = &stopped
	}
	for name, value := range h.Doc.Object("alert.values") {
		if n, ok := value.(json.Number); ok {
			t.Values[name], _ = n.Float64()
		}
	}
	return t
}
