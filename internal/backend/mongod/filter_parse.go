package mongod

import "strings"

// parseFilter reads a query document. An operator that is not known is MongoDB's error, never ignored.
func parseFilter(d document) (*filter, error) {
	out := &filter{op: opAnd, source: d}
	r := d.reader()
	for {
		key, v, ok := r.next()
		if !ok {
			return out, nil
		}
		name := string(key)
		var sub *filter
		var err error
		if strings.HasPrefix(name, "$") {
			sub, err = parseLogical(name, v)
		} else {
			sub, err = parseField(name, v)
		}
		if err != nil {
			return nil, err
		}
		out.subs = append(out.subs, sub)
	}
}

// logicalParser parses the argument of an operator that stands in place of a field name.
type logicalParser = func(name string, v value) (*filter, error)

func logicalOperators() []entry[logicalParser] {
	return []entry[logicalParser]{
		{name: "$and", parse: parseJunctionFilter},
		{name: "$or", parse: parseJunctionFilter, note: "uses an index only when it has one branch"},
	}
}

func parseLogical(name string, v value) (*filter, error) {
	op := lookup(logicalOperators(), name)
	if op == nil {
		return nil, failure(codeBadValue, "unknown top level operator: %s. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.", name)
	}
	return op.parse(name, v)
}

func parseJunctionFilter(name string, v value) (*filter, error) {
	if v.kind != kindArray {
		return nil, failure(codeBadValue, "%s argument must be an array", name)
	}
	elements := v.elements()
	if len(elements) == 0 {
		return nil, failure(codeBadValue, "%s argument must be a non-empty array", name)
	}
	out := &filter{op: opOr}
	if name == "$and" {
		out.op = opAnd
	}
	for _, el := range elements {
		if el.kind != kindDocument {
			return nil, failure(codeBadValue, "%s argument's entries must be objects", name)
		}
		sub, err := parseFilter(el.document())
		if err != nil {
			return nil, err
		}
		out.subs = append(out.subs, sub)
	}
	return out, nil
}

func negate(f *filter) *filter { return &filter{op: opNot, subs: []*filter{f}} }

// isOperators reports whether v is a document of operators such as {$gt: 1}.
func isOperators(v value) bool {
	return v.kind == kindDocument && strings.HasPrefix(v.document().firstName(), "$")
}

func parseField(name string, v value) (*filter, error) {
	leaf := filter{name: name, path: splitPath(name)}
	switch {
	case isOperators(v):
		return parseOperators(leaf, v.document())
	case v.kind == kindRegex:
		return nil, noRegex()
	case v.kind == kindUndefined:
		return nil, failure(codeBadValue, "cannot compare to undefined")
	default:
		return leaf.as(opEqual, v), nil
	}
}

// as returns a copy of the leaf with its operator.
func (f filter) as(op filterOp, v value) *filter {
	f.op, f.value = op, v
	return &f
}

// parseOperators reads {$op: argument, …}; all of them must hold.
func parseOperators(leaf filter, d document) (*filter, error) {
	out := &filter{op: opAnd}
	r := d.reader()
	for {
		key, v, ok := r.next()
		if !ok {
			break
		}
		sub, err := parseOperator(leaf, string(key), v)
		if err != nil {
			return nil, err
		}
		out.subs = append(out.subs, sub)
	}
	if len(out.subs) == 1 {
		return out.subs[0], nil
	}
	return out, nil
}

// fieldParser parses the argument of an operator on a field.
type fieldParser = func(leaf filter, name string, v value) (*filter, error)

func fieldOperators() []entry[fieldParser] {
	return []entry[fieldParser]{
		{name: "$eq", parse: parseComparison},
		{name: "$ne", parse: parseComparison},
		{name: "$gt", parse: parseComparison},
		{name: "$gte", parse: parseComparison},
		{name: "$lt", parse: parseComparison},
		{name: "$lte", parse: parseComparison},
		{name: "$in", parse: parseIn},
		{name: "$exists", parse: parseExists},
		{name: "$elemMatch", parse: parseElemMatch},
	}
}

func parseOperator(leaf filter, name string, v value) (*filter, error) {
	op := lookup(fieldOperators(), name)
	if op == nil {
		return nil, failure(codeBadValue, "unknown operator: %s", name)
	}
	return op.parse(leaf, name, v)
}

func noRegex() error { return unsupported("a regular expression in a query") }

func parseExists(leaf filter, _ string, v value) (*filter, error) {
	exists := leaf.as(opExists, v)
	if v.truthy() {
		return exists, nil
	}
	return negate(exists), nil
}

func parseComparison(leaf filter, name string, v value) (*filter, error) {
	if v.kind == kindUndefined {
		return nil, failure(codeBadValue, "cannot compare to undefined")
	}
	if v.kind == kindRegex {
		return nil, noRegex()
	}
	switch name {
	case "$eq":
		return leaf.as(opEqual, v), nil
	case "$ne":
		return negate(leaf.as(opEqual, v)), nil
	case "$gt":
		return leaf.as(opGreater, v), nil
	case "$gte":
		return leaf.as(opGreaterEqual, v), nil
	case "$lt":
		return leaf.as(opLess, v), nil
	default:
		return leaf.as(opLessEqual, v), nil
	}
}

func parseIn(leaf filter, name string, v value) (*filter, error) {
	if v.kind != kindArray {
		return nil, failure(codeBadValue, "%s needs an array", name)
	}
	out := leaf.as(opIn, v)
	out.list = v.elements()
	for _, el := range out.list {
		switch {
		case el.kind == kindRegex:
			return nil, noRegex()
		case isOperators(el):
			return nil, failure(codeBadValue, "cannot nest $ under %s", name)
		case el.kind == kindUndefined:
			return nil, failure(codeBadValue, "InMatchExpression equality cannot be undefined")
		}
	}
	return out, nil
}

// parseElemMatch reads operators on the element itself, or a query on elements that are documents.
func parseElemMatch(leaf filter, _ string, v value) (*filter, error) {
	if v.kind != kindDocument {
		return nil, failure(codeBadValue, "$elemMatch needs an Object")
	}
	op, parse := opElemDocument, parseFilter
	if isFieldOperators(v) {
		op, parse = opElemValue, func(d document) (*filter, error) { return parseOperators(filter{}, d) }
	}
	sub, err := parse(v.document())
	if err != nil {
		return nil, err
	}
	out := leaf.as(op, v)
	out.subs = []*filter{sub}
	return out, nil
}

// isFieldOperators reports whether v is a document of operators on a value, not on a document as a whole.
func isFieldOperators(v value) bool {
	return isOperators(v) && lookup(logicalOperators(), v.document().firstName()) == nil
}
