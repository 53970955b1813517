package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"kreislauf/elk/engine/internal/eserr"
	"kreislauf/elk/engine/internal/esjson"
	"kreislauf/elk/engine/internal/mapping"
)

var acknowledged = map[string]any{"acknowledged": true}

func (a *api) putComponent(r *request) (int, any, error) {
	n, err := r.object()
	if err != nil {
		return 0, nil, err
	}
	if _, err := parseTemplate(n, false); err != nil {
		return 0, nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.store(a.state.Components, r.vars["name"], n)
}

// store keeps a template. The caller holds mu.
func (a *api) store(in map[string]json.RawMessage, name string, n *esjson.Node) (int, any, error) {
	old, had := in[name]
	in[name] = slices.Clone(n.Raw())
	if err := a.save(); err != nil {
		delete(in, name)
		if had {
			in[name] = old
		}
		return 0, nil, err
	}
	return 200, acknowledged, nil
}

// listed is what GET shows of the stored objects that match a name; no match for a plain name is a 404.
func listed[T any](in map[string]T, name, what string, show func(name string, v T)) error {
	found := false
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if name == "" || mapping.Glob(name, k) {
			found = true
			show(k, in[k])
		}
	}
	if !found && name != "" && !mapping.Glob(name, name+"x") {
		return eserr.New(404, "resource_not_found_exception", "%s matching [%s] not found", what, name)
	}
	return nil
}

func (a *api) getComponents(r *request) (int, any, error) {
	return a.getStored(r, a.state.Components, "component template", "component_template", "component_templates")
}

func (a *api) getTemplates(r *request) (int, any, error) {
	return a.getStored(r, a.state.Templates, "index template", "index_template", "index_templates")
}

func (a *api) getStored(r *request, in map[string]json.RawMessage, what, member, list string) (int, any, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	out := []any{}
	err := listed(in, r.vars["name"], what, func(name string, raw json.RawMessage) {
		out = append(out, map[string]any{"name": name, member: raw})
	})
	return 200, map[string]any{list: out}, err
}

func (a *api) deleteComponent(r *request) (int, any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := r.vars["name"]
	for _, tname := range slices.Sorted(maps.Keys(a.state.Templates)) {
		n, err := esjson.Parse(a.state.Templates[tname])
		if err != nil {
			return 0, nil, err
		}
		if t, err := parseTemplate(n, true); err == nil && slices.Contains(t.components, name) && !slices.Contains(t.ignore, name) {
			return 0, nil, eserr.IllegalArgument("component templates [%s] cannot be removed as they are still in use by index templates [%s]", name, tname)
		}
	}
	if _, ok := a.state.Components[name]; !ok {
		return 0, nil, eserr.New(404, "resource_not_found_exception", "component_template [%s] missing", name)
	}
	return a.drop(a.state.Components, name)
}

func (a *api) deleteTemplate(r *request) (int, any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := r.vars["name"]
	for _, s := range a.streams {
		if used, _, err := a.matchTemplate(s.name); err == nil && used == name {
			return 0, nil, eserr.IllegalArgument("unable to remove composable templates [%s] as they are in use by a data streams [%s]", name, s.name)
		}
	}
	if _, ok := a.state.Templates[name]; !ok {
		return 0, nil, eserr.New(404, "index_template_missing_exception", "index_template [%s] missing", name)
	}
	return a.drop(a.state.Templates, name)
}

// drop deletes a template that exists. The caller holds mu.
func (a *api) drop(in map[string]json.RawMessage, name string) (int, any, error) {
	old := in[name]
	delete(in, name)
	if err := a.save(); err != nil {
		in[name] = old
		return 0, nil, err
	}
	return 200, acknowledged, nil
}

func (a *api) putTemplate(r *request) (int, any, error) {
	n, err := r.object()
	if err != nil {
		return 0, nil, err
	}
	name := r.vars["name"]
	t, err := parseTemplate(n, true)
	if err != nil {
		return 0, nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, exists := a.state.Templates[name]; exists && r.args["create"] == "true" {
		return 0, nil, eserr.IllegalArgument("index template [%s] already exists", name)
	}
	for _, other := range slices.Sorted(maps.Keys(a.state.Templates)) {
		if other == name {
			continue
		}
		on, err := esjson.Parse(a.state.Templates[other])
		if err != nil {
			return 0, nil, err
		}
		if o, err := parseTemplate(on, true); err == nil && o.priority == t.priority && slices.ContainsFunc(o.patterns, func(p string) bool { return slices.Contains(t.patterns, p) }) {
			return 0, nil, eserr.IllegalArgument("index template [%s] has index patterns %v matching patterns from existing templates [%s] with patterns (%s => %v) that have the same priority [%d], multiple index templates may not match during index creation, please use a different priority",
				name, t.patterns, other, other, o.patterns, t.priority)
		}
	}
	if err := a.applyTemplate(&composed{settings: map[string]string{}, mapping: mapping.Empty()}, name, t); err != nil {
		return 0, nil, err
	}
	return a.store(a.state.Templates, name, n)
}

func (a *api) putPolicy(r *request) (int, any, error) {
	n, err := r.object()
	if err != nil {
		return 0, nil, err
	}
	if _, err := parsePolicy(n); err != nil {
		return 0, nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	name := r.vars["name"]
	old, had := a.state.Policies[name]
	a.state.Policies[name] = policyFile{Policy: slices.Clone(n.Raw()), Version: old.Version + 1, Modified: time.Now().UnixMilli()}
	if err := a.save(); err != nil {
		delete(a.state.Policies, name)
		if had {
			a.state.Policies[name] = old
		}
		return 0, nil, err
	}
	return 200, acknowledged, nil
}

func (a *api) getPolicies(r *request) (int, any, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	out := map[string]any{}
	var bad error
	err := listed(a.state.Policies, r.vars["name"], "Lifecycle policy", func(name string, p policyFile) {
		n, err := esjson.Parse(p.Policy)
		if err != nil {
			bad = err
			return
		}
		out[name] = map[string]any{
			"version": p.Version, "modified_date": time.UnixMilli(p.Modified).UTC().Format("2006-01-02T15:04:05.000Z"),
			"policy": n.Get("policy").Any(),
		}
	})
	if err == nil {
		err = bad
	}
	return 200, out, err
}

func (a *api) deletePolicy(r *request) (int, any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := r.vars["name"]
	old, ok := a.state.Policies[name]
	if !ok {
		return 0, nil, eserr.New(404, "resource_not_found_exception", "Lifecycle policy not found: %s", name)
	}
	for _, iname := range slices.Sorted(maps.Keys(a.indices)) {
		if a.indices[iname].file.Settings["index.lifecycle.name"] == name {
			return 0, nil, eserr.IllegalArgument("Cannot delete policy [%s]. It is in use by one or more indices: [%s]", name, iname)
		}
	}
	delete(a.state.Policies, name)
	if err := a.save(); err != nil {
		a.state.Policies[name] = old
		return 0, nil, err
	}
	return 200, acknowledged, nil
}
