package mapping

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"kreislauf/internal/backend/engine/internal/dates"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
)

var numberParams = []string{"coerce", "ignore_malformed", "index", "doc_values", "null_value", "store", "meta", "time_series_metric"}

// parameters lists what each type accepts. What is accepted without an effect here (norms, store, ...) has
// none on answers either.
func parameters(typ string) ([]string, bool) {
	switch typ {
	case Keyword:
		return []string{"ignore_above", "index", "doc_values", "norms", "store", "meta", "eager_global_ordinals", "null_value", "time_series_dimension"}, true
	case Text:
		return []string{"index", "norms", "store", "meta", "index_options", "analyzer", "search_analyzer"}, true
	case MatchOnlyText:
		return []string{"meta", "analyzer", "search_analyzer"}, true
	case Long, Integer, Short, Byte, Double, Float, HalfFloat:
		return numberParams, true
	case UnsignedLong:
		return []string{"ignore_malformed", "index", "doc_values", "null_value", "store", "meta", "time_series_metric"}, true
	case ScaledFloat:
		return append([]string{"scaling_factor"}, numberParams...), true
	case Boolean:
		return []string{"index", "doc_values", "null_value", "store", "meta", "ignore_malformed"}, true
	case Date:
		return []string{"format", "ignore_malformed", "index", "doc_values", "null_value", "store", "meta", "locale"}, true
	case IP:
		return []string{"ignore_malformed", "index", "doc_values", "null_value", "store", "meta"}, true
	case GeoPoint:
		return []string{"ignore_malformed", "ignore_z_value", "index", "doc_values", "store", "meta"}, true
	case Alias:
		return []string{"path", "meta"}, true
	case ConstantKeyword:
		return []string{"value", "meta"}, true
	case Flattened:
		return []string{"ignore_above", "index", "doc_values", "depth_limit", "meta", "eager_global_ordinals"}, true
	case Object:
		return []string{"dynamic", "enabled", "properties"}, true
	}
	return nil, false
}

// Types lists the field types with the parameters each accepts.
func Types() map[string][]string {
	out := map[string][]string{}
	for _, typ := range []string{
		Keyword, Text, MatchOnlyText, Long, Integer, Short, Byte, UnsignedLong, Double, Float, HalfFloat, ScaledFloat, Boolean, Date, IP, GeoPoint,
		Object, Alias, ConstantKeyword, Flattened,
	} {
		params, _ := parameters(typ)
		out[typ] = slices.Sorted(slices.Values(params))
	}
	return out
}

func parserError(format string, args ...any) *eserr.Error {
	return eserr.New(400, "mapper_parsing_exception", format, args...)
}

// Parse reads a mappings object. Errors carry the outer text of the real server and the reason as cause.
func Parse(n *esjson.Node) (*Mapping, error) {
	m := Empty()
	if n == nil || n.Kind == esjson.Null {
		return m, nil
	}
	if err := m.parse(n); err != nil {
		e := eserr.From(err)
		return nil, parserError("Failed to parse mapping: %s", e.Reason).Wrap(e)
	}
	return finish(m), m.checkAliases()
}

// ParseBytes reads a stored mapping.
func ParseBytes(b []byte) (*Mapping, error) {
	n, err := esjson.Parse(b)
	if err != nil {
		return nil, err
	}
	return Parse(n)
}

func (m *Mapping) checkAliases() error {
	for path, f := range m.flat {
		if f.Type != Alias {
			continue
		}
		// A template may name a target that another one defines, so a missing target is allowed until used.
		if t := m.flat[f.Target]; t != nil && (t.IsObject() || t.Type == Alias) {
			return parserError("Invalid [path] value [%s] for field alias [%s]: an alias must refer to an existing field in the mappings.", f.Target, path)
		}
	}
	return nil
}

func (m *Mapping) parse(n *esjson.Node) error {
	if n.Kind != esjson.Object {
		return parserError("Expected map for mappings but got %s", n.Token())
	}
	var bad []string
	for _, f := range n.Fields {
		switch f.Name {
		case "properties":
			props, err := parseProps(f.Value, "", m.root.Props)
			if err != nil {
				return err
			}
			m.root.Props = props
		case "dynamic":
			if err := m.root.setDynamic(f.Value); err != nil {
				return err
			}
		case "date_detection", "numeric_detection":
			v, ok := f.Value.Bool()
			if !ok {
				return parserError("Failed to parse value [%s] as only [true] or [false] are allowed.", f.Value.Str)
			}
			m.top[f.Name] = v
			if f.Name == "date_detection" {
				m.noDates = !v
			} else {
				m.numeric = v
			}
		case "dynamic_templates":
			t, err := parseTemplates(f.Value)
			if err != nil {
				return err
			}
			m.templates, m.top[f.Name] = t, templatesJSON(t)
		case "_meta":
			m.top[f.Name] = f.Value.Any()
		case "_data_stream_timestamp":
			m.top[f.Name] = f.Value.Any()
		default:
			bad = append(bad, "["+f.Name+" : "+string(f.Value.Raw())+"]")
		}
	}
	if bad != nil {
		return parserError("Root mapping definition has unsupported parameters:  %s", strings.Join(bad, " "))
	}
	return nil
}

func (f *Field) setDynamic(n *esjson.Node) error {
	if n.Str != "true" && n.Str != "false" && n.Str != "strict" {
		return parserError("Could not convert [dynamic] to a supported value: [%s]", n.Str)
	}
	f.Dynamic = n.Str
	return nil
}

// parseProps reads properties into a set; a dotted name means nested objects.
func parseProps(n *esjson.Node, prefix string, into map[string]*Field) (map[string]*Field, error) {
	if n.Kind != esjson.Object {
		return nil, eserr.New(400, "parse_exception", "properties must be a map type")
	}
	for _, f := range n.Fields {
		parts := strings.Split(f.Name, ".")
		if slices.Contains(parts, "") {
			return nil, eserr.IllegalArgument("field name cannot be an empty string")
		}
		leaf, err := parseField(f.Value, prefix+f.Name)
		if err != nil {
			return nil, err
		}
		for i := len(parts) - 1; i > 0; i-- {
			leaf = &Field{Type: Object, Path: prefix + strings.Join(parts[:i], "."), Props: map[string]*Field{parts[i]: leaf}}
		}
		if have := into[parts[0]]; have != nil {
			if leaf, err = mergeField(have, leaf); err != nil {
				return nil, err
			}
		}
		into[parts[0]] = leaf
	}
	return into, nil
}

// decimal prints a number with a fraction, as Java prints doubles.
func decimal(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func parseField(n *esjson.Node, path string) (*Field, error) {
	name := path[strings.LastIndexByte(path, '.')+1:]
	if n.Kind != esjson.Object {
		return nil, parserError("Expected map for property [fields] on field [%s] but got a class java.lang.%s", name, map[esjson.Kind]string{
			esjson.String: "String", esjson.Number: "Integer", esjson.Bool: "Boolean", esjson.Null: "Object", esjson.Array: "Object",
		}[n.Kind])
	}
	typ := Object
	if t := n.Get("type"); t != nil {
		typ = t.Str
	} else if n.Get("properties") == nil && (n.Get("enabled") == nil || len(n.Fields) > 1) {
		return nil, parserError("No type specified for field [%s]", name)
	}
	allowed, known := parameters(typ)
	if !known {
		return nil, parserError("The mapper type [%s] declared on field [%s] does not exist. It might have been created within a future version or requires a plugin to be installed. Check the documentation.", typ, name)
	}
	f := &Field{Path: path, Type: typ, Params: map[string]any{}}
	if typ == Object {
		f.Props = map[string]*Field{}
	}
	for _, p := range n.Fields {
		if p.Name == "type" {
			continue
		}
		if p.Name == "fields" && typ != Object && typ != Alias {
			multi, err := parseProps(p.Value, path+".", map[string]*Field{})
			if err != nil {
				return nil, err
			}
			f.Multi = multi
			continue
		}
		if !slices.Contains(allowed, p.Name) {
			return nil, parserError("unknown parameter [%s] on mapper [%s] of type [%s]", p.Name, name, typ)
		}
		if err := f.set(p.Name, p.Value); err != nil {
			return nil, err
		}
	}
	if typ == Date && f.DateFormat == nil {
		f.DateFormat = dates.MustDefault()
	}
	if typ == ScaledFloat && f.Scale == 0 {
		return nil, eserr.IllegalArgument("Field [scaling_factor] is required")
	}
	if typ == Alias && f.Target == "" {
		return nil, parserError("The [path] property must be specified for field [%s].", name)
	}
	f.NoColumn = f.Params["index"] == false && f.Params["doc_values"] == false
	f.Unsearchable = f.IsText() && f.Params["index"] == false
	return f, nil
}

// set applies one known parameter.
func (f *Field) set(name string, n *esjson.Node) error {
	switch name {
	case "properties":
		props, err := parseProps(n, f.Path+".", f.Props)
		f.Props = props
		return err
	case "value":
		f.Constant, f.HasConstant = n.Str, true
		return nil
	case "dynamic":
		if err := f.setDynamic(n); err != nil {
			return err
		}
		f.Params[name] = f.Dynamic
		return nil
	case "enabled", "ignore_malformed", "coerce", "index", "doc_values", "norms", "store", "eager_global_ordinals", "time_series_dimension", "ignore_z_value":
		v, ok := n.Bool()
		if !ok {
			return eserr.IllegalArgument("Failed to parse value [%s] as only [true] or [false] are allowed.", n.Str)
		}
		f.Disabled = f.Disabled || name == "enabled" && !v
		f.IgnoreMalformed = f.IgnoreMalformed || name == "ignore_malformed" && v
		f.NoCoerce = f.NoCoerce || name == "coerce" && !v
		f.Params[name] = v
		return nil
	case "ignore_above":
		v, ok := n.Int()
		if !ok || v < 0 {
			return parserError("Failed to parse parameter [ignore_above] with value [%s]", n.Str)
		}
		f.IgnoreAbove, f.Params[name] = int(v), json.Number(n.Str)
		return nil
	case "format":
		format, err := dates.ParseFormat(n.Str)
		if err != nil {
			return parserError("%s", eserr.From(err).Reason)
		}
		f.DateFormat = format
	case "scaling_factor":
		v, ok := n.Float()
		if !ok || !(v > 0) || math.IsInf(v, 0) {
			return parserError("[scaling_factor] must be a positive number, got [%s]", n.Str)
		}
		f.Scale = v
		f.Params[name] = json.RawMessage(decimal(v))
		return nil
	case "path":
		f.Target = n.Str
	case "analyzer", "search_analyzer":
		if n.Str != "standard" && n.Str != "default" {
			return eserr.IllegalArgument("analyzer [%s] has not been configured in mappings", n.Str)
		}
	case "null_value":
		if n.Kind == esjson.Null {
			return nil
		}
		f.NullValue = n
	}
	f.Params[name] = n.Any()
	return nil
}
