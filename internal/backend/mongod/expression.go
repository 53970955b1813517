package mongod

import "strings"

// expression computes a value from a document; missing stands for no value. There are two kinds: the value at a field path ("$a.b"),
// and a constant.
type expression func(d document) value

// parseExpression refuses everything that computes: documents, which are operators or objects, arrays and variables.
func parseExpression(v value) (expression, error) {
	switch v.kind {
	case kindString:
		name, isPath := strings.CutPrefix(v.text(), "$")
		if isPath {
			return parseFieldPath(name)
		}
	case kindDocument:
		if isOperators(v) {
			return nil, failure(codeInvalidOperator, "Unrecognized expression '%s'", v.document().firstName())
		}
		return nil, unsupported("an object as an expression")
	case kindArray:
		return nil, unsupported("an array as an expression")
	}
	return func(document) value { return v }, nil
}

func parseFieldPath(name string) (expression, error) {
	if name == "" {
		return nil, failure(16872, "'$' by itself is not a valid FieldPath")
	}
	if name[0] == '$' {
		return nil, unsupported("the variable $%s", name)
	}
	path, err := fieldPath(name)
	if err != nil {
		return nil, err
	}
	return func(d document) value { return evalPath(d, path) }, nil
}

// evalPath follows a field path; an array on the way yields the array of what its documents hold.
func evalPath(d document, path []string) value {
	v := d.get(path[0])
	if len(path) == 1 {
		return v
	}
	switch v.kind {
	case kindDocument:
		return evalPath(v.document(), path[1:])
	case kindArray:
		var out []value
		for _, el := range v.elements() {
			if el.kind != kindDocument {
				continue
			}
			if inner := evalPath(el.document(), path[1:]); !inner.missing() {
				out = append(out, inner)
			}
		}
		return arrayValue(out)
	default:
		return value{}
	}
}
