package engine

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine/internal/aggs"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
)

var updateDocs = flag.Bool("update", false, "write the tables of docs/engine.md")

const docFile = "../../../docs/engine.md"

// TestDocTables holds the tables of docs/engine.md against the registries in the code.
func TestDocTables(t *testing.T) {
	raw, err := os.ReadFile(docFile)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	for name, want := range map[string]string{"endpoints": endpointTable(), "elements": elementTable()} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end "+name+" -->"
		head, rest, ok := strings.Cut(doc, begin)
		got, tail, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("docs/engine.md has no block %s", name)
		}
		if *updateDocs {
			doc = head + begin + want + end + tail
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("table %s of docs/engine.md (-code +doc): %s\nrun: go test ./internal/backend/engine -run TestDocTables -update", name, diff)
		}
	}
	if *updateDocs {
		if err := os.WriteFile(docFile, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func endpointTable() string {
	a := newAPI(nil, zerolog.Nop(), "x")
	lines := []string{}
	for _, rt := range a.routes {
		need := "any"
		switch {
		case rt.access.cluster != nil:
			need = "cluster: " + strings.Join(rt.access.cluster, ", ")
		case rt.access.index != nil:
			need = "index: " + strings.Join(rt.access.index, ", ")
		}
		params := slices.Sorted(slices.Values(rt.params))
		lines = append(lines, fmt.Sprintf("| `%s /%s` | %s | %s |", strings.Join(rt.methods, " "), strings.Join(rt.pattern, "/"), strings.Join(slices.Compact(params), " "), need))
	}
	slices.Sort(lines)
	return "| endpoint | parameters, beside filter_path, pretty, error_trace | privileges, one of |\n|---|---|---|\n" + strings.Join(lines, "\n") + "\n"
}

// What Elasticsearch 8 has and the engine may not have: the difference is what the table calls refused.
const (
	allQueries = "bool boosting combined_fields constant_score dis_max distance_feature exists function_score fuzzy geo_bounding_box geo_distance geo_grid geo_polygon geo_shape has_child has_parent ids intervals knn match match_all match_bool_prefix match_none match_phrase match_phrase_prefix more_like_this multi_match nested parent_id percolate pinned prefix query_string range rank_feature regexp rule script script_score semantic shape simple_query_string span_near span_or span_term sparse_vector term terms terms_set text_expansion weighted_tokens wildcard wrapper"
	allAggs    = "adjacency_matrix auto_date_histogram avg avg_bucket boxplot bucket_correlation bucket_count_ks_test bucket_script bucket_selector bucket_sort cardinality categorize_text change_point children composite cumulative_cardinality cumulative_sum date_histogram date_range derivative diversified_sampler extended_stats extended_stats_bucket filter filters frequent_item_sets geo_bounds geo_centroid geo_distance geo_line geohash_grid geohex_grid geotile_grid global histogram inference ip_prefix ip_range matrix_stats max max_bucket median_absolute_deviation min min_bucket missing moving_fn moving_percentiles multi_terms nested normalize parent percentile_ranks percentiles percentiles_bucket random_sampler range rare_terms rate reverse_nested sampler scripted_metric serial_diff significant_terms significant_text stats stats_bucket string_stats sum sum_bucket t_test terms time_series top_hits top_metrics value_count variable_width_histogram weighted_avg"
	allTypes   = "aggregate_metric_double alias annotated_text binary boolean byte completion constant_keyword counted_keyword date date_nanos date_range dense_vector double double_range flattened float float_range geo_point geo_shape half_float histogram integer integer_range ip ip_range join keyword long long_range match_only_text murmur3 nested object passthrough percolator point rank_feature rank_features scaled_float search_as_you_type semantic_text shape short sparse_vector text token_count unsigned_long version wildcard"
)

func elementTable() string {
	types := mapping.Types()
	names := slices.Sorted(maps.Keys(types))
	var withParams []string
	for _, typ := range names {
		withParams = append(withParams, fmt.Sprintf("%s (%s)", typ, strings.Join(types[typ], ", ")))
	}
	row := func(what string, supported []string, shown, all string) string {
		var refused []string
		for f := range strings.FieldsSeq(all) {
			if !slices.Contains(supported, f) {
				refused = append(refused, f)
			}
		}
		return fmt.Sprintf("| %s | %s | %s |\n", what, shown, strings.Join(refused, ", "))
	}
	q, a := query.Types(), aggs.Types()
	return "| | supported | refused, as unknown |\n|---|---|---|\n" +
		row("queries", q, strings.Join(q, ", "), allQueries) +
		row("aggregations", a, strings.Join(a, ", "), allAggs) +
		row("field types (parameters)", names, strings.Join(withParams, "; "), allTypes) +
		row("index privileges", indexPrivileges(), strings.Join(indexPrivileges(), ", "), "cross_cluster_replication cross_cluster_replication_internal manage_data_stream_lifecycle manage_failure_store manage_follow_index manage_ilm manage_leader_index none read_cross_cluster read_failure_store") +
		row("cluster privileges", clusterPrivileges(), strings.Join(clusterPrivileges(), ", "), "manage_own_api_key manage_pipeline manage_ml monitor_ml read_security transport_client")
}

// TestKnownNames guards the lists above: everything supported must be a name of Elasticsearch.
func TestKnownNames(t *testing.T) {
	for all, names := range map[string][]string{allQueries: query.Types(), allAggs: aggs.Types(), allTypes: slices.Sorted(maps.Keys(mapping.Types()))} {
		for _, name := range names {
			if !slices.Contains(strings.Fields(all), name) {
				t.Errorf("%s is no name of Elasticsearch 8", name)
			}
		}
	}
}
