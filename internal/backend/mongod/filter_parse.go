package mongod

import "strings"

// typeNumber is $type's alias "number": any of the four numeric types.
const typeNumber = 1000

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
		if sub != nil {
			out.subs = append(out.subs, sub)
			out.computes = out.computes || sub.computes
		}
	}
}

// logicalParser parses the argument of an operator that stands in place of a field name.
type logicalParser = func(name string, v value) (*filter, error)

func logicalOperators() []entry[logicalParser] {
	return append([]entry[logicalParser]{
		{name: "$and", parse: parseJunctionFilter},
		{name: "$or", parse: parseJunctionFilter, note: "uses an index only when it has one branch"},
		{name: "$nor", parse: parseJunctionFilter},
		{name: "$comment", parse: func(string, value) (*filter, error) { return nil, nil }},
		{name: "$expr", parse: parseExpr, note: "uses no index"},
		{name: "$alwaysTrue", parse: parseAlways},
		{name: "$alwaysFalse", parse: parseAlways},
		{name: "$text", refused: failure(codeIndexNotFound, "text index required for $text query")},
		{name: "$where", refused: failure(codeBadValue, "no globalScriptEngine in $where parsing")},
	}, refusals[logicalParser]("the query operator", "$jsonSchema", "$sampleRate")...)
}

func parseLogical(name string, v value) (*filter, error) {
	op := lookup(logicalOperators(), name)
	switch {
	case op == nil && name == "$not":
		return nil, failure(codeBadValue, "unknown top level operator: $not. If you are trying to negate an entire expression, use $nor.")
	case op == nil:
		return nil, failure(codeBadValue, "unknown top level operator: %s. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.", name)
	case op.refused != nil:
		return nil, op.refused
	}
	return op.parse(name, v)
}

func parseExpr(_ string, v value) (*filter, error) {
	e, err := newExprParser().parse(v)
	return &filter{op: opExpr, expr: e, computes: true}, err
}

func parseAlways(name string, v value) (*filter, error) {
	if n, whole := v.wholeNumber(); !whole || n != 1 {
		return nil, failure(codeFailedToParse, "%s must be an integer value of 1", name)
	}
	if name == "$alwaysTrue" {
		return &filter{op: opAnd}, nil
	}
	return &filter{op: opOr}, nil
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
		out.computes = out.computes || sub.computes
	}
	if name == "$nor" {
		return negate(out), nil
	}
	return out, nil
}

func negate(f *filter) *filter { return &filter{op: opNot, subs: []*filter{f}, computes: f.computes} }

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
		pattern, options := v.regex()
		return leaf.regex(pattern, options, v)
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
		var sub *filter
		var err error
		if name := string(key); name == "$regex" || name == "$options" {
			sub, err = parseRegexOperator(leaf, name, d)
		} else {
			sub, err = parseOperator(leaf, name, v)
		}
		if err != nil {
			return nil, err
		}
		if sub != nil {
			out.subs = append(out.subs, sub)
		}
	}
	if len(out.subs) == 1 {
		return out.subs[0], nil
	}
	return out, nil
}

// fieldParser parses the argument of an operator on a field.
type fieldParser = func(leaf filter, name string, v value) (*filter, error)

func fieldOperators() []entry[fieldParser] {
	return append([]entry[fieldParser]{
		{name: "$eq", parse: parseComparison},
		{name: "$ne", parse: parseComparison},
		{name: "$gt", parse: parseComparison},
		{name: "$gte", parse: parseComparison},
		{name: "$lt", parse: parseComparison},
		{name: "$lte", parse: parseComparison},
		{name: "$in", parse: func(leaf filter, name string, v value) (*filter, error) { return leaf.in(name, v) }},
		{name: "$nin", parse: parseNotIn},
		{name: "$exists", parse: parseExists},
		{name: "$not", parse: func(leaf filter, _ string, v value) (*filter, error) { return parseNot(leaf, v) }},
		{name: "$size", parse: func(leaf filter, _ string, v value) (*filter, error) { return parseSize(leaf, v) }},
		{name: "$type", parse: func(leaf filter, _ string, v value) (*filter, error) { return parseType(leaf, v) }},
		{name: "$all", parse: func(leaf filter, _ string, v value) (*filter, error) { return parseAll(leaf, v) }},
		{name: "$elemMatch", parse: func(leaf filter, _ string, v value) (*filter, error) { return parseElemMatch(leaf, v) }},
		{name: "$mod", parse: func(leaf filter, _ string, v value) (*filter, error) { return parseMod(leaf, v) }},
		{name: "$regex", parse: nil, note: "regular expressions are Go's (RE2): no look-around, no back references, no option x"},
		{name: "$options", parse: nil},
		{name: "$near", refused: failure(codeNoQueryPlan, "unable to find index for $geoNear query")},
		{name: "$nearSphere", refused: failure(codeNoQueryPlan, "unable to find index for $geoNear query")},
	}, refusals[fieldParser]("the query operator", "$geoWithin", "$geoIntersects", "$within", "$bitsAllSet", "$bitsAllClear", "$bitsAnySet", "$bitsAnyClear")...)
}

func parseOperator(leaf filter, name string, v value) (*filter, error) {
	op := lookup(fieldOperators(), name)
	switch {
	case op == nil:
		return nil, failure(codeBadValue, "unknown operator: %s", name)
	case op.refused != nil:
		return nil, op.refused
	}
	return op.parse(leaf, name, v)
}

func parseNotIn(leaf filter, name string, v value) (*filter, error) {
	in, err := leaf.in(name, v)
	if err != nil {
		return nil, err
	}
	return negate(in), nil
}

func parseExists(leaf filter, _ string, v value) (*filter, error) {
	exists := leaf.as(opExists, v)
	if v.truthy() {
		return exists, nil
	}
	return negate(exists), nil
}

func parseMod(leaf filter, v value) (*filter, error) {
	if v.kind != kindArray {
		return nil, failure(codeBadValue, "malformed mod, needs to be an array")
	}
	elements := v.elements()
	switch {
	case len(elements) < 2:
		return nil, failure(codeBadValue, "malformed mod, not enough elements")
	case len(elements) > 2:
		return nil, failure(codeBadValue, "malformed mod, too many elements")
	}
	var n [2]int64
	for i, el := range elements {
		if !el.numeric() {
			return nil, failure(codeBadValue, "malformed mod, %s not a number", [2]string{"divisor", "remainder"}[i])
		}
		whole := false
		if n[i], whole = el.wholeNumber(); !whole {
			n[i] = int64(el.float())
		}
	}
	if n[0] == 0 {
		return nil, failure(codeBadValue, "divisor cannot be 0")
	}
	out := leaf.as(opMod, v)
	out.size, out.rest = n[0], n[1]
	return out, nil
}

func parseComparison(leaf filter, name string, v value) (*filter, error) {
	if v.kind == kindUndefined {
		return nil, failure(codeBadValue, "cannot compare to undefined")
	}
	if v.kind == kindRegex && name != "$eq" {
		if name != "$ne" {
			return nil, failure(codeBadValue, "Can't have RegEx as arg to non-equality predicate over field '%s'.", leaf.name)
		}
		return nil, failure(codeBadValue, "Can't have regex as arg to %s.", name)
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

func (f filter) in(name string, v value) (*filter, error) {
	if v.kind != kindArray {
		return nil, failure(codeBadValue, "%s needs an array", name)
	}
	out := f.as(opIn, v)
	for _, el := range v.elements() {
		switch {
		case el.kind == kindRegex:
			pattern, options := el.regex()
			re, err := f.regex(pattern, options, el)
			if err != nil {
				return nil, err
			}
			out.regexs = append(out.regexs, re)
		case isOperators(el):
			return nil, failure(codeBadValue, "cannot nest $ under %s", name)
		case el.kind == kindUndefined:
			return nil, failure(codeBadValue, "InMatchExpression equality cannot be undefined")
		default:
			out.list = append(out.list, el)
		}
	}
	return out, nil
}

func parseNot(leaf filter, v value) (*filter, error) {
	var sub *filter
	var err error
	switch {
	case v.kind == kindRegex:
		pattern, options := v.regex()
		sub, err = leaf.regex(pattern, options, v)
	case v.kind != kindDocument:
		return nil, failure(codeBadValue, "$not argument must be a regex or an object")
	case v.document().empty():
		return nil, failure(codeBadValue, "$not argument must be a non-empty object")
	default:
		sub, err = parseOperators(leaf, v.document())
	}
	if err != nil {
		return nil, err
	}
	return negate(sub), nil
}

func parseSize(leaf filter, v value) (*filter, error) {
	n, whole := v.wholeNumber()
	switch {
	case !v.numeric():
		return nil, failure(codeBadValue, "Failed to parse $size. Expected a number in: $size: %s", v)
	case !whole:
		return nil, failure(codeBadValue, "Failed to parse $size. Expected an integer: $size: %s", v)
	case n < 0:
		return nil, failure(codeBadValue, "Failed to parse $size. Expected a non-negative number in: $size: %s", v)
	}
	out := leaf.as(opSize, v)
	out.size = n
	return out, nil
}

func parseType(leaf filter, v value) (*filter, error) {
	elements := []value{v}
	if v.kind == kindArray {
		if elements = v.elements(); len(elements) == 0 {
			return nil, failure(codeFailedToParse, "%s must match at least one type", leaf.name)
		}
	}
	out := leaf.as(opType, v)
	for _, el := range elements {
		if el.kind == kindString {
			kind, ok := typeAlias(el.text())
			if !ok {
				return nil, failure(codeBadValue, "Unknown type name alias: %s", el.text())
			}
			out.list = append(out.list, int32Value(kind))
			continue
		}
		n, whole := el.wholeNumber()
		if !el.numeric() {
			return nil, failure(codeTypeMismatch, "type must be represented as a number or a string")
		}
		if whole && n == 0 {
			return nil, failure(codeBadValue, "Invalid numerical type code: %s. Instead use {$exists:false}.", el)
		}
		if !whole || n != -1 && n != int64(kindMaxKey) && (n < 1 || n > int64(kindDecimal)) {
			return nil, failure(codeBadValue, "Invalid numerical type code: %s", el)
		}
		out.list = append(out.list, int32Value(int32(byte(n))))
	}
	return out, nil
}

func typeAlias(name string) (int32, bool) {
	if name == "number" {
		return typeNumber, true
	}
	for kind := range 256 {
		if kindName(byte(kind)) == name {
			return int32(kind), true
		}
	}
	return 0, false
}
