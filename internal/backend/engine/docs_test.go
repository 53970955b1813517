package engine_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocSession runs the session of docs/engine.md.
func TestDocSession(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/engine.md")
	if err != nil {
		t.Fatal(err)
	}
	steps := regexp.MustCompile("(?s)```http\n(\\S+) (\\S+)\n(.*?)```\n```json\n(.*?)```").FindAllStringSubmatch(string(raw), -1)
	if len(steps) < 6 {
		t.Fatalf("only %d steps were found", len(steps))
	}
	n := start(t, t.TempDir())
	for _, s := range steps {
		_, out := n.call(s[1], s[2], s[3])
		wantEqual(t, s[1]+" "+s[2], out, decode(t, strings.TrimSpace(s[4])))
	}
}

// TestDocSearchBody holds the row of the search body against what the engine takes and refuses.
func TestDocSearchBody(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/engine.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| search body \| (.*) \| (.*) \|$`).FindStringSubmatch(string(raw))
	if row == nil {
		t.Fatal("no row of the search body")
	}
	samples := map[string]string{
		"query": `{"match_all":{}}`, "aggs": `{}`, "post_filter": `{"match_all":{}}`, "from": `0`, "size": `1`, "sort": `["_doc"]`, "_source": `true`, "fields": `["*"]`,
		"docvalue_fields": `["n"]`, "highlight": `{}`, "track_total_hits": `true`, "track_scores": `true`, "version": `true`, "seq_no_primary_term": `true`, "timeout": `"1s"`,
		"search_after": `[1]`,
	}
	n := start(t, t.TempDir())
	n.must("PUT", "/i", `{"mappings":{"properties":{"n":{"type":"long"}}}}`)
	names := func(cell string) []string {
		cell = strings.NewReplacer("`", "", "(window 10,000)", "", "empty runtime_mappings and script_fields", "", ", ...", "").Replace(cell)
		var out []string
		for name := range strings.SplitSeq(cell, ",") {
			if name = strings.TrimSpace(name); name != "" {
				out = append(out, name)
			}
		}
		return out
	}
	for _, name := range names(row[1]) {
		body := `{"` + name + `":` + samples[name] + `}`
		if name == "search_after" {
			body = `{"sort":["n"],"search_after":[1]}`
		}
		if status, out := n.call("POST", "/i/_search", body); status != 200 {
			t.Errorf("%s is called supported: %d %v", name, status, out)
		}
	}
	for _, name := range names(row[2]) {
		if status, out := n.call("POST", "/i/_search", `{"`+name+`":true}`); status != 400 {
			t.Errorf("%s is called refused: %d %v", name, status, out)
		}
	}
}
