// Package kpi owns the KPI rules: their file format, the condition language and the evaluation against
// Elasticsearch.
//
// Invariants: an evaluation is a pure question, it changes nothing on the server and remembers nothing; a value is
// complete or the evaluation is an error. Counting by cardinality of an id makes a document that is stored twice
// count once. Evaluate counts what can be found now: whether all documents of the window have arrived is for the caller to know
// (package alert waits until then). An event is written when it has gone through Kafka, so a rule that compares events with other
// lines needs a pending duration (for) longer than that takes.
package kpi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"kreislauf/elk/connect"
)

// precision is the cardinality up to which the count is close to exact; it is the server's maximum.
const precision = 40000

// Result is one evaluation.
type Result struct {
	Values map[string]float64 // by query name
	Firing bool               // the condition holds
}

// Evaluate asks all queries of a rule over (at - window, at] in the environment env.
// A stream that does not exist yet counts as 0.
func Evaluate(ctx context.Context, client *esapi.API, rule Rule, at time.Time, env string) (Result, error) {
	result := Result{Values: make(map[string]float64, len(rule.Queries))}
	for _, name := range slices.Sorted(maps.Keys(rule.Queries)) {
		value, err := rule.Queries[name].value(ctx, client, at.Add(-rule.Window), at, env)
		if err != nil {
			return Result{}, fmt.Errorf("rule %s, query %s: %w", rule.Name, name, err)
		}
		result.Values[name] = value
	}
	result.Firing = rule.Condition.Holds(result.Values)
	return result, nil
}

func (q Query) value(ctx context.Context, client *esapi.API, from, to time.Time, env string) (float64, error) {
	body := map[string]any{"size": 0, "query": q.filter(from, to)}
	if q.Metric == "cardinality" {
		body["aggs"] = map[string]any{"value": map[string]any{
			"cardinality": map[string]any{"field": q.Field, "precision_threshold": precision},
		}}
	}
	answer, err := connect.Search(ctx, client, []string{q.index(env)}, body)
	if err != nil {
		return 0, err
	}
	if q.Metric == "count" {
		return float64(answer.Total), nil
	}
	raw, ok := answer.Aggregations["value"]
	if !ok {
		if answer.Shards == 0 {
			return 0, nil // no index yet: the server leaves out the aggregation
		}
		return 0, errors.New("the answer has no aggregation")
	}
	var value struct{ Value float64 }
	if err := json.Unmarshal(raw, &value); err != nil {
		return 0, fmt.Errorf("read the cardinality: %w", err)
	}
	return value.Value, nil
}

func (q Query) index(env string) string { return strings.ReplaceAll(q.Index, "{env}", env) }

// filter is the query DSL of the window and the query's own conditions.
func (q Query) filter(from, to time.Time) map[string]any {
	filters := []any{map[string]any{"range": map[string]any{"@timestamp": map[string]any{
		"gt": stamp(from), "lte": stamp(to), "format": "strict_date_optional_time",
	}}}}
	for _, field := range slices.Sorted(maps.Keys(q.Match)) {
		filters = append(filters, map[string]any{"terms": map[string]any{field: q.Match[field]}})
	}
	if q.DSL != nil {
		filters = append(filters, q.DSL)
	}
	return map[string]any{"bool": map[string]any{"filter": filters}}
}

// Explain returns the queries of an evaluation as text a person can paste into Kibana: one line a query, sorted,
// in KQL where the rule uses match and as query DSL where it does not.
func (r Rule) Explain(at time.Time, env string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, from %s to %s", r.Condition, stamp(at.Add(-r.Window)), stamp(at))
	for _, name := range slices.Sorted(maps.Keys(r.Queries)) {
		q := r.Queries[name]
		metric := q.Metric
		if q.Field != "" {
			metric += "(" + q.Field + ")"
		}
		fmt.Fprintf(&b, "\n%s = %s of %s where %s", name, metric, q.index(env), q.text())
	}
	return b.String()
}

func (q Query) text() string {
	if q.DSL != nil {
		dsl, err := json.Marshal(q.DSL)
		if err != nil {
			return err.Error()
		}
		return string(dsl)
	}
	var parts []string
	for _, field := range slices.Sorted(maps.Keys(q.Match)) {
		values := make([]string, 0, len(q.Match[field]))
		for _, v := range q.Match[field] {
			quoted, err := json.Marshal(v)
			if err != nil {
				return err.Error()
			}
			values = append(values, string(quoted))
		}
		parts = append(parts, field+": ("+strings.Join(values, " or ")+")")
	}
	if len(parts) == 0 {
		return "*"
	}
	return strings.Join(parts, " and ")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
