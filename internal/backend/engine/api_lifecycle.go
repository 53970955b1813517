package engine

import (
	"fmt"
	"strings"
	"time"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
)

// lifecycleFile is the lifecycle set on one data stream. Retention is a time value, "" keeps everything. A removed
// lifecycle hides that of the template.
type lifecycleFile struct {
	Retention string `json:"data_retention,omitempty"`
	Disabled  bool   `json:"disabled,omitempty"`
	Removed   bool   `json:"removed,omitempty"`
}

// lifecycleOf is what applies to a stream; ok is false without one. The caller holds mu.
func (c *cluster) lifecycleOf(s *stream) (l lifecycleFile, ok bool, err error) {
	if l, ok := c.state.Lifecycles[s.name]; ok {
		return l, !l.Removed, nil
	}
	made, err := c.compose(s.name)
	if err != nil {
		return l, false, err
	}
	return lifecycleFile{Retention: made.retention}, made.retention != "", nil
}

func (l lifecycleFile) json() map[string]any {
	m := map[string]any{"enabled": !l.Disabled}
	if l.Retention != "" {
		m["data_retention"] = l.Retention
	}
	return m
}

func parseLifecycle(n *esjson.Node) (l lifecycleFile, err error) {
	if n == nil {
		return l, nil
	}
	for _, f := range n.Fields {
		switch f.Name {
		case "data_retention":
			if f.Value.Kind != esjson.Null {
				_, err = parseAge(f.Value.Str)
				l.Retention = f.Value.Str
			}
		case "enabled":
			v, ok := f.Value.Bool()
			if !ok {
				err = f.Value.Contentf("[data_stream_lifecycle] failed to parse field [enabled]")
			}
			l.Disabled = !v
		default:
			err = f.Unknown("data_stream_lifecycle")
		}
		if err != nil {
			return l, err
		}
	}
	return l, nil
}

func (a *api) putLifecycle(r *request) (int, any, error) {
	n, err := r.json()
	if err != nil {
		return 0, nil, err
	}
	l, err := parseLifecycle(n)
	if err != nil {
		return 0, nil, err
	}
	return a.setLifecycles(r, l)
}

func (a *api) deleteLifecycle(r *request) (int, any, error) {
	return a.setLifecycles(r, lifecycleFile{Removed: true})
}

func (a *api) setLifecycles(r *request, l lifecycleFile) (int, any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list, err := a.matchStreams(r.vars["name"])
	if err != nil {
		return 0, nil, err
	}
	old := map[string]lifecycleFile{}
	for _, s := range list {
		if was, ok := a.state.Lifecycles[s.name]; ok {
			old[s.name] = was
		}
		a.state.Lifecycles[s.name] = l
	}
	if err := a.save(); err != nil {
		for _, s := range list {
			delete(a.state.Lifecycles, s.name)
			if was, ok := old[s.name]; ok {
				a.state.Lifecycles[s.name] = was
			}
		}
		return 0, nil, err
	}
	return 200, acknowledged, nil
}

func (a *api) getLifecycle(r *request) (int, any, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	list, err := a.matchStreams(r.vars["name"])
	if err != nil {
		return 0, nil, err
	}
	out := []any{}
	for _, s := range list {
		m := map[string]any{"name": s.name}
		l, ok, err := a.lifecycleOf(s)
		if err != nil {
			return 0, nil, err
		}
		if ok {
			m["lifecycle"] = l.json()
		}
		out = append(out, m)
	}
	return 200, map[string]any{"data_streams": out, "global_retention": map[string]any{}}, nil
}

// explainPolicies says where each index stands in its policy. What is carried out here is rollover and deletion, so
// an index is in hot until it is deleted.
func (a *api) explainPolicies(r *request) (int, any, error) {
	o, err := r.indicesOptions()
	if err != nil {
		return 0, nil, err
	}
	onlyManaged, err := r.flag("only_managed", false)
	if err != nil {
		return 0, nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	list, err := a.resolve(r.vars["index"], o)
	if err != nil {
		return 0, nil, err
	}
	now := time.Now()
	indices := map[string]any{}
	for _, x := range list {
		m, err := a.explain(x, now)
		if err != nil {
			return 0, nil, err
		}
		if m["managed"] == true || !onlyManaged {
			indices[x.file.Name] = m
		}
	}
	return 200, map[string]any{"indices": indices}, nil
}

func (a *api) explain(x *index, now time.Time) (map[string]any, error) {
	name := x.file.Settings["index.lifecycle.name"]
	if name == "" {
		return map[string]any{"index": x.file.Name, "managed": false}, nil
	}
	start := x.file.Created
	m := map[string]any{
		"index": x.file.Name, "managed": true, "policy": name, "index_creation_date_millis": x.file.Created,
		"time_since_index_creation": ageText(now.Sub(time.UnixMilli(x.file.Created))),
	}
	raw, ok := a.state.Policies[name]
	if !ok {
		m["step"], m["step_info"] = "ERROR", map[string]any{"type": "illegal_argument_exception", "reason": fmt.Sprintf("policy [%s] does not exist", name)}
		return m, nil
	}
	n, err := esjson.Parse(raw.Policy)
	if err != nil {
		return nil, err
	}
	p, err := parsePolicy(n)
	if err != nil {
		return nil, err
	}
	action, step := "complete", "complete"
	if at := x.rolledOver(); at > 0 {
		start = at
	} else if p.rollover != nil {
		action, step = "rollover", "check-rollover-ready"
	}
	m["lifecycle_date_millis"], m["age"] = start, ageText(now.Sub(time.UnixMilli(start)))
	m["phase"], m["action"], m["step"] = "hot", action, step
	return m, nil
}

// ageText prints a duration as the real server does: 1.5d, 2h, 30.1s.
func ageText(d time.Duration) string {
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if d >= u.size {
			text := fmt.Sprintf("%.2f", float64(int64(float64(d)/float64(u.size)*100))/100)
			return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + u.name
		}
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}

func (a *api) putMapping(r *request) (int, any, error) {
	n, err := r.json()
	if err != nil {
		return 0, nil, err
	}
	if n == nil {
		return 0, nil, eserr.New(400, "parse_exception", "request body is required")
	}
	update, err := mapping.Parse(n)
	if err != nil {
		return 0, nil, err
	}
	return a.withIndices(func(_ *request, list []*index) (int, any, error) {
		for _, x := range list {
			if _, err := x.mapping.Load().Merge(update); err != nil {
				return 0, nil, err
			}
		}
		for _, x := range list {
			if err := x.extend(update); err != nil {
				return 0, nil, err
			}
		}
		return 200, acknowledged, nil
	})(r)
}

func (a *api) getSettings(r *request, list []*index) (int, any, error) {
	out := map[string]any{}
	for _, x := range list {
		out[x.file.Name] = map[string]any{"settings": x.settingsJSON()}
	}
	return 200, out, nil
}
