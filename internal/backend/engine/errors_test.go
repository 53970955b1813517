package engine_test

import "testing"

// TestErrors checks the errors that clients look at: status, type and the words of the real server.
func TestErrors(t *testing.T) {
	n := start(t, t.TempDir())
	n.must("PUT", "/i", `{"mappings":{"properties":{"k":{"type":"keyword"},"n":{"type":"long"},"t":{"type":"text"},"d":{"type":"date"}}}}`)
	for _, tc := range []struct {
		method, path, body string
		status             int
		typ, reason        any
	}{
		{"GET", "/nope/_search", "", 404, "index_not_found_exception", "no such index [nope]"},
		{"GET", "/nope*/_search?allow_no_indices=false", "", 404, "index_not_found_exception", "no such index [nope*]"},
		{"POST", "/i/_search", `{"query":{"foo":{}}}`, 400, "parsing_exception", "unknown query [foo]"},
		{"POST", "/i/_search", `{"aggs":{"a":{"foo":{}}}}`, 400, "parsing_exception", "Unknown aggregation type [foo]"},
		{"POST", "/i/_search", `{"aggs":{"a":{"terms":{"field":"k","foo":1}}}}`, 400, "x_content_parse_exception", "[1:36] [terms] unknown field [foo]"},
		{"POST", "/i/_search", `{"foo":1}`, 400, "parsing_exception", "Unknown key for a VALUE_NUMBER in [foo]."},
		{"POST", "/i/_search", `{"query":{"term":{"n":"x"}}}`, 400, "search_phase_execution_exception", "all shards failed"},
		{"POST", "/i/_search", `{"sort":["t"]}`, 400, "search_phase_execution_exception", "all shards failed"},
		{"POST", "/i/_search", `{"collapse":{}}`, 400, "illegal_argument_exception", "[collapse] is not supported by this engine"},
		{"POST", "/i/_search", `{"size":`, 400, "x_content_parse_exception", "[1:9] Unexpected end-of-input"},
		{"POST", "/i/_search?foo=1", "", 400, "illegal_argument_exception", "request [/i/_search] contains unrecognized parameter: [foo]"},
		{"POST", "/i/_bulk", "{}\n{}\n", 400, "illegal_argument_exception", "Malformed action/metadata line [1], expected FIELD_NAME but found [END_OBJECT]"},
		{"POST", "/_bulk", `{"index":{}}` + "\n{}\n", 400, "action_request_validation_exception", "Validation Failed: 1: index is missing;"},
		{"POST", "/_bulk", `{"index":{"_index":"i"}}` + "\n{}", 400, "illegal_argument_exception", `The bulk request must be terminated by a newline [\n]`},
		{"PUT", "/i/_doc/1", `{"n":"x"}`, 400, "document_parsing_exception", "[1:6] failed to parse field [n] of type [long] in document with id '1'. Preview of field's value: 'x'"},
		{"PUT", "/i/_doc/1", `{"a":1,"a":2}`, 400, "document_parsing_exception", "[1:8] failed to parse"},
		{"PUT", "/j", `{"mappings":{"properties":{"a":{"type":"foo"}}}}`, 400, "mapper_parsing_exception", "Failed to parse mapping: The mapper type [foo] declared on field [a] does not exist. It might have been created within a future version or requires a plugin to be installed. Check the documentation."},
		{"PUT", "/j", `{"mappings":{"properties":{"a":{"type":"keyword","foo":1}}}}`, 400, "mapper_parsing_exception", "Failed to parse mapping: unknown parameter [foo] on mapper [a] of type [keyword]"},
		{"PUT", "/J", "", 400, "invalid_index_name_exception", "Invalid index name [J], must be lowercase"},
		{"GET", "/_index_template/nope", "", 404, "resource_not_found_exception", "index template matching [nope] not found"},
		{"PUT", "/_index_template/x", `{"index_patterns":["x"],"composed_of":["nope"]}`, 400, "invalid_index_template_exception", "index_template [x] invalid, cause [index template [x] specifies component templates [nope] that do not exist]"},
		{"PUT", "/_index_template/x", `{"index_patterns":["x"],"template":{"settings":{"index.default_pipeline":"p"}}}`, 400, "illegal_argument_exception", "unknown setting [index.default_pipeline] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"},
		{"POST", "/i/_search", `{"from":9999,"size":2}`, 400, "search_phase_execution_exception", "all shards failed"},
		{"POST", "/nope/_rollover", "", 400, "illegal_argument_exception", "rollover target [nope] does not exist"},
	} {
		status, out := n.call(tc.method, tc.path, tc.body)
		wantEqual(t, tc.method+" "+tc.path+" "+tc.body, []any{status, get(out, "error/type"), get(out, "error/reason")}, []any{tc.status, tc.typ, tc.reason})
	}
	_, out := n.call("POST", "/i/_search", `{"query":{"foo":{}}}`)
	wantEqual(t, "position", []any{get(out, "error/line"), get(out, "error/col"), get(out, "error/root_cause/0/type")}, []any{1.0, 17.0, "parsing_exception"})
	status, out := n.call("GET", "/_foo/bar", "")
	wantEqual(t, "no handler", []any{status, get(out, "error")}, []any{400, "no handler found for uri [/_foo/bar] and method [GET]"})
	status, out = n.call("DELETE", "/_search", "")
	wantEqual(t, "method", []any{status, get(out, "error")}, []any{405, "Incorrect HTTP method for uri [/_search] and method [DELETE], allowed: [GET, POST]"})
	wantEqual(t, "bulk items", n.bulk("", `{"create":{"_index":"i","_id":""}}`+"\n{}\n"+
		`{"index":{"_index":"i","_id":"1","require_alias":true}}`+"\n{}\n"+`{"delete":{"_index":"gone","_id":"1"}}`+"\n"), []string{
		"400 illegal_argument_exception", "404 index_not_found_exception", "404 index_not_found_exception",
	})
}
