// Package mapping owns index mappings: reading and merging them, dynamic mapping, and turning documents into
// typed column values.
//
// A Mapping is immutable; Merge and dynamic updates return a new one. Types and parameters that the engine does
// not implement are refused with the error of the real server, never ignored.
package mapping

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/dates"
	"kreislauf/internal/backend/engine/internal/eserr"
)

// Field types. Object is the type of inner nodes.
const (
	Keyword         = "keyword"
	Text            = "text"
	MatchOnlyText   = "match_only_text"
	Long            = "long"
	Integer         = "integer"
	Short           = "short"
	Byte            = "byte"
	Double          = "double"
	Float           = "float"
	HalfFloat       = "half_float"
	ScaledFloat     = "scaled_float"
	UnsignedLong    = "unsigned_long"
	Boolean         = "boolean"
	Date            = "date"
	IP              = "ip"
	GeoPoint        = "geo_point"
	Object          = "object"
	Alias           = "alias"
	ConstantKeyword = "constant_keyword"
	Flattened       = "flattened"
)

// Field is one node of the mapping tree: an object with properties, or a leaf with multi-fields.
type Field struct {
	Path   string // full dotted path
	Type   string
	Params map[string]any // parameters as given, for answers
	Props  map[string]*Field
	Multi  map[string]*Field

	Dynamic         string // of an object: "", true, false or strict; "" inherits
	Disabled        bool   // object with enabled: false
	IgnoreAbove     int    // characters; 0 means no limit
	IgnoreMalformed bool
	NoCoerce        bool
	Target          string // of an alias
	Constant        string // of a constant_keyword
	HasConstant     bool
	NullValue       any
	Unsearchable    bool // index: false on a text field
	NoColumn        bool // neither indexed nor with doc values
	DateFormat      *dates.Format
	Scale           float64 // scaling_factor of a scaled_float
}

// Kind is the kind of column that holds the field's values.
func (f *Field) Kind() column.Kind {
	switch f.Type {
	case Long, Integer, Short, Byte, UnsignedLong, Boolean, Date:
		return column.Int
	case Double, Float, HalfFloat, ScaledFloat, GeoPoint:
		return column.Float
	}
	return column.String
}

// IsText says whether the field is analysed.
func (f *Field) IsText() bool { return f.Type == Text || f.Type == MatchOnlyText }

// IsNumber says whether the field holds numbers that can be summed.
func (f *Field) IsNumber() bool {
	switch f.Type {
	case Long, Integer, Short, Byte, UnsignedLong, Double, Float, HalfFloat, ScaledFloat:
		return true
	}
	return false
}

// Unsigned turns the stored form of an unsigned_long into its value and back: the sign bit is flipped, so that
// stored numbers have the order of the values.
func Unsigned(i int64) uint64 { return uint64(i) ^ 1<<63 }

// Stored is the inverse of Unsigned.
func Stored(u uint64) int64 { return int64(u ^ 1<<63) }

// Narrow rounds a number to what a float field of this type keeps.
func (f *Field) Narrow(x float64) float64 {
	switch f.Type {
	case Float:
		return float64(float32(x))
	case HalfFloat:
		return half(x)
	case ScaledFloat:
		return math.Round(x*f.Scale) / f.Scale
	}
	return x
}

// half rounds to the nearest number with 11 significant bits, ties to even; beyond 65504 it is infinite.
func half(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return x
	}
	_, exp := math.Frexp(x)
	step := math.Ldexp(1, max(exp, -13)-11)
	x = math.RoundToEven(x/step) * step
	if math.Abs(x) > 65504 {
		return math.Inf(int(math.Copysign(1, x)))
	}
	return x
}

// IsObject says whether the node has properties instead of values.
func (f *Field) IsObject() bool { return f.Type == Object }

// Mapping is a whole immutable mapping.
type Mapping struct {
	root      *Field
	templates []dynamicTemplate
	top       map[string]any // other top-level members as given: _meta, date_detection, dynamic_templates ...
	noDates   bool
	numeric   bool
	flat      map[string]*Field
	direct    map[string]*Field // leaves that a document can name by their whole path
}

// Empty is the mapping of an index without one.
func Empty() *Mapping {
	return finish(&Mapping{root: &Field{Type: Object, Props: map[string]*Field{}}, top: map[string]any{}})
}

func finish(m *Mapping) *Mapping {
	m.flat = map[string]*Field{}
	m.root.walk(func(f *Field) { m.flat[f.Path] = f })
	m.direct = map[string]*Field{}
	m.root.leaves(m.direct)
	return m
}

// leaves collects the fields below an object that hold values, but no multi-fields and nothing below what is disabled.
func (f *Field) leaves(into map[string]*Field) {
	for _, p := range f.Props {
		switch {
		case p.IsObject() && !p.Disabled:
			p.leaves(into)
		case !p.IsObject():
			into[p.Path] = p
		}
	}
}

func (f *Field) walk(visit func(*Field)) {
	for _, set := range []map[string]*Field{f.Props, f.Multi} {
		for _, name := range slices.Sorted(maps.Keys(set)) {
			visit(set[name])
			set[name].walk(visit)
		}
	}
}

// Resolved is a field as a request names it. Key is the key within a flattened field.
type Resolved struct {
	*Field
	Key   string
	Keyed bool
}

// Lookup finds a field, following aliases and keys of flattened fields. Nil means unmapped.
func (m *Mapping) Lookup(path string) *Resolved {
	if f := m.flat[path]; f != nil {
		if f.Type == Alias {
			if f = m.flat[f.Target]; f == nil {
				return nil
			}
		}
		return &Resolved{Field: f}
	}
	for i, c := range path {
		if c != '.' {
			continue
		}
		if f := m.flat[path[:i]]; f != nil && f.Type == Flattened {
			return &Resolved{Field: f, Key: path[i+1:], Keyed: true}
		}
	}
	return nil
}

// Leaves calls visit for every leaf, multi-field and alias in the order of their paths.
func (m *Mapping) Leaves(visit func(path string, f *Field)) {
	for _, path := range slices.Sorted(maps.Keys(m.flat)) {
		if f := m.flat[path]; !f.IsObject() {
			visit(path, f)
		}
	}
}

// Under lists the leaves below an object path.
func (m *Mapping) Under(path string) []*Field {
	var out []*Field
	m.Leaves(func(p string, f *Field) {
		if strings.HasPrefix(p, path+".") && f.Type != Alias {
			out = append(out, f)
		}
	})
	return out
}

// Size is the number of fields counted against index.mapping.total_fields.limit.
func (m *Mapping) Size() int { return len(m.flat) }

// JSON is the mapping as GET _mapping shows it.
func (m *Mapping) JSON() map[string]any {
	out := maps.Clone(m.top)
	if m.root.Dynamic != "" {
		out["dynamic"] = m.root.Dynamic
	}
	if len(m.root.Props) > 0 {
		out["properties"] = propsJSON(m.root.Props)
	}
	return out
}

func propsJSON(props map[string]*Field) map[string]any {
	out := make(map[string]any, len(props))
	for name, f := range props {
		out[name] = f.json()
	}
	return out
}

func (f *Field) json() map[string]any {
	out := maps.Clone(f.Params)
	if out == nil {
		out = map[string]any{}
	}
	if f.IsObject() {
		if len(f.Props) > 0 {
			out["properties"] = propsJSON(f.Props)
		} else {
			out["type"] = Object
		}
		return out
	}
	out["type"] = f.Type
	if f.HasConstant {
		out["value"] = f.Constant
	}
	if len(f.Multi) > 0 {
		out["fields"] = propsJSON(f.Multi)
	}
	return out
}

// Marshal is the mapping as stored JSON.
func (m *Mapping) Marshal() (json.RawMessage, error) {
	b, err := json.Marshal(m.JSON())
	if err != nil {
		return nil, fmt.Errorf("encode mapping: %w", err)
	}
	return b, nil
}

// Merge adds the fields of other. A field that exists with another type is refused.
func (m *Mapping) Merge(other *Mapping) (*Mapping, error) {
	root, err := mergeField(m.root, other.root)
	if err != nil {
		return nil, err
	}
	out := &Mapping{
		root: root, templates: m.templates, top: maps.Clone(m.top),
		noDates: m.noDates, numeric: m.numeric,
	}
	for k, v := range other.top {
		out.top[k] = v
		switch k {
		case "date_detection":
			out.noDates = other.noDates
		case "numeric_detection":
			out.numeric = other.numeric
		}
	}
	if len(other.templates) > 0 {
		out.templates = mergeTemplates(m.templates, other.templates)
		out.top["dynamic_templates"] = templatesJSON(out.templates)
	}
	return finish(out), nil
}

func mergeField(a, b *Field) (*Field, error) {
	if a.Type != b.Type {
		if a.IsObject() || b.IsObject() {
			return nil, eserr.IllegalArgument("can't merge a non object mapping [%s] with an object mapping", a.Path)
		}
		return nil, eserr.IllegalArgument("mapper [%s] cannot be changed from type [%s] to [%s]", a.Path, a.Type, b.Type)
	}
	out := *a
	if !a.IsObject() {
		out = *b
	} else if b.Dynamic != "" {
		out.Dynamic = b.Dynamic
	}
	if a.HasConstant && b.HasConstant && a.Constant != b.Constant {
		return nil, eserr.IllegalArgument("Mapper for [%s] conflicts with existing mapper:\n\tCannot update parameter [value] from [%s] to [%s]", a.Path, a.Constant, b.Constant)
	}
	if a.HasConstant && !b.HasConstant {
		out.Constant, out.HasConstant = a.Constant, true
	}
	params := maps.Clone(a.Params)
	if params == nil {
		params = map[string]any{}
	}
	maps.Copy(params, b.Params)
	out.Params = params
	var err error
	if out.Props, err = mergeSet(a.Props, b.Props); err != nil {
		return nil, err
	}
	out.Multi, err = mergeSet(a.Multi, b.Multi)
	return &out, err
}

func mergeSet(a, b map[string]*Field) (map[string]*Field, error) {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]*Field{}
	}
	for name, f := range b {
		if have := out[name]; have != nil {
			merged, err := mergeField(have, f)
			if err != nil {
				return nil, err
			}
			out[name] = merged
			continue
		}
		out[name] = f
	}
	return out, nil
}

// IsMulti says whether a path is that of a multi-field, such as message.keyword.
func (m *Mapping) IsMulti(path string) bool {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return false
	}
	parent := m.flat[path[:i]]
	return parent != nil && !parent.IsObject() && parent.Multi[path[i+1:]] != nil
}

// Overlay puts other over m: where both define a field the one of other wins, whatever its type. This is how
// component templates and their index template are combined.
func (m *Mapping) Overlay(other *Mapping) *Mapping {
	out := &Mapping{
		root: overlayField(m.root, other.root), templates: mergeTemplates(m.templates, other.templates),
		top: maps.Clone(m.top), noDates: m.noDates, numeric: m.numeric,
	}
	maps.Copy(out.top, other.top)
	if _, set := other.top["date_detection"]; set {
		out.noDates = other.noDates
	}
	if _, set := other.top["numeric_detection"]; set {
		out.numeric = other.numeric
	}
	if len(out.templates) > 0 {
		out.top["dynamic_templates"] = templatesJSON(out.templates)
	}
	return finish(out)
}

func overlayField(a, b *Field) *Field {
	if !a.IsObject() || !b.IsObject() {
		return b
	}
	out := *a
	if b.Dynamic != "" {
		out.Dynamic = b.Dynamic
	}
	out.Disabled = a.Disabled || b.Disabled
	out.Params = maps.Clone(a.Params)
	if out.Params == nil {
		out.Params = map[string]any{}
	}
	maps.Copy(out.Params, b.Params)
	out.Props = maps.Clone(a.Props)
	for name, f := range b.Props {
		if have := out.Props[name]; have != nil {
			f = overlayField(have, f)
		}
		out.Props[name] = f
	}
	return &out
}
