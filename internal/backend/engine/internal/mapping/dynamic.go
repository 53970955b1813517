package mapping

import (
	"encoding/json"
	"strconv"
	"strings"

	"kreislauf/internal/backend/engine/internal/dates"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
)

// dynamicTemplate is one entry of dynamic_templates.
type dynamicTemplate struct {
	name                               string
	matchType                          []string
	match, unmatch, pathMatch, pathUnm []string
	body                               *esjson.Node // the mapping to use
	raw                                any
}

func parseTemplates(n *esjson.Node) ([]dynamicTemplate, error) {
	if n.Kind != esjson.Array {
		return nil, parserError("Dynamic template syntax error. An array of named objects is expected.")
	}
	var out []dynamicTemplate
	for _, it := range n.Items {
		if it.Kind != esjson.Object || len(it.Fields) != 1 {
			return nil, parserError("A dynamic template must be defined with a name")
		}
		t := dynamicTemplate{name: it.Fields[0].Name, raw: it.Any()}
		for _, f := range it.Fields[0].Value.Fields {
			switch f.Name {
			case "match_mapping_type":
				t.matchType = list(f.Value)
			case "match":
				t.match = list(f.Value)
			case "unmatch":
				t.unmatch = list(f.Value)
			case "path_match":
				t.pathMatch = list(f.Value)
			case "path_unmatch":
				t.pathUnm = list(f.Value)
			case "match_pattern":
				if f.Value.Str != "simple" {
					return nil, parserError("No matching pattern matched on [%s]", f.Value.Str)
				}
			case "mapping":
				t.body = f.Value
			default:
				return nil, eserr.IllegalArgument("Illegal dynamic template parameter: [%s]", f.Name)
			}
		}
		if t.body == nil || t.body.Kind != esjson.Object {
			return nil, parserError("template [%s] must have either mapping or runtime set", t.name)
		}
		out = append(out, t)
	}
	return out, nil
}

func list(n *esjson.Node) []string {
	if n.Kind != esjson.Array {
		return []string{n.Str}
	}
	var out []string
	for _, it := range n.Items {
		out = append(out, it.Str)
	}
	return out
}

func templatesJSON(ts []dynamicTemplate) []any {
	out := make([]any, len(ts))
	for i, t := range ts {
		out[i] = t.raw
	}
	return out
}

// mergeTemplates replaces templates of the same name and appends the others.
func mergeTemplates(a, b []dynamicTemplate) []dynamicTemplate {
	out := append([]dynamicTemplate(nil), a...)
next:
	for _, t := range b {
		for i := range out {
			if out[i].name == t.name {
				out[i] = t
				continue next
			}
		}
		out = append(out, t)
	}
	return out
}

func (t *dynamicTemplate) matches(fieldPath, name, jsonType string) bool {
	if t.matchType == nil && t.match == nil && t.pathMatch == nil {
		return false
	}
	if t.matchType != nil && !anyMatch(t.matchType, jsonType) {
		return false
	}
	if t.match != nil && !anyMatch(t.match, name) || anyMatch(t.unmatch, name) {
		return false
	}
	return (t.pathMatch == nil || anyMatch(t.pathMatch, fieldPath)) && !anyMatch(t.pathUnm, fieldPath)
}

func anyMatch(patterns []string, s string) bool {
	for _, p := range patterns {
		if Glob(p, s) {
			return true
		}
	}
	return false
}

// Glob matches a pattern in which * stands for any run of characters.
func Glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}

// dynamicType is the match_mapping_type of a JSON value; "" for null.
func (m *Mapping) dynamicType(n *esjson.Node) string {
	switch n.Kind {
	case esjson.Bool:
		return "boolean"
	case esjson.Object:
		return "object"
	case esjson.Number:
		if strings.ContainsAny(n.Str, ".eE") {
			return "double"
		}
		return "long"
	case esjson.String:
		return m.stringType(n.Str)
	}
	return ""
}

func (m *Mapping) stringType(s string) string {
	_, intErr := strconv.ParseInt(s, 10, 64)
	_, floatErr := strconv.ParseFloat(s, 64)
	switch {
	case intErr == nil && m.numeric:
		return "long"
	case floatErr == nil && m.numeric:
		return "double"
	case floatErr == nil || m.noDates || len(s) < 4 || s[0] < '0' || s[0] > '9':
		return "string"
	}
	if _, ok := detectDate(s); ok {
		return "date"
	}
	return "string"
}

// detectDate tries the formats of dynamic date detection and returns the one that fits.
func detectDate(s string) (format string, ok bool) {
	for _, spec := range []string{"strict_date_optional_time", "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd"} {
		f, err := dates.ParseFormat(spec)
		if err != nil {
			continue
		}
		if _, err := f.Parse(s, nil, false); err == nil {
			return spec, true
		}
	}
	return "", false
}

// newField decides the mapping of an unmapped field from its first value. Nil means: no mapping (null).
func (m *Mapping) newField(fieldPath string, n *esjson.Node) (*Field, error) {
	typ := m.dynamicType(n)
	if typ == "" {
		return nil, nil
	}
	name := fieldPath[strings.LastIndexByte(fieldPath, '.')+1:]
	for i := range m.templates {
		t := &m.templates[i]
		if t.matches(fieldPath, name, typ) {
			return t.field(fieldPath, name, typ)
		}
	}
	switch typ {
	case "object":
		return &Field{Path: fieldPath, Type: Object, Props: map[string]*Field{}}, nil
	case "string":
		return &Field{Path: fieldPath, Type: Text, Multi: map[string]*Field{"keyword": {
			Path: fieldPath + ".keyword", Type: Keyword, IgnoreAbove: 256, Params: map[string]any{"ignore_above": json.Number("256")},
		}}}, nil
	case "double":
		return &Field{Path: fieldPath, Type: Float}, nil
	case "date":
		f := &Field{Path: fieldPath, Type: Date, DateFormat: dates.MustDefault()}
		if spec, _ := detectDate(n.Str); spec != "strict_date_optional_time" {
			spec = "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"
			format, err := dates.ParseFormat(spec)
			if err != nil {
				return nil, err
			}
			f.DateFormat, f.Params = format, map[string]any{"format": spec}
		}
		return f, nil
	}
	return &Field{Path: fieldPath, Type: typ}, nil
}

// field applies a template: {name} and {dynamic_type} are replaced, a missing type is the dynamic one.
func (t *dynamicTemplate) field(fieldPath, name, typ string) (*Field, error) {
	defaults := map[string]string{"string": Text, "double": Float}
	def := typ
	if d := defaults[typ]; d != "" {
		def = d
	}
	raw := strings.NewReplacer("{name}", name, "{dynamic_type}", def).Replace(string(t.body.Raw()))
	body, err := esjson.Parse([]byte(raw))
	if err != nil {
		return nil, err
	}
	if body.Get("type") == nil {
		body.Fields = append(body.Fields, esjson.Field{Name: "type", Value: &esjson.Node{Kind: esjson.String, Str: def}})
	}
	return parseField(body, fieldPath)
}
