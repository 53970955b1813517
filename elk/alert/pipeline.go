package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/rs/zerolog"

	"kreislauf/elk/connect"
	"kreislauf/elk/kpi"
)

// PipelineRule is the name under which people hear about the pipeline itself. No rule file may have it.
const PipelineRule = "pipeline-behind"

const (
	defaultBehind  = 2 * time.Minute
	pipelinePause  = 5 * time.Second // between two looks at the reports
	firstLook      = 24 * time.Hour  // age of the reports that are read at the start
	laterLook      = 10 * time.Minute
	reportsVisible = 3 * time.Second  // what was acknowledged before a report can be found this long after it (a refresh takes 1 s)
	writeDelay     = time.Second      // a line is in its file this long after its @timestamp
	forgetAfter    = 15 * time.Minute // a shipper this much more silent than another one is waited for no longer
)

// pipeline knows up to which time lines have arrived, by the reports of the log shippers. It is safe for use by several goroutines.
type pipeline struct {
	client  *esapi.API
	reports string // data stream or pattern
	logger  zerolog.Logger

	mu       sync.Mutex
	shippers map[string]shipper // by name
	failing  bool               // the last look got no answer
}

// shipper is one log shipper, with one target.
type shipper struct {
	name     string
	reported time.Time // of its newest report
	complete time.Time // everything that it found written before then is delivered; zero when it never said so
}

// look reads the reports. After an error what was known stays.
func (p *pipeline) look(ctx context.Context, now time.Time) {
	p.mu.Lock()
	age := laterLook
	if len(p.shippers) == 0 {
		age = firstLook
	}
	p.mu.Unlock()
	found, err := p.read(ctx, now.Add(-age), now.Add(-reportsVisible))
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		if !p.failing && ctx.Err() == nil {
			p.logger.Warn().Err(err).Str("event.action", "alert.pipeline").Msg("the reports of the log shippers cannot be read")
		}
		p.failing = true
		return
	}
	p.failing = false
	p.merge(found)
}

// merge adds what was found and forgets shippers that are gone while others are at work.
func (p *pipeline) merge(found []shipper) {
	var newest time.Time
	for _, s := range found {
		known := p.shippers[s.name]
		s.reported, s.complete = later(s.reported, known.reported), later(s.complete, known.complete)
		p.shippers[s.name] = s
	}
	for _, s := range p.shippers {
		newest = later(newest, s.reported)
	}
	for name, s := range p.shippers {
		if newest.Sub(s.reported) > forgetAfter {
			delete(p.shippers, name)
			p.logger.Warn().Str("event.action", "alert.pipeline").Time("reported", s.reported).Time("complete_until", s.complete).
				Msgf("the log shipper %s has been silent for %s while others report: it is waited for no longer, what it has not delivered is not seen",
					name, forgetAfter)
		}
	}
}

// read asks for the shippers that reported in a time.
func (p *pipeline) read(ctx context.Context, from, to time.Time) ([]shipper, error) {
	terms := func(field string, below map[string]any) map[string]any {
		return map[string]any{"by": map[string]any{"terms": map[string]any{"field": field, "size": 1000}, "aggs": below}}
	}
	answer, err := connect.Search(ctx, p.client, []string{p.reports}, map[string]any{
		"size": 0,
		"query": map[string]any{"bool": map[string]any{"filter": []any{
			map[string]any{"range": map[string]any{"@timestamp": map[string]any{"gt": from.UTC().Format(stampLayout), "lte": to.UTC().Format(stampLayout)}}},
			map[string]any{"exists": map[string]any{"field": completeField}},
		}}},
		"aggs": terms("data_stream.namespace", terms("agent.name", terms("logship.target", map[string]any{
			"reported": map[string]any{"max": map[string]any{"field": "@timestamp"}},
			"complete": map[string]any{"max": map[string]any{"field": completeField}},
		}))),
	})
	if err != nil {
		return nil, fmt.Errorf("read the reports of the log shippers: %w", err)
	}
	raw, ok := answer.Aggregations["by"]
	if !ok {
		return nil, nil // no report yet
	}
	var spaces buckets[buckets[buckets[struct{}]]]
	if err := json.Unmarshal(raw, &spaces); err != nil {
		return nil, fmt.Errorf("read the reports of the log shippers: %w", err)
	}
	var out []shipper
	for _, space := range spaces.Buckets {
		for _, agent := range space.By.Buckets {
			for _, target := range agent.By.Buckets {
				out = append(out, shipper{
					name:     space.Key + "/" + agent.Key + "/" + target.Key,
					reported: target.Reported.time(), complete: target.Complete.time(),
				})
			}
		}
	}
	return out, nil
}

// completeField is the member of a report that says until when everything is delivered, in milliseconds of Unix time.
const completeField = "logship.complete_until_ms"

// buckets is the answer to a terms aggregation named by.
type buckets[Below any] struct {
	Buckets []struct {
		Key                string
		By                 Below
		Reported, Complete millis
	}
}

// millis is a time as a metric aggregation gives it.
type millis struct{ Value float64 }

func (m millis) time() time.Time {
	if m.Value <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(math.Round(m.Value))).UTC()
}

// slowest returns the shipper that everything has to wait for; known is false when no shipper has ever reported.
func (p *pipeline) slowest() (s shipper, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, each := range p.shippers {
		if !known || each.complete.Before(s.complete) || each.complete.Equal(s.complete) && each.name < s.name {
			s, known = each, true
		}
	}
	return s, known
}

// until returns the watermark: lines with an @timestamp up to it have arrived; zero when that is not known.
func (p *pipeline) until() time.Time {
	s, _ := p.slowest()
	if s.complete.IsZero() {
		return time.Time{}
	}
	return s.complete.Add(-writeDelay)
}

// evaluate looks at the pipeline as at a rule: the condition is that it is more than behind late, or that nothing is known of it.
func (p *pipeline) evaluate(ctx context.Context, behind time.Duration) kpi.Result {
	p.look(ctx, time.Now())
	until := p.until()
	if until.IsZero() {
		return kpi.Result{Values: map[string]float64{}, Firing: true}
	}
	lag := time.Since(until)
	return kpi.Result{Values: map[string]float64{"lag_seconds": math.Round(lag.Seconds())}, Firing: lag > behind}
}

// tell says how it stands with the pipeline, and whether nothing comes any more or only late: a shipper without a report for silent
// is taken to be stopped.
func (p *pipeline) tell(now time.Time, silent time.Duration) (state State, text string) {
	s, known := p.slowest()
	p.mu.Lock()
	failing := p.failing
	p.mu.Unlock()
	delivered := "it is not known until when lines have arrived"
	if !s.complete.IsZero() {
		delivered = fmt.Sprintf("lines have arrived until %s, that is %s behind", s.complete.Format(time.RFC3339), now.Sub(s.complete).Round(time.Second))
	}
	switch {
	case failing:
		return NoData, "Elasticsearch does not answer; " + delivered
	case !known:
		return NoData, "no log shipper reports"
	case now.Sub(s.reported) > silent:
		return NoData, fmt.Sprintf("the log shipper %s has not reported since %s; %s", s.name, s.reported.Format(time.RFC3339), delivered)
	}
	return Behind, fmt.Sprintf("the log shipper %s is behind; %s", s.name, delivered)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
