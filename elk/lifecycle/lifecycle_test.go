package lifecycle_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/google/go-cmp/cmp"

	"kreislauf/elk"
	"kreislauf/elk/connect"
	"kreislauf/elk/elktest"
	"kreislauf/elk/lifecycle"
)

func TestLoad(t *testing.T) {
	have, err := lifecycle.Load(elk.Files(), "logs")
	if err != nil {
		t.Fatal(err)
	}
	want := lifecycle.Policy{Rollover: map[string]any{"max_age": "1d", "max_size": "25gb"}, DeleteAfter: 30 * 24 * time.Hour}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	const deletes = `,"delete":{"min_age":"30d","actions":{"delete":{}}}`
	for problem, phases := range map[string]string{
		"rollover condition min_docs is not": `"hot":{"actions":{"rollover":{"min_docs":1}}}` + deletes,
		"action shrink of phase warm is not": `"warm":{"actions":{"shrink":{}}}` + deletes,
		`"30x" is no time value`:             `"hot":{"actions":{"rollover":{"max_age":"1d"}}},"delete":{"min_age":"30x","actions":{"delete":{}}}`,
		`"-1h" is no time value`:             `"hot":{"actions":{"rollover":{"max_age":"1d"}}},"delete":{"min_age":"-1h","actions":{"delete":{}}}`,
		"it needs the actions":               `"hot":{"actions":{"rollover":{"max_age":"1d"}}}`,
		"logs: invalid character":            `"hot"`,
	} {
		files := fstest.MapFS{"ilm/logs.json": {Data: []byte(`{"policy":{"phases":{` + phases + `}}}`)}}
		if _, err := lifecycle.Load(files, "logs"); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("error %v, want %s", err, problem)
		}
	}
}

// TestApply lets a stream grow to two backing indices and shrink to its write index, at chosen times.
func TestApply(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	name := "logs-kreislauf.order-" + env
	doc := map[string]any{"@timestamp": "2026-11-22T10:00:00.000Z", "data_stream.type": "logs", "data_stream.dataset": "kreislauf.order"}
	policy := lifecycle.Policy{Rollover: map[string]any{"max_docs": 2, "max_size": "25gb"}, DeleteAfter: time.Hour}
	now := time.Now()
	step := func(what string, at time.Time, changes, indices int) (backing []string) {
		t.Helper()
		done, err := lifecycle.Apply(t.Context(), client, policy, at)
		if err != nil {
			t.Fatal(what, err)
		}
		mine := 0
		for _, sentence := range done {
			if strings.Contains(sentence, name) {
				mine++
			}
		}
		if backing = indicesOf(t, client, name); mine != changes || len(backing) != indices {
			t.Fatalf("%s: %q, indices %q; want %d changes and %d indices", what, done, backing, changes, indices)
		}
		return backing
	}

	elktest.Index(t, client, env, doc)
	step("no condition met", now, 0, 1)
	elktest.Index(t, client, env, doc)
	first := step("two documents", now, 1, 2)
	step("empty write index", now, 0, 2)
	step("not old enough", now.Add(30*time.Minute), 0, 2)
	elktest.Index(t, client, env, doc)
	last := step("old", now.Add(2*time.Hour), 1, 1)
	if diff := cmp.Diff(first[1:], last); diff != "" {
		t.Errorf("the write index stays (-want +have):\n%s", diff)
	}
	step("the write index is never deleted", now.Add(1000*time.Hour), 0, 1)
	answer, err := connect.Search(t.Context(), client, []string{name}, map[string]any{"query": map[string]any{"match_all": map[string]any{}}})
	if err != nil || answer.Total != 1 {
		t.Errorf("%d documents, error %v; want the one of the write index", answer.Total, err)
	}
}

// TestApplyLeavesOthersAlone: a stream of a template that is not the platform's.
func TestApplyLeavesOthersAlone(t *testing.T) {
	client, env := elktest.Server(t, embedded)
	body := strings.NewReader(`{"index_patterns":["other-*-` + env + `"],"priority":900,"data_stream":{}}`)
	res, err := client.Indices.PutIndexTemplate("other-"+env, body)
	if err := connect.Decode(res, err, nil); err != nil {
		t.Fatal(err)
	}
	elktest.Index(t, client, env, map[string]any{"@timestamp": "2026-11-22T10:00:00.000Z", "data_stream.type": "other", "data_stream.dataset": "x"})
	if _, err := lifecycle.Apply(t.Context(), client, lifecycle.Policy{Rollover: map[string]any{"max_docs": 1}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if have := indicesOf(t, client, "other-x-"+env); len(have) != 1 {
		t.Errorf("indices %q, want the first one only", have)
	}
}

func indicesOf(t *testing.T, client *esapi.API, name string) (list []string) {
	t.Helper()
	var answer struct {
		Streams []struct {
			Indices []struct {
				Name string `json:"index_name"`
			}
		} `json:"data_streams"`
	}
	res, err := client.Indices.GetDataStream(client.Indices.GetDataStream.WithName(name))
	if err := connect.Decode(res, err, &answer); err != nil || len(answer.Streams) != 1 {
		t.Fatalf("streams %v, error %v", answer.Streams, err)
	}
	for _, i := range answer.Streams[0].Indices {
		list = append(list, i.Name)
	}
	return list
}

func TestNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		distribution, plugins string
		want                  bool
	}{
		"elasticsearch":             {"", `[]`, false},
		"opensearch":                {"opensearch", `[]`, true},
		"opensearch, other plugins": {"opensearch", `[{"component":"opensearch-security"}]`, true},
		"opensearch with ISM":       {"opensearch", `[{"component":"opensearch-security"},{"component":"opensearch-index-management"}]`, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/_cat/plugins" {
					fmt.Fprint(w, c.plugins)
					return
				}
				fmt.Fprintf(w, `{"version":{"number":"3.8.0","distribution":%q}}`, c.distribution)
			}))
			t.Cleanup(server.Close)
			client, err := connect.New(connect.Options{URL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			if have, err := lifecycle.Needed(t.Context(), client); err != nil || have != c.want {
				t.Errorf("%t, error %v; want %t", have, err, c.want)
			}
		})
	}
}
