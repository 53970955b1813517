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
	access  access
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
	add := func(methods, pattern string, params []string, need access, handle func(*request) (int, any, error)) {
		out = append(out, route{strings.Split(methods, ","), strings.Split(strings.Trim(pattern, "/"), "/"), params, need, handle})
	}
	add("GET,HEAD", "/", nil, onCluster("cluster:monitor/main", "monitor", "manage"), a.root)
	add("GET,HEAD", "/_cluster/health", slices.Concat(list, []string{"wait_for_status", "wait_for_nodes", "level", "local", "wait_for_no_initializing_shards", "wait_for_no_relocating_shards"}), onCluster("cluster:monitor/health", "monitor", "manage"), a.health)
	add("GET,HEAD", "/_cluster/health/{index}", slices.Concat(list, []string{"wait_for_status", "wait_for_nodes", "level", "local"}), onCluster("cluster:monitor/health", "monitor", "manage"), a.health)
	add("GET", "/_cat/indices", cat, onIndex("indices:monitor/stats", "monitor", "manage"), a.withIndices(a.catIndices))
	add("GET", "/_cat/indices/{index}", cat, onIndex("indices:monitor/stats", "monitor", "manage"), a.withIndices(a.catIndices))
	add("GET", "/_cat/count", cat, onIndex("indices:data/read/search", "read"), a.withIndices(a.catCount))
	add("GET", "/_cat/count/{index}", cat, onIndex("indices:data/read/search", "read"), a.withIndices(a.catCount))
	add("GET", "/_cat/health", cat, onCluster("cluster:monitor/health", "monitor", "manage"), a.catHealth)
	add("GET", "/_cat/templates", cat, onCluster("indices:admin/index_template/get", "manage_index_templates", "manage"), a.catTemplates)
	add("GET", "/_cat/templates/{name}", cat, onCluster("indices:admin/index_template/get", "manage_index_templates", "manage"), a.catTemplates)
	for _, prefix := range []string{"", "/{index}"} {
		add("GET,POST", prefix+"/_refresh", list, onIndex("indices:admin/refresh", "maintenance", "manage"), a.withIndices(a.refresh))
		add("GET,POST", prefix+"/_count", slices.Concat(uri, list, []string{"preference", "ignore_throttled"}), onIndex("indices:data/read/search", "read"), a.count)
		add("GET,POST", prefix+"/_search", searches, onIndex("indices:data/read/search", "read"), a.search)
		add("GET,POST", prefix+"/_msearch", searches, onIndex("indices:data/read/search", "read"), a.multiSearch)
		add("POST,PUT", prefix+"/_bulk", writes, access{}, a.bulk)
		add("GET", prefix+"/_mapping", list, onIndex("indices:admin/mappings/get", "view_index_metadata", "manage"), a.withIndices(a.getMapping))
		add("GET", prefix+"/_settings", slices.Concat(list, []string{"flat_settings", "include_defaults", "local"}), onIndex("indices:monitor/settings/get", "view_index_metadata", "monitor", "manage"), a.withIndices(a.getSettings))
		add("GET,POST", prefix+"/_flush", slices.Concat(list, []string{"force", "wait_if_ongoing"}), onIndex("indices:admin/refresh", "maintenance", "manage"), a.withIndices(a.refresh))
		add("GET", prefix+"/_stats", slices.Concat(list, []string{"level", "forbid_closed_indices", "include_segment_file_sizes"}), onIndex("indices:monitor/stats", "monitor", "manage"), a.stats)
		add("GET", prefix+"/_stats/{metric}", slices.Concat(list, []string{"level", "forbid_closed_indices", "include_segment_file_sizes"}), onIndex("indices:monitor/stats", "monitor", "manage"), a.stats)
		add("GET,POST", prefix+"/_field_caps", slices.Concat(indices, []string{"fields", "include_unmapped", "filters", "types", "include_empty_fields"}), onIndex("indices:data/read/field_caps", "view_index_metadata", "read", "manage"), a.fieldCaps)
	}
	add("POST", "/{index}/_doc", writes, access{}, a.addDocument)
	add("PUT,POST", "/{index}/_create/{id}", writes, access{}, a.createDocument)
	add("PUT,POST", "/{index}/_doc/{id}", writes, access{}, a.putDocument)
	add("GET,HEAD", "/{index}/_doc/{id}", []string{"_source", "_source_includes", "_source_excludes", "realtime", "refresh", "preference"}, onNames("indices:data/read/get", "read"), a.getDocument)
	add("DELETE", "/{index}/_doc/{id}", writes, access{}, a.deleteDocument)
	add("POST", "/{index}/_update/{id}", writes, access{}, a.updateDocument)
	gets := []string{"_source", "_source_includes", "_source_excludes", "realtime", "refresh", "preference"}
	add("GET,HEAD", "/{index}/_source/{id}", gets, onNames("indices:data/read/get", "read"), a.getSource)
	add("GET,POST", "/_mget", gets, access{}, a.multiGet)
	add("GET,POST", "/{index}/_mget", gets, access{}, a.multiGet)
	a.addAdmin(add, list, timeouts)
	if a.password != "" {
		keys := onCluster("cluster:admin/xpack/security/api_key", "manage_api_key", "manage_security")
		add("GET", "/_security/_authenticate", nil, access{}, a.whoAmI)
		add("POST,PUT", "/_security/api_key", []string{"refresh"}, keys, a.createKey)
		add("GET", "/_security/api_key", []string{"id", "name", "owner", "active_only", "username", "realm_name"}, keys, a.getKeys)
		add("DELETE", "/_security/api_key", nil, keys, a.deleteKeys)
	}
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

func (a *api) addAdmin(add func(methods, pattern string, params []string, need access, handle func(*request) (int, any, error)), list, timeouts []string) {
	templates := slices.Concat([]string{"create", "cause", "flat_settings", "local", "include_defaults"}, timeouts)
	add("PUT,POST", "/_component_template/{name}", templates, onCluster("cluster:admin/component_template/put", "manage_index_templates", "manage"), a.putComponent)
	add("GET,HEAD", "/_component_template/{name}", templates, onCluster("cluster:admin/component_template/get", "manage_index_templates", "manage"), a.getComponents)
	add("GET", "/_component_template", templates, onCluster("cluster:admin/component_template/get", "manage_index_templates", "manage"), a.getComponents)
	add("DELETE", "/_component_template/{name}", templates, onCluster("cluster:admin/component_template/delete", "manage_index_templates", "manage"), a.deleteComponent)
	add("PUT,POST", "/_index_template/{name}", templates, onCluster("indices:admin/index_template/put", "manage_index_templates", "manage"), a.putTemplate)
	add("GET,HEAD", "/_index_template/{name}", templates, onCluster("indices:admin/index_template/get", "manage_index_templates", "manage"), a.getTemplates)
	add("GET", "/_index_template", templates, onCluster("indices:admin/index_template/get", "manage_index_templates", "manage"), a.getTemplates)
	add("DELETE", "/_index_template/{name}", templates, onCluster("indices:admin/index_template/delete", "manage_index_templates", "manage"), a.deleteTemplate)
	add("POST", "/_index_template/_simulate_index/{name}", templates, onCluster("indices:admin/index_template/simulate_index", "manage_index_templates", "manage"), a.simulateIndex)
	add("POST", "/_index_template/_simulate", templates, onCluster("indices:admin/index_template/simulate", "manage_index_templates", "manage"), a.simulateTemplate)
	add("POST", "/_index_template/_simulate/{name}", templates, onCluster("indices:admin/index_template/simulate", "manage_index_templates", "manage"), a.simulateTemplate)
	add("PUT", "/_ilm/policy/{name}", timeouts, onCluster("cluster:admin/ilm/put", "manage_ilm", "manage"), a.putPolicy)
	add("GET", "/_ilm/policy/{name}", timeouts, onCluster("cluster:admin/ilm/get", "manage_ilm", "read_ilm", "manage"), a.getPolicies)
	add("GET", "/_ilm/policy", timeouts, onCluster("cluster:admin/ilm/get", "manage_ilm", "read_ilm", "manage"), a.getPolicies)
	add("DELETE", "/_ilm/policy/{name}", timeouts, onCluster("cluster:admin/ilm/delete", "manage_ilm", "manage"), a.deletePolicy)
	add("PUT", "/_data_stream/{name}", timeouts, onNames("indices:admin/data_stream/create", "create_index", "manage"), a.putStream)
	add("GET", "/_data_stream/{name}", slices.Concat(list, []string{"include_defaults", "verbose"}), onNames("indices:admin/data_stream/get", "view_index_metadata", "manage"), a.getStreams)
	add("GET", "/_data_stream", slices.Concat(list, []string{"include_defaults", "verbose"}), onNames("indices:admin/data_stream/get", "view_index_metadata", "manage"), a.getStreams)
	add("DELETE", "/_data_stream/{name}", list, onNames("indices:admin/data_stream/delete", "delete_index", "manage"), a.deleteStreams)
	add("PUT", "/_data_stream/{name}/_lifecycle", list, onNames("indices:admin/data_stream/lifecycle/put", "manage"), a.putLifecycle)
	add("GET", "/_data_stream/{name}/_lifecycle", slices.Concat(list, []string{"include_defaults"}), onNames("indices:admin/data_stream/lifecycle/get", "view_index_metadata", "manage"), a.getLifecycle)
	add("DELETE", "/_data_stream/{name}/_lifecycle", list, onNames("indices:admin/data_stream/lifecycle/delete", "manage"), a.deleteLifecycle)
	add("GET", "/_data_stream/_stats", list, onNames("indices:monitor/data_stream/stats", "monitor", "manage"), a.streamStats)
	add("GET", "/_data_stream/{name}/_stats", list, onNames("indices:monitor/data_stream/stats", "monitor", "manage"), a.streamStats)
	add("POST", "/{index}/_rollover", slices.Concat([]string{"dry_run", "wait_for_active_shards", "lazy"}, timeouts), onNames("indices:admin/rollover", "manage"), a.rollover)
	add("PUT,POST", "/{index}/_mapping", slices.Concat(list, []string{"write_index_only"}), onIndex("indices:admin/mapping/put", "manage"), a.putMapping)
	add("GET", "/{index}/_ilm/explain", slices.Concat(list, []string{"only_managed", "only_errors"}), onIndex("indices:admin/ilm/explain", "view_index_metadata", "manage"), a.explainPolicies)
	add("PUT", "/{index}", slices.Concat([]string{"wait_for_active_shards"}, timeouts), onNames("indices:admin/create", "create_index", "manage"), a.createIndex)
	add("GET,HEAD", "/{index}", slices.Concat(list, []string{"flat_settings", "local", "include_defaults", "features"}), onIndex("indices:admin/get", "view_index_metadata", "manage"), a.withIndices(a.getIndex))
	add("DELETE", "/{index}", list, onIndex("indices:admin/delete", "delete_index", "manage"), a.deleteIndex)
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
