package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
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
	if _, exists := a.state.Components[r.vars["name"]]; exists && r.args["create"] == "true" {
		return 0, nil, eserr.IllegalArgument("component template [%s] already exists", r.vars["name"])
	}
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
	var bad error
	err := listed(in, r.vars["name"], what, func(name string, raw json.RawMessage) {
		shown, showErr := showTemplate(raw)
		if showErr != nil {
			bad = showErr
		}
		out = append(out, map[string]any{"name": name, member: shown})
	})
	return 200, map[string]any{list: out}, errors.Join(err, bad)
}

func (a *api) deleteComponent(r *request) (int, any, error) {
	return a.deleteMatching(r, a.state.Components, "resource_not_found_exception", "component_template [%s] missing", func(name string) error {
		for _, tname := range slices.Sorted(maps.Keys(a.state.Templates)) {
			n, err := esjson.Parse(a.state.Templates[tname])
			if err != nil {
				return err
			}
			if t, err := parseTemplate(n, true); err == nil && slices.Contains(t.components, name) && !slices.Contains(t.ignore, name) {
				return eserr.IllegalArgument("component templates [%s] cannot be removed as they are still in use by index templates [%s]", name, tname)
			}
		}
		return nil
	})
}

func (a *api) deleteTemplate(r *request) (int, any, error) {
	return a.deleteMatching(r, a.state.Templates, "index_template_missing_exception", "index_template [%s] missing", func(name string) error {
		var users []string
		for _, sname := range slices.Sorted(maps.Keys(a.streams)) {
			if used, _, err := a.matchTemplate(sname); err == nil && used == name {
				users = append(users, sname)
			}
		}
		if users != nil {
			return eserr.IllegalArgument("unable to remove composable templates [%s] as they are in use by a data streams [%s]", name, strings.Join(users, ", "))
		}
		return nil
	})
}

// deleteMatching deletes templates by names or patterns, all or none.
func (a *api) deleteMatching(r *request, in map[string]json.RawMessage, typ, missing string, check func(string) error) (int, any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var names []string
	for part := range strings.SplitSeq(r.vars["name"], ",") {
		found := false
		for _, name := range slices.Sorted(maps.Keys(in)) {
			if mapping.Glob(part, name) {
				found = true
				if err := check(name); err != nil {
					return 0, nil, err
				}
				names = append(names, name)
			}
		}
		if !found && !strings.Contains(part, "*") {
			return 0, nil, eserr.New(404, typ, missing, part)
		}
	}
	old := map[string]json.RawMessage{}
	for _, name := range names {
		old[name] = in[name]
		delete(in, name)
	}
	if err := a.save(); err != nil {
		maps.Copy(in, old)
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
	if err := checkPatterns(name, t.patterns); err != nil {
		return 0, nil, err
	}
	if err := a.applyTemplate(&composed{settings: map[string]string{}, mapping: mapping.Empty()}, name, t); err != nil {
		return 0, nil, err
	}
	return a.store(a.state.Templates, name, n)
}

// checkPatterns refuses patterns that no index name can match.
func checkPatterns(name string, patterns []string) error {
	var problems []string
	for _, p := range patterns {
		if strings.Contains(p, " ") {
			problems = append(problems, fmt.Sprintf("index_patterns [%s] must not contain a space", p))
		}
		if strings.HasPrefix(p, "_") {
			problems = append(problems, fmt.Sprintf("index_pattern [%s] must not start with '_'", p))
		}
		if badName.MatchString(strings.ReplaceAll(p, "*", "")) {
			problems = append(problems, fmt.Sprintf("index_pattern [%s] must not contain the following characters %s", p, badCharacters))
		}
	}
	if problems == nil {
		return nil
	}
	return eserr.New(400, "invalid_index_template_exception", "index_template [%s] invalid, cause [%s]", name, eserr.Validation(problems...).Reason)
}

// simulateIndex shows what templates would make of a name.
func (a *api) simulateIndex(r *request) (int, any, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	name := r.vars["name"]
	tname, t, err := a.matchTemplate(name)
	if err != nil {
		return 0, nil, err
	}
	if t == nil {
		return 200, map[string]any{}, nil
	}
	return a.simulated(tname, t, []string{name})
}

// simulateTemplate shows what a stored template, or the one in the body, makes of its components.
func (a *api) simulateTemplate(r *request) (int, any, error) {
	n, err := r.json()
	if err != nil {
		return 0, nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	name := r.vars["name"]
	if n == nil {
		raw, ok := a.state.Templates[name]
		if !ok {
			return 0, nil, eserr.IllegalArgument("unable to simulate template [%s] that does not exist", name)
		}
		if n, err = esjson.Parse(raw); err != nil {
			return 0, nil, err
		}
	}
	t, err := parseTemplate(n, true)
	if err != nil {
		return 0, nil, err
	}
	return a.simulated(name, t, t.patterns)
}

func (a *api) simulated(name string, t *templateBody, patterns []string) (int, any, error) {
	made := &composed{settings: map[string]string{}, mapping: mapping.Empty()}
	if err := a.applyTemplate(made, name, t); err != nil {
		return 0, nil, err
	}
	others, err := a.overlapping(name, patterns)
	return 200, map[string]any{"template": made.json(), "overlapping": others}, err
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
