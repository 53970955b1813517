package mongod

import (
	"strconv"
	"strings"
)

// maxArrayIndex bounds numeric path components, as MongoDB's padding limit does.
const maxArrayIndex = 1_500_000

func splitPath(name string) []string { return strings.Split(name, ".") }

// arrayIndex reads a path component as an array index.
func arrayIndex(component string) (int, bool) {
	if component == "" || len(component) > 7 || (component[0] == '0' && len(component) > 1) {
		return 0, false
	}
	for _, c := range []byte(component) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(component)
	return n, err == nil
}

// walk calls test for every value that path leads to in d, through documents and the documents inside arrays, until one call returns true.
// A path that leads nowhere is tested as a missing value. With leaf set, the elements of an array at the end are tested before the array.
func walk(d document, path []string, leaf bool, test func(value) bool) bool {
	v := d.get(path[0])
	if len(path) == 1 {
		return walkLeaf(v, leaf, test)
	}
	return walkInto(v, path[1:], leaf, test)
}

// walkInto follows a non-empty path below v.
func walkInto(v value, path []string, leaf bool, test func(value) bool) bool {
	switch v.kind {
	case kindDocument:
		return walk(v.document(), path, leaf, test)
	case kindArray:
		return walkArray(v, path, leaf, test)
	default:
		return test(value{})
	}
}

// walkArray follows the path into the documents of an array and, when it starts with a number, into the element at that place.
// Scalars lead nowhere; arrays inside the array are passed over. An array in which nothing could be followed counts as missing.
func walkArray(v value, path []string, leaf bool, test func(value) bool) bool {
	index, numeric := arrayIndex(path[0])
	tested := false
	r := v.document().reader()
	for i := 0; ; i++ {
		_, el, ok := r.next()
		if !ok {
			return !tested && test(value{})
		}
		if el.kind == kindDocument {
			tested = true
			if walk(el.document(), path, leaf, test) {
				return true
			}
		} else if el.kind != kindArray && !numeric {
			tested = true
			if test(value{}) {
				return true
			}
		}
		if !numeric || i != index {
			continue
		}
		tested = true
		if len(path) == 1 {
			if test(el) {
				return true
			}
		} else if walkInto(el, path[1:], leaf, test) {
			return true
		}
	}
}

func walkLeaf(v value, leaf bool, test func(value) bool) bool {
	if leaf && v.kind == kindArray {
		r := v.document().reader()
		for {
			_, el, ok := r.next()
			if !ok {
				break
			}
			if test(el) {
				return true
			}
		}
	}
	return test(v)
}

const useGetField = "Consider using $getField or $setField for a field path with '.' or '$'. :: caused by :: "

// fieldPath splits a dotted path and refuses what cannot be one.
func fieldPath(name string) ([]string, error) {
	if strings.HasSuffix(name, ".") {
		return nil, failure(40353, "FieldPath must not end with a '.'.")
	}
	if strings.Contains(name, "\x00") {
		return nil, failure(16411, useGetField+"FieldPath field names may not contain '\\0'.")
	}
	path := splitPath(name)
	for _, part := range path {
		switch {
		case part == "":
			return nil, failure(15998, useGetField+"FieldPath field names may not be empty strings.")
		case part[0] == '$':
			return nil, failure(16410, useGetField+"FieldPath field names may not start with '$', given '%s'.", part)
		}
	}
	return path, nil
}

// checkFieldPath refuses a name that cannot be a path.
func checkFieldPath(name string) error {
	if name == "" {
		return failure(40352, "FieldPath cannot be constructed with empty string")
	}
	_, err := fieldPath(name)
	return err
}

// fieldValues returns the values under path for an index or a sort: the elements of arrays, null for what is missing and
// undefined for an empty array. present tells whether the path exists at all.
func fieldValues(d document, path []string) (values []value, isArray, present bool) {
	v := d.get(path[0])
	if len(path) > 1 && v.kind == kindDocument {
		return fieldValues(v.document(), path[1:])
	}
	if v.kind != kindArray {
		if len(path) > 1 || v.missing() {
			return []value{nullValue()}, false, false
		}
		return []value{v}, false, true
	}
	elements := v.elements()
	if len(elements) == 0 {
		if len(path) > 1 {
			return []value{nullValue()}, true, false
		}
		return []value{{kind: kindUndefined}}, true, true
	}
	if len(path) == 1 {
		return elements, true, true
	}
	for _, el := range elements {
		if el.kind != kindDocument {
			values = append(values, nullValue())
			continue
		}
		inner, _, has := fieldValues(el.document(), path[1:])
		values, present = append(values, inner...), present || has
	}
	return values, true, present
}
