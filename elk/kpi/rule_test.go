package kpi

import (
	"encoding/json"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/elk"
)

const attempts = "order-attempts-without-orders"

// ShippedRule loads the rules of files and returns the one with a name: how many others there are must not matter to a test.
func ShippedRule(t *testing.T, files fs.FS, name string) Rule {
	t.Helper()
	rules, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("there is no rule %s", name)
	}
	return rules[i]
}

// RuleSets are the shipped rules alone, and beside one that sorts before all of them.
func RuleSets(t *testing.T) map[string]fs.FS {
	t.Helper()
	more := fstest.MapFS{"rules/aaa-first.json": {Data: []byte(strings.Replace(good, `"r"`, `"aaa-first"`, 1))}}
	shipped, err := fs.Glob(elk.Files(), "rules/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range shipped {
		text, err := elk.Files().ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		more[name] = &fstest.MapFile{Data: text}
	}
	if rules, err := Load(more); err != nil || len(rules) != len(shipped)+1 || rules[0].Name != "aaa-first" {
		t.Fatalf("the additional rule does not come first: %v, %v", rules, err)
	}
	return map[string]fs.FS{"shipped": elk.Files(), "with a rule before": more}
}

func TestRunbooksExist(t *testing.T) {
	rules, err := Load(elk.Files())
	if err != nil {
		t.Fatal(err)
	}
	if len(rules) == 0 {
		t.Fatal("no rule is shipped")
	}
	for _, r := range rules {
		if _, err := os.Stat("../../" + r.Runbook); err != nil {
			t.Errorf("rule %s: runbook: %v", r.Name, err)
		}
	}
}

func TestLoad(t *testing.T) {
	for name, files := range RuleSets(t) {
		t.Run(name, func(t *testing.T) { loads(t, ShippedRule(t, files, attempts)) })
	}
}

func loads(t *testing.T, have Rule) {
	condition := have.Condition.String()
	have.Condition = Condition{}
	want := Rule{
		Name: "order-attempts-without-orders", Description: "Customers of several networks try to order, but no order is placed.",
		Severity: "critical", Runbook: "docs/runbooks/order-attempts-without-orders.md",
		Interval: 30 * time.Second, Window: 5 * time.Minute, For: time.Minute, ResolveAfter: 2 * time.Minute,
		Queries: map[string]Query{
			"attempts": {Index: "logs-nginx.access-{env}", Match: map[string][]any{}, DSL: attemptsDSL(t), Metric: "cardinality", Field: "source.network"},
			"orders":   {Index: "events-kreislauf-{env}", Match: map[string][]any{"event.action": {"order.placed"}}, Metric: "cardinality", Field: "event.id"},
		},
	}
	if diff := cmp.Diff(want, have, cmp.AllowUnexported(Condition{}, node{}, operand{})); diff != "" {
		t.Error(diff)
	}
	if condition != "attempts >= 5 and orders == 0" {
		t.Error(condition)
	}
}

// attemptsText is the query of attempts as the alert shows it.
const attemptsText = `{"bool":{"filter":[{"term":{"http.request.method":"POST"}}],"minimum_should_match":1,` +
	`"should":[{"term":{"url.path":"/api/order/v1/orders"}},{"bool":{"filter":[` +
	`{"terms":{"url.path":["/api/identity/v1/users","/api/identity/v1/sessions"]}},{"range":{"http.response.status_code":{"gte":500}}}]}}]}}`

func attemptsDSL(t *testing.T) map[string]any {
	t.Helper()
	var dsl map[string]any
	if err := json.Unmarshal([]byte(attemptsText), &dsl); err != nil {
		t.Fatal(err)
	}
	return dsl
}

const good = `{"name":"r","description":"d","severity":"info","runbook":"x.md","interval":"10s","window":"5m",
	"queries":{"a":{"index":"i","metric":"count"}},"condition":"a > 1"}`

func TestParseErrors(t *testing.T) {
	if _, err := Parse("rules/r.json", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"name":          {`"r"`, `"other"`, `name: "other" must be the file's name, "r"`},
		"severity":      {`"info"`, `"bad"`, `severity: "bad" is not one of critical, warning, info`},
		"runbook":       {`"x.md"`, `""`, `runbook: must not be empty: an alert without a runbook wakes somebody for nothing`},
		"interval":      {`"10s"`, `"10ms"`, `interval: must be at least 1s`},
		"unknown":       {`"severity"`, `"sevrity"`, `sevrity: unknown key; allowed are condition, description, for, interval, name, queries, resolve_after, runbook, severity, window`},
		"metric":        {`"count"`, `"sum(x)"`, `queries.a.metric: "sum(x)" is not one of count, cardinality(<field>)`},
		"metric field":  {`"count"`, `"cardinality()"`, `queries.a.metric: "cardinality()" is not one of count, cardinality(<field>)`},
		"both":          {`"metric"`, `"match":{"f":1},"query":{"term":{"f":1}},"metric"`, `queries.a: has match and query; only one is allowed`},
		"match value":   {`"metric"`, `"match":{"f":{}},"metric"`, `queries.a.match.f: want text, a number, true or false, or a list of them`},
		"match empty":   {`"metric"`, `"match":{"f":[]},"metric"`, `queries.a.match.f: an empty list matches nothing`},
		"query name":    {`{"a":{`, `{"A":{`, `queries.A: a name is lower case letters, digits and _, and not and/or`},
		"condition":     {`"a > 1"`, `"a >> 1"`, `condition: condition "a >> 1", position 3: want one of < <= > >= == !=, have ">>"`},
		"unknown value": {`"a > 1"`, `"b > 1 or a > 1"`, `condition: b is not one of the queries a`},
		"unused":        {`{"a":{`, `{"b":{"index":"i","metric":"count"},"a":{`, `queries.b: is not used in the condition`},
		"index":         {`"index":"i"`, `"index":""`, `queries.a.index: must not be empty`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("rules/r.json", []byte(strings.Replace(good, c.old, c.new, 1)))
			if err == nil {
				t.Fatal("accepted")
			}
			if diff := cmp.Diff("rules/r.json: "+c.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	for name, files := range RuleSets(t) {
		t.Run(name, func(t *testing.T) { explains(t, ShippedRule(t, files, attempts)) })
	}
}

func explains(t *testing.T, rule Rule) {
	have := rule.Explain(time.Date(2026, 11, 22, 10, 5, 0, 0, time.UTC), "local")
	want := `attempts >= 5 and orders == 0, from 2026-11-22T10:00:00.000Z to 2026-11-22T10:05:00.000Z
attempts = cardinality(source.network) of logs-nginx.access-local where ` + attemptsText + `
orders = cardinality(event.id) of events-kreislauf-local where event.action: ("order.placed")`
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}
