package hits

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/dates"
	"kreislauf/internal/backend/engine/internal/eserr"
	"kreislauf/internal/backend/engine/internal/esjson"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
)

// sourceFilter keeps parts of _source by patterns of paths; * stands for any run of characters.
type sourceFilter struct{ includes, excludes []string }

func (f sourceFilter) all() bool { return f.includes == nil && f.excludes == nil }

func (s *Spec) parseSource(n *esjson.Node) error {
	switch n.Kind {
	case esjson.Bool:
		s.noSource = n.Str == "false"
	case esjson.String, esjson.Array:
		s.SourceIncludes(texts(n))
	case esjson.Object:
		for _, f := range n.Fields {
			switch f.Name {
			case "includes", "include":
				s.source.includes = texts(f.Value)
			case "excludes", "exclude":
				s.source.excludes = texts(f.Value)
			default:
				return f.Value.Errorf("Unknown key for a %s in [%s].", f.Value.Token(), f.Name)
			}
		}
	default:
		return n.Errorf("Expected one of [VALUE_BOOLEAN, VALUE_STRING, START_ARRAY, START_OBJECT] but found [%s]", n.Token())
	}
	return nil
}

// SourceIncludes keeps only the matching parts of _source; "true" and "false" switch it as a whole.
func (s *Spec) SourceIncludes(patterns []string) {
	if len(patterns) == 1 && (patterns[0] == "true" || patterns[0] == "false") {
		s.noSource = patterns[0] == "false"
		return
	}
	s.source.includes = patterns
}

// SourceExcludes drops the matching parts of _source.
func (s *Spec) SourceExcludes(patterns []string) { s.source.excludes = patterns }

func texts(n *esjson.Node) []string {
	if n.Kind == esjson.String {
		return []string{n.Str}
	}
	out := make([]string, 0, len(n.Items))
	for _, it := range n.Items {
		out = append(out, it.Str)
	}
	return out
}

func (f sourceFilter) apply(n *esjson.Node) []byte {
	b, ok := f.object(nil, n, "")
	if !ok {
		return []byte("{}")
	}
	return b
}

// covers says whether a pattern names the path or something above it.
func covers(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if mapping.Glob(p, path) {
			return true
		}
		for i, c := range path {
			if c == '.' && mapping.Glob(p, path[:i]) {
				return true
			}
		}
		return false
	})
}

func (f sourceFilter) object(b []byte, n *esjson.Node, path string) ([]byte, bool) {
	b = append(b, '{')
	first := true
	for _, m := range n.Fields {
		sub := m.Name
		if path != "" {
			sub = path + "." + m.Name
		}
		rest, ok := f.value(nil, m.Value, sub)
		if !ok {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(quote(b, m.Name), ':')
		b = append(b, rest...)
	}
	return append(b, '}'), !first || len(n.Fields) == 0 && f.keeps(path)
}

func (f sourceFilter) keeps(path string) bool {
	return (len(f.includes) == 0 || covers(f.includes, path)) && !covers(f.excludes, path)
}

func (f sourceFilter) value(b []byte, n *esjson.Node, path string) ([]byte, bool) {
	switch n.Kind {
	case esjson.Object:
		return f.object(b, n, path)
	case esjson.Array:
		b = append(b, '[')
		kept := 0
		for _, it := range n.Items {
			rest, ok := f.value(nil, it, path)
			if !ok {
				continue
			}
			if kept > 0 {
				b = append(b, ',')
			}
			kept++
			b = append(b, rest...)
		}
		return append(b, ']'), kept > 0 || len(n.Items) == 0 && f.keeps(path)
	}
	return append(b, n.Raw()...), f.keeps(path)
}

func quote(b []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return append(b, `""`...) // a string always encodes
	}
	return append(b, bytes.TrimRight(buf.Bytes(), "\n")...)
}

// fieldSpec is one entry of fields.
type fieldSpec struct {
	pattern string
	format  *dates.Format
}

func parseFields(n *esjson.Node) ([]fieldSpec, error) {
	if n.Kind != esjson.Array {
		return nil, n.Errorf("Unknown key for a %s in [fields].", n.Token())
	}
	var out []fieldSpec
	for _, it := range n.Items {
		if it.Kind == esjson.String {
			out = append(out, fieldSpec{pattern: it.Str})
			continue
		}
		spec := fieldSpec{}
		for _, f := range it.Fields {
			switch f.Name {
			case "field":
				spec.pattern = f.Value.Str
			case "format":
				format, err := dates.ParseFormat(f.Value.Str)
				if err != nil {
					return nil, err
				}
				spec.format = format
			default:
				return nil, eserr.IllegalArgument("[fields] option [%s] is not supported by this engine", f.Name)
			}
		}
		if spec.pattern == "" {
			return nil, eserr.IllegalArgument("Required [field]")
		}
		out = append(out, spec)
	}
	return out, nil
}

// fetchFields reads mapped fields from the source, each as a list.
func fetchFields(t *query.Target, src *esjson.Node, specs []fieldSpec) map[string]any {
	out := map[string]any{}
	for _, spec := range specs {
		t.Mapping.Leaves(func(path string, f *mapping.Field) {
			if !mapping.Glob(spec.pattern, path) {
				return
			}
			res := t.Mapping.Lookup(path)
			if res == nil {
				return
			}
			if res.Type == mapping.ConstantKeyword && res.HasConstant {
				out[path] = []any{res.Constant}
				return
			}
			from := res.Path
			if t.Mapping.IsMulti(from) {
				from = from[:strings.LastIndexByte(from, '.')]
			}
			var values []any
			valuesAt(src, from, func(n *esjson.Node) {
				if v := fieldValue(res.Field, n, spec.format); v != nil {
					values = append(values, v)
				}
			})
			if values != nil {
				out[path] = values
			}
		})
	}
	return out
}

// valuesAt visits the values at a path, through nested objects, dotted keys and arrays.
func valuesAt(n *esjson.Node, path string, visit func(*esjson.Node)) {
	if n.Kind == esjson.Array {
		for _, it := range n.Items {
			valuesAt(it, path, visit)
		}
		return
	}
	if path == "" {
		visit(n)
		return
	}
	for _, f := range n.Fields {
		if rest, ok := strings.CutPrefix(path, f.Name); ok && (rest == "" || rest[0] == '.') {
			valuesAt(f.Value, strings.TrimPrefix(rest, "."), visit)
		}
	}
}

func fieldValue(f *mapping.Field, n *esjson.Node, format *dates.Format) any {
	if n.Kind == esjson.Null || f.IgnoreAbove > 0 && utf8.RuneCountInString(n.Str) > f.IgnoreAbove {
		return nil
	}
	if f.Type != mapping.Flattened && f.Type != mapping.Date && !f.Accepts(n) {
		return nil // a malformed value that was ignored
	}
	switch {
	case f.Type == mapping.GeoPoint:
		lat, lon, err := mapping.Point(n)
		if err != nil {
			return nil
		}
		return map[string]any{"type": "Point", "coordinates": []any{lon, lat}}
	case f.Type == mapping.IP:
		if a, err := netip.ParseAddr(n.Str); err == nil {
			return a.Unmap().String()
		}
		return nil
	case f.Type == mapping.Date:
		ms, err := f.DateFormat.Parse(n.Str, nil, false)
		if err != nil {
			return nil
		}
		if format == nil {
			format = f.DateFormat
		}
		return format.Print(ms, nil)
	case f.IsNumber():
		if v, ok := n.Float(); ok && n.Kind == esjson.String {
			return v
		}
	case f.Kind() == column.String && n.IsScalar():
		return n.Str
	}
	return n.Any()
}

// FilterSource applies the source filter to one document; show is false if the source is not wanted.
func (s *Spec) FilterSource(src []byte) (out []byte, show bool, err error) {
	if s.noSource {
		return nil, false, nil
	}
	if s.source.all() {
		return src, true, nil
	}
	n, err := esjson.Parse(src)
	if err != nil {
		return nil, false, err
	}
	return s.source.apply(n), true, nil
}
