package engine_test

import "testing"

// TestStreamLifecycle sets, shows and removes the lifecycle of one stream; OpenSearch has none to record.
func TestStreamLifecycle(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	n.must("PUT", "/_index_template/l", `{"index_patterns":["l-*"],"data_stream":{},"template":{"lifecycle":{"data_retention":"30d"}}}`)
	n.must("PUT", "/_data_stream/l-a", "")
	show := func() any { return n.must("GET", "/_data_stream/l-a/_lifecycle", "")["data_streams"] }
	wantEqual(t, "of the template", show(), decode(t, `[{"name":"l-a","lifecycle":{"enabled":true,"data_retention":"30d"}}]`))
	n.must("PUT", "/_data_stream/l-*/_lifecycle", `{"data_retention":"7d"}`)
	wantEqual(t, "of the stream", show(), decode(t, `[{"name":"l-a","lifecycle":{"enabled":true,"data_retention":"7d"}}]`))
	n.stop()
	n = start(t, dir)
	wantEqual(t, "after a restart", show(), decode(t, `[{"name":"l-a","lifecycle":{"enabled":true,"data_retention":"7d"}}]`))
	wantEqual(t, "in the stream", get(n.must("GET", "/_data_stream/l-a", ""), "data_streams/0/lifecycle/data_retention"), "7d")
	n.must("DELETE", "/_data_stream/l-a/_lifecycle", "")
	wantEqual(t, "removed", show(), decode(t, `[{"name":"l-a"}]`))
	status, out := n.call("PUT", "/_data_stream/l-a/_lifecycle", `{"nosuch":1}`)
	wantEqual(t, "unknown key", []any{status, get(out, "error/type")}, []any{400, "x_content_parse_exception"})
	if status, _ := n.call("GET", "/_data_stream/nosuch/_lifecycle", ""); status != 404 {
		t.Errorf("a stream that is not there: %d", status)
	}
}

func TestExplainPolicy(t *testing.T) {
	n := start(t, t.TempDir())
	n.must("PUT", "/_ilm/policy/p", `{"policy":{"phases":{"hot":{"actions":{"rollover":{"max_docs":1}}},"delete":{"min_age":"1d","actions":{"delete":{}}}}}}`)
	n.must("PUT", "/_index_template/l", `{"index_patterns":["l-*"],"data_stream":{},"template":{"settings":{"index.lifecycle.name":"p"}}}`)
	n.bulk("l-a", `{"create":{}}`+"\n"+`{"@timestamp":"2026-01-01"}`+"\n")
	first := get(n.must("GET", "/_data_stream/l-a", ""), "data_streams/0/indices/0/index_name").(string)
	second := n.must("POST", "/l-a/_rollover", "")["new_index"].(string)
	n.must("PUT", "/free", "")
	out := n.must("GET", "/l-a,free/_ilm/explain", "")["indices"].(map[string]any)
	for name, want := range map[string][]any{
		first: {true, "p", "hot", "complete", "complete"}, second: {true, "p", "hot", "rollover", "check-rollover-ready"}, "free": {false, nil, nil, nil, nil},
	} {
		m := out[name].(map[string]any)
		wantEqual(t, name, []any{m["managed"], m["policy"], m["phase"], m["action"], m["step"]}, want)
	}
}

// TestParameters checks that a parameter that would change an answer is refused and not ignored.
func TestParameters(t *testing.T) {
	n := start(t, t.TempDir())
	n.must("PUT", "/i", "")
	for _, path := range []string{"/i?flat_settings=true", "/i?include_defaults", "/i?features=settings", "/i/_stats?level=shards", "/i/_field_caps?fields=*&types=keyword", "/_cat/indices?human"} {
		status, out := n.call("GET", path, "")
		wantEqual(t, path, []any{status, get(out, "error/type")}, []any{400, "illegal_argument_exception"})
	}
	if status, _ := n.call("GET", "/i?flat_settings=false", ""); status != 200 {
		t.Errorf("false changes nothing, but is refused: %d", status)
	}
}
