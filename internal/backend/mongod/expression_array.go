package mongod

import "slices"

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
