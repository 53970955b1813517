package mongod

import (
	"fmt"
	"slices"
)

// pushOptions are the modifiers of $push.
type pushOptions struct {
	each     []value
	position *int64
	slice    *int64
	order    []sortField
	natural  int // sort the elements themselves: 1 or -1
}

func (op *updateOp) parsePush() (change, error) {
	opts := pushOptions{each: []value{op.arg}}
	if op.arg.kind == kindDocument && !op.arg.document().get("$each").missing() {
		var err error
		if opts, err = parsePushOptions(op.arg.document()); err != nil {
			return change{}, err
		}
	}
	return change{create: true, apply: func(old value) (value, error) {
		if !old.missing() && old.kind != kindArray {
			return value{}, &targetError{codeBadValue, func(op *updateOp, id value) string {
				return fmt.Sprintf("The field '%s' must be an array but is of type %s in document %s", op.field, kindName(old.kind), idText(id))
			}}
		}
		return arrayValue(opts.push(old.elements())), nil
	}}, nil
}

func parsePushOptions(d document) (pushOptions, error) {
	opts := pushOptions{}
	r := d.reader()
	for {
		key, v, ok := r.next()
		if !ok {
			return opts, nil
		}
		switch name := string(key); name {
		case "$each":
			if v.kind != kindArray {
				return opts, failure(codeBadValue, "The argument to $each in $push must be an array but it was of type: %s", kindName(v.kind))
			}
			opts.each = v.elements()
		case "$position", "$slice":
			n, whole := v.wholeNumber()
			if !whole {
				return opts, failure(codeBadValue, "The value for %s must be an integer value%s: %s", name, map[string]string{"$slice": " but was given type", "$position": ", not of type"}[name], kindName(v.kind))
			}
			if name == "$slice" {
				opts.slice = &n
			} else {
				opts.position = &n
			}
		case "$sort":
			if n, whole := v.wholeNumber(); whole && (n == 1 || n == -1) {
				opts.natural = int(n)
				continue
			}
			if v.numeric() {
				return opts, failure(codeBadValue, "The $sort element value must be either 1 or -1")
			}
			if v.kind == kindDocument && v.document().empty() {
				return opts, failure(codeBadValue, "The sort pattern is empty when it should be a set of fields.")
			}
			if v.kind != kindDocument {
				return opts, failure(codeBadValue, "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields")
			}
			order, err := parseSort(v.document())
			if err != nil {
				return opts, failure(codeBadValue, "The $sort element value must be either 1 or -1")
			}
			opts.order = order
		default:
			return opts, failure(codeBadValue, "Unrecognized clause in $push: %s", name)
		}
	}
}

// push inserts at the position, sorts, then slices.
func (o *pushOptions) push(elements []value) []value {
	at := len(elements)
	if o.position != nil {
		switch p := *o.position; {
		case p >= 0 && p < int64(at):
			at = int(p)
		case p < 0:
			at = int(max(0, int64(at)+p))
		}
	}
	elements = slices.Insert(elements, at, o.each...)
	if o.natural != 0 {
		slices.SortStableFunc(elements, func(a, b value) int { return o.natural * compareValues(a, b) })
	}
	if o.order != nil {
		slices.SortStableFunc(elements, func(a, b value) int { return compareElements(o.order, a, b) })
	}
	if o.slice != nil {
		n := int64(len(elements))
		if s := *o.slice; s >= 0 {
			elements = elements[:min(n, s)]
		} else {
			elements = elements[max(0, n+s):]
		}
	}
	return elements
}

// compareElements orders array elements by fields; a scalar has none.
func compareElements(order []sortField, a, b value) int {
	field := func(v value, f sortField) value {
		if v.kind != kindDocument {
			return value{}
		}
		return lookupPath(v.document(), f.path)
	}
	for _, f := range order {
		if c := compareValues(field(a, f), field(b, f)); c != 0 {
			if f.descending {
				return -c
			}
			return c
		}
	}
	return 0
}

func (op *updateOp) parseAddToSet() (change, error) {
	each := []value{op.arg}
	if op.arg.kind == kindDocument && op.arg.document().firstName() == "$each" {
		list := op.arg.document().get("$each")
		if list.kind != kindArray {
			return change{}, failure(codeTypeMismatch, "The argument to $each in $addToSet must be an array but it was of type %s", kindName(list.kind))
		}
		r := op.arg.document().reader()
		for {
			key, _, ok := r.next()
			if !ok {
				break
			}
			if string(key) != "$each" {
				return change{}, failure(codeBadValue, "Found unexpected fields after $each in $addToSet: %s", op.arg)
			}
		}
		each = list.elements()
	}
	return change{create: true, apply: func(old value) (value, error) {
		if !old.missing() && old.kind != kindArray {
			return value{}, &targetError{codeBadValue, func(op *updateOp, _ value) string {
				return fmt.Sprintf("Cannot apply $addToSet to non-array field. Field named '%s' has non-array type %s", op.path[len(op.path)-1], kindName(old.kind))
			}}
		}
		elements := old.elements()
		for _, v := range each {
			if !slices.ContainsFunc(elements, func(x value) bool { return equalValues(x, v) }) {
				elements = append(elements, v)
			}
		}
		if !old.missing() && len(elements) == len(old.elements()) {
			return old, nil
		}
		return arrayValue(elements), nil
	}}, nil
}

// parsePull reads a value, operators on the element, or a query on elements that are documents.
func (op *updateOp) parsePull() (change, error) {
	leaf := filter{}
	matches := func(v value) bool { return equalValues(v, op.arg) }
	switch {
	case isFieldOperators(op.arg):
		f, err := parseOperators(leaf, op.arg.document())
		if err != nil {
			return change{}, err
		}
		matches = f.test
	case op.arg.kind == kindDocument:
		f, err := parseFilter(op.arg.document())
		if err != nil {
			return change{}, err
		}
		matches = func(v value) bool { return v.kind == kindDocument && f.matches(v.document()) }
	case op.arg.kind == kindRegex:
		pattern, options := op.arg.regex()
		f, err := leaf.regex(pattern, options, op.arg)
		if err != nil {
			return change{}, err
		}
		matches = f.test
	}
	return pulling(matches), nil
}

// isFieldOperators reports whether v is a document of operators on a value, not on a document as a whole.
func isFieldOperators(v value) bool {
	if !isOperators(v) {
		return false
	}
	name := v.document().firstName()
	return name != "$not" && lookup(fieldOperators(), name) != nil
}

func (op *updateOp) parsePullAll() (change, error) {
	if op.arg.kind != kindArray {
		return change{}, failure(codeBadValue, "$pullAll requires an array argument but was given a %s", kindName(op.arg.kind))
	}
	unwanted := op.arg.elements()
	return pulling(func(v value) bool {
		return slices.ContainsFunc(unwanted, func(x value) bool { return equalValues(x, v) })
	}), nil
}

func pulling(matches func(value) bool) change {
	return change{apply: func(old value) (value, error) {
		if old.kind != kindArray {
			return value{}, failure(codeBadValue, "Cannot apply $pull to a non-array value")
		}
		elements := old.elements()
		kept := slices.DeleteFunc(slices.Clone(elements), matches)
		if len(kept) == len(elements) {
			return old, nil
		}
		return arrayValue(kept), nil
	}}
}

func (op *updateOp) parsePop() (change, error) {
	n, whole := op.arg.wholeNumber()
	if !op.arg.numeric() {
		return change{}, failure(codeFailedToParse, "Expected a number in: %s: %s", op.field, op.arg)
	}
	if !whole || (n != 1 && n != -1) {
		return change{}, failure(codeFailedToParse, "$pop expects 1 or -1, found: %s", op.arg)
	}
	return change{apply: func(old value) (value, error) {
		if old.kind != kindArray {
			return value{}, failure(codeTypeMismatch, "Path '%s' contains an element of non-array type '%s'", op.field, kindName(old.kind))
		}
		elements := old.elements()
		switch {
		case len(elements) == 0:
			return old, nil
		case n == 1:
			elements = elements[:len(elements)-1]
		default:
			elements = elements[1:]
		}
		return arrayValue(elements), nil
	}}, nil
}
