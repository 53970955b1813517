package mongod

import "strings"

// filterParser reads queries and tells ask the operators.
type filterParser struct{ ask askFunc }

// parseFilter reads a query document; ask, which may be nil, is told its operators. An operator that is not known is MongoDB's error,
// never ignored.
func parseFilter(d document, ask askFunc) (*filter, error) { return filterParser{ask}.query(d) }

// parseElementFilter reads operators on a value itself, such as {$gt: 1}. The result is for test, not for matches.
func parseElementFilter(d document, ask askFunc) (*filter, error) {
	return filterParser{ask}.operators(filter{}, d)
}

func (p filterParser) query(d document) (*filter, error) {
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
			sub, err = p.logical(name, v)
		} else {
			sub, err = p.field(name, v)
		}
		if err != nil {
			return nil, err
		}
		out.subs = append(out.subs, sub)
	}
}

// logicalParser parses the argument of an operator that stands in place of a field name.
type logicalParser = func(p filterParser, name string, v value) (*filter, error)

func logicalOperators() table[logicalParser] {
	return table[logicalParser]{"query operator on a document", []entry[logicalParser]{
		{name: "$and", parse: filterParser.junction},
		{name: "$or", parse: filterParser.junction, note: "uses an index only when it has one branch"},
	}}
}

func (p filterParser) logical(name string, v value) (*filter, error) {
	op := logicalOperators().find(name, p.ask)
	if op == nil {
		return nil, failure(codeBadValue, "unknown top level operator: %s. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.", name)
	}
	return op.parse(p, name, v)
}

func (p filterParser) junction(name string, v value) (*filter, error) {
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
		sub, err := p.query(el.document())
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

func (p filterParser) field(name string, v value) (*filter, error) {
	leaf := filter{name: name, path: splitPath(name)}
	switch {
	case isOperators(v):
		return p.operators(leaf, v.document())
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

// operators reads {$op: argument, …}; all of them must hold.
func (p filterParser) operators(leaf filter, d document) (*filter, error) {
	out := &filter{op: opAnd}
	r := d.reader()
	for {
		key, v, ok := r.next()
		if !ok {
			break
		}
		sub, err := p.operator(leaf, string(key), v)
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
type fieldParser = func(p filterParser, leaf filter, name string, v value) (*filter, error)

func fieldOperators() table[fieldParser] {
	return table[fieldParser]{"query operator on a field", []entry[fieldParser]{
		{name: "$eq", parse: filterParser.comparison},
		{name: "$ne", parse: filterParser.comparison},
		{name: "$gt", parse: filterParser.comparison},
		{name: "$gte", parse: filterParser.comparison},
		{name: "$lt", parse: filterParser.comparison},
		{name: "$lte", parse: filterParser.comparison},
		{name: "$in", parse: filterParser.in},
		{name: "$exists", parse: filterParser.exists},
		{name: "$elemMatch", parse: filterParser.elemMatch},
	}}
}

func (p filterParser) operator(leaf filter, name string, v value) (*filter, error) {
	op := fieldOperators().find(name, p.ask)
	if op == nil {
		return nil, failure(codeBadValue, "unknown operator: %s", name)
	}
	return op.parse(p, leaf, name, v)
}

func noRegex() error { return unsupported("a regular expression in a query") }

func (p filterParser) exists(leaf filter, _ string, v value) (*filter, error) {
	exists := leaf.as(opExists, v)
	if v.truthy() {
		return exists, nil
	}
	return negate(exists), nil
}

func (p filterParser) comparison(leaf filter, name string, v value) (*filter, error) {
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

func (p filterParser) in(leaf filter, name string, v value) (*filter, error) {
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

// elemMatch reads operators on the element itself, or a query on elements that are documents.
func (p filterParser) elemMatch(leaf filter, _ string, v value) (*filter, error) {
	if v.kind != kindDocument {
		return nil, failure(codeBadValue, "$elemMatch needs an Object")
	}
	op, parse := opElemDocument, p.query
	if isFieldOperators(v) {
		op, parse = opElemValue, func(d document) (*filter, error) { return p.operators(filter{}, d) }
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
	return isOperators(v) && logicalOperators().find(v.document().firstName(), nil) == nil
}
