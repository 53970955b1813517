package query

import (
	"strconv"
	"strings"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"
)

// MaxArrayIndex bounds numeric path components, as MongoDB's padding limit does.
const MaxArrayIndex = 1_500_000

// SplitPath splits a dotted path.
func SplitPath(name string) []string { return strings.Split(name, ".") }

// ArrayIndex reads a path component as an array index.
func ArrayIndex(component string) (int, bool) {
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
func walk(d raw.Document, path []string, leaf bool, test func(raw.Value) bool) bool {
	v := d.Get(path[0])
	if len(path) == 1 {
		return walkLeaf(v, leaf, test)
	}
	return walkInto(v, path[1:], leaf, test)
}

// walkInto follows a non-empty path below v.
func walkInto(v raw.Value, path []string, leaf bool, test func(raw.Value) bool) bool {
	switch v.Kind {
	case raw.KindDocument:
		return walk(v.Document(), path, leaf, test)
	case raw.KindArray:
		return walkArray(v, path, leaf, test)
	default:
		return test(raw.Value{})
	}
}

// walkArray follows the path into the documents of an array and, when it starts with a number, into the element at that place.
// Scalars lead nowhere; arrays inside the array are passed over. An array in which nothing could be followed counts as missing.
func walkArray(v raw.Value, path []string, leaf bool, test func(raw.Value) bool) bool {
	index, numeric := ArrayIndex(path[0])
	tested := false
	r := v.Document().Reader()
	for i := 0; ; i++ {
		_, el, ok := r.Next()
		if !ok {
			return !tested && test(raw.Value{})
		}
		if el.Kind == raw.KindDocument {
			tested = true
			if walk(el.Document(), path, leaf, test) {
				return true
			}
		} else if el.Kind != raw.KindArray && !numeric {
			tested = true
			if test(raw.Value{}) {
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

func walkLeaf(v raw.Value, leaf bool, test func(raw.Value) bool) bool {
	if leaf && v.Kind == raw.KindArray {
		r := v.Document().Reader()
		for {
			_, el, ok := r.Next()
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

// FieldPath splits a dotted path and refuses what cannot be one.
func FieldPath(name string) ([]string, error) {
	if strings.HasSuffix(name, ".") {
		return nil, fault.New(40353, "FieldPath must not end with a '.'.")
	}
	if strings.Contains(name, "\x00") {
		return nil, fault.New(16411, useGetField+"FieldPath field names may not contain '\\0'.")
	}
	path := SplitPath(name)
	for _, part := range path {
		switch {
		case part == "":
			return nil, fault.New(15998, useGetField+"FieldPath field names may not be empty strings.")
		case part[0] == '$':
			return nil, fault.New(16410, useGetField+"FieldPath field names may not start with '$', given '%s'.", part)
		}
	}
	return path, nil
}

// checkFieldPath refuses a name that cannot be a path.
func checkFieldPath(name string) error {
	if name == "" {
		return fault.New(40352, "FieldPath cannot be constructed with empty string")
	}
	_, err := FieldPath(name)
	return err
}

// FieldValues returns the values under path for an index or a sort: the elements of arrays, null for what is missing and
// undefined for an empty array. present tells whether the path exists at all.
func FieldValues(d raw.Document, path []string) (values []raw.Value, isArray, present bool) {
	v := d.Get(path[0])
	if len(path) > 1 && v.Kind == raw.KindDocument {
		return FieldValues(v.Document(), path[1:])
	}
	if v.Kind != raw.KindArray {
		if len(path) > 1 || v.Missing() {
			return []raw.Value{raw.Null()}, false, false
		}
		return []raw.Value{v}, false, true
	}
	elements := v.Elements()
	if len(elements) == 0 {
		if len(path) > 1 {
			return []raw.Value{raw.Null()}, true, false
		}
		return []raw.Value{{Kind: raw.KindUndefined}}, true, true
	}
	if len(path) == 1 {
		return elements, true, true
	}
	for _, el := range elements {
		if el.Kind != raw.KindDocument {
			values = append(values, raw.Null())
			continue
		}
		inner, _, has := FieldValues(el.Document(), path[1:])
		values, present = append(values, inner...), present || has
	}
	return values, true, present
}
