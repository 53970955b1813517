// Package funnel counts how many visits get from step to step, from the platform's own events.
//
// Rules of the count, for every number alike:
//
//   - A visit counts once. Its first step is the first such event in [from, to). Step k is its first event of that
//     action at or after the time of step k-1 and not later than the window after the first step. Everything else
//     the visit does (a second attempt, a second order) is ignored: it neither counts nor opens a new window.
//   - Where a step waits for somebody else, the window does not count: a visit there is open, neither lost nor done, until the
//     next step comes, however late, or an end of the same link. Any other visit that stopped is lost.
//   - Events up to to + window are read, where a step waits up to now, so that a visit that begins just before to may still
//     finish. Where that lies in the future, the visit is counted as it stands now.
//   - An event without the key field belongs to the visit that an event with both key and link field names, for
//     example matching.accepted of an order to the visit of its order.placed. An event that belongs to no
//     visit stands for itself under its link value.
//   - Whoever has a later step but no first one in the range is not in the funnel and is reported as Outside.
//   - A document stored twice has the same @timestamp and event.id, stands next to itself in the walk and counts once.
//
// The numbers and the example visits come from the same walk, so they always match. Times are UTC, values are cents.
// Memory is about 200 bytes for every event of the range.
package funnel

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"kreislauf/elk/connect"
)

// Result is a counted funnel.
type Result struct {
	Definition Definition
	Env        string
	From, To   time.Time
	Events     int // distinct events read
	Outside    int // visits with a later step but without the first
	Steps      []StepResult
}

// StepResult is one row.
type StepResult struct {
	Step
	Reached    int           // visits that got here
	OfFirst    float64       // Reached / first step's Reached, 0 to 1; 0 when nobody began
	OfPrevious float64       // Reached / previous step's Reached; 1 for the first step
	MedianTime time.Duration // since the previous step; 0 for the first step and when nobody got here
	ValueCents int64         // sum over the events that made the visits reach this step
	Open       int           // visits that wait at this step
	OpenCents  int64         // sum of their values of this step
	Dropped    int           // visits that reached this step and neither the next nor wait for it; 0 for the last step
	LostCents  int64         // sum of this step's values of the dropped visits
	DropOffs   []DropOff     // the newest dropped visits, at most Definition.Examples
}

// DropOff is a visit that ended at a step.
type DropOff struct {
	Visit, Order, TraceID string // Order and TraceID as far as the event says
	At                    time.Time
}

// event is what is kept of a document.
type event struct {
	at                 time.Time
	step               int // place in the funnel; ended for an end
	visit, link, trace string
	cents              int64
}

// ended is the step of an event that ends a visit that waits.
const ended = -1

// Run counts d over the visits that begin in [from, to).
func Run(ctx context.Context, client *esapi.API, d Definition, env string, from, to time.Time) (Result, error) {
	if !from.Before(to) {
		return Result{}, fmt.Errorf("funnel %s: the range from %s to %s is empty", d.Name, from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	events, err := read(ctx, client, d, env, from, to)
	if err != nil {
		return Result{}, fmt.Errorf("funnel %s: %w", d.Name, err)
	}
	result := count(d, events, to)
	result.Env, result.From, result.To = env, from.UTC(), to.UTC()
	return result, nil
}

func read(ctx context.Context, client *esapi.API, d Definition, env string, from, to time.Time) ([]event, error) {
	steps := map[string]int{}
	actions := make([]string, 0, len(d.Steps))
	until := to.Add(d.Window)
	for i, s := range d.Steps {
		steps[s.Action] = i
		actions = append(actions, s.Action)
		if now := time.Now(); s.Waits && now.After(until) {
			until = now
		}
	}
	for _, end := range d.Ends {
		steps[end] = ended
		actions = append(actions, end)
	}
	walk := connect.Walk{
		Indices: []string{strings.ReplaceAll(d.Index, "{env}", env)},
		Query: map[string]any{"bool": map[string]any{"filter": []any{
			map[string]any{"range": map[string]any{"@timestamp": map[string]any{
				"gte": from.UTC().Format(time.RFC3339Nano), "lt": until.UTC().Format(time.RFC3339Nano),
			}}},
			map[string]any{"terms": map[string]any{"event.action": actions}},
		}}},
		Sort: []map[string]any{
			{"@timestamp": map[string]any{"order": "asc", "unmapped_type": "date"}},
			{"event.id": map[string]any{"order": "asc", "unmapped_type": "keyword"}},
		},
	}
	var (
		events []event
		lastID string
		lastAt time.Time
	)
	_, err := walk.Each(ctx, client, func(h connect.Hit) error {
		id, at := h.Doc.String("event.id"), h.Doc.Time("@timestamp")
		if id != "" && id == lastID && at.Equal(lastAt) {
			return nil
		}
		lastID, lastAt = id, at
		e := event{at: at, step: steps[h.Doc.String("event.action")], visit: h.Doc.String(d.Key), trace: h.Doc.String("trace.id")}
		if d.Link != "" {
			e.link = h.Doc.String(d.Link)
		}
		if d.Value != "" {
			e.cents = h.Doc.Int(d.Value)
		}
		events = append(events, e)
		return nil
	})
	return events, err
}

// count is the whole arithmetic. The events are in order of time.
func count(d Definition, events []event, to time.Time) Result {
	result := Result{Definition: d, Events: len(events), Steps: make([]StepResult, len(d.Steps))}
	for i, s := range d.Steps {
		result.Steps[i].Step = s
	}
	visits, order := group(events)
	times := make([][]time.Duration, len(d.Steps))
	for _, key := range order {
		path, open := follow(d, visits[key], to)
		if len(path) == 0 {
			if slices.ContainsFunc(visits[key], func(e event) bool { return e.at.Before(to) && e.step > 0 }) {
				result.Outside++
			}
			continue
		}
		for k, e := range path {
			row := &result.Steps[k]
			row.Reached++
			row.ValueCents += e.cents
			if k > 0 {
				times[k] = append(times[k], e.at.Sub(path[k-1].at))
			}
		}
		last := len(path) - 1
		row := &result.Steps[last]
		switch {
		case open:
			row.Open++
			row.OpenCents += path[last].cents
		case last < len(d.Steps)-1:
			row.Dropped++
			row.LostCents += path[last].cents
			row.DropOffs = append(row.DropOffs, DropOff{Visit: key, Order: path[last].link, TraceID: path[last].trace, At: path[last].at})
		}
	}
	for k := range result.Steps {
		result.Steps[k].finish(result.Steps[0].Reached, result.Steps[max(k-1, 0)].Reached, times[k], d.Examples)
	}
	return result
}

func (r *StepResult) finish(first, previous int, times []time.Duration, examples int) {
	if first > 0 {
		r.OfFirst = float64(r.Reached) / float64(first)
	}
	if previous > 0 {
		r.OfPrevious = float64(r.Reached) / float64(previous)
	}
	r.MedianTime = median(times)
	slices.SortFunc(r.DropOffs, func(a, b DropOff) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Visit, b.Visit))
	})
	r.DropOffs = r.DropOffs[:min(len(r.DropOffs), examples)]
}

// group collects the events of each visit, in order of time, and the visits in order of their first event.
func group(events []event) (visits map[string][]event, order []string) {
	visitOf := map[string]string{}
	for _, e := range events {
		if e.visit != "" && e.link != "" {
			if _, known := visitOf[e.link]; !known {
				visitOf[e.link] = e.visit
			}
		}
	}
	visits = map[string][]event{}
	for _, e := range events {
		key := cmp.Or(e.visit, visitOf[e.link], e.link)
		if key == "" {
			continue
		}
		if _, known := visits[key]; !known {
			order = append(order, key)
		}
		visits[key] = append(visits[key], e)
	}
	return visits, order
}

// follow returns the events by which a visit reached step 0, 1, … as far as it got, and whether it waits there.
func follow(d Definition, events []event, to time.Time) (path []event, open bool) {
	for _, e := range events {
		last := len(path) - 1
		switch {
		case e.step == ended:
			open = open && e.link != path[last].link
		case e.step != len(path):
		case last < 0 && !e.at.Before(to):
		case last < 0 || d.Steps[last].Waits || e.at.Sub(path[0].at) <= d.Window:
			path, open = append(path, e), d.Steps[e.step].Waits
		}
	}
	return path, open
}

// median of an even count is the mean of the two middle values.
func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	middle := len(times) / 2
	if len(times)%2 == 1 {
		return times[middle]
	}
	return (times[middle-1] + times[middle]) / 2
}
