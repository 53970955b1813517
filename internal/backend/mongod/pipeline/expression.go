package pipeline

import (
	"strings"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
)

// expression computes a value from a document; missing stands for no value. There are two kinds: the value at a field path ("$a.b"),
// and a constant.
type expression func(d raw.Document) raw.Value

// parseExpression refuses everything that computes: documents, which are operators or objects, arrays and variables.
func parseExpression(v raw.Value) (expression, error) {
	switch v.Kind {
	case raw.KindString:
		name, isPath := strings.CutPrefix(v.Text(), "$")
		if isPath {
			return parseFieldPath(name)
		}
	case raw.KindDocument:
		if query.IsOperators(v) {
			return nil, fault.New(fault.InvalidOperator, "Unrecognized expression '%s'", v.Document().FirstName())
		}
		return nil, fault.Unsupported("an object as an expression")
	case raw.KindArray:
		return nil, fault.Unsupported("an array as an expression")
	}
	return func(raw.Document) raw.Value { return v }, nil
}

func parseFieldPath(name string) (expression, error) {
	if name == "" {
		return nil, fault.New(16872, "'$' by itself is not a valid FieldPath")
	}
	if name[0] == '$' {
		return nil, fault.Unsupported("the variable $%s", name)
	}
	path, err := query.FieldPath(name)
	if err != nil {
		return nil, err
	}
	return func(d raw.Document) raw.Value { return evalPath(d, path) }, nil
}

// evalPath follows a field path; an array on the way yields the array of what its documents hold.
func evalPath(d raw.Document, path []string) raw.Value {
	v := d.Get(path[0])
	if len(path) == 1 {
		return v
	}
	switch v.Kind {
	case raw.KindDocument:
		return evalPath(v.Document(), path[1:])
	case raw.KindArray:
		var out []raw.Value
		for _, el := range v.Elements() {
			if el.Kind != raw.KindDocument {
				continue
			}
			if inner := evalPath(el.Document(), path[1:]); !inner.Missing() {
				out = append(out, inner)
			}
		}
		return raw.Array(out)
	default:
		return raw.Value{}
	}
}
