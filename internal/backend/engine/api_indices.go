package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
)

func (a *api) createIndex(r *request) (int, any, error) {
	name := r.vars["index"]
	if err := checkName(name); err != nil {
		return 0, nil, err
	}
	body := &templateBody{settings: map[string]string{}, mapping: mapping.Empty()}
	n, err := r.json()
	if err != nil {
		return 0, nil, err
	}
	if n != nil {
		if n.Kind != esjson.Object {
			return 0, nil, eserr.New(400, "not_x_content_exception", "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes")
		}
		for _, f := range n.Fields {
			if (f.Name == "settings" || f.Name == "mappings") && f.Value.Kind != esjson.Object {
				return 0, nil, eserr.New(400, "parse_exception", "key [%s] must be an object", f.Name)
			}
			if f.Name != "settings" && f.Name != "mappings" && f.Name != "aliases" {
				return 0, nil, eserr.New(400, "parse_exception", "unknown key [%s] for create index", f.Name)
			}
		}
		if err := body.parseInner(n); err != nil {
			return 0, nil, err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.indices[name] != nil || a.streams[name] != nil {
		e := eserr.New(400, "resource_already_exists_exception", "index [%s] already exists", name)
		if x := a.indices[name]; x != nil {
			e.Reason = "index [" + name + "/" + x.file.UUID + "] already exists"
			e.Extra = map[string]any{"index": name, "index_uuid": x.file.UUID}
		}
		return 0, nil, e
	}
	made, err := a.compose(name)
	if err != nil {
		return 0, nil, err
	}
	if made.stream {
		return 0, nil, eserr.IllegalArgument("cannot create index with name [%s], because it matches with template [%s] that creates data streams only, use create data stream api instead", name, made.template)
	}
	made.add(body)
	raw, err := made.mapping.Marshal()
	if err != nil {
		return 0, nil, err
	}
	if _, err := a.create(indexFile{Name: name, Settings: made.settings, Mapping: raw}); err != nil {
		return 0, nil, err
	}
	return 200, map[string]any{"acknowledged": true, "shards_acknowledged": true, "index": name}, nil
}

func (a *api) getIndex(r *request, list []*index) (int, any, error) {
	out := map[string]any{}
	for _, x := range list {
		out[x.file.Name] = map[string]any{"aliases": map[string]any{}, "mappings": x.mapping.Load().JSON(), "settings": x.settingsJSON()}
		if x.file.Stream != "" {
			out[x.file.Name].(map[string]any)["data_stream"] = x.file.Stream
		}
	}
	return 200, out, nil
}

func (a *api) getMapping(r *request, list []*index) (int, any, error) {
	out := map[string]any{}
	for _, x := range list {
		out[x.file.Name] = map[string]any{"mappings": x.mapping.Load().JSON()}
	}
	return 200, out, nil
}

func (a *api) deleteIndex(r *request) (int, any, error) {
	o, err := r.indicesOptions()
	if err != nil {
		return 0, nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	expr := r.vars["index"]
	if strings.Contains(expr, "*") || expr == "_all" {
		return 0, nil, eserr.IllegalArgument("Wildcard expressions or all indices are not allowed")
	}
	for name := range strings.SplitSeq(expr, ",") {
		if a.streams[name] != nil {
			return 0, nil, eserr.IllegalArgument("The provided expression [%s] matches a data stream, specify the corresponding concrete indices instead.", name)
		}
	}
	list, err := a.resolve(expr, o)
	if err != nil {
		return 0, nil, err
	}
	for _, x := range list {
		if s := a.streams[x.file.Stream]; s != nil && s.write() == x {
			return 0, nil, eserr.IllegalArgument("index [%s] is the write index for data stream [%s] and cannot be deleted", x.file.Name, s.name)
		}
	}
	for _, x := range list {
		if s := a.streams[x.file.Stream]; s != nil {
			s.indices = slices.DeleteFunc(slices.Clone(s.indices), func(y *index) bool { return x == y })
		}
		if err := a.remove(x); err != nil {
			return 0, nil, err
		}
	}
	return 200, acknowledged, nil
}

func (a *api) refresh(r *request, list []*index) (int, any, error) {
	return 200, map[string]any{"_shards": map[string]any{"total": len(list), "successful": len(list), "failed": 0}}, nil
}

func (a *api) putStream(r *request) (int, any, error) {
	name := r.vars["name"]
	if strings.ToLower(name) != name {
		return 0, nil, eserr.IllegalArgument("data_stream [%s] must be lowercase", name)
	}
	if err := checkName(name); err != nil {
		return 0, nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.streams[name]; s != nil || a.indices[name] != nil {
		return 0, nil, eserr.New(400, "resource_already_exists_exception", "data_stream [%s] already exists", name)
	}
	made, err := a.compose(name)
	if err != nil {
		return 0, nil, err
	}
	if made.template == "" {
		return 0, nil, eserr.IllegalArgument("no matching index template found for data stream [%s]", name)
	}
	if !made.stream {
		return 0, nil, eserr.IllegalArgument("matching index template [%s] for data stream [%s] has no data stream template", made.template, name)
	}
	if _, err := a.addGeneration(name, 1, made); err != nil {
		return 0, nil, err
	}
	return 200, acknowledged, nil
}

// matchStreams lists the streams of an expression by name. The caller holds mu.
func (a *api) matchStreams(expr string) ([]*stream, error) {
	if expr == "" {
		expr = "*"
	}
	var out []*stream
	for part := range strings.SplitSeq(expr, ",") {
		found := false
		for _, name := range slices.Sorted(maps.Keys(a.streams)) {
			if s := a.streams[name]; mapping.Glob(part, name) {
				found = true
				if !slices.Contains(out, s) {
					out = append(out, s)
				}
			}
		}
		if !found && !strings.Contains(part, "*") {
			return nil, eserr.IndexNotFound(part)
		}
	}
	return out, nil
}

func (a *api) getStreams(r *request) (int, any, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	list, err := a.matchStreams(r.vars["name"])
	if err != nil {
		return 0, nil, err
	}
	out := []any{}
	for _, s := range list {
		backing := []any{}
		status := "GREEN"
		for _, x := range s.indices {
			backing = append(backing, map[string]any{"index_name": x.file.Name, "index_uuid": x.file.UUID})
			if x.store.Stats().Damaged > 0 {
				status = "RED"
			}
		}
		template, _, err := a.matchTemplate(s.name)
		if err != nil {
			return 0, nil, err
		}
		l, hasLifecycle, err := a.lifecycleOf(s)
		if err != nil {
			return 0, nil, err
		}
		m := map[string]any{
			"name": s.name, "timestamp_field": map[string]any{"name": mapping.TimestampField}, "indices": backing,
			"generation": s.write().file.Generation, "status": status, "template": template,
			"hidden": false, "system": false, "allow_custom_routing": false, "replicated": false,
		}
		if p := s.write().file.Settings["index.lifecycle.name"]; p != "" {
			m["ilm_policy"] = p
		}
		if hasLifecycle {
			m["lifecycle"] = l.json()
		}
		out = append(out, m)
	}
	return 200, map[string]any{"data_streams": out}, nil
}

func (a *api) deleteStreams(r *request) (int, any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list, err := a.matchStreams(r.vars["name"])
	if err != nil {
		return 0, nil, err
	}
	for _, s := range list {
		delete(a.streams, s.name)
		delete(a.state.Lifecycles, s.name)
		for _, x := range s.indices {
			if err := a.remove(x); err != nil {
				return 0, nil, err
			}
		}
	}
	return 200, acknowledged, a.save()
}

func (a *api) rollover(r *request) (int, any, error) {
	n, err := r.json()
	if err != nil {
		return 0, nil, err
	}
	var cond *esjson.Node
	if n != nil {
		for _, f := range n.Fields {
			if f.Name != "conditions" {
				return 0, nil, f.Unknown("rollover")
			}
			cond = f.Value
		}
	}
	c, err := parseConditions(cond)
	if err != nil {
		line, col := cond.Pos()
		return 0, nil, eserr.Within(line, col, "rollover", "conditions", err)
	}
	dry, err := r.flag("dry_run", false)
	if err != nil {
		return 0, nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.streams[r.vars["index"]]
	if s == nil {
		if a.indices[r.vars["index"]] != nil {
			return 0, nil, eserr.IllegalArgument("rollover target is a [concrete index] but one of [alias,data_stream] was expected")
		}
		return 0, nil, eserr.IllegalArgument("rollover target [%s] does not exist", r.vars["index"])
	}
	now := time.Now()
	old := s.write()
	results, due := c.met(old, now)
	do := (due || len(c.names) == 0) && !dry
	next := backingName(s.name, old.file.Generation+1, now)
	if do {
		if err := a.rolloverStream(s, now); err != nil {
			return 0, nil, err
		}
		next = s.write().file.Name
	}
	return 200, map[string]any{
		"acknowledged": do, "shards_acknowledged": do, "old_index": old.file.Name, "new_index": next,
		"rolled_over": do, "dry_run": dry, "lazy": false, "conditions": results,
	}, nil
}
