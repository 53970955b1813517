package hits

import (
	"slices"

	"kreislauf/internal/backend/engine/internal/column"
	"kreislauf/internal/backend/engine/internal/mapping"
	"kreislauf/internal/backend/engine/internal/query"
)

// docValues reads fields from their columns, in the order in which the real server keeps them. It appends to what
// is there already.
func docValues(h hit, specs []fieldSpec, out map[string]any) error {
	for _, spec := range specs {
		var failed error
		h.target.Mapping.Leaves(func(path string, _ *mapping.Field) {
			if failed != nil || !mapping.Glob(spec.pattern, path) {
				return
			}
			f := h.target.Mapping.Lookup(path)
			if f == nil {
				return
			}
			values, err := docValuesOf(h, path, f, spec)
			if err != nil {
				failed = err
				return
			}
			if values != nil {
				list, _ := out[path].([]any)
				out[path] = append(list, values...)
			}
		})
		if failed != nil {
			return failed
		}
	}
	return nil
}

func docValuesOf(h hit, path string, f *mapping.Resolved, spec fieldSpec) ([]any, error) {
	if err := Aggregatable(h.target, path, f); err != nil {
		return nil, err
	}
	c, err := query.Column(h.reader, f)
	if err != nil {
		return nil, err
	}
	from, to := c.Range(h.doc)
	if from == to {
		return nil, nil
	}
	order := make([]uint32, 0, to-from)
	for pos := from; pos < to; pos++ {
		order = append(order, pos)
	}
	k := &sortKey{field: path, res: f, col: c, format: spec.format}
	at := func(pos uint32) value {
		switch c.Kind {
		case column.Int:
			return value{kind: c.Kind, i: c.Ints[pos]}
		case column.Float:
			return value{kind: c.Kind, f: c.Floats[pos]}
		}
		return value{kind: c.Kind, s: c.Str(pos)}
	}
	if f.Type == mapping.GeoPoint {
		var out []any
		for i := 0; i+1 < len(order); i += 2 {
			out = append(out, map[string]any{"type": "Point", "coordinates": []any{Number(c.Floats[order[i+1]]), Number(c.Floats[order[i]])}})
		}
		return out, nil
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return at(a).compare(at(b)) })
	var out []any
	for _, pos := range order {
		v := at(pos)
		switch {
		case f.Type == mapping.Boolean:
			out = append(out, v.i != 0)
		case f.Type == mapping.Date && spec.format == nil:
			out = append(out, f.DateFormat.Print(v.i, nil))
		default:
			out = append(out, k.print(v, f.Type))
		}
	}
	return out, nil
}
