package mongod

import "slices"

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
