package engine

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
)

// version is the Elasticsearch version whose API this is.
const version = "8.19.0"

func (a *api) root(*request) (int, any, error) {
	return 200, map[string]any{
		"name": "kreislauf", "cluster_name": "kreislauf", "cluster_uuid": a.state.UUID,
		"version": map[string]any{
			"number": version, "build_flavor": "default", "build_type": "embedded", "build_hash": "unknown", "build_date": "2025-01-01T00:00:00.000Z",
			"build_snapshot": false, "lucene_version": "9.12.2", "minimum_wire_compatibility_version": "7.17.0", "minimum_index_compatibility_version": "7.0.0",
		},
		"tagline": "You Know, for Search",
	}, nil
}

// status is green, or red if a part of any index had to be set aside.
func (a *api) status(list []*index) string {
	for _, x := range list {
		if x.store.Stats().Damaged > 0 {
			return "red"
		}
	}
	return "green"
}

func (a *api) health(r *request) (int, any, error) {
	o, err := r.indicesOptions()
	if err != nil {
		return 0, nil, err
	}
	o.hidden = true
	a.mu.RLock()
	defer a.mu.RUnlock()
	list, err := a.resolve(r.vars["index"], o)
	if err != nil {
		return 0, nil, err
	}
	level := r.args["level"]
	if level != "" && level != "cluster" && level != "indices" {
		return 0, nil, eserr.IllegalArgument("level parameter must be one of [cluster] or [indices] here but was [%s]", level)
	}
	out := map[string]any{
		"cluster_name": "kreislauf", "status": a.status(list), "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1,
		"active_primary_shards": len(list), "active_shards": len(list), "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0,
		"unassigned_primary_shards": 0, "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0, "number_of_in_flight_fetch": 0,
		"task_max_waiting_in_queue_millis": 0, "active_shards_percent_as_number": 100.0,
	}
	if level == "indices" {
		indices := map[string]any{}
		for _, x := range list {
			indices[x.file.Name] = map[string]any{
				"status": a.status([]*index{x}), "number_of_shards": 1, "number_of_replicas": 0, "active_primary_shards": 1, "active_shards": 1,
				"relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0, "unassigned_primary_shards": 0,
			}
		}
		out["indices"] = indices
	}
	return 200, out, nil
}

func (a *api) catIndices(r *request, list []*index) (int, any, error) {
	t := &catTable{columns: []catColumn{
		{"health", "h", "current health status"},
		{"status", "s", "open/close status"},
		{"index", "i,idx", "index name"},
		{"uuid", "id,uuid", "index uuid"},
		{"pri", "p,shards.primary,shardsPrimary", "number of primary shards"},
		{"rep", "r,shards.replica,shardsReplica", "number of replica shards"},
		{"docs.count", "dc,docsCount", "available docs"},
		{"docs.deleted", "dd,docsDeleted", "deleted docs"},
		{"store.size", "ss,storeSize", "store size of primaries & replicas"},
		{"pri.store.size", "", "store size of primaries"},
		{"dataset.size", "", "total size of dataset"},
	}}
	for _, x := range list {
		if h := r.args["health"]; h != "" && h != a.status([]*index{x}) {
			continue
		}
		st := x.store.Stats()
		size, err := byteSize(st.Bytes, r.args["bytes"])
		if err != nil {
			return 0, nil, err
		}
		t.rows = append(t.rows, []string{
			a.status([]*index{x}), "open", x.file.Name, x.file.UUID, "1", "0", strconv.Itoa(st.Docs), strconv.Itoa(st.Deleted), size, size, size,
		})
	}
	return t.print(r)
}

func clock() (epoch, hms string) {
	now := time.Now().UTC()
	return strconv.FormatInt(now.Unix(), 10), now.Format(time.TimeOnly)
}

func clockColumns() []catColumn {
	return []catColumn{{"epoch", "t,time", "seconds since 1970-01-01 00:00:00"}, {"timestamp", "ts,hms,hhmmss", "time in HH:MM:SS"}}
}

func (a *api) catCount(r *request, list []*index) (int, any, error) {
	total := 0
	for _, x := range list {
		total += x.store.Stats().Docs
	}
	epoch, hms := clock()
	t := &catTable{columns: append(clockColumns(), catColumn{"count", "dc,docs.count,docsCount", "the document count"})}
	t.rows = [][]string{{epoch, hms, strconv.Itoa(total)}}
	return t.print(r)
}

func (a *api) catHealth(r *request) (int, any, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	list, err := a.resolve("*", indicesOptions{allowNone: true, hidden: true})
	if err != nil {
		return 0, nil, err
	}
	n := strconv.Itoa(len(list))
	epoch, hms := clock()
	columns := []catColumn{
		{"cluster", "cl", "cluster name"},
		{"status", "st", "health status"},
		{"node.total", "nt,nodeTotal", "total number of nodes"},
		{"node.data", "nd,nodeData", "number of nodes that can store data"},
		{"shards", "t,sh,shards.total,shardsTotal", "total number of shards"},
		{"pri", "p,shards.primary,shardsPrimary", "number of primary shards"},
		{"relo", "r,shards.relocating,shardsRelocating", "number of relocating nodes"},
		{"init", "i,shards.initializing,shardsInitializing", "number of initializing nodes"},
		{"unassign", "u,shards.unassigned,shardsUnassigned", "number of unassigned shards"},
		{"pending_tasks", "pt,pendingTasks", "number of pending tasks"},
		{"max_task_wait_time", "mtwt,maxTaskWaitTime", "wait time of longest task pending"},
		{"active_shards_percent", "asp,activeShardsPercent", "active number of shards in percent"},
	}
	row := []string{"kreislauf", a.status(list), "1", "1", n, n, "0", "0", "0", "0", "-", "100.0%"}
	stamps, err := r.flag("ts", true)
	if err != nil {
		return 0, nil, err
	}
	if stamps {
		columns, row = append(clockColumns(), columns...), append([]string{epoch, hms}, row...)
	}
	return (&catTable{columns: columns, rows: [][]string{row}}).print(r)
}

func (a *api) catTemplates(r *request) (int, any, error) {
	t := &catTable{columns: []catColumn{
		{"name", "n", "template name"},
		{"index_patterns", "t", "template index patterns"},
		{"order", "o,p", "template application order/priority number"},
		{"version", "v", "version"},
		{"composed_of", "c", "component templates comprising index template"},
	}}
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(a.state.Templates)) {
		if p := r.vars["name"]; p != "" && !matchesAny(strings.Split(p, ","), name) {
			continue
		}
		n, err := esjson.Parse(a.state.Templates[name])
		if err != nil {
			return 0, nil, err
		}
		body, err := parseTemplate(n, true)
		if err != nil {
			return 0, nil, err
		}
		version := ""
		if v := n.Get("version"); v != nil {
			version = v.Str
		}
		t.rows = append(t.rows, []string{
			name, "[" + strings.Join(body.patterns, ", ") + "]", strconv.FormatInt(body.priority, 10), version, "[" + strings.Join(body.components, ", ") + "]",
		})
	}
	return t.print(r)
}
