package kpi_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/elk/connect"
	"kreislauf/elk/elktest"
	"kreislauf/elk/kpi"
)

func eventAt(at time.Time, action, id string) map[string]any {
	return map[string]any{
		"@timestamp": at.UTC().Format("2006-01-02T15:04:05.000Z"), "data_stream.type": "events", "data_stream.dataset": "kreislauf",
		"event.id": id, "event.action": action, "service_name": "statistics",
	}
}

func requestAt(at time.Time, path string, status int, network string) map[string]any {
	return map[string]any{
		"@timestamp": at.UTC().Format("2006-01-02T15:04:05.000Z"), "data_stream.type": "logs", "data_stream.dataset": "nginx.access",
		"http.request.method": "POST", "url.path": path, "http.response.status_code": status, "source.network": network, "service_name": "nginx",
	}
}

// TestOrderAttemptsWithoutOrders tells the rule's story: customers try, nothing is placed, then an order comes.
func TestOrderAttemptsWithoutOrders(t *testing.T) {
	for name, files := range kpi.RuleSets(t) {
		t.Run(name, func(t *testing.T) { tellsTheStory(t, kpi.ShippedRule(t, files, "order-attempts-without-orders")) })
	}
}

func tellsTheStory(t *testing.T, rule kpi.Rule) {
	client, env := elktest.Server(t, embedded)
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	check := func(minute int, values map[string]float64, firing bool) {
		t.Helper()
		have, err := kpi.Evaluate(t.Context(), client, rule, start.Add(time.Duration(minute)*time.Minute), env)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(kpi.Result{Values: values, Firing: firing}, have); diff != "" {
			t.Errorf("minute %d (-want +have):\n%s", minute, diff)
		}
	}
	check(0, map[string]float64{"attempts": 0, "orders": 0}, false) // there is no data stream yet
	var docs []map[string]any
	for i := range 6 {
		docs = append(docs, requestAt(start.Add(time.Duration(i+1)*time.Minute), "/api/order/v1/orders", 422, fmt.Sprintf("198.19.%d.0/24", i)))
		for range 4 { // what anybody can send as often as he likes
			docs = append(docs, eventAt(start.Add(time.Duration(i+1)*time.Minute), "order-attempt", rand.Text()))
		}
	}
	docs = append(docs, eventAt(start.Add(9*time.Minute), "order.placed", "order-1"))
	elktest.Index(t, client, env, docs...)
	check(4, map[string]float64{"attempts": 4, "orders": 0}, false)
	check(5, map[string]float64{"attempts": 5, "orders": 0}, true)
	check(6, map[string]float64{"attempts": 5, "orders": 0}, true) // the attempt of minute 1 has left (1, 6]
	check(9, map[string]float64{"attempts": 2, "orders": 1}, false)
	check(20, map[string]float64{"attempts": 0, "orders": 0}, false)
}

func TestQueryKinds(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	elktest.Index(t, client, env,
		eventAt(at, "order.placed", "a"), eventAt(at, "order-attempt", "b"), eventAt(at, "order-attempt", "c"), eventAt(at, "page-view", "d"))
	rule, err := kpi.Parse("rules/kinds.json", []byte(`{"name":"kinds","description":"d","severity":"info","runbook":"x.md","interval":"10s","window":"1m","queries":{
		"all":{"index":"events-kreislauf-{env}","metric":"count"},
		"listed":{"index":"events-kreislauf-{env}","match":{"event.action":["order.placed","order-attempt"]},"metric":"count"},
		"dsl":{"index":"events-*-{env}","query":{"bool":{"must_not":[{"term":{"event.action":"page-view"}}],"filter":[{"exists":{"field":"event.id"}}]}},"metric":"cardinality(event.action)"}
	},"condition":"all > listed and dsl == 2"}`))
	if err != nil {
		t.Fatal(err)
	}
	have, err := kpi.Evaluate(t.Context(), client, rule, at, env)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kpi.Result{Values: map[string]float64{"all": 4, "listed": 3, "dsl": 2}, Firing: true}, have); diff != "" {
		t.Error(diff)
	}
}

func TestAWrongQueryIsAnError(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	elktest.Index(t, client, env, eventAt(at, "order.placed", "a"))
	rule, err := kpi.Parse("rules/wrong.json", []byte(`{"name":"wrong","description":"d","severity":"info","runbook":"x.md","interval":"10s","window":"1m",
		"queries":{"a":{"index":"events-kreislauf-{env}","query":{"tern":{"x":1}},"metric":"count"}},"condition":"a > 1"}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = kpi.Evaluate(t.Context(), client, rule, at, env)
	if connect.Status(err) != 400 || !strings.Contains(err.Error(), "rule wrong, query a") || !strings.Contains(err.Error(), "unknown query [tern]") {
		t.Errorf("error: %v", err)
	}
}
