package mapping

import (
	"slices"
	"strings"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
)

// Fields the engine keeps beside the mapped ones.
const (
	TimestampField = "@timestamp"
	IgnoredField   = "_ignored"
)

// Options are the index settings that matter when a document is read.
type Options struct {
	FieldLimit      int  // index.mapping.total_fields.limit
	IgnoreBeyond    bool // index.mapping.total_fields.ignore_dynamic_beyond_limit
	IgnoreMalformed bool // index.mapping.ignore_malformed
	NeedTimestamp   bool // the index backs a data stream
}

// Document is a document as it is stored. MinTime and MaxTime are the values of @timestamp in milliseconds if HasTime.
type Document struct {
	ID      string
	Source  []byte
	Cuts    []uint32 // see Cuts
	Values  []column.Value
	MinTime int64
	MaxTime int64
	HasTime bool
}

// Read turns a parsed document into column values. If the document brings unmapped fields, update is a mapping
// with just these; the caller merges it and reads the document again.
func (m *Mapping) Read(id string, n *esjson.Node, opt Options) (doc *Document, update *Mapping, err error) {
	if n.Kind != esjson.Object {
		line, col := n.Pos()
		return nil, nil, documentError(line, col, "failed to parse", "not_x_content_exception", "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes")
	}
	p := &docParser{m: m, opt: opt, doc: &Document{ID: id, Source: n.Raw(), Cuts: Cuts(n), Values: make([]column.Value, 0, len(n.Fields)+4)}, budget: opt.FieldLimit - m.Size()}
	if err := p.object(n, m.root, "", dynamicOf(m.root, "true")); err != nil {
		return nil, nil, err
	}
	if opt.NeedTimestamp {
		if err := p.checkTimestamp(n); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range p.ignored {
		p.doc.Values = append(p.doc.Values, column.Value{Field: IgnoredField, Kind: column.String, Str: name})
	}
	if p.added != nil {
		update = finish(&Mapping{root: p.added, top: map[string]any{}})
	}
	return p.doc, update, nil
}

// Cuts returns where in the text of an object the values of its members begin and end. What lies between them is the
// same in most documents of an index, and stored once.
func Cuts(n *esjson.Node) []uint32 {
	cuts := make([]uint32, 0, 2*len(n.Fields))
	for _, f := range n.Fields {
		cuts = append(cuts, uint32(f.Value.Start-n.Start), uint32(f.Value.End-n.Start))
	}
	return cuts
}

type docParser struct {
	m       *Mapping
	opt     Options
	doc     *Document
	added   *Field // root of the fields this document introduces
	budget  int    // fields that may still be added
	ignored []string
	times   int // values of @timestamp
}

func documentError(line, col int, reason, causeType, cause string) *eserr.Error {
	e := eserr.New(400, "document_parsing_exception", "[%d:%d] %s", line, col, reason)
	if causeType != "" {
		e.Cause = eserr.New(400, causeType, "%s", cause)
	}
	return e
}

func (p *docParser) checkTimestamp(n *esjson.Node) error {
	if p.times == 1 {
		return nil
	}
	line, col := n.PosAt(n.End - 1)
	switch {
	case p.times == 0:
		return documentError(line, col, "failed to parse: data stream timestamp field ["+TimestampField+"] is missing",
			"illegal_argument_exception", "data stream timestamp field ["+TimestampField+"] is missing")
	case p.times > 1:
		return documentError(line, col, "failed to parse: data stream timestamp field ["+TimestampField+"] encountered multiple values",
			"illegal_argument_exception", "data stream timestamp field ["+TimestampField+"] encountered multiple values")
	}
	return nil
}

func dynamicOf(f *Field, inherited string) string {
	if f.Dynamic != "" {
		return f.Dynamic
	}
	return inherited
}

// object reads the members of n, which belong below obj at path.
func (p *docParser) object(n *esjson.Node, obj *Field, path, dynamic string) error {
	for i := range n.Fields {
		f := &n.Fields[i]
		if path == "" {
			// The usual document has flat members with dotted names, all of them mapped.
			if leaf := p.m.direct[f.Name]; leaf != nil {
				if err := p.value(f.Value, leaf, leaf.Path, dynamic); err != nil {
					return err
				}
				continue
			}
		}
		if err := p.member(n, f, f.Name, obj, path, dynamic); err != nil {
			return err
		}
	}
	return nil
}

// member reads one member; name is what is left of a dotted key.
func (p *docParser) member(n *esjson.Node, f *esjson.Field, name string, obj *Field, path, dynamic string) error {
	first, rest, dotted := strings.Cut(name, ".")
	if strings.TrimSpace(first) == "" || dotted && rest == "" {
		line, col := n.PosAt(f.Start)
		reason := "field name cannot contain only whitespace: ['" + f.Name + "']"
		if strings.TrimSpace(first) == "" && !dotted && path == "" {
			reason = "field name cannot be an empty string"
		}
		return documentError(line, col, "failed to parse: "+reason, "illegal_argument_exception", reason)
	}
	full := first
	if path != "" {
		full = path + "." + first
	}
	child := obj.Props[first]
	if child == nil {
		child = p.pending(full)
	}
	if child == nil {
		var err error
		if child, err = p.introduce(n, f, full, dotted, dynamic); err != nil || child == nil {
			return err
		}
	}
	if !dotted {
		return p.value(f.Value, child, full, dynamic)
	}
	switch {
	case child.IsObject() && child.Disabled:
		return nil
	case child.IsObject():
		return p.member(n, f, rest, child, full, dynamicOf(child, dynamic))
	case child.Type == Flattened:
		return p.flattened(child, rest, f.Value)
	}
	line, col := n.PosAt(f.Start)
	return documentError(line, col, "Could not dynamically add mapping for field ["+full+"."+rest+"]. Existing mapping for ["+full+
		"] must be of type object but found ["+child.Type+"].", "", "")
}

// pending finds a field this document has introduced before.
func (p *docParser) pending(full string) *Field {
	f := p.added
	for part := range strings.SplitSeq(full, ".") {
		if f == nil {
			return nil
		}
		f = f.Props[part]
	}
	return f
}

// introduce maps a new field, or returns nil where it stays unmapped.
func (p *docParser) introduce(n *esjson.Node, f *esjson.Field, full string, dotted bool, dynamic string) (*Field, error) {
	full = strings.Clone(full) // the mapping keeps it longer than the document
	probe := f.Value
	for probe.Kind == esjson.Array {
		i := slices.IndexFunc(probe.Items, func(it *esjson.Node) bool { return it.Kind != esjson.Null })
		if i < 0 {
			return nil, nil
		}
		probe = probe.Items[i]
	}
	if dynamic == "strict" {
		line, col := n.PosAt(f.Start)
		parent := "_doc"
		if i := strings.LastIndexByte(full, '.'); i >= 0 {
			parent = full[:i]
		}
		return nil, eserr.New(400, "strict_dynamic_mapping_exception", "[%d:%d] mapping set to strict, dynamic introduction of [%s] within [%s] is not allowed",
			line, col, full[strings.LastIndexByte(full, '.')+1:], parent)
	}
	if dynamic == "false" || probe.Kind == esjson.Null && !dotted {
		return nil, nil
	}
	field := &Field{Path: full, Type: Object, Props: map[string]*Field{}}
	if !dotted {
		var err error
		if field, err = p.m.newField(full, probe); err != nil || field == nil {
			return nil, err
		}
	} else if probe.Kind == esjson.Null {
		return nil, nil
	}
	if p.budget -= 1 + len(field.Multi); p.budget < 0 && p.opt.FieldLimit > 0 {
		if p.opt.IgnoreBeyond {
			p.ignore(full)
			return nil, nil
		}
		line, col := n.PosAt(f.Start)
		reason := "Limit of total fields [" + itoa(p.opt.FieldLimit) + "] has been exceeded while adding new fields [1]"
		return nil, documentError(line, col, "failed to parse: "+reason, "illegal_argument_exception", reason)
	}
	p.add(field)
	return field, nil
}

// add puts a new field, with the objects above it, into the update.
func (p *docParser) add(field *Field) {
	if p.added == nil {
		p.added = &Field{Type: Object, Props: map[string]*Field{}}
	}
	at := p.added
	parts := strings.Split(field.Path, ".")
	for i, part := range parts[:len(parts)-1] {
		next := at.Props[part]
		if next == nil {
			next = &Field{Path: strings.Join(parts[:i+1], "."), Type: Object, Props: map[string]*Field{}}
			at.Props[part] = next
		}
		at = next
	}
	at.Props[parts[len(parts)-1]] = field
}

func (p *docParser) ignore(path string) {
	if !slices.Contains(p.ignored, path) {
		p.ignored = append(p.ignored, path)
	}
}

// value reads what stands at a field: objects recurse, arrays are values of the same field.
func (p *docParser) value(n *esjson.Node, f *Field, path, dynamic string) error {
	switch {
	case f.IsObject() && f.Disabled:
		return nil
	case n.Kind == esjson.Null && f.NullValue == nil:
		return nil
	case f.Type == Alias:
		line, col := n.Pos()
		reason := "Cannot write to a field alias [" + path + "]."
		return documentError(line, col, "failed to parse: "+reason, "illegal_argument_exception", reason)
	case n.Kind == esjson.Array && f.Type == GeoPoint && len(n.Items) > 0 && n.Items[0].Kind == esjson.Number:
		return p.leaf(n, f)
	case n.Kind == esjson.Array:
		for _, it := range n.Items {
			if err := p.value(it, f, path, dynamic); err != nil {
				return err
			}
		}
		return nil
	case f.IsObject() && n.Kind == esjson.Object:
		return p.object(n, f, path, dynamicOf(f, dynamic))
	case f.IsObject():
		line, col := n.Pos()
		return documentError(line, col, "object mapping for ["+path+"] tried to parse field ["+path[strings.LastIndexByte(path, '.')+1:]+
			"] as object, but found a concrete value", "", "")
	case f.Type == Flattened:
		if n.Kind != esjson.Object {
			return p.bad(n, f, "x_content_parse_exception", "Failed to parse object: expecting token of type [START_OBJECT] but found ["+n.Token()+"]")
		}
		return p.flattened(f, "", n)
	}
	return p.leaf(n, f)
}

// flattened collects the leaves of an object as `key 0 value`.
func (p *docParser) flattened(f *Field, key string, n *esjson.Node) error {
	switch n.Kind {
	case esjson.Null:
		return nil
	case esjson.Array:
		for _, it := range n.Items {
			if err := p.flattened(f, key, it); err != nil {
				return err
			}
		}
		return nil
	case esjson.Object:
		for _, m := range n.Fields {
			sub := m.Name
			if key != "" {
				sub = key + "." + m.Name
			}
			if strings.IndexByte(sub, 0) >= 0 || strings.Count(sub, ".") > 19 {
				return p.bad(n, f, "illegal_argument_exception", "The provided flattened field ["+f.Path+"] exceeds the maximum depth limit of [20] or holds a reserved character.")
			}
			if err := p.flattened(f, sub, m.Value); err != nil {
				return err
			}
		}
		return nil
	}
	if f.IgnoreAbove > 0 && len(n.Str) > f.IgnoreAbove || len(n.Str) > maxTerm {
		p.ignore(f.Path)
		return nil
	}
	if !f.NoColumn {
		p.doc.Values = append(p.doc.Values, column.Value{Field: f.Path, Kind: column.String, Str: key + "\x00" + n.Str})
	}
	return nil
}
