package mongod

import (
	"slices"
	"strings"
)

func arrayOperators() []entry[operatorParser] {
	return []entry[operatorParser]{
		{name: "$size", parse: function(1, 1, evalSize)},
		{name: "$isArray", parse: function(1, 1, func(_ string, args []value) (value, error) { return boolValue(args[0].kind == kindArray), nil })},
		{name: "$arrayElemAt", parse: strictFunction(2, 2, evalElementAt)},
		{name: "$first", parse: function(1, 1, evalEnd)},
		{name: "$last", parse: function(1, 1, evalEnd)},
		{name: "$in", parse: function(2, 2, evalIn)},
		{name: "$indexOfArray", parse: function(2, 4, evalIndexOfArray)},
		{name: "$slice", parse: strictFunction(2, 3, evalSlice)},
		{name: "$concatArrays", parse: strictFunction(0, -1, evalConcatArrays)},
		{name: "$reverseArray", parse: strictFunction(1, 1, evalReverse)},
		{name: "$range", parse: function(2, 3, evalRange)},
		{name: "$filter", parse: parseFilterExpression},
		{name: "$map", parse: parseMap},
		{name: "$reduce", parse: parseReduce},
		{name: "$setUnion", parse: strictFunction(0, -1, evalSet), note: "the result is in MongoDB's order of values"},
		{name: "$setIntersection", parse: strictFunction(0, -1, evalSet), note: "the result is in MongoDB's order of values"},
		{name: "$setDifference", parse: strictFunction(2, 2, evalSetDifference)},
		{name: "$allElementsTrue", parse: function(1, 1, evalElementsTrue)},
		{name: "$anyElementTrue", parse: function(1, 1, evalElementsTrue)},
		{name: "$arrayToObject", parse: strictFunction(1, 1, evalArrayToObject)},
		{name: "$objectToArray", parse: strictFunction(1, 1, evalObjectToArray)},
		{name: "$mergeObjects", parse: function(0, -1, evalMergeObjects)},
		{name: "$getField", parse: parseGetField},
		{name: "$sum", parse: function(0, -1, evalAccumulated)},
		{name: "$avg", parse: function(0, -1, evalAccumulated)},
		{name: "$min", parse: function(0, -1, evalAccumulated)},
		{name: "$max", parse: function(0, -1, evalAccumulated)},
	}
}

func evalSize(name string, args []value) (value, error) {
	if args[0].kind != kindArray {
		return value{}, failure(17124, "The argument to %s must be an array, but was of type: %s", name, kindName(args[0].kind))
	}
	return int32Value(int32(len(args[0].elements()))), nil
}

func evalElementAt(name string, args []value) (value, error) {
	if args[0].kind != kindArray {
		return value{}, failure(28689, "%s's first argument must be an array, but is %s", name, kindName(args[0].kind))
	}
	if !args[1].numeric() {
		return value{}, failure(28690, "%s's second argument must be a numeric value, but is %s", name, kindName(args[1].kind))
	}
	n, whole := args[1].wholeNumber()
	if !whole || n != int64(int32(n)) {
		return value{}, failure(28691, "%s's second argument must be representable as a 32-bit integer: %s", name, args[1])
	}
	elements := args[0].elements()
	if n < 0 {
		n += int64(len(elements))
	}
	if n < 0 || n >= int64(len(elements)) {
		return value{}, nil
	}
	return elements[n], nil
}

func evalEnd(name string, args []value) (value, error) {
	if isNull(args[0]) {
		return nullValue(), nil
	}
	if args[0].kind != kindArray {
		return value{}, failure(28689, "%s's argument must be an array, but is %s", name, kindName(args[0].kind))
	}
	elements := args[0].elements()
	switch {
	case len(elements) == 0:
		return value{}, nil
	case name == "$first":
		return elements[0], nil
	default:
		return elements[len(elements)-1], nil
	}
}

func evalIn(name string, args []value) (value, error) {
	if args[1].kind != kindArray {
		return value{}, failure(40081, "%s requires an array as a second argument, found: %s", name, kindName(args[1].kind))
	}
	return boolValue(indexIn(args[1].elements(), args[0]) >= 0), nil
}

func indexIn(elements []value, v value) int {
	return slices.IndexFunc(elements, func(el value) bool { return compareOrMissing(el, v) == 0 })
}

func evalIndexOfArray(name string, args []value) (value, error) {
	if isNull(args[0]) {
		return nullValue(), nil
	}
	if args[0].kind != kindArray {
		return value{}, failure(40090, "%s requires an array as a first argument, found: %s", name, kindName(args[0].kind))
	}
	elements := args[0].elements()
	start, end, err := searchBounds(name, args, len(elements))
	if err != nil {
		return value{}, err
	}
	if start < end {
		if i := indexIn(elements[start:end], args[1]); i >= 0 {
			return int32Value(int32(start + i)), nil
		}
	}
	return int32Value(-1), nil
}

func evalSlice(name string, args []value) (value, error) {
	if args[0].kind != kindArray {
		return value{}, failure(28724, "First argument to %s must be an array, but is of type: %s", name, kindName(args[0].kind))
	}
	elements := args[0].elements()
	size := int64(len(elements))
	n, err := sliceNumber(args[1], 28725, "Second", name)
	if err != nil {
		return value{}, err
	}
	if len(args) == 2 {
		if n >= 0 {
			return arrayValue(elements[:min(n, size)]), nil
		}
		return arrayValue(elements[max(0, size+n):]), nil
	}
	count, err := sliceNumber(args[2], 28727, "Third", name)
	if err != nil {
		return value{}, err
	}
	if count <= 0 {
		return value{}, failure(28729, "Third argument to %s must be positive: %s", name, args[2])
	}
	return arrayValue(cut(elements, n, count)), nil
}

func sliceNumber(v value, code int, place, name string) (int64, error) {
	if !v.numeric() {
		return 0, failure(code, "%s argument to %s must be a numeric value, but is of type: %s", place, name, kindName(v.kind))
	}
	n, whole := v.wholeNumber()
	if !whole || n != int64(int32(n)) {
		return 0, failure(code+1, "%s argument to %s can't be represented as a 32-bit integer: %s", place, name, v)
	}
	return n, nil
}

// cut returns count elements from a position, which counts from the end when it is negative.
func cut(elements []value, from, count int64) []value {
	size := int64(len(elements))
	if from < 0 {
		from = max(0, size+from)
	}
	from = min(from, size)
	return elements[from:min(from+count, size)]
}

func evalConcatArrays(name string, args []value) (value, error) {
	var out []value
	for _, v := range args {
		if v.kind != kindArray {
			return value{}, failure(28664, "%s only supports arrays, not %s", name, kindName(v.kind))
		}
		out = append(out, v.elements()...)
	}
	return arrayValue(out), nil
}

func evalReverse(name string, args []value) (value, error) {
	if args[0].kind != kindArray {
		return value{}, failure(34435, "The argument to %s must be an array, but was of type: %s", name, kindName(args[0].kind))
	}
	elements := args[0].elements()
	slices.Reverse(elements)
	return arrayValue(elements), nil
}

func evalRange(name string, args []value) (value, error) {
	n := [3]int64{0, 0, 1}
	for i, v := range args {
		what := [3]string{"starting value", "ending value", "step value"}[i]
		whole := false
		if n[i], whole = v.wholeNumber(); !v.numeric() {
			return value{}, failure(34443+2*i, "%s requires a numeric %s, found value of type: %s", name, what, kindName(v.kind))
		}
		if !whole || n[i] != int64(int32(n[i])) {
			return value{}, failure(34444+2*i, "%s requires a %s that can be represented as a 32-bit integer, found value: %s", name, what, v)
		}
	}
	if n[2] == 0 {
		return value{}, failure(34449, "%s requires a non-zero step value", name)
	}
	if count := (n[1] - n[0]) / n[2]; count > 1_000_000 {
		return value{}, failure(codeMemoryLimit, "%s would create %d elements, more than 1000000", name, count)
	}
	var out []value
	for i := n[0]; n[2] > 0 && i < n[1] || n[2] < 0 && i > n[1]; i += n[2] {
		out = append(out, int32Value(int32(i)))
	}
	return arrayValue(out), nil
}

// loop is what $filter and $map have in common: an array, the name of its elements and an expression over each.
type loop struct {
	input, body, limit expression
	as                 string
}

func (p exprParser) parseLoop(name string, arg value, body string, codes [4]int, optionalName string) (*loop, error) {
	if arg.kind != kindDocument {
		return nil, failure(codes[0], "%s only supports an object as its argument", name)
	}
	l := &loop{as: "this"}
	d := arg.document()
	if as := d.get("as"); !as.missing() {
		l.as = as.stringOr("")
		if err := checkVariableName(l.as); err != nil {
			return nil, err
		}
	}
	for _, f := range documentFields(d) {
		var err error
		switch f.name {
		case "input":
			l.input, err = p.parse(f.value)
		case body:
			l.body, err = p.with(l.as).parse(f.value)
		case "as":
		case optionalName:
			l.limit, err = p.parse(f.value)
		default:
			err = failure(codes[1], "Unrecognized parameter to %s: %s", name, f.name)
		}
		if err != nil {
			return nil, err
		}
	}
	if l.input == nil {
		return nil, failure(codes[2], "Missing 'input' parameter to %s", name)
	}
	if l.body == nil {
		return nil, failure(codes[3], "Missing '%s' parameter to %s", body, name)
	}
	return l, nil
}

func parseFilterExpression(p exprParser, name string, arg value) (expression, error) {
	*p.refs++ // never folded
	l, err := p.parseLoop(name, arg, "cond", [4]int{28646, 28647, 28648, 28650}, "limit")
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		input, err := l.input(s)
		if err != nil || isNull(input) {
			return nullValue(), err
		}
		if input.kind != kindArray {
			return value{}, failure(28651, "input to %s must be an array not %s", name, kindName(input.kind))
		}
		limit, err := optional(s, l.limit, value{})
		if err != nil {
			return value{}, err
		}
		most := int64(-1)
		if !isNull(limit) {
			n, whole := limit.wholeNumber()
			if !whole || n != int64(int32(n)) {
				return value{}, failure(327391, "%s: limit must be represented as a 32-bit integral value: %s", name, limit)
			}
			if n < 1 {
				return value{}, failure(327392, "%s: limit must be greater than 0: %d", name, n)
			}
			most = n
		}
		var out []value
		for _, el := range input.elements() {
			keep, err := l.body(s.with(l.as, el))
			if err != nil {
				return value{}, err
			}
			if keep.truthy() {
				out = append(out, el)
			}
			if int64(len(out)) == most {
				break
			}
		}
		return arrayValue(out), nil
	}, nil
}

func parseMap(p exprParser, name string, arg value) (expression, error) {
	*p.refs++ // never folded
	l, err := p.parseLoop(name, arg, "in", [4]int{16878, 16879, 16880, 16882}, "")
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		input, err := l.input(s)
		if err != nil || isNull(input) {
			return nullValue(), err
		}
		if input.kind != kindArray {
			return value{}, failure(16883, "input to %s must be an array not %s", name, kindName(input.kind))
		}
		elements := input.elements()
		for i, el := range elements {
			v, err := l.body(s.with(l.as, el))
			if err != nil {
				return value{}, err
			}
			if v.missing() {
				v = nullValue()
			}
			elements[i] = v
		}
		return arrayValue(elements), nil
	}, nil
}

func parseReduce(p exprParser, name string, arg value) (expression, error) {
	*p.refs++ // never folded
	if arg.kind != kindDocument {
		return nil, failure(40075, "%s requires an object as an argument, found: %s", name, kindName(arg.kind))
	}
	parts := map[string]expression{}
	for _, f := range documentFields(arg.document()) {
		inner := p
		switch f.name {
		case "in":
			inner = p.with("this", "value")
		case "input", "initialValue":
		default:
			return nil, failure(40076, "%s found an unknown argument: %s", name, f.name)
		}
		e, err := inner.parse(f.value)
		if err != nil {
			return nil, err
		}
		parts[f.name] = e
	}
	for i, part := range []string{"input", "initialValue", "in"} {
		if parts[part] == nil {
			return nil, failure(40077+i, "%s requires '%s' to be specified", name, part)
		}
	}
	return func(s *scope) (value, error) {
		input, err := parts["input"](s)
		if err != nil || isNull(input) {
			return nullValue(), err
		}
		if input.kind != kindArray {
			return value{}, failure(40080, "%s requires that 'input' be an array, found: %s", name, input)
		}
		out, err := parts["initialValue"](s)
		for _, el := range input.elements() {
			if err != nil {
				return value{}, err
			}
			out, err = parts["in"](s.with("this", el).with("value", out))
		}
		return out, err
	}, nil
}

func distinctSorted(elements []value) []value {
	sorted := slices.Clone(elements)
	slices.SortStableFunc(sorted, compareValues)
	return slices.CompactFunc(sorted, equalValues)
}

func evalSet(name string, args []value) (value, error) {
	var out []value
	for i, v := range args {
		if v.kind != kindArray {
			code := 17043
			if name == "$setIntersection" {
				code = 17047
			}
			return value{}, failure(code, "All operands of %s must be arrays. One argument is of type: %s", name, kindName(v.kind))
		}
		elements := v.elements()
		if name == "$setUnion" || i == 0 {
			out = append(out, elements...)
			continue
		}
		out = slices.DeleteFunc(out, func(el value) bool { return indexIn(elements, el) < 0 })
	}
	return arrayValue(distinctSorted(out)), nil
}

func evalSetDifference(name string, args []value) (value, error) {
	for i, v := range args {
		if v.kind != kindArray {
			return value{}, failure(17048+i, "both operands of %s must be arrays. %s argument is of type: %s", name, [2]string{"First", "Second"}[i], kindName(v.kind))
		}
	}
	seen := args[1].elements()
	var out []value
	for _, el := range args[0].elements() {
		if indexIn(seen, el) < 0 {
			out, seen = append(out, el), append(seen, el)
		}
	}
	return arrayValue(out), nil
}

func evalElementsTrue(name string, args []value) (value, error) {
	all := name == "$allElementsTrue"
	if args[0].kind != kindArray {
		code := 17041
		if all {
			code = 17040
		}
		return value{}, failure(code, "%s's argument must be an array, but is %s", name, kindName(args[0].kind))
	}
	for _, el := range args[0].elements() {
		if el.truthy() != all {
			return boolValue(!all), nil
		}
	}
	return boolValue(all), nil
}

func evalArrayToObject(name string, args []value) (value, error) {
	if args[0].kind != kindArray {
		return value{}, failure(40386, "%s requires an array input, found: %s", name, kindName(args[0].kind))
	}
	out := emptyDocument()
	for _, el := range args[0].elements() {
		var key, v value
		switch {
		case el.kind == kindDocument:
			if len(documentFields(el.document())) != 2 {
				return value{}, failure(40392, "%s requires an object keys of 'k' and 'v'. Found incorrect number of keys:%d", name, len(documentFields(el.document())))
			}
			key, v = el.document().get("k"), el.document().get("v")
			if key.missing() || v.missing() {
				return value{}, failure(40393, "%s requires an object with keys 'k' and 'v'. Missing either or both keys from: %s", name, el)
			}
		case el.kind == kindArray:
			pair := el.elements()
			if len(pair) != 2 {
				return value{}, failure(40397, "%s requires an array of size 2 arrays,found array of size: %d", name, len(pair))
			}
			key, v = pair[0], pair[1]
		default:
			return value{}, failure(40398, "Unrecognised input type format for %s: %s", name, kindName(el.kind))
		}
		if key.kind != kindString {
			code := 40395
			if el.kind == kindDocument {
				code = 40394
			}
			return value{}, failure(code, "%s requires an array of key-value pairs, where the key must be of type string. Found key type: %s", name, kindName(key.kind))
		}
		if strings.Contains(key.text(), "\x00") {
			return value{}, failure(4940400, "Key field cannot contain an embedded null byte")
		}
		out = out.with(key.text(), v)
	}
	return documentValue(out), nil
}

func evalObjectToArray(name string, args []value) (value, error) {
	if args[0].kind != kindDocument {
		return value{}, failure(40390, "%s requires a document input, found: %s", name, kindName(args[0].kind))
	}
	var out []document
	for _, f := range documentFields(args[0].document()) {
		out = append(out, newDocument().str("k", f.name).add("v", f.value).done())
	}
	return documentArray(out), nil
}

func evalMergeObjects(name string, args []value) (value, error) {
	if len(args) == 1 && args[0].kind == kindArray {
		args = args[0].elements()
	}
	out := emptyDocument()
	for _, v := range args {
		if isNull(v) {
			continue
		}
		if v.kind != kindDocument {
			return value{}, failure(40400, "%s requires object inputs, but input %s is of type %s", name, v, kindName(v.kind))
		}
		for _, f := range documentFields(v.document()) {
			out = out.with(f.name, f.value)
		}
	}
	return documentValue(out), nil
}

func parseGetField(p exprParser, name string, arg value) (expression, error) {
	fieldArg, input := arg, stringValue("$$CURRENT")
	if arg.kind == kindDocument && !isOperators(arg) {
		for _, f := range documentFields(arg.document()) {
			if f.name != "field" && f.name != "input" {
				return nil, failure(3041701, "%s found an unknown argument: %s", name, f.name)
			}
		}
		fieldArg, input = arg.document().get("field"), arg.document().get("input")
		if fieldArg.missing() {
			return nil, failure(3041702, "%s requires 'field' to be specified", name)
		}
		if input.missing() {
			return nil, failure(3041703, "%s requires 'input' to be specified", name)
		}
	}
	key, err := p.parse(fieldArg)
	if err != nil {
		return nil, err
	}
	from, err := p.parse(input)
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		k, err := key(s)
		if err != nil {
			return value{}, err
		}
		if k.kind != kindString {
			return value{}, failure(3041704, "%s requires 'field' to evaluate to type String, but got %s", name, kindName(k.kind))
		}
		in, err := from(s)
		switch {
		case err != nil || in.missing():
			return value{}, err
		case isNull(in):
			return nullValue(), nil
		case in.kind != kindDocument:
			return value{}, nil
		}
		return in.document().get(k.text()), nil
	}, nil
}

// evalAccumulated is $sum, $avg, $min and $max over the arguments, or over the elements of the only one.
func evalAccumulated(name string, args []value) (value, error) {
	if len(args) == 1 && args[0].kind == kindArray {
		args = args[0].elements()
	}
	acc := lookup(accumulators(), name).parse()
	for _, v := range args {
		if err := acc.add(v); err != nil {
			return value{}, err
		}
	}
	return acc.result(), nil
}
