package conformance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A rule changes an answer before it is compared. Rules with Oracle apply only to answers of OpenSearch: they
// turn what it is known to say differently into the words of Elasticsearch 8.
type rule struct {
	name, why string
	oracle    bool
	object    func(map[string]any) // of every object of the answer
	text      func(string) string  // of every string of the answer
}

var (
	backingDate = regexp.MustCompile(`(\.ds-[a-z0-9.-]+?)-\d{4}\.\d\d\.\d\d-(\d{6})`)
	position    = regexp.MustCompile(`^\[-?\d+:-?\d+\] `)
	noHandler   = regexp.MustCompile(`No handler for type \[(.*?)\] declared on field \[(.*?)\]`)
	version     = regexp.MustCompile(`current version \[\d+\]`)
	fielddata   = regexp.MustCompile(`^Fielddata is disabled on \[.*?\] in \[.*?\]\. `)
	anyUUID     = regexp.MustCompile(`/[A-Za-z0-9_-]{20,22}\]`)
)

// rules are applied in this order.
func rules() []rule {
	return []rule{
		{name: "took", why: "a time", object: func(m map[string]any) { delete(m, "took") }},
		{name: "uuids", why: "random", object: func(m map[string]any) {
			for _, k := range []string{"index_uuid", "uuid", "cluster_uuid", "node"} {
				if s, ok := m[k].(string); ok && s != "_na_" {
					m[k] = "<" + k + ">"
				}
			}
		}, text: func(s string) string { return anyUUID.ReplaceAllString(s, "/<uuid>]") }},
		{name: "scores", why: "the engine has no relevance; only the presence of a score is compared", object: func(m map[string]any) {
			for _, k := range []string{"_score", "max_score"} {
				if _, ok := m[k].(json.Number); ok {
					m[k] = "<score>"
				}
			}
		}},
		{name: "backing index date", why: "Elasticsearch puts the date into the name of a backing index, OpenSearch does not", text: func(s string) string {
			return backingDate.ReplaceAllString(s, "$1-$2")
		}},
		{name: "settings", why: "Elasticsearch calls a setting it does not know an illegal argument", oracle: true, object: func(m map[string]any) {
			if m["type"] == "settings_exception" {
				m["type"] = "illegal_argument_exception"
			}
		}},
		{name: "mappings", why: "texts of mapping errors and of index names that OpenSearch has in the words of Elasticsearch 7", oracle: true, text: func(s string) string {
			s = strings.NewReplacer("queries on keyword and text fields", "queries on keyword, text and wildcard fields", "java.time.zone.ZoneRulesException: ", "").Replace(s)
			s = strings.ReplaceAll(s, "Failed to parse mapping [_doc]: ", "Failed to parse mapping: ")
			s = strings.ReplaceAll(s, `must not contain the following characters [ , ", *, \, <, |, ,, >, /, ?]`, `must not contain the following characters [' ','"','*',',','/','<','>','?','\','|']`)
			return noHandler.ReplaceAllString(s, "The mapper type [$1] declared on field [$2] does not exist. It might have been created within a future version or requires a plugin to be installed. Check the documentation.")
		}},
		{name: "versions", why: "the engine does not count the versions of a document", object: func(m map[string]any) {
			if _, ok := m["_version"]; ok {
				m["_version"] = "<version>"
			}
		}, text: func(s string) string { return version.ReplaceAllString(s, "current version [<version>]") }},
		{name: "sequence", why: "numbers of sequence are not contiguous per index in the engine", object: func(m map[string]any) {
			if _, ok := m["_seq_no"].(json.Number); ok {
				m["_seq_no"] = "<seq_no>"
			}
		}},
		{name: "creation date", why: "a time", object: func(m map[string]any) {
			for _, k := range []string{"creation_date", "modified_date", "modified_date_millis", "age", "provided_name"} {
				if _, ok := m[k]; ok {
					m[k] = "<" + k + ">"
				}
			}
		}},
		{name: "packages", why: "OpenSearch renamed its Java packages", oracle: true, text: func(s string) string {
			return strings.NewReplacer("org.opensearch", "org.elasticsearch", "opensearch_parse_exception", "parse_exception", "opensearch_", "").Replace(s)
		}},
		{name: "flat_object", why: "OpenSearch calls flattened flat_object", oracle: true, text: func(s string) string {
			return strings.ReplaceAll(s, "flat_object", "flattened")
		}},
		{name: "document parsing", why: "Elasticsearch 8 calls a value that does not fit document_parsing_exception and says where it stands", oracle: true, object: func(m map[string]any) {
			reason, _ := m["reason"].(string)
			if m["type"] == "mapper_parsing_exception" && (strings.HasPrefix(reason, "failed to parse") || strings.HasPrefix(reason, "object mapping for")) {
				m["type"] = "document_parsing_exception"
			}
		}},
		{name: "document position", why: "OpenSearch does not name line and column in documents", object: func(m map[string]any) {
			if reason, ok := m["reason"].(string); ok && (m["type"] == "document_parsing_exception" || m["type"] == "strict_dynamic_mapping_exception") {
				m["reason"] = position.ReplaceAllString(reason, "")
			}
		}},
		{name: "JSON errors", why: "the words of a JSON library, and of fielddata in which OpenSearch does not name the index", object: func(m map[string]any) {
			if reason, ok := m["reason"].(string); ok {
				m["reason"] = fielddata.ReplaceAllString(reason, "")
			}
			defer func() {
				if m["reason"] == "<json>" {
					delete(m, "caused_by")
				}
			}()
			switch m["type"] {
			case "json_parse_exception", "json_e_o_f_exception", "stream_read_exception", "input_coercion_exception", "unexpected_end_of_input_exception":
				m["type"], m["reason"] = "x_content_parse_exception", "<json>"
			case "x_content_parse_exception":
				if s, _ := m["reason"].(string); strings.Contains(s, "Unexpected") || strings.Contains(s, "Duplicate field") || strings.Contains(s, "Illegal") {
					m["reason"] = "<json>"
				}
			}
		}},
		{name: "ignored", why: "Elasticsearch reports a keyword above ignore_above in _ignored, OpenSearch does not; these are the fields with that parameter", object: func(m map[string]any) {
			list, _ := m["_ignored"].([]any)
			if m["_ignored"] == nil {
				return
			}
			list = slices.DeleteFunc(list, func(v any) bool { return v == "message.raw" || v == "text.len" || v == "kwlimit" })
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			if m["_ignored"] = list; len(list) == 0 {
				delete(m, "_ignored")
			}
		}},
		{name: "field capabilities", why: "OpenSearch does not say metadata_field, and lists metadata fields of its own", object: func(m map[string]any) {
			delete(m, "metadata_field")
			for k, v := range m {
				if types, ok := v.(map[string]any); ok && strings.HasPrefix(k, "_") {
					for _, caps := range types {
						if c, ok := caps.(map[string]any); ok && c["aggregatable"] != nil {
							delete(m, k)
						}
					}
				}
			}
		}},
		{name: "expected tokens", why: "the list of tokens a parser generator would have taken", text: func(s string) string {
			before, _, _ := strings.Cut(s, "\nWas expecting")
			return before
		}},
		{name: "Java's date parser", why: "the words of java.time, below an error that says the same", object: func(m map[string]any) {
			cause, _ := m["caused_by"].(map[string]any)
			if t := cause["type"]; t == "date_time_parse_exception" || t == "date_time_exception" || t == "zone_rules_exception" {
				delete(m, "caused_by")
			}
		}},
		{name: "replication", why: "members of answers that only one of the two servers has", object: func(m map[string]any) {
			for _, k := range []string{"num_reduce_phases", "discovered_master", "discovered_cluster_manager", "replication", "unassigned_primary_shards", "version_created", "grouped", "terminated_early"} {
				delete(m, k)
			}
			if index, ok := m["index"].(map[string]any); ok && m["index"] != nil {
				if v, ok := index["version"].(map[string]any); ok && v["created"] != nil {
					delete(index, "version")
				}
			}
		}},
	}
}

// normalise applies the rules to a decoded answer.
func normalise(v any, oracle bool) any {
	for _, r := range rules() {
		if oracle || !r.oracle {
			v = r.apply(v)
		}
	}
	return v
}

// number writes a number with a fraction in one way, whatever its exponent.
func number(n json.Number) json.Number {
	if !strings.ContainsAny(n.String(), ".eE") {
		return n
	}
	f, err := n.Float64()
	if err != nil {
		return n
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return json.Number(text)
}

func (r rule) apply(v any) any {
	switch x := v.(type) {
	case map[string]any:
		if r.object != nil {
			r.object(x)
		}
		out := make(map[string]any, len(x))
		for k, e := range x {
			if r.text != nil {
				k = r.text(k)
			}
			out[k] = r.apply(e)
		}
		return out
	case []any:
		for i := range x {
			x[i] = r.apply(x[i])
		}
		return x
	case json.Number:
		return number(x)
	case string:
		if r.text != nil {
			return r.text(x)
		}
	}
	return v
}
