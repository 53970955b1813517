package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
)

// composed is what templates make of a name.
type composed struct {
	template  string // name of the index template, "" without
	stream    bool
	settings  map[string]string
	mapping   *mapping.Mapping
	raw       json.RawMessage
	retention string // data stream lifecycle, "" for none
}

// templateBody is a parsed component or index template.
type templateBody struct {
	patterns   []string
	priority   int64
	components []string
	ignore     []string // components that may be missing
	stream     bool
	settings   map[string]string
	mapping    *mapping.Mapping
	retention  string
}

// showTemplate is a stored template as GET shows it: with its settings as text below index.
func showTemplate(raw json.RawMessage) (any, error) {
	n, err := esjson.Parse(raw)
	if err != nil {
		return nil, err
	}
	out, ok := n.Any().(map[string]any)
	settings := n.Get("template").Get("settings")
	if !ok || settings == nil {
		return out, nil
	}
	flat := map[string]string{}
	if err := flattenSettings(settings, "", flat); err != nil {
		return nil, err
	}
	out["template"].(map[string]any)["settings"] = nest(flat)
	return out, nil
}

func parseTemplate(n *esjson.Node, isIndex bool) (*templateBody, error) {
	t := &templateBody{settings: map[string]string{}, mapping: mapping.Empty()}
	for _, f := range n.Fields {
		var err error
		switch {
		case f.Name == "template":
			if err = t.parseInner(f.Value); err != nil && eserr.From(err).Type == "x_content_parse_exception" {
				name := "component_template"
				if isIndex {
					name = "index_template"
				}
				line, col := f.Value.Pos()
				err = eserr.Within(line, col, name, f.Name, err)
			}
		case f.Name == "version" || f.Name == "_meta" || f.Name == "deprecated":
		case !isIndex:
			err = f.Unknown("component_template")
		case f.Name == "index_patterns":
			t.patterns = stringList(f.Value)
		case f.Name == "priority":
			t.priority, _ = f.Value.Int()
		case f.Name == "composed_of":
			t.components = stringList(f.Value)
		case f.Name == "ignore_missing_component_templates":
			t.ignore = stringList(f.Value)
		case f.Name == "data_stream":
			err = t.parseStream(f.Value)
		case f.Name == "allow_auto_create":
			if f.Value.Str == "false" {
				err = eserr.IllegalArgument("[allow_auto_create] false is not supported by this engine")
			}
		default:
			err = f.Unknown("index_template")
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case isIndex && n.Get("index_patterns") == nil:
		return nil, eserr.IllegalArgument("Required [index_patterns]")
	case isIndex && t.priority < 0:
		return nil, eserr.Validation("index template priority must be >= 0")
	case !isIndex && n.Get("template") == nil:
		return nil, eserr.IllegalArgument("Required [template]")
	}
	return t, nil
}

func (t *templateBody) parseStream(n *esjson.Node) error {
	t.stream = true
	for _, f := range n.Fields {
		if v, ok := f.Value.Bool(); f.Name != "hidden" && f.Name != "allow_custom_routing" || !ok || v {
			return f.Value.Contentf("[data_stream_template] unsupported field [%s]", f.Name)
		}
	}
	return nil
}

func (t *templateBody) parseInner(n *esjson.Node) (err error) {
	for _, f := range n.Fields {
		switch f.Name {
		case "settings":
			if f.Value.Kind != esjson.Object {
				return f.Value.Contentf("[settings] must be an object but was: %s", f.Value.Token())
			}
			err = flattenSettings(f.Value, "", t.settings)
			if err == nil {
				err = checkSettings(t.settings)
			}
		case "mappings":
			t.mapping, err = mapping.Parse(f.Value)
		case "lifecycle":
			err = t.parseLifecycle(f.Value)
		case "aliases":
			if len(f.Value.Fields) > 0 {
				err = eserr.IllegalArgument("[aliases] are not supported by this engine")
			}
		default:
			err = f.Unknown("template")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *templateBody) parseLifecycle(n *esjson.Node) error {
	for _, f := range n.Fields {
		switch f.Name {
		case "data_retention":
			if _, err := parseAge(f.Value.Str); err != nil {
				return err
			}
			t.retention = f.Value.Str
		case "enabled":
			if f.Value.Str != "true" {
				return eserr.IllegalArgument("[lifecycle] enabled: false is not supported by this engine")
			}
		default:
			return f.Unknown("lifecycle")
		}
	}
	return nil
}

func stringList(n *esjson.Node) []string {
	if n.Kind == esjson.String {
		return []string{n.Str}
	}
	out := make([]string, 0, len(n.Items))
	for _, it := range n.Items {
		out = append(out, it.Str)
	}
	return out
}

// flattenSettings turns nested settings into dotted keys with the prefix index.
func flattenSettings(n *esjson.Node, prefix string, into map[string]string) error {
	for _, f := range n.Fields {
		key := prefix + f.Name
		switch f.Value.Kind {
		case esjson.Object:
			if err := flattenSettings(f.Value, key+".", into); err != nil {
				return err
			}
		case esjson.Null:
		case esjson.Array:
			into[withIndex(key)] = strings.Join(stringList(f.Value), ",")
		default:
			into[withIndex(key)] = f.Value.Str
		}
	}
	return nil
}

func withIndex(key string) string {
	if strings.HasPrefix(key, "index.") {
		return key
	}
	return "index." + key
}

// checkSettings refuses settings that would have an effect the engine does not have.
func checkSettings(settings map[string]string) error {
	harmless := []string{
		"index.number_of_shards", "index.number_of_replicas", "index.auto_expand_replicas", "index.refresh_interval",
		"index.codec", "index.hidden", "index.priority", "index.lifecycle.name", "index.lifecycle.prefer_ilm", "index.max_result_window",
		"index.mapping.total_fields.limit", "index.mapping.total_fields.ignore_dynamic_beyond_limit", "index.mapping.ignore_malformed",
		"index.mapping.depth.limit", "index.mapping.nested_fields.limit", "index.query.default_field", "index.translog.durability", "index.translog.sync_interval",
		"index.translog.flush_threshold_size", "index.merge.policy.type", "index.sort.field", "index.sort.order", "index.mode",
	}
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		if !slices.Contains(harmless, k) && !strings.HasPrefix(k, "index.routing.allocation.") {
			return eserr.IllegalArgument("unknown setting [%s] please check that any required plugins are installed, or check the breaking changes documentation for removed settings", k)
		}
	}
	for key, least := range map[string]int64{"index.number_of_shards": 1, "index.number_of_replicas": 0} {
		v, ok := settings[key]
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil {
			return eserr.IllegalArgument("Failed to parse value [%s] for setting [%s]", v, key).Wrap(eserr.New(400, "number_format_exception", "For input string: \"%s\"", v))
		}
		if n < least {
			return eserr.IllegalArgument("Failed to parse value [%s] for setting [%s] must be >= %d", v, key, least)
		}
	}
	if m := settings["index.mode"]; m != "" && m != "standard" {
		return eserr.IllegalArgument("[index.mode] [%s] is not supported by this engine", m)
	}
	if w := settings["index.max_result_window"]; w != "" && w != "10000" {
		return eserr.IllegalArgument("[index.max_result_window] other than 10000 is not supported by this engine")
	}
	return nil
}

// compose builds settings and mapping for a new index or stream. The caller holds mu.
func (c *cluster) compose(name string) (*composed, error) {
	out := &composed{settings: map[string]string{}, mapping: mapping.Empty()}
	tname, t, err := c.matchTemplate(name)
	if err != nil {
		return nil, err
	}
	if t != nil {
		out.template, out.stream = tname, t.stream
		if err := c.applyTemplate(out, tname, t); err != nil {
			return nil, err
		}
	}
	out.raw, err = out.mapping.Marshal()
	return out, err
}

// overlapping lists the other templates whose patterns could match the names that patterns match. The caller holds mu.
func (c *cluster) overlapping(name string, patterns []string) ([]any, error) {
	out := []any{}
	for _, tname := range slices.Sorted(maps.Keys(c.state.Templates)) {
		n, err := esjson.Parse(c.state.Templates[tname])
		if err != nil {
			return nil, err
		}
		t, err := parseTemplate(n, true)
		if err != nil {
			return nil, err
		}
		if tname == name || !slices.ContainsFunc(t.patterns, func(p string) bool {
			return slices.ContainsFunc(patterns, func(q string) bool { return overlap(p, q) })
		}) {
			continue
		}
		out = append(out, map[string]any{"name": tname, "index_patterns": t.patterns})
	}
	return out, nil
}

// overlap says whether there is a name that both patterns match.
func overlap(a, b string) bool {
	if a == "" || b == "" {
		return strings.Trim(a+b, "*") == ""
	}
	switch {
	case a[0] == '*':
		return overlap(a[1:], b) || overlap(a, b[1:])
	case b[0] == '*':
		return overlap(a, b[1:]) || overlap(a[1:], b)
	}
	return a[0] == b[0] && overlap(a[1:], b[1:])
}

// json is what templates made, as a simulation shows it.
func (c *composed) json() map[string]any {
	out := map[string]any{"aliases": map[string]any{}, "mappings": c.mapping.JSON(), "settings": nest(c.settings)}
	if c.retention != "" {
		out["lifecycle"] = map[string]any{"enabled": true, "data_retention": c.retention}
	}
	return out
}

// nest turns dotted settings into objects.
func nest(settings map[string]string) map[string]any {
	out := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		at := out
		parts := strings.Split(key, ".")
		for _, p := range parts[:len(parts)-1] {
			next, ok := at[p].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[p] = next
			}
			at = next
		}
		at[parts[len(parts)-1]] = settings[key]
	}
	return out
}

func (c *cluster) applyTemplate(out *composed, tname string, t *templateBody) error {
	for _, part := range t.components {
		raw, ok := c.state.Components[part]
		if !ok {
			if slices.Contains(t.ignore, part) {
				continue
			}
			return eserr.New(400, "invalid_index_template_exception", "index_template [%s] invalid, cause [index template [%s] specifies component templates [%s] that do not exist]", tname, tname, part)
		}
		n, err := esjson.Parse(raw)
		if err != nil {
			return err
		}
		body, err := parseTemplate(n, false)
		if err != nil {
			return err
		}
		out.add(body)
	}
	out.add(t)
	return nil
}

func (c *composed) add(t *templateBody) {
	maps.Copy(c.settings, t.settings)
	c.mapping = c.mapping.Overlay(t.mapping)
	if t.retention != "" {
		c.retention = t.retention
	}
}

// matchTemplate finds the index template with the highest priority whose pattern matches. The caller holds mu.
func (c *cluster) matchTemplate(name string) (string, *templateBody, error) {
	var best *templateBody
	bestName := ""
	for _, tname := range slices.Sorted(maps.Keys(c.state.Templates)) {
		n, err := esjson.Parse(c.state.Templates[tname])
		if err != nil {
			return "", nil, err
		}
		t, err := parseTemplate(n, true)
		if err != nil {
			return "", nil, err
		}
		if slices.ContainsFunc(t.patterns, func(p string) bool { return mapping.Glob(p, name) }) && (best == nil || t.priority > best.priority) {
			best, bestName = t, tname
		}
	}
	return bestName, best, nil
}
