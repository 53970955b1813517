package engine

import (
	"slices"
	"strings"

	"kreislauf/internal/backend/engine/internal/eserr"
)

// stats answers with the groups the engine has figures for: docs and store.
func (a *api) stats(r *request) (int, any, error) {
	o, err := r.indicesOptions()
	if err != nil {
		return 0, nil, err
	}
	if l := r.args["level"]; l != "" && l != "indices" {
		return 0, nil, eserr.IllegalArgument("parameter [level] with value [%s] is not supported by this engine", l)
	}
	docs, size, err := statsGroups(r)
	if err != nil {
		return 0, nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	list, err := a.resolve(r.vars["index"], o)
	if err != nil {
		return 0, nil, err
	}
	group := func(count, deleted int, bytes int64) map[string]any {
		g := map[string]any{}
		if docs {
			g["docs"] = map[string]any{"count": count, "deleted": deleted}
		}
		if size {
			g["store"] = map[string]any{"size_in_bytes": bytes, "total_data_set_size_in_bytes": bytes, "reserved_in_bytes": 0}
		}
		return g
	}
	indices := map[string]any{}
	var count, deleted int
	var bytes int64
	for _, x := range list {
		st := x.store.Stats()
		count, deleted, bytes = count+st.Docs, deleted+st.Deleted, bytes+st.Bytes
		g := group(st.Docs, st.Deleted, st.Bytes)
		indices[x.file.Name] = map[string]any{"uuid": x.file.UUID, "health": a.status([]*index{x}), "status": "open", "primaries": g, "total": g}
	}
	all := group(count, deleted, bytes)
	return 200, map[string]any{
		"_shards": map[string]any{"total": len(list), "successful": len(list), "failed": 0},
		"_all":    map[string]any{"primaries": all, "total": all}, "indices": indices,
	}, nil
}

func statsGroups(r *request) (docs, size bool, err error) {
	if r.vars["metric"] == "" {
		return true, true, nil
	}
	known := []string{
		"bulk", "completion", "dense_vector", "sparse_vector", "fielddata", "flush", "get", "indexing", "mappings", "merge", "node_mappings", "query_cache",
		"recovery", "refresh", "request_cache", "search", "segments", "shard_stats", "suggest", "translog", "warmer",
	}
	for m := range strings.SplitSeq(r.vars["metric"], ",") {
		switch {
		case m == "_all":
			docs, size = true, true
		case m == "docs":
			docs = true
		case m == "store":
			size = true
		case slices.Contains(known, m):
			return false, false, eserr.IllegalArgument("metric [%s] is not supported by this engine, only [docs] and [store]", m)
		default:
			return false, false, eserr.IllegalArgument("request [%s] contains unrecognized metric: [%s]", r.URL.Path, m)
		}
	}
	return docs, size, nil
}

// streamStats are the statistics of data streams.
func (a *api) streamStats(r *request) (int, any, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	list, err := a.matchStreams(r.vars["name"])
	if err != nil {
		return 0, nil, err
	}
	out := []any{}
	backing := 0
	var bytes int64
	for _, s := range list {
		var size, newest int64
		for _, x := range s.indices {
			size += x.store.Stats().Bytes
			readers, err := x.store.View()
			if err != nil {
				return 0, nil, err
			}
			for _, reader := range readers {
				if reader.MinTime <= reader.MaxTime {
					newest = max(newest, reader.MaxTime)
				}
			}
		}
		backing += len(s.indices)
		bytes += size
		out = append(out, map[string]any{
			"data_stream": s.name, "backing_indices": len(s.indices), "store_size_bytes": size, "maximum_timestamp": newest,
		})
	}
	return 200, map[string]any{
		"_shards":           map[string]any{"total": backing, "successful": backing, "failed": 0},
		"data_stream_count": len(list), "backing_indices": backing, "total_store_size_bytes": bytes, "data_streams": out,
	}, nil
}
