package kpi

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"kreislauf/elk/strict"
)

// Rule is one KPI rule as written in elk/rules/<name>.json. Durations are written like "30s" or "5m". The name pipeline-behind is taken.
type Rule struct {
	Name         string // equals the file name without extension
	Description  string
	Severity     string           // critical, warning or info
	Runbook      string           // path in the repository
	Interval     time.Duration    // between two evaluations, which are planned at its multiples; at least a second
	Window       time.Duration    // the queries see (at - Window, at], at is the planned time; see package alert for when they are asked
	Queries      map[string]Query // by the name the condition uses
	Condition    Condition
	For          time.Duration // how long the condition must hold before the rule fires; 0 = at once
	ResolveAfter time.Duration // how long it must not hold before a firing rule resolves; 0 = at once
}

// Query is one named value of a rule.
type Query struct {
	Index  string           // data stream or pattern; {env} becomes the environment
	Match  map[string][]any // field -> allowed values; all fields must match
	DSL    map[string]any   // query DSL instead of Match
	Metric string           // "count" or "cardinality"
	Field  string           // of a cardinality
}

// Load reads every *.json in the folder rules of fsys, sorted by name.
func Load(fsys fs.FS) ([]Rule, error) {
	names, err := fs.Glob(fsys, "rules/*.json")
	if err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	rules := make([]Rule, 0, len(names))
	for _, name := range names {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read rule: %w", err)
		}
		rule, err := Parse(name, raw)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// Parse decodes one rule strictly. file is its path, for the errors and for the name check.
func Parse(file string, raw []byte) (Rule, error) {
	var (
		r         Rule
		queries   json.RawMessage
		condition string
	)
	err := strict.Object(file, "", raw, map[string]strict.Member{
		"name": {Into: &r.Name}, "description": {Into: &r.Description}, "severity": {Into: &r.Severity},
		"runbook": {Into: &r.Runbook}, "interval": {Into: &r.Interval}, "window": {Into: &r.Window},
		"queries": {Into: &queries}, "condition": {Into: &condition},
		"for": {Into: &r.For, Optional: true}, "resolve_after": {Into: &r.ResolveAfter, Optional: true},
	})
	if err != nil {
		return Rule{}, err
	}
	if r.Queries, err = parseQueries(file, queries); err != nil {
		return Rule{}, err
	}
	if r.Condition, err = ParseCondition(condition); err != nil {
		return Rule{}, &strict.Error{File: file, Key: "condition", Problem: err.Error()}
	}
	return r, r.check(file)
}

func (r Rule) check(file string) error {
	if want := strings.TrimSuffix(path.Base(file), ".json"); r.Name != want {
		return &strict.Error{File: file, Key: "name", Problem: fmt.Sprintf("%q must be the file's name, %q", r.Name, want)}
	}
	if err := strict.OneOf(file, "severity", r.Severity, "critical", "warning", "info"); err != nil {
		return err
	}
	if r.Runbook == "" {
		return &strict.Error{File: file, Key: "runbook", Problem: "must not be empty: an alert without a runbook wakes somebody for nothing"}
	}
	for key, d := range map[string]time.Duration{"interval": r.Interval, "window": r.Window} {
		if d < time.Second {
			return &strict.Error{File: file, Key: key, Problem: "must be at least 1s"}
		}
	}
	used := r.Condition.Names()
	known := slices.Sorted(maps.Keys(r.Queries))
	for _, name := range used {
		if !slices.Contains(known, name) {
			return &strict.Error{File: file, Key: "condition", Problem: name + " is not one of the queries " + strings.Join(known, ", ")}
		}
	}
	for _, name := range known {
		if !slices.Contains(used, name) {
			return &strict.Error{File: file, Key: "queries." + name, Problem: "is not used in the condition"}
		}
	}
	return nil
}

func parseQueries(file string, raw json.RawMessage) (map[string]Query, error) {
	members, err := strict.Keys(file, "queries", raw)
	if err != nil {
		return nil, err
	}
	queries := make(map[string]Query, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		key := "queries." + name
		if !validName(name) {
			return nil, &strict.Error{File: file, Key: key, Problem: "a name is lower case letters, digits and _, and not and/or"}
		}
		if queries[name], err = parseQuery(file, key, members[name]); err != nil {
			return nil, err
		}
	}
	return queries, nil
}

func parseQuery(file, key string, raw json.RawMessage) (Query, error) {
	var (
		q      Query
		match  map[string]any
		metric string
	)
	err := strict.Object(file, key, raw, map[string]strict.Member{
		"index": {Into: &q.Index}, "metric": {Into: &metric},
		"match": {Into: &match, Optional: true}, "query": {Into: &q.DSL, Optional: true},
	})
	if err != nil {
		return Query{}, err
	}
	if q.Index == "" {
		return Query{}, &strict.Error{File: file, Key: key + ".index", Problem: "must not be empty"}
	}
	if match != nil && q.DSL != nil {
		return Query{}, &strict.Error{File: file, Key: key, Problem: "has match and query; only one is allowed"}
	}
	if q.Match, err = matchValues(file, key+".match", match); err != nil {
		return Query{}, err
	}
	field, isCardinality := strings.CutPrefix(metric, "cardinality(")
	switch {
	case metric == "count":
		q.Metric = "count"
	case isCardinality && strings.HasSuffix(field, ")") && len(field) > 1:
		q.Metric, q.Field = "cardinality", strings.TrimSuffix(field, ")")
	default:
		return Query{}, &strict.Error{File: file, Key: key + ".metric", Problem: fmt.Sprintf("%q is not one of count, cardinality(<field>)", metric)}
	}
	return q, nil
}

// matchValues makes every value a list: one value is a list of one.
func matchValues(file, key string, match map[string]any) (map[string][]any, error) {
	out := make(map[string][]any, len(match))
	for field, value := range match {
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		if len(list) == 0 {
			return nil, &strict.Error{File: file, Key: key + "." + field, Problem: "an empty list matches nothing"}
		}
		for _, v := range list {
			switch v.(type) {
			case string, float64, bool:
			default:
				return nil, &strict.Error{File: file, Key: key + "." + field, Problem: "want text, a number, true or false, or a list of them"}
			}
		}
		out[field] = list
	}
	return out, nil
}
