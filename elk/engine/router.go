package engine

import (
	"net/url"
	"slices"
	"strings"
)

// route is one endpoint. Pattern segments in braces are variables.
type route struct {
	methods []string
	pattern []string
	params  []string
	handle  func(*request) (int, any, error)
}

func (a *api) table() []route {
	indices := []string{"ignore_unavailable", "allow_no_indices", "expand_wildcards"}
	timeouts := []string{"timeout", "master_timeout"}
	uri := []string{"q", "df", "default_operator", "lenient", "analyze_wildcard", "analyzer"}
	searches := slices.Concat(uri, []string{
		"size", "from", "sort", "_source", "_source_includes", "_source_excludes", "track_total_hits", "typed_keys",
		"rest_total_hits_as_int", "timeout", "preference", "request_cache", "batched_reduce_size", "ccs_minimize_roundtrips",
		"search_type", "max_concurrent_shard_requests", "max_concurrent_searches", "pre_filter_shard_size", "allow_partial_search_results", "ignore_throttled",
	}, indices)
	writes := []string{
		"refresh", "timeout", "wait_for_active_shards", "require_alias", "require_data_stream", "op_type", "pipeline", "_source", "_source_includes", "_source_excludes",
		"list_executed_pipelines", "if_seq_no", "if_primary_term", "version", "version_type", "routing", "retry_on_conflict",
	}
	cat := slices.Concat([]string{"v", "help", "format", "h", "s", "bytes", "time", "health", "pri", "master_timeout", "local", "ts", "include_unloaded_segments"}, indices)
	list := slices.Concat(indices, timeouts)
	var out []route
	add := func(methods, pattern string, params []string, handle func(*request) (int, any, error)) {
		out = append(out, route{strings.Split(methods, ","), strings.Split(strings.Trim(pattern, "/"), "/"), params, handle})
	}
	add("GET,HEAD", "/", nil, a.root)
	add("GET,HEAD", "/_cluster/health", slices.Concat(list, []string{"wait_for_status", "wait_for_nodes", "level", "local", "wait_for_no_initializing_shards", "wait_for_no_relocating_shards"}), a.health)
	add("GET,HEAD", "/_cluster/health/{index}", slices.Concat(list, []string{"wait_for_status", "wait_for_nodes", "level", "local"}), a.health)
	add("GET", "/_cat/indices", cat, a.catIndices)
	add("GET", "/_cat/indices/{index}", cat, a.catIndices)
	add("GET", "/_cat/count", cat, a.catCount)
	add("GET", "/_cat/count/{index}", cat, a.catCount)
	add("GET", "/_cat/health", cat, a.catHealth)
	add("GET", "/_cat/templates", cat, a.catTemplates)
	add("GET", "/_cat/templates/{name}", cat, a.catTemplates)
	for _, prefix := range []string{"", "/{index}"} {
		add("GET,POST", prefix+"/_refresh", list, a.refresh)
		add("GET,POST", prefix+"/_count", slices.Concat(uri, list, []string{"preference", "ignore_throttled"}), a.count)
		add("GET,POST", prefix+"/_search", searches, a.search)
		add("GET,POST", prefix+"/_msearch", searches, a.multiSearch)
		add("POST,PUT", prefix+"/_bulk", writes, a.bulk)
		add("GET", prefix+"/_mapping", list, a.getMapping)
		add("GET", prefix+"/_settings", slices.Concat(list, []string{"flat_settings", "include_defaults", "local"}), a.getSettings)
		add("GET,POST", prefix+"/_flush", slices.Concat(list, []string{"force", "wait_if_ongoing"}), a.refresh)
		add("GET", prefix+"/_stats", slices.Concat(list, []string{"level", "forbid_closed_indices", "include_segment_file_sizes"}), a.stats)
		add("GET", prefix+"/_stats/{metric}", slices.Concat(list, []string{"level", "forbid_closed_indices", "include_segment_file_sizes"}), a.stats)
		add("GET,POST", prefix+"/_field_caps", slices.Concat(indices, []string{"fields", "include_unmapped", "filters", "types", "include_empty_fields"}), a.fieldCaps)
	}
	add("POST", "/{index}/_doc", writes, a.addDocument)
	add("PUT,POST", "/{index}/_create/{id}", writes, a.createDocument)
	add("PUT,POST", "/{index}/_doc/{id}", writes, a.putDocument)
	add("GET,HEAD", "/{index}/_doc/{id}", []string{"_source", "_source_includes", "_source_excludes", "realtime", "refresh", "preference"}, a.getDocument)
	add("DELETE", "/{index}/_doc/{id}", writes, a.deleteDocument)
	add("POST", "/{index}/_update/{id}", writes, a.updateDocument)
	gets := []string{"_source", "_source_includes", "_source_excludes", "realtime", "refresh", "preference"}
	add("GET,HEAD", "/{index}/_source/{id}", gets, a.getSource)
	add("GET,POST", "/_mget", gets, a.multiGet)
	add("GET,POST", "/{index}/_mget", gets, a.multiGet)
	a.addAdmin(add, list, timeouts)
	// Words come before variables: _simulate is not the name of a template.
	slices.SortStableFunc(out, func(x, y route) int { return strings.Compare(x.rank(), y.rank()) })
	return out
}

// rank orders routes of the same length so that a word is tried before a variable.
func (rt *route) rank() string {
	b := make([]byte, len(rt.pattern))
	for i, p := range rt.pattern {
		if b[i] = 'a'; strings.HasPrefix(p, "{") {
			b[i] = 'b'
		}
	}
	return string(b)
}

func (a *api) addAdmin(add func(methods, pattern string, params []string, handle func(*request) (int, any, error)), list, timeouts []string) {
	templates := slices.Concat([]string{"create", "cause", "flat_settings", "local", "include_defaults"}, timeouts)
	add("PUT,POST", "/_component_template/{name}", templates, a.putComponent)
	add("GET,HEAD", "/_component_template/{name}", templates, a.getComponents)
	add("GET", "/_component_template", templates, a.getComponents)
	add("DELETE", "/_component_template/{name}", templates, a.deleteComponent)
	add("PUT,POST", "/_index_template/{name}", templates, a.putTemplate)
	add("GET,HEAD", "/_index_template/{name}", templates, a.getTemplates)
	add("GET", "/_index_template", templates, a.getTemplates)
	add("DELETE", "/_index_template/{name}", templates, a.deleteTemplate)
	add("POST", "/_index_template/_simulate_index/{name}", templates, a.simulateIndex)
	add("POST", "/_index_template/_simulate", templates, a.simulateTemplate)
	add("POST", "/_index_template/_simulate/{name}", templates, a.simulateTemplate)
	add("PUT", "/_ilm/policy/{name}", timeouts, a.putPolicy)
	add("GET", "/_ilm/policy/{name}", timeouts, a.getPolicies)
	add("GET", "/_ilm/policy", timeouts, a.getPolicies)
	add("DELETE", "/_ilm/policy/{name}", timeouts, a.deletePolicy)
	add("PUT", "/_data_stream/{name}", timeouts, a.putStream)
	add("GET", "/_data_stream/{name}", slices.Concat(list, []string{"include_defaults", "verbose"}), a.getStreams)
	add("GET", "/_data_stream", slices.Concat(list, []string{"include_defaults", "verbose"}), a.getStreams)
	add("DELETE", "/_data_stream/{name}", list, a.deleteStreams)
	add("PUT", "/_data_stream/{name}/_lifecycle", list, a.putLifecycle)
	add("GET", "/_data_stream/{name}/_lifecycle", slices.Concat(list, []string{"include_defaults"}), a.getLifecycle)
	add("DELETE", "/_data_stream/{name}/_lifecycle", list, a.deleteLifecycle)
	add("GET", "/_data_stream/_stats", list, a.streamStats)
	add("GET", "/_data_stream/{name}/_stats", list, a.streamStats)
	add("POST", "/{index}/_rollover", slices.Concat([]string{"dry_run", "wait_for_active_shards", "lazy"}, timeouts), a.rollover)
	add("PUT,POST", "/{index}/_mapping", slices.Concat(list, []string{"write_index_only"}), a.putMapping)
	add("GET", "/{index}/_ilm/explain", slices.Concat(list, []string{"only_managed", "only_errors"}), a.explainPolicies)
	add("PUT", "/{index}", slices.Concat([]string{"wait_for_active_shards"}, timeouts), a.createIndex)
	add("GET,HEAD", "/{index}", slices.Concat(list, []string{"flat_settings", "local", "include_defaults", "features"}), a.getIndex)
	add("DELETE", "/{index}", list, a.deleteIndex)
}

// find returns the route of a request, or the methods its path would allow.
func (a *api) find(method, path string) (*route, map[string]string, []string) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	var allowed []string
	for i := range a.routes { // in the order of the table: words before variables
		rt := &a.routes[i]
		vars, ok := rt.match(segments)
		if !ok || strings.HasPrefix(vars["index"], "_") && vars["index"] != "_all" && (method != "PUT" || len(allowed) > 0) {
			continue // a word after a slash is no index, but creating one is answered by its name
		}
		if slices.Contains(rt.methods, method) {
			return rt, vars, nil
		}
		for _, m := range rt.methods {
			if !slices.Contains(allowed, m) {
				allowed = append(allowed, m)
			}
		}
	}
	return nil, nil, allowed
}

func (rt *route) match(segments []string) (map[string]string, bool) {
	if len(segments) != len(rt.pattern) {
		return nil, false
	}
	vars := map[string]string{}
	for i, p := range rt.pattern {
		if !strings.HasPrefix(p, "{") {
			if p != segments[i] {
				return nil, false
			}
			continue
		}
		v, err := url.PathUnescape(segments[i])
		if err != nil || v == "" || p == "{index}" && strings.HasPrefix(v, "_") && v != "_all" && (len(rt.pattern) > 1 || rt.methods[0] != "PUT") {
			return nil, false
		}
		vars[strings.Trim(p, "{}")] = v
	}
	return vars, true
}
