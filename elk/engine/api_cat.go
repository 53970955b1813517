package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kreislauf/elk/engine/internal/eserr"
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
	return 200, map[string]any{
		"cluster_name": "kreislauf", "status": a.status(list), "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1,
		"active_primary_shards": len(list), "active_shards": len(list), "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0,
		"unassigned_primary_shards": 0, "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0, "number_of_in_flight_fetch": 0,
		"task_max_waiting_in_queue_millis": 0, "active_shards_percent_as_number": 100.0,
	}, nil
}

// table prints rows as text columns or as JSON objects.
func table(r *request, columns []string, rows [][]string) (int, any, error) {
	if h := r.args["h"]; h != "" {
		var keep []int
		names := strings.Split(h, ",")
		for _, name := range names {
			i := slices.Index(columns, name)
			if i < 0 {
				return 0, nil, eserr.IllegalArgument("unknown column [%s], supported: [%s]", name, strings.Join(columns, ", "))
			}
			keep = append(keep, i)
		}
		for i, row := range rows {
			rows[i] = nil
			for _, k := range keep {
				rows[i] = append(rows[i], row[k])
			}
		}
		columns = names
	}
	if s := r.args["s"]; s != "" && s != columns[0] {
		return 0, nil, eserr.IllegalArgument("sorting a cat table by [%s] is not supported by this engine", s)
	}
	format := r.args["format"]
	if format == "" && strings.Contains(r.Header.Get("Accept"), "json") {
		format = "json"
	}
	switch format {
	case "json":
		out := []any{}
		for _, row := range rows {
			m := map[string]string{}
			for i, c := range columns {
				m[c] = row[i]
			}
			out = append(out, m)
		}
		return 200, out, nil
	case "", "text", "txt":
	default:
		return 0, nil, eserr.IllegalArgument("format [%s] is not supported by this engine", format)
	}
	if _, ok := r.args["v"]; ok && r.args["v"] != "false" {
		rows = append([][]string{columns}, rows...)
	}
	widths := make([]int, len(columns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += fmt.Sprintf("%-*s ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return 200, text(b.String()), nil
}

func (a *api) catIndices(r *request) (int, any, error) {
	o, err := r.indicesOptions()
	if err != nil {
		return 0, nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	list, err := a.resolve(r.vars["index"], o)
	if err != nil {
		return 0, nil, err
	}
	columns := []string{"health", "status", "index", "uuid", "pri", "rep", "docs.count", "docs.deleted", "store.size", "pri.store.size", "dataset.size"}
	rows := [][]string{}
	for _, x := range list {
		st := x.store.Stats()
		size := strconv.FormatInt(st.Bytes, 10) + "b"
		if r.args["bytes"] == "b" {
			size = strings.TrimSuffix(size, "b")
		}
		rows = append(rows, []string{
			a.status([]*index{x}), "open", x.file.Name, x.file.UUID, "1", "0", strconv.Itoa(st.Docs), strconv.Itoa(st.Deleted), size, size, size,
		})
	}
	return table(r, columns, rows)
}

func clock() (epoch, hms string) {
	now := time.Now().UTC()
	return strconv.FormatInt(now.Unix(), 10), now.Format(time.TimeOnly)
}

func (a *api) catCount(r *request) (int, any, error) {
	o, err := r.indicesOptions()
	if err != nil {
		return 0, nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	list, err := a.resolve(r.vars["index"], o)
	if err != nil {
		return 0, nil, err
	}
	total := 0
	for _, x := range list {
		total += x.store.Stats().Docs
	}
	epoch, hms := clock()
	return table(r, []string{"epoch", "timestamp", "count"}, [][]string{{epoch, hms, strconv.Itoa(total)}})
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
	columns := []string{"epoch", "timestamp", "cluster", "status", "node.total", "node.data", "shards", "pri", "relo", "init", "unassign", "pending_tasks", "max_task_wait_time", "active_shards_percent"}
	return table(r, columns, [][]string{{epoch, hms, "kreislauf", a.status(list), "1", "1", n, n, "0", "0", "0", "0", "-", "100.0%"}})
}
