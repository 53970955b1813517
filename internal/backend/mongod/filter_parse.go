package mongod

import (
	"regexp"
	"strings"
)

// typeNumber is $type's alias "number": any of the four numeric types.
const typeNumber = 1000

// parseFilter reads a query document. An operator that is not known is MongoDB's error, never ignored.
func parseFilter(d document) (*filter, error) {
	out := &filter{op: opAnd}
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
		}
	}
}

func parseLogical(name string, v value) (*filter, error) {
	switch name {
	case "$and", "$or", "$nor":
	case "$comment":
		return nil, nil
	default:
		return nil, failure(codeBadValue, "unknown top level operator: %s. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.", name)
	}
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
	if name == "$nor" {
		return negate(out), nil
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

func parseOperator(leaf filter, name string, v value) (*filter, error) {
	switch name {
	case "$eq", "$ne", "$gt", "$gte", "$lt", "$lte":
		return parseComparison(leaf, name, v)
	case "$in", "$nin":
		in, err := leaf.in(name, v)
		if err != nil || name == "$in" {
			return in, err
		}
		return negate(in), nil
	case "$exists":
		exists := leaf.as(opExists, v)
		if v.truthy() {
			return exists, nil
		}
		return negate(exists), nil
	case "$not":
		return parseNot(leaf, v)
	case "$size":
		return parseSize(leaf, v)
	case "$type":
		return parseType(leaf, v)
	case "$all":
		return parseAll(leaf, v)
	case "$elemMatch":
		return parseElemMatch(leaf, v)
	default:
		return nil, failure(codeBadValue, "unknown operator: %s", name)
	}
}

func parseComparison(leaf filter, name string, v value) (*filter, error) {
	if v.kind == kindUndefined {
		return nil, failure(codeBadValue, "cannot compare to undefined")
	}
	if v.kind == kindRegex && name != "$eq" {
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

func parseAll(leaf filter, v value) (*filter, error) {
	if v.kind != kindArray {
		return nil, failure(codeBadValue, "$all needs an array")
	}
	elements := v.elements()
	if len(elements) == 0 {
		return &filter{op: opOr}, nil // matches nothing
	}
	out := &filter{op: opAnd}
	for _, el := range elements {
		var sub *filter
		var err error
		switch {
		case el.kind == kindDocument && el.document().firstName() == "$elemMatch":
			sub, err = parseElemMatch(leaf, el.document().get("$elemMatch"))
		case isOperators(el):
			err = failure(codeBadValue, "no $ expressions in $all")
		case el.kind == kindRegex:
			pattern, options := el.regex()
			sub, err = leaf.regex(pattern, options, el)
		default:
			sub = leaf.as(opEqual, el)
		}
		if err != nil {
			return nil, err
		}
		out.subs = append(out.subs, sub)
	}
	return out, nil
}

func parseElemMatch(leaf filter, v value) (*filter, error) {
	if v.kind != kindDocument {
		return nil, failure(codeBadValue, "$elemMatch needs an Object")
	}
	d := v.document()
	first := d.firstName()
	logical := first == "$and" || first == "$or" || first == "$nor"
	if isOperators(v) && !logical {
		sub, err := parseOperators(filter{}, d)
		if err != nil {
			return nil, err
		}
		out := leaf.as(opElemValue, v)
		out.subs = []*filter{sub}
		return out, nil
	}
	sub, err := parseFilter(d)
	if err != nil {
		return nil, err
	}
	out := leaf.as(opElemDocument, v)
	out.subs = []*filter{sub}
	return out, nil
}

// parseRegexOperator reads $regex with its $options once, at the key $regex.
func parseRegexOperator(leaf filter, key string, d document) (*filter, error) {
	re, opt := d.get("$regex"), d.get("$options")
	if key == "$options" {
		if re.missing() {
			return nil, failure(codeBadValue, "$options needs a $regex")
		}
		return nil, nil
	}
	pattern, options := "", ""
	switch re.kind {
	case kindString:
		pattern = re.text()
	case kindRegex:
		pattern, options = re.regex()
	default:
		return nil, failure(codeBadValue, "$regex has to be a string")
	}
	if !opt.missing() {
		if opt.kind != kindString {
			return nil, failure(codeBadValue, "$options has to be a string")
		}
		if options != "" {
			return nil, failure(codeInvalidRegex, "options set in both $regex and $options")
		}
		options = opt.text()
	}
	return leaf.regex(pattern, options, re)
}

func (f filter) regex(pattern, options string, v value) (*filter, error) {
	flags := ""
	for _, c := range options {
		switch c {
		case 'i', 'm', 's':
			flags += string(c)
		case 'u':
		case 'x':
			return nil, unsupported("regular expression option 'x'")
		default:
			return nil, failure(codeRegexFlag, " invalid flag in regex options: %c", c)
		}
	}
	source := pattern
	if flags != "" {
		source = "(?" + flags + ")" + pattern
	}
	compiled, err := regexp.Compile(source)
	if err != nil {
		return nil, failure(codeInvalidRegex, "Regular expression is invalid: %v", err)
	}
	out := f.as(opRegex, v)
	out.regexp = compiled
	return out, nil
}
